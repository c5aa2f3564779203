from datetime import timedelta

from odoo import fields

from odoo.addons.spar_mapper_connector.lib.contract import Outcome, Result

from .common import FA, ID, OTHER_FA, RegistryCase


class TestOutboxSummary(RegistryCase):
    def get_summary(self, user=None):
        summaries = self.env["spar.outbox.summary"].with_user(user or self.user)
        return summaries.search([("programme_id", "=", self.programme.id)])

    def test_it_counts_by_state_and_reason(self):
        self.store.outcomes[ID] = Result(Outcome.LOCKED, ID)
        failed = self.collect(self.ada, FA)
        self.run_outbox()
        self.collect(self.grace, OTHER_FA)
        summary = self.get_summary()
        self.assertEqual((summary.failed, summary.waiting, summary.done), (1, 1, 0))
        self.assertIn(failed.reason_text, summary.failed_text)
        self.assertTrue(summary.failed_text.startswith("1 ×"))
        action = summary.action_open_failed()
        entries = self.env[action["res_model"]].search(action["domain"])
        self.assertEqual(entries.account_id, failed)
        self.run_outbox()
        self.env.invalidate_all()
        self.assertEqual((self.get_summary().waiting, self.get_summary().done), (0, 1))

    def test_it_shows_how_long_the_oldest_has_been_there(self):
        entry = self.collect(self.ada, FA).entry_ids
        self.env.flush_all()
        for age, text in (
            (timedelta(minutes=5), "5 min"),
            (timedelta(hours=3, minutes=10), "3 h"),
            (timedelta(days=4), "4 days"),
        ):
            with self.subTest(text):
                self.env.cr.execute(
                    "UPDATE spar_outbox_entry SET create_date = %s WHERE id = %s",
                    (fields.Datetime.now() - age, entry.id),
                )
                self.env.invalidate_all()
                self.assertEqual(self.get_summary().oldest_text, text)

    def test_an_empty_outbox_has_no_summary(self):
        self.assertFalse(self.get_summary())

    def test_accounts_without_a_programme_have_a_summary_of_their_own(self):
        self.collect(self.ada, FA, programme_id=False)
        summaries = self.env["spar.outbox.summary"].with_user(self.user)
        alone = summaries.search([("programme_id", "=", False)])
        self.assertEqual(alone.waiting, 1)
        self.assertEqual(alone.action_open_waiting()["name"], "Outbox")

    def test_only_people_whom_the_user_sees_are_counted(self):
        self.collect(self.ada, FA)
        self.collect(self.grace, OTHER_FA)
        self.env["ir.rule"].create(
            {
                "name": "Not Grace",
                "model_id": self.env.ref("base.model_res_partner").id,
                "domain_force": f"[('id', '!=', {self.grace.id})]",
                "groups": [(4, self.env.ref("spar_registry.group_programme_user").id)],
            }
        )
        self.assertEqual(self.get_summary().waiting, 1)
