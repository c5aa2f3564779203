from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tools import mute_logger

from odoo.addons.spar_mapper_connector.exceptions import SettingsAltered

from .common import StoreCase

SEALS = "odoo.addons.spar_mapper_connector.models.spar_settings_seal"


class TestSparLimit(StoreCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.first = cls.create_user("administrator", "limit-first")
        cls.second = cls.create_user("administrator", "limit-second")
        cls.limits = cls.env["spar.limit"]
        cls.budget = cls.env.ref("spar_mapper.limit_lookup_budget")
        cls.link = cls.env.ref("spar_mapper.limit_objection_link_stops_payments")

    def test_two_administrators_change_a_limit(self):
        self.assertEqual(self.limits._get_number("lookup_budget"), 200)
        self.budget.with_user(self.first).value = 300
        self.assertEqual(self.limits._get_number("lookup_budget"), 200)
        change = self.budget.setting_change_ids
        with self.assertRaises(UserError):
            change.with_user(self.first).action_approve()
        self.assertIn("200 → 300", change.summary)
        change.with_user(self.second).action_approve()
        self.assertEqual(self.limits._get_number("lookup_budget"), 300)

    def test_a_choice(self):
        code = "objection_link_stops_payments"
        self.assertFalse(self.limits._is_yes(code))
        self.link.with_user(self.first).is_on = True
        self.link.setting_change_ids.with_user(self.second).action_approve()
        self.assertTrue(self.limits._is_yes(code))

    def test_other_users_change_nothing(self):
        system = self.create_user(None, "limit-system")
        system.group_ids += self.env.ref("base.group_system")
        for role in ("viewer", "officer", "supervisor", "auditor"):
            user = self.create_user(role, f"limit-{role}")
            with self.subTest(role), self.assertRaises(AccessError):
                self.budget.with_user(user).value = 1000
        with self.assertRaises(AccessError):
            self.budget.with_user(system).value = 1000
        # The former parameter is no longer a setting.
        parameters = self.env["ir.config_parameter"].with_user(system)
        parameters.set_param("spar_mapper.lookup_budget", "1000")
        self.assertEqual(self.limits._get_number("lookup_budget"), 200)

    def test_an_administrator_changes_nothing_but_the_value(self):
        budget = self.budget.with_user(self.first)
        for values in ({"most": 9999}, {"code": "x"}, {"kind": "choice"}):
            with self.subTest(values), self.assertRaises(AccessError):
                budget.write(values)
        with self.assertRaises(AccessError):
            budget.unlink()
        with self.assertRaises(AccessError):
            budget.copy({"code": "y"})

    def test_a_number_out_of_range_is_refused_with_its_range(self):
        for value in (0, -1, 2001):
            with self.subTest(value):
                with self.assertRaisesRegex(ValidationError, "from 1 to 2000"):
                    self.budget.with_user(self.first).value = value
                    self.env.flush_all()

    def test_limit_changed_by_sql_is_refused_and_named(self):
        for query in (
            "UPDATE spar_limit SET value = 2000 WHERE id = %s",
            "UPDATE spar_limit SET code = 'gone' WHERE id = %s",
            "DELETE FROM spar_limit WHERE id = %s",
        ):
            with self.subTest(query), self.env.cr.savepoint() as savepoint:
                self.env.flush_all()
                self.env.cr.execute(query, [self.budget.id])
                self.env.invalidate_all()
                with (
                    self.catch_alarms(),
                    mute_logger(SEALS),
                    self.assertRaises(SettingsAltered),
                ):
                    self.limits._get_number("lookup_budget")
                found = self.env["spar.settings.seal"]._check_all()
                self.assertIn(("spar_limit", self.budget.id), {f[:2] for f in found})
                savepoint.rollback()
            self.env.invalidate_all()
