import psycopg2

from odoo.exceptions import ValidationError
from odoo.tools import mute_logger

from ..exceptions import InvalidIdentifier
from .common import KeyringCase


class TestSparIdType(KeyringCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.types = cls.env["spar.id.type"]
        cls.national = cls.env.ref("spar_mapper_connector.id_type_national_id")
        cls.other = cls.env.ref("spar_mapper_connector.id_type_other")

    def create_type(self, **values):
        return self.types.create(
            {"name": "Tax number", "code": "tax", "sequence": 5, **values}
        )

    def assert_identified(self, text, canonical, id_type):
        found = self.types._identify(text)
        self.assertEqual((found.canonical, found.type_id), (canonical, id_type.id))

    def assert_invalid(self, code, text):
        error = self.assert_refused(InvalidIdentifier, self.types._identify, text)
        self.assertEqual(error.code, code)

    def test_an_id_is_recognised_by_its_strategy(self):
        self.assert_identified(
            "Token:AbC@NationalId", "token:AbC@nationalid", self.national
        )

    def test_an_unrecognised_text_is_any_other_id(self):
        for text in ("4711", "tax:4711@office", "nationalid:AbC@token"):
            with self.subTest(text):
                self.assert_identified(text, text, self.other)

    def test_the_first_type_that_fits_is_taken(self):
        own = self.create_type(strategy="token:{x}@nationalId", sequence=1)
        self.assert_identified("token:A@nationalid", "token:A@nationalid", own)

    def test_a_tokeniser_turns_the_entered_value_into_the_key(self):
        own = self.create_type(
            strategy="nid:{value}@country",
            tokeniser="openg2p-sha3-256",
            tokeniser_parameter="spar",
            stored_strategy="token:{value}@register",
        )
        token = "3CUkFAVnskFmGt8yUeqyNgu1H6gn_QfYTLgGSdwZPek"
        self.assert_identified("NID:1234567890@Country", f"token:{token}@register", own)
        self.assert_identified(
            f"token:{token}@Register", f"token:{token}@register", own
        )

    def test_a_tokeniser_without_a_stored_strategy_keeps_the_strategy(self):
        own = self.create_type(strategy="n:{x}", tokeniser="openg2p-sha3-256")
        found = self.types._identify("n:1")
        self.assertEqual(found.type_id, own.id)
        self.assertRegex(found.canonical, r"^n:[A-Za-z0-9_-]{43}$")

    def test_a_stored_strategy_without_a_tokeniser_rewrites_the_id(self):
        own = self.create_type(
            strategy="nid:{value}@country", stored_strategy="token:{value}@register"
        )
        self.assert_identified("nid:7@country", "token:7@register", own)

    def test_a_value_with_delimiters_enters_no_stored_strategy(self):
        self.create_type(
            strategy="nid:{value}@country", stored_strategy="token:{value}@register"
        )
        for value in ("a:b", "a@b"):
            with self.subTest(value):
                self.assert_invalid("delimiter", f"nid:{value}@country")

    def test_a_check_refuses_a_value(self):
        self.create_type(strategy="tax:{x}", check="regex", check_parameter="[0-9]{4}")
        self.assertTrue(self.types._identify("tax:4711"))
        for value in ("471", "47110", "abcd"):
            with self.subTest(value):
                self.assert_invalid("check", f"tax:{value}")

    def test_a_check_of_a_known_number_format_is_used(self):
        self.create_type(strategy="card:{x}", check="luhn")
        self.assertTrue(self.types._identify("card:79927398713"))
        self.assert_invalid("check", "card:79927398714")

    def test_an_invalid_id_is_refused_with_its_reason(self):
        cases = {
            "empty": "",
            "too_long": "x" * 256,
            "characters": "token:a\u202eb@nationalId",
            "placeholder": "token:{sub}@nationalId",
            "alike": "token:a",
        }
        for code, text in cases.items():
            with self.subTest(code):
                self.assert_invalid(code, text)

    def test_without_a_type_for_the_rest_other_ids_are_refused(self):
        self.other.active = False
        self.assert_invalid("type", "4711")
        self.assertTrue(self.types._identify("token:a@nationalid"))

    def test_an_archived_type_does_not_count(self):
        self.national.active = False
        self.assert_identified("token:a@nationalid", "token:a@nationalid", self.other)

    def test_a_changed_type_takes_effect_at_once(self):
        self.types._identify("token:a@nationalid")
        own = self.create_type(strategy="tax:{x}")
        self.assert_identified("tax:1", "tax:1", own)
        own.strategy = "vat:{x}"
        self.assert_identified("tax:1", "tax:1", self.other)
        self.assert_identified("vat:1", "vat:1", own)
        own.unlink()
        self.assert_identified("vat:1", "vat:1", self.other)

    def test_identifying_thousands_of_ids_asks_the_database_once(self):
        self.env.registry.clear_cache()
        texts = [f"token:{number}@nationalId" for number in range(1000)]
        count = self.count_statements(lambda: [*map(self.types._identify, texts)])
        self.assertLessEqual(count, 2)

    def test_types_apply_to_users_who_cannot_read_them(self):
        outsider = self.create_user(login="test_nobody")
        found = self.types.with_user(outsider)._identify("token:a@nationalid")
        self.assertEqual(found.type_id, self.national.id)

    def test_a_strategy_without_exactly_one_placeholder_is_refused(self):
        for field in ("strategy", "stored_strategy"):
            for template in ("token", "{a}{b}", "{A}"):
                with self.subTest(field=field, template=template):
                    with self.assertRaises(ValidationError):
                        self.create_type(**{field: template})

    def test_a_check_that_cannot_work_is_refused(self):
        for check, parameter in (("regex", "("), ("stdnum", "no.such.module")):
            with self.subTest(check), self.assertRaises(ValidationError):
                self.create_type(check=check, check_parameter=parameter)

    def test_a_code_is_given_once(self):
        with (
            mute_logger("odoo.sql_db"),
            self.assertRaises(psycopg2.errors.UniqueViolation),
            self.env.cr.savepoint(),
        ):
            self.create_type(code="national_id")

    def test_the_offered_checks_are_those_of_the_directory(self):
        offered = dict(self.types._selection_check())
        self.assertLessEqual({"regex", "luhn", "stdnum"}, offered.keys())
