"""Two people change the definition of a type's IDs; rules that cannot work fail."""

from odoo.exceptions import UserError, ValidationError
from odoo.modules.module import load_script
from odoo.tests import TransactionCase
from odoo.tools import file_path

from ..exceptions import InvalidIdentifier
from .test_second_person import SecondPersonCase

MIGRATION = load_script(
    file_path("spar_mapper_connector/migrations/19.0.1.1.0/post-migration.py"),
    "spar_mapper_connector_post_migration",
)
RENAMING = load_script(
    file_path("spar_mapper_connector/migrations/19.0.1.9.0/post-id_type_name.py"),
    "spar_mapper_connector_id_type_name",
)
SHIPPED = "token:{sub}@nationalId"
#: A value for each rule of a type, different from the shipped one.
RULES = {
    "active": False,
    "sequence": 77,
    "strategy": "nid:{x}",
    "tokeniser": "openg2p-sha3-256",
    "tokeniser_parameter": "spar",
    "stored_strategy": "token:{x}@registry",
    "check": "luhn",
    "check_parameter": "[0-9]+",
    "ignores_gaps": False,
    "ignores_case": True,
    "card_pattern": "[0-9]+",
    "card_min_length": 4,
    "card_max_length": 12,
    "card_check": "luhn",
    "card_check_parameter": "[0-9]+",
    "card_binds_programs": True,
    "issuers": "https://id.example.org",
}
TAX = {"name": "Tax number", "code": "tax", "sequence": 5, "strategy": "tax:{x}"}


