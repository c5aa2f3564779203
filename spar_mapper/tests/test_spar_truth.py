from odoo.tools import mute_logger

from odoo.addons.spar_mapper_connector.lib.contract import Outcome

from ..lib import audit
from .common import ALARM_LOGGER, FA, ID, OTHER_FA, THIRD_FA, StoreCase


class TestTruth(StoreCase):
    """The effect of a plain statement on an ID or on a pending change."""

    def setUp(self):
        super().setUp()
        self.link(ID, FA)
        self.update(ID, OTHER_FA)
        self.env.cr.execute("SET CONSTRAINTS ALL IMMEDIATE")
        self.env.cr.execute("SET CONSTRAINTS ALL DEFERRED")

    def get_findings(self):
        with mute_logger(ALARM_LOGGER), self.enter_registry_test_mode():
            return {
                (table, problem)
                for table, _row, problem in self.env["spar.audit"]._check_store()
            }

    # === A DEACTIVATED ID === #

    def switch_off(self):
        with self.past_triggers():
            self.env.cr.execute("UPDATE spar_subject_id SET active = false")

    def test_it_is_locked_not_unknown(self):
        self.switch_off()
        with self.catch_alarms() as alarms:
            self.assertEqual(self.resolve(ID).outcome, Outcome.LOCKED)
        self.assertIn("spar_subject_id", [table for table, _row in alarms])

    def test_it_cannot_be_linked_anew(self):
        self.switch_off()
        for word in (self.link, self.update):
            with self.subTest(word.__name__), self.catch_alarms():
                result = word(ID, THIRD_FA)
                self.assertEqual(result.outcome, Outcome.LOCKED)
                self.assertEqual(result.problem, "integrity")
        self.env.cr.execute("SELECT count(*) FROM spar_subject_id")
        self.assertEqual(self.env.cr.fetchone(), (1,))

    def test_summary_names_no_one(self):
        self.switch_off()
        with self.catch_alarms():
            self.assertEqual(self.resolve(fa=OTHER_FA).outcome, Outcome.LOCKED)

    # === A CHANGE THAT HAS ENDED === #

    def test_a_refused_change_set_back_is_not_applied(self):
        self.hold_everything()
        self.update(ID, THIRD_FA)
        change = self.change_of(ID)
        self.mapper._end_change(self.supervisor, change.id, "refused")
        with self.past_triggers():
            self.env.cr.execute("UPDATE spar_change SET state = 'waiting'")
        self.env.invalidate_all()
        found = self.get_findings()
        self.assertIn(("spar_change", audit.CHANGE_ENDED), found)
        self.let_pass(hours=49)
        with mute_logger(ALARM_LOGGER):
            self.run_schedule()
        self.assertEqual(change.state, "waiting")

    def test_a_waiting_change_set_aside_is_named(self):
        self.hold_everything()
        self.update(ID, THIRD_FA)
        with self.past_triggers():
            self.env.cr.execute("UPDATE spar_change SET state = 'refused'")
        self.assertIn(("spar_mapping", audit.CHANGE_HIDDEN), self.get_findings())

    def test_every_way_of_a_change_is_true_by_the_history(self):
        """There is no false alarm, however a change begins and ends."""
        self.hold_everything()
        self.update(ID, THIRD_FA)
        self.assertFalse(self.get_findings())
        for end in ("cancelled", "refused", "expired"):
            change = self.change_of(ID)
            self.mapper._end_change(self.supervisor, change.id, end)
            self.assertFalse(self.get_findings(), end)
            self.update(ID, THIRD_FA)
            self.assertFalse(self.get_findings(), end)
        self.suspend(ID)
        self.assertFalse(self.get_findings())
        self.resume(ID)
        self.assertFalse(self.get_findings())
