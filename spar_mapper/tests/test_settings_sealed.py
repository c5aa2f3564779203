"""A missing or altered rule decides nothing: the call is refused."""

from odoo.exceptions import UserError
from odoo.tools import mute_logger

from odoo.addons.spar_mapper_connector.exceptions import SettingsAltered
from odoo.addons.spar_mapper_connector.lib import settings_seal
from odoo.addons.spar_mapper_connector.tests.test_settings_seal import SEAL_LOGGER

from ..lib import checkpoint
from .common import ALARM_LOGGER, FA, ID, OTHER_FA, StoreCase
from .test_spar_checkpoint import CheckpointCase


class SettingsCase(StoreCase):
    def run_sql(self, query, *values, replica=False):
        self.env.flush_all()
        if replica:
            self.env.cr.execute("SET LOCAL session_replication_role = replica")
        self.env.cr.execute(query, values)
        if replica:
            self.env.cr.execute("SET LOCAL session_replication_role = origin")
        self.env.invalidate_all()
        self.env["spar.row.versions"]._forget()


class TestRulesAreSealed(SettingsCase):
    def setUp(self):
        super().setUp()
        self.link(ID, FA)
        self.hold = self.rules.create(
            {"name": "Hold", "sequence": 1, "decision": "hold", "hold_hours": 24}
        )

    def assert_update_refused(self):
        with mute_logger(SEAL_LOGGER, ALARM_LOGGER), self.enter_registry_test_mode():
            self.assert_refused(SettingsAltered, self.update, ID, OTHER_FA)

    def test_a_hold_rule_that_sql_removed_or_softened(self):
        attacks = (
            "DELETE FROM spar_change_rule WHERE id = %s",
            "UPDATE spar_change_rule SET active = false WHERE id = %s",
            "UPDATE spar_change_rule SET decision = 'apply' WHERE id = %s",
            "UPDATE spar_change_rule SET sequence = 99999 WHERE id = %s",
        )
        for attack in attacks:
            for replica in (False, True):
                with self.subTest(attack, replica=replica):
                    with self.env.cr.savepoint() as savepoint:
                        self.run_sql(attack, self.hold.id, replica=replica)
                        self.assert_update_refused()
                        savepoint.rollback()
                    self.env["spar.row.versions"]._forget()

    def test_the_alarm_and_the_check_name_it(self):
        self.run_sql("DELETE FROM spar_change_rule WHERE id = %s", self.hold.id)
        problem = ("spar_change_rule", self.hold.id, settings_seal.MISSING)
        self.assert_update_refused()
        with mute_logger(SEAL_LOGGER, ALARM_LOGGER), self.enter_registry_test_mode():
            self.assertIn(problem, self.env["spar.audit"]._check_store())
        alarm = self.env["spar.alarm"].search(
            [("table_name", "=", problem[0]), ("row_id", "=", problem[1])]
        )
        self.assertEqual(alarm.problem, settings_seal.MISSING)

    def test_a_rule_is_made_changed_and_deleted_by_two_people(self):
        first = self.create_user("administrator", "rule-first")
        second = self.create_user("administrator", "rule-second")
        values = {"name": "Soft", "sequence": 0, "decision": "apply"}
        rule = self.rules.with_user(first).create(values)
        self.assertFalse(rule.active)
        rule.sudo().setting_change_ids.with_user(second).action_approve()
        self.env.invalidate_all()
        self.assertTrue(rule.active)
        theirs = self.hold.with_user(first)
        theirs.write({"hold_hours": 1})
        self.env.invalidate_all()
        self.assertEqual(self.hold.hold_hours, 24)
        with self.assertRaises(UserError):
            theirs.unlink()
        self.hold.setting_change_ids.with_user(second).action_refuse()
        with self.assertRaises(UserError):
            theirs.unlink()


class TestOlderSettings(CheckpointCase):
    def test_settings_that_are_older_than_the_checkpoint(self):
        """The newest seals, and the settings they seal, are reverted together."""
        self.link(ID, FA)
        rule = self.rules.create(
            {"name": "Hold", "sequence": 1, "decision": "refuse", "channel": "rest"}
        )
        self.take()
        seq = self.parse().settings[0]
        self.assertTrue(seq)
        self.env.cr.execute("SET LOCAL session_replication_role = replica")
        self.env.cr.execute("DELETE FROM spar_change_rule WHERE id = %s", [rule.id])
        self.env.cr.execute("DELETE FROM spar_settings_seal WHERE seq = %s", [seq])
        self.env.cr.execute("SET LOCAL session_replication_role = origin")
        self.env.invalidate_all()
        self.assertFalse(self.env["spar.settings.seal"]._check_all())
        with mute_logger(ALARM_LOGGER), self.enter_registry_test_mode():
            found = self.env["spar.audit"]._check_store()
        self.assertIn(("spar_settings_seal", seq, checkpoint.SETTINGS_OLDER), found)
