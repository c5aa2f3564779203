from datetime import timedelta
from unittest.mock import patch

from odoo import fields

from odoo.addons.spar_mapper_connector.exceptions import ServiceUnavailable

from ..models.sweep import spar_sweep
from .common import FA, ID, OTHER_FA, OTHER_ID, THIRD_FA, RegistryCase
from .stand_in import WRONG_ANSWERS

COUNTS = ("compared", "same", "drift", "new_drift", "unknown")


class TestSweep(RegistryCase):
    def setUp(self):
        super().setUp()
        self.sweeps = self.env["spar.sweep"]
        self.sweeps.search([]).unlink()
        self.first = self.collect(self.ada, FA)
        self.second = self.collect(self.grace, OTHER_FA)
        self.run_outbox()

    def sweep(self):
        """Run the nightly job as on another night; return the counts by name."""
        earlier = fields.Datetime.now() - timedelta(days=1)
        self.sweeps.search([]).write({"started_at": earlier})
        self.store.calls.clear()
        self.run_cron()
        sweep = self.sweeps.search([], limit=1)
        self.assertTrue(sweep.ended_at)
        return tuple(sweep[name] for name in COUNTS)

    def run_cron(self):
        with self.enter_registry_test_mode(), self.registry.cursor() as cr:
            self.env(cr=cr)["spar.sweep"]._cron_sweep()
        self.env.invalidate_all()

    def get_tasks(self):
        return self.env["spar.registry.task"].search([("kind", "=", "drift")])

    def test_what_is_the_same_is_only_counted(self):
        self.assertEqual(self.sweep(), (2, 2, 0, 0, 0))
        self.assertFalse(self.get_tasks())

    def test_another_spelling_is_the_same(self):
        self.store.set(ID, "account:1111-0000-1111@br01.testbank")
        self.assertEqual(self.sweep()[1], 2)

    def test_a_difference_is_a_task_and_nothing_is_sent(self):
        self.store.set(ID, THIRD_FA, "the person")
        self.assertEqual(self.sweep(), (2, 1, 1, 1, 0))
        task = self.get_tasks()
        self.assertEqual((task.partner_id, task.account_id), (self.ada, self.first))
        self.assertEqual(task.user_id, self.manager)
        self.assertEqual({word for word, _call, _ids in self.store.calls}, {"resolve"})
        self.run_outbox()
        self.assertEqual(self.store.get_fa(ID), THIRD_FA)

    def test_an_address_that_was_removed_is_a_difference(self):
        self.store.places.pop(ID)
        self.assertEqual(self.sweep()[2], 1)
        self.assertIn("removed", self.get_tasks().reason)

    def test_an_address_after_a_removal_is_a_difference(self):
        self.collect(self.ada, "")
        self.run_outbox()
        self.assertEqual(self.sweep()[1], 2)
        self.store.set(ID, THIRD_FA)
        self.assertEqual(self.sweep()[2], 1)

    def test_a_difference_that_staff_have_seen_is_no_new_task(self):
        self.store.set(ID, THIRD_FA)
        self.sweep()
        self.get_tasks().answer = "The person chose it online"
        self.get_tasks().action_dismiss()
        self.assertEqual(self.sweep(), (2, 1, 1, 0, 0))
        self.assertEqual(len(self.get_tasks()), 1)
        self.store.set(ID, OTHER_FA)
        self.assertEqual(self.sweep(), (2, 1, 1, 1, 0))
        self.assertEqual(len(self.get_tasks()), 2)

    def test_only_the_last_account_of_a_person_is_compared(self):
        self.collect(self.ada, THIRD_FA)
        self.assertEqual(self.sweep()[0], 1)
        self.run_outbox()
        self.assertEqual(self.sweep(), (2, 2, 0, 0, 0))

    def test_a_payee_of_several_is_compared_once(self):
        household = self.create_person("Household", is_company=True)
        (self.ada + self.grace).parent_id = household
        household.spar_head_id = self.ada
        self.programme.payee_rule = "head"
        self.collect(self.grace, THIRD_FA)
        self.run_outbox()
        self.assertEqual(self.store.get_fa(ID), THIRD_FA)
        self.assertEqual(self.sweep(), (2, 2, 0, 0, 0))

    def test_what_the_mapper_does_not_say_is_unknown(self):
        self.store.stopped.add(ID)
        self.assertEqual(self.sweep(), (2, 1, 0, 0, 1))
        self.ada.spar_identity_ids.active = False
        self.assertEqual(self.sweep(), (2, 1, 0, 0, 1))
        self.assertFalse(self.get_tasks())

    def test_a_mapper_that_is_down_makes_all_unknown(self):
        def fail(*_arguments):
            raise ServiceUnavailable("down")

        self.patch(self.registry["spar.mapper.stand.in"], "_resolve_fa", fail)
        self.assertEqual(self.sweep(), (2, 0, 0, 0, 2))

    def test_wrong_answers_are_no_differences(self):
        for name, distort in WRONG_ANSWERS.items():
            with self.subTest(name):
                self.store.distort = distort
                compared, same, drift, new, unknown = self.sweep()
                self.assertEqual((compared, drift, new), (2, 0, 0))
                self.assertEqual(same + unknown, 2)

    def test_it_goes_on_where_it_was_killed(self):
        with patch.object(spar_sweep, "BATCH", 1):
            sweep = self.sweeps.create({})
            self.assertTrue(sweep._run_chunk())
            self.assertEqual((sweep.compared, sweep.position), (1, self.first.id))
            self.run_cron()
        self.assertEqual((sweep.compared, sweep.same), (2, 2))
        self.assertTrue(sweep.ended_at)
        self.assertEqual(self.sweeps.search_count([]), 1)

    def test_it_runs_once_a_night(self):
        self.sweep()
        self.sweeps.search([]).write({"started_at": fields.Datetime.now()})
        self.run_cron()
        self.assertEqual(self.sweeps.search_count([]), 1)

    def test_digests_of_an_unsearched_key_are_unknown_and_never_a_difference(self):
        self.env.flush_all()
        self.env.cr.execute("UPDATE spar_payment_account SET digest_a = NULL")
        self.assertEqual(self.sweep(), (2, 0, 0, 0, 2))

    def test_the_digest_of_a_new_key_is_made_of_what_is_the_same(self):
        keyring = self.keyring
        keyring.roles.index_keys["b"] = keyring.roles.index_keys["a"]
        self.addCleanup(keyring.roles.index_keys.pop, "b", None)
        self.store.set(ID, THIRD_FA)
        self.sweep()
        self.env.cr.execute(
            "SELECT id FROM spar_payment_account"
            " WHERE digest_b IS NOT NULL AND digest_b = digest_a"
        )
        self.assertEqual(self.env.cr.fetchall(), [(self.second.id,)])

    def test_a_year_old_report_is_deleted(self):
        self.sweep()
        old = fields.Datetime.now() - timedelta(days=500)
        self.sweeps.search([]).write({"started_at": old})
        self.sweeps._delete_old()
        self.assertFalse(self.sweeps.search([]))

    def test_the_report_leads_to_the_tasks(self):
        self.store.set(ID, THIRD_FA)
        self.sweep()
        report = self.sweeps.search([], limit=1).with_user(self.user)
        action = report.action_open_tasks()
        tasks = self.env[action["res_model"]].search(action["domain"])
        self.assertEqual(tasks, self.get_tasks())

    def test_two_people_share_an_id_that_was_sent_before(self):
        self.env["spar.person.identity"].create(
            {
                "partner_id": self.grace.id,
                "id_type_id": self.id_type.id,
                "value": "2007760620",
            }
        )
        self.assertEqual(self.sweep(), (2, 2, 0, 0, 0))
        self.assertEqual(self.store.get_fa(OTHER_ID), OTHER_FA)