class TestRulesOfIds(SecondPersonCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.types = cls.env["spar.id.type"]
        cls.id_type.write({"ignores_gaps": True, "card_look": "digits"})

    def test_every_rule_waits_for_a_second_person(self):
        guarded = set(self.types._guarded_fields)
        self.assertEqual(guarded, {*RULES, "backend_id"})
        # A parameter alone means nothing: its check is written first.
        self.id_type.write({"check": "regex", "check_parameter": ".*"})
        self.id_type.write({"card_check": "regex", "card_check_parameter": ".*"})
        values = {**RULES, "check": False, "card_check": False}
        values["check_parameter"] = values["card_check_parameter"] = "[0-9]+"
        for name, value in values.items():
            if name in ("check", "card_check"):
                continue
            with self.subTest(name):
                before = self.id_type[name]
                change = self.propose(**{name: value})
                self.assertEqual(change.state, "waiting")
                self.assertEqual(self.id_type[name], before)
                change.with_user(self.second).action_refuse()

    def test_a_rule_takes_effect_once_approved(self):
        change = self.propose(ignores_case=True)
        text = "token:ab1@nationalId"
        self.assertEqual(self.types._identify(text).canonical, "token:ab1@nationalid")
        change.with_user(self.second).action_approve()
        self.assertEqual(self.types._identify(text).canonical, "token:AB1@nationalid")

    def test_a_new_type_reads_no_id_before_it_is_approved(self):
        tax = self.types.with_user(self.first).create(TAX)
        self.assertFalse(tax.active)
        other = self.env.ref("spar_mapper_connector.id_type_other")
        self.assertEqual(self.types._identify("tax:1").type_id, other.id)
        change = tax.sudo().setting_change_ids
        self.assertIn("tax:{x}", change.summary)
        change.with_user(self.second).action_approve()
        self.assertEqual(self.types._identify("tax:1").type_id, tax.id)

    def test_a_record_with_a_pending_change_cannot_be_edited(self):
        tax = self.types.with_user(self.first).create(TAX)
        change = tax.sudo().setting_change_ids
        for user in (self.first, self.second):
            for values in ({"strategy": "token:{x}@vat"}, {"name": "Harmless"}):
                with self.subTest(user.login, values=values):
                    with self.assertRaisesRegex(
                        UserError, "waiting for a second person"
                    ):
                        tax.with_user(user).write(values)
        self.assertEqual((tax.strategy, change.state), ("tax:{x}", "waiting"))
        change.with_user(self.first).action_refuse()
        tax.strategy = "token:{x}@vat"
        self.assertEqual(tax.strategy, "token:{x}@vat")

    def test_a_strategy_holds_nothing_of_a_value(self):
        wrong = ("token:20{x}@nationalId", "token:{x}16@nationalId", "a:1:{x}", "9{x}")
        for template in wrong:
            for name in ("strategy", "stored_strategy"):
                with self.subTest(template, name=name):
                    with self.assertRaises(ValidationError):
                        self.types.create({**TAX, name: template})

    def test_two_types_have_no_common_stored_form(self):
        for template in ("token:{x}@nationalId", "TOKEN:{y}@NATIONALID"):
            with self.subTest(template), self.assertRaises(ValidationError):
                self.types.create({**TAX, "stored_strategy": template})
        tax = self.types.create({**TAX, "stored_strategy": "kept:{x}"})
        with self.assertRaises(ValidationError):
            self.types.create({**TAX, "code": "b", "strategy": "kept:{x}"})
        self.assertEqual(self.types._identify("tax:1").canonical, "kept:1")
        self.assertEqual(self.types._identify("tax:1").type_id, tax.id)

    def test_a_type_in_use_is_not_deleted_by_one_person(self):
        with self.assertRaises(UserError):
            self.id_type.with_user(self.first).unlink()
        tax = self.types.with_user(self.first).create(TAX)
        tax.sudo().setting_change_ids.with_user(self.first).action_refuse()
        tax.unlink()
        self.assertFalse(tax.exists())

    def test_a_card_rule_is_said_in_words(self):
        for name in ("card_pattern", "card_min_length", "card_check"):
            values = {"card_look": " ", name: RULES[name]}
            with self.subTest(name), self.assertRaises(ValidationError):
                self.types.create({**TAX, **values})

    def test_a_card_rule_that_cannot_work_is_refused(self):
        wrong = (
            {"card_pattern": "("},
            {"card_check": "stdnum", "card_check_parameter": "no.such"},
            {"card_min_length": 9, "card_max_length": 8},
            {"card_min_length": -1},
        )
        for values in wrong:
            with self.subTest(values), self.assertRaises(ValidationError):
                self.types.create({**TAX, "card_look": "digits", **values})

    def test_the_shipped_national_id_ignores_gaps_and_has_no_card_rule(self):
        national = self.env.ref("spar_mapper_connector.id_type_national_id")
        self.assertTrue(national.ignores_gaps)
        self.assertFalse(national.ignores_case)
        self.assertFalse(national.has_card_rule)
        with self.assertRaises(InvalidIdentifier):
            self.types._identify("token:{sub}@nationalId")


class TestNationalIdFromBefore(TransactionCase):
    """The upgrade of the shipped type of a database made before."""

    def migrate(self, **values):
        national = self.env.ref("spar_mapper_connector.id_type_national_id")
        national.write({"ignores_gaps": False, **values})
        self.env.flush_all()
        MIGRATION.migrate(self.env.cr, "19.0.1.0.0")
        self.env.invalidate_all()
        return national.ignores_gaps

    def test_gaps_do_not_count_in_the_shipped_national_id(self):
        self.assertTrue(self.migrate())

    def test_a_type_that_a_country_made_its_own_stays_as_it_is(self):
        self.assertFalse(self.migrate(strategy="nid:{x}"))
        tokenised = {"tokeniser": "openg2p-sha3-256", "strategy": SHIPPED}
        self.assertFalse(self.migrate(**tokenised))

    def test_the_shipped_name_is_words_and_another_name_stays(self):
        national = self.env.ref("spar_mapper_connector.id_type_national_id")
        names = {RENAMING.OLD: RENAMING.NEW, "Citizen number": "Citizen number"}
        for before, after in names.items():
            with self.subTest(before):
                national.name = before
                self.env.flush_all()
                RENAMING.migrate(self.env.cr, "19.0.1.8.0")
                self.env.invalidate_all()
                self.assertEqual(national.name, after)
