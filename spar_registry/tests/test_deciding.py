"""Who decides who is paid: nobody without a role, and no expression."""

import json
import sys
from types import ModuleType
from unittest.mock import patch

from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import new_test_user
from odoo.tools import SQL, mute_logger, safe_eval

from odoo.addons.spar_mapper_connector import expressions
from odoo.addons.spar_mapper_connector.server import readers
from odoo.addons.spar_mapper_connector.tests.test_two_accounts import ServedRequest

from ..models.person import res_partner
from .common import FA, RegistryCase

ALARMS = "odoo.addons.spar_mapper_connector.expressions"
READING = "odoo.addons.spar_mapper_connector.server.reading"


class TestDeciding(RegistryCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.household = cls.create_person("Household", is_company=True)
        cls.other = cls.create_person("Other household", is_company=True)
        (cls.ada + cls.grace).parent_id = cls.household
        cls.household.spar_head_id = cls.ada
        cls.editor = new_test_user(
            cls.env,
            "contacts.editor",
            groups="base.group_user,base.group_partner_manager,base.group_system",
        )

    def serve(self, user):
        """Let the code that follows be a request of this user."""
        served = ServedRequest(user.id)
        for module in (expressions, res_partner):
            self.startPatcher(patch.object(module, "request", served))

    def evaluate(self, code, **values):
        with mute_logger(ALARMS):
            safe_eval.safe_eval(code, {"env": self.env, **values}, mode="exec")

    # === EXPRESSIONS === #

    def test_no_expression_chooses_who_is_paid(self):
        household = self.household.sudo()
        for code in (
            "who.write({'spar_head_id': other})",
            "who.write({'spar_died_on': '2020-01-01'})",
            "who.child_ids[0].write({'parent_id': False})",
            "env['res.partner'].create({'name': 'x', 'spar_head_id': other})",
            "env['res.partner'].create({'name': 'x', 'parent_id': who.id})",
            "who.with_context(default_parent_id=who.id).create({'name': 'x'})",
            "new.write({'parent_id': who.id})",
            "who.write({'child_ids': [(4, new.id)]})",
        ):
            new = self.create_person("Somebody new")
            names = {"who": household, "other": self.grace.id, "new": new}
            with self.subTest(code), self.assertRaisesRegex(Exception, "expression"):
                self.evaluate(code, **names)
        self.evaluate("new.write({'parent_id': who.id})", new=new, who=self.other)
        self.assertEqual(new.parent_id, self.other)
        self.env.invalidate_all()
        self.assertEqual(self.household.spar_head_id, self.ada)
        self.assertEqual(self.ada.parent_id, self.household)

    def test_no_default_says_to_which_household_people_belong(self):
        defaults, parent = self.env["ir.default"], self.household.id
        for user_id in (False, self.user.id):
            with self.subTest(user_id), self.assertRaises(ValidationError):
                defaults.set("res.partner", "parent_id", parent, user_id=user_id)
        row = defaults.create(
            {
                "field_id": self.env["ir.model.fields"]._get("res.partner", "ref").id,
                "json_value": json.dumps(parent),
            }
        )
        field = self.env["ir.model.fields"]._get("res.partner", "parent_id")
        # As SQL would, or before this addon was there.
        self.env.cr.execute(
            SQL("UPDATE ir_default SET field_id = %s WHERE id = %s", field.id, row.id)
        )
        self.env.invalidate_all()
        self.registry.clear_cache()
        self.assertFalse(self.create_person("Somebody").parent_id)

    def test_no_expression_reads_a_form_that_staff_have_open(self):
        """It names a person beside a provider."""
        wizard = self.env["spar.collect.wizard"].create({"partner_id": self.ada.id})
        self.env.flush_all()
        self.env.invalidate_all()
        for code in (
            "env['spar.collect.wizard'].sudo().search([])",
            "env['spar.collect.wizard'].sudo().search_count([])",
            "x = wizard.sudo().partner_id",
        ):
            with self.subTest(code), self.assertRaisesRegex(Exception, "expression"):
                self.evaluate(code, wizard=wizard)
        self.assertEqual(wizard.partner_id, self.ada)

    def test_an_error_of_odoo_names_no_member(self):
        """Odoo's mail reads the name of a document as superuser."""
        values = {"programme_id": self.programme.id, "partner_id": self.grace.id}
        member = self.env["spar.programme.member"].create(values)
        name = "odoo.addons.mail.models.work"
        work = vars(sys.modules.setdefault(name, ModuleType(name)))
        self.addCleanup(sys.modules.pop, name)
        exec("def show(record): return record.sudo().display_name", work)  # noqa: S102
        for user, is_open in ((self.manager, True), (self.editor, False)):
            self.serve(user)
            self.startPatcher(patch.object(readers, "request", ServedRequest(user.id)))
            self.env.invalidate_all()
            if is_open:
                self.assertTrue(work["show"](member.with_user(user)))
                continue
            with mute_logger(READING), self.assertRaises(AccessError):
                work["show"](member.with_user(user))

    def test_no_stored_action_does(self):
        action = self.env["ir.actions.server"].create(
            {
                "name": "x",
                "model_id": self.env["ir.model"]._get_id("res.partner"),
                "state": "object_write",
                "update_path": "spar_head_id",
                "resource_ref": f"res.partner,{self.grace.id}",
            }
        )
        place = {"active_model": "res.partner", "active_ids": self.household.ids}
        with mute_logger(ALARMS), self.assertRaisesRegex(Exception, "expression"):
            action.with_context(**place, active_id=self.household.id).run()
        self.env.invalidate_all()
        self.assertEqual(self.household.spar_head_id, self.ada)

    # === PEOPLE WITHOUT A ROLE === #

    def test_households_of_registered_people_stay_as_they_are(self):
        """Merged or deleted, their members would have another head, or none."""
        self.serve(self.editor)
        merging = self.env["base.partner.merge.automatic.wizard"].with_user(self.editor)
        kept, refused = self.other.with_user(self.editor), "decides who is paid"
        with self.assertRaisesRegex(AccessError, refused):
            merging._merge((self.household + self.other).ids, kept)
        with self.assertRaisesRegex(AccessError, refused):
            self.household.with_user(self.editor).unlink()
        empty = self.create_person("Household without members", is_company=True)
        empty.with_user(self.editor).unlink()
        self.assertFalse(empty.exists())
        self.assertEqual(self.ada.parent_id, self.household)

    def test_contacts_editors_do_not_choose_who_is_paid(self):
        self.serve(self.editor)
        ada = self.ada.with_user(self.editor)
        with self.assertRaises(AccessError):
            ada.parent_id = self.other
        with self.assertRaises(AccessError):
            self.other.with_user(self.editor).write({"child_ids": [(4, self.ada.id)]})
        with self.assertRaises(AccessError):
            self.household.with_user(self.editor).sudo().spar_head_id = self.grace
        self.env.invalidate_all()
        self.assertEqual(self.ada.parent_id, self.household)
        ada.write({"name": "Ada L.", "parent_id": self.household.id})
        somebody = self.create_person("Somebody")
        somebody.with_user(self.editor).parent_id = self.other

    def test_programme_users_do(self):
        self.serve(self.user)
        self.ada.with_user(self.user).parent_id = self.other
        self.household.with_user(self.user).spar_head_id = self.grace
        self.assertEqual(self.household.spar_head_id, self.grace)

    def test_contacts_editors_do_not_merge_people(self):
        self.serve(self.editor)
        wizards = self.env["base.partner.merge.automatic.wizard"]
        people = self.ada + self.grace
        with self.assertRaises(AccessError):
            wizards.with_user(self.editor)._merge(people.ids, self.grace)
        nobody, again = self.create_person("A"), self.create_person("A")
        people, kept = nobody + again, nobody.with_user(self.editor)
        wizards.with_user(self.editor)._merge(people.ids, kept)
        self.assertFalse(again.exists())

    def test_contacts_editors_copy_contacts(self):
        self.household.spar_died_on = "2020-01-01"
        copied = self.household.with_user(self.editor).copy()
        self.assertFalse(copied.sudo().spar_head_id)
        self.assertFalse(copied.sudo().spar_died_on)

    def test_a_custom_field_shows_nothing_of_people(self):
        model = self.env["ir.model"]._get_id("res.partner")
        for related in (
            "spar_identity_ids.masked",
            "spar_account_ids.provider_id.name",
            "parent_id.spar_head_id.name",
        ):
            with self.subTest(related), self.assertRaises(ValidationError):
                self.env["ir.model.fields"].create(
                    {
                        "name": "x_shown",
                        "field_description": "x",
                        "model_id": model,
                        "state": "manual",
                        "ttype": "char",
                        "related": related,
                    }
                )

    # === ONE PERSON WITH A ROLE === #

    def get_task(self, person):
        return self.env["spar.registry.task"].search(
            [("partner_id", "=", person.id), ("kind", "=", "identity_replaced")]
        )

    def add_identity(self, person, number, **values):
        return self.env["spar.person.identity"].create(
            {
                "partner_id": person.id,
                "id_type_id": self.id_type.id,
                "value": number,
                **values,
            }
        )

    def test_nobody_learns_a_name_by_the_number_of_a_record(self):
        """Odoo names records by their numbers: what a file or a message is about."""
        identity = self.ada.spar_identity_ids[:1].sudo(False)
        self.assertTrue(identity)
        plain = new_test_user(self.env, "plain.user", groups="base.group_user")
        for user in (self.editor, plain):
            shown = identity.with_user(user)
            for name, read in (
                ("name", lambda record: record.display_name),
                ("ID", lambda record: record.masked),
                ("file", self.show_file),
            ):
                with self.subTest(user.login, shown=name):
                    self.env.invalidate_all()
                    with self.assertRaises(AccessError):
                        read(shown)
        self.assertIn("•", identity.with_user(self.user).display_name)

    def show_file(self, record):
        files = self.env["ir.attachment"].with_user(record.env.user)
        values = {"res_model": record._name, "res_id": record.id}
        return files.new(values).res_name

    def test_no_property_shows_our_records(self):
        definitions = self.env["properties.base.definition"].with_user(self.editor)
        definition = definitions.sudo()._get_definition_for_property_field(
            "res.partner", "properties"
        )
        shown = {"name": "a", "string": "A", "type": "many2one"}
        for model in ("spar.person.identity", "spar.payment.account"):
            with self.subTest(model), self.assertRaisesRegex(Exception, "SPAR"):
                definition.properties_definition = [{**shown, "comodel": model}]
        definition.properties_definition = [{**shown, "comodel": "res.country"}]

    def test_an_id_is_not_overwritten(self):
        identity = self.ada.spar_identity_ids
        identity.is_verified = True
        with self.assertRaisesRegex(UserError, "add a new one"):
            identity.with_user(self.user).value = "2007831891"
        self.env.invalidate_all()
        opened = identity._open_identities()[identity.id]
        self.assertIn("2007760620", opened.id_value)

    def test_the_context_does_not_say_who_verified(self):
        """A default of the context fills in what the values leave out."""
        values = {
            "partner_id": self.ada.id,
            "id_type_id": self.ada.spar_identity_ids.id_type_id.id,
            "value": "2007831891",
        }
        forged = {
            "default_is_verified": True,
            "default_verified_by": self.manager.id,
            "default_state": "dismissed",
        }
        identities = self.env["spar.person.identity"].with_user(self.user)
        identity = identities.with_context(**forged).create(values)
        self.assertTrue(identity.is_verified)
        self.assertEqual(identity.verified_by, self.user)
        self.assertEqual(
            identity.env.context, identities.with_context(**forged).env.context
        )
        tasks = self.env["spar.registry.task"].with_context(**forged)
        self.assertEqual(tasks._propose("no_head", self.grace).state, "open")

    def test_people_of_the_registry_are_not_deleted(self):
        """Their IDs, accounts and tasks would go with them."""
        self.serve(self.editor)
        for user in (self.editor, self.user):
            with self.assertRaisesRegex(UserError, "Archive the person"):
                self.ada.with_user(user).sudo().unlink()
        self.assertTrue(self.ada.spar_identity_ids)
        somebody = self.create_person("Somebody")
        somebody.with_user(self.editor).unlink()
        self.assertFalse(somebody.exists())

    def test_another_id_by_which_somebody_is_paid_is_a_task(self):
        self.collect(self.ada, FA)
        self.run_outbox()
        new = self.add_identity(self.ada, "2007831891").with_user(self.user)
        self.assertFalse(self.get_task(self.ada))
        new.is_verified = True
        task = self.get_task(self.ada)
        self.assertEqual(task.programme_id, self.programme)
        ids = self.env["spar.identity.move"]._get_ids(task)
        self.assertIn("2007760620", ids.old.id_value)

    def test_the_first_id_is_no_task(self):
        somebody = self.create_person("Somebody")
        self.add_identity(somebody, "2007831891", is_verified=True)
        self.assertFalse(self.get_task(somebody))

    def test_a_column_stays_in_its_file(self):
        column = (
            self.env["spar.sealed.import.column"]
            .with_user(self.user)
            .sudo()
            .create({"job_model": "spar.account.import", "job_id": 1, "sequence": 0})
        )
        with self.assertRaises(AccessError):
            column.sudo(False).job_id = 2
        column.sudo(False).name = "account"
