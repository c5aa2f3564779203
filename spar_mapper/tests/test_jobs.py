"""Scheduled jobs: who starts one, and what the job knows of that."""

from datetime import datetime, timedelta
from unittest.mock import patch

from odoo.exceptions import AccessError, ValidationError
from odoo.tests import TransactionCase, new_test_user, tagged

from odoo.addons.spar_mapper_connector.models import ir_actions_server


@tagged("post_install", "-at_install")
class TestJobs(TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.action = cls.env["ir.actions.server"].create(
            {
                "name": "Decide",
                "state": "code",
                "model_id": cls.env["ir.model"]._get_id("spar.mapper.demo"),
                "code": "model._cron_decide_due()",
            }
        )

    def run_action(self, **context) -> list[dict]:
        """Return the contexts in which the job ran."""
        seen = []

        def note(store):
            seen.append(dict(store.env.context))

        with patch.object(self.registry["spar.mapper.demo"], "_cron_decide_due", note):
            self.action.with_context(**context).run()
        return seen

    def test_no_context_sets_the_clock_of_the_store(self):
        store = self.env["spar.mapper.demo"].with_context(spar_demo_days_ago=-400)
        self.assertLess(store._get_now() - datetime.utcnow(), timedelta(hours=1))

    def test_a_job_sees_nothing_of_the_request_that_starts_it(self):
        (seen,) = self.run_action(spar_demo_days_ago=-400, active_test=False, cron_id=7)
        self.assertEqual(seen, {"cron_id": 7})

    def test_an_action_of_another_type_is_no_job(self):
        """Nor is one that becomes of another type: it would act on our model."""
        values = {
            "name": "Act",
            "model_id": self.env["ir.model"]._get_id("spar.checkpoint"),
            "code": "model._cron_take()",
        }
        actions = self.env["ir.actions.server"]
        job = actions.create({**values, "state": "code"})
        for state in ("webhook", "multi", "object_write", "object_create"):
            with self.subTest(state), self.assertRaises(ValidationError):
                actions.create({**values, "state": state})
            with self.subTest(f"to {state}"), self.assertRaises(ValidationError):
                job.state = state

    def test_only_who_manages_the_schedule_starts_a_job(self):
        groups = ("base.group_user", "base.group_user,base.group_system")
        plain, system = (
            new_test_user(self.env, f"test_jobs_{number}", groups=names)
            for number, names in enumerate(groups)
        )
        for user, is_refused in ((plain, True), (system, False)):
            with (
                self.subTest(user.login),
                patch.object(ir_actions_server, "request", True),
                patch.object(ir_actions_server, "get_person", return_value=user.id),
            ):
                if is_refused:
                    with self.assertRaises(AccessError):
                        self.run_action()
                else:
                    self.assertTrue(self.run_action())
