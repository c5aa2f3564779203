"""What we know of contacts, and rows of Odoo's administrator that would read it."""

from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user
from odoo.tools import mute_logger

from odoo.addons.spar_mapper_connector import expressions
from odoo.addons.spar_mapper_connector.expressions import scheduled
from odoo.addons.spar_mapper_connector.server import readers
from odoo.addons.spar_mapper_connector.server.naming import find_naming
from odoo.addons.spar_mapper_connector.tests.other_addon import AUTOMATION, load_addon
from odoo.addons.spar_mapper_connector.tests.test_two_accounts import ServedRequest

from .common import RegistryCase

ALARMS = (
    "odoo.addons.spar_mapper_connector.expressions",
    "odoo.addons.spar_mapper_connector.server.reading",
)


class TestRows(RegistryCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # A test is no command of the operator.
        cls.enterClassContext(scheduled())
        cls.household = cls.create_person("Household", is_company=True)
        cls.ada.parent_id = cls.household
        cls.household.spar_head_id = cls.ada
        cls.ada.spar_birth_year = 1970
        cls.boss = new_test_user(
            cls.env,
            "test_rows",
            groups="base.group_user,base.group_partner_manager,base.group_system",
        )
        cls.env.flush_all()

    def serve(self, user):
        """Let the code that follows be a request of this user."""
        served = ServedRequest(user.id)
        for module in (expressions, readers):
            self.startPatcher(patch.object(module, "request", served))

    def refused(self):
        return self.assertRaisesRegex(AccessError, "cannot read")

    def test_no_filter_reads_them(self):
        """Automations apply their filters as superuser, to the cache as well."""
        work, people = load_addon(self, AUTOMATION), self.ada + self.household
        for domain in (
            [("spar_birth_year", "<", 1980)],
            [("spar_head_id", "=", self.ada.id)],
            [("spar_head_id.name", "=like", "A%")],
            [("spar_died_on", "!=", False)],
            [("parent_id.spar_head_id", "!=", False)],
            [("child_ids", "any", [("spar_birth_year", "=", 1970)])],
            [("spar_identity_ids", "!=", False)],
            [("spar_member_ids.programme_id.name", "=like", "C%")],
        ):
            for ask in (work.filter_by, work.find):
                with self.subTest(domain, ask=ask.__name__), mute_logger(*ALARMS):
                    with self.refused():
                        ask(people, domain)
        for ask in (work.order_by, work.group_by, work.count, work.show):
            with self.subTest(ask.__name__), mute_logger(*ALARMS), self.refused():
                ask(people, "spar_birth_year")
        named = work.filter_by(people, [("name", "=", "Household")])
        self.assertEqual(named, self.household)

    def test_another_models_search_does_not_hide_who_asks(self):
        """Mail has a search of its own for messages."""
        self.ada.message_post(body="x", author_id=self.ada.id)
        work = load_addon(self, AUTOMATION)
        with mute_logger(*ALARMS), self.refused():
            work.find(self.ada.message_ids, [("author_id.spar_birth_year", "<", 1980)])

    def test_no_rule_shows_them_to_somebody_without_a_role(self):
        """Odoo applies a rule from before, or from SQL, as superuser."""
        rule = self.env["ir.rule"].create(
            {
                "name": "x",
                "model_id": self.env["ir.model"]._get_id("res.partner"),
                "domain_force": "[]",
            }
        )
        self.env.cr.execute(
            "UPDATE ir_rule SET domain_force = %s WHERE id = %s",
            ["[('spar_head_id', '!=', False)]", rule.id],
        )
        self.env.invalidate_all()
        self.env.registry.clear_cache()
        self.assertIn(("ir_rule", rule.id), find_naming(self.env))
        work = load_addon(self, "web")
        contacts = self.env["res.partner"].with_user(self.boss)
        self.serve(self.boss)
        with mute_logger(*ALARMS), self.refused():
            work.find_for_user(contacts)
        self.serve(self.manager)
        shown = work.find_for_user(contacts.with_user(self.manager))
        self.assertEqual(shown, self.household)

    def test_no_action_reads_them_as_its_user(self):
        work = load_addon(self, "mail")
        manager = self.manager
        household = self.household.with_user(manager)
        for model in ("ir.actions.server", "base.automation"):
            with self.subTest(model), mute_logger(*ALARMS), self.refused():
                work.Row(model).show(household, "spar_head_id")
        # Another object, such as a form, shows them to their user.
        shown = work.Row("res.partner").show(household, "spar_head_id")
        self.assertEqual(shown, self.ada)

    def test_no_copy_from_before_reads_them(self):
        field = self.registry["res.users"]._fields["spar_birth_year"]
        self.env.invalidate_all()
        user = self.boss.with_user(self.manager)
        with patch.object(field, "manual", True), mute_logger(*ALARMS):
            with self.refused():
                user.sudo().mapped("spar_birth_year")

    def test_no_row_names_them(self):
        model_id = self.env["ir.model"]._get_id("res.partner")
        of_head = self.env["ir.model.fields"]._get("res.partner", "spar_head_id").id
        made = {"name": "x_row", "model_id": model_id}
        for model, values in (
            ("ir.rule", {"domain_force": "[('spar_birth_year', '<', 1980)]"}),
            ("ir.rule", {"domain_force": "[('parent_id.spar_head_id', '=', 1)]"}),
            ("ir.actions.server", {"state": "code", "code": "record.spar_died_on"}),
            (
                "ir.actions.server",
                {"state": "object_write", "update_path": "parent_id.spar_died_on"},
            ),
            (
                "ir.actions.server",
                {"state": "followers", "followers_partner_field_name": "spar_head_id"},
            ),
            (
                "ir.actions.server",
                {"state": "webhook", "webhook_field_ids": [of_head]},
            ),
            (
                "ir.model.fields",
                {
                    "ttype": "integer",
                    "field_description": "x",
                    "depends": "spar_identity_ids",
                    "compute": "for one in self: one['x_row'] = 1",
                },
            ),
        ):
            rows = self.env[model].with_user(self.boss)
            with self.subTest(model, **values), self.assertRaises(UserError):
                rows.create({**made, **values})

    def test_nothing_that_addons_ship_is_named(self):
        """An account has each field of its contact, noted as a path to it."""
        self.assertEqual(find_naming(self.env), [])

    def test_a_favourite_names_them(self):
        """It is applied as the user who has it."""
        kept = (
            self.env["ir.filters"]
            .with_user(self.manager)
            .create(
                {
                    "name": "Old people",
                    "model_id": "res.partner",
                    "domain": "[('spar_birth_year', '<', 1950)]",
                    "user_ids": [self.manager.id],
                }
            )
        )
        self.assertTrue(kept)
        found = self.env["res.partner"].with_user(self.manager)
        self.assertIn(self.ada, found.search([("spar_birth_year", "<", 1980)]))
