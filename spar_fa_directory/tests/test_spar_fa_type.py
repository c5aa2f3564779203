import re
from pathlib import Path
from unittest.mock import patch

import polib
import psycopg2

from odoo.exceptions import UserError, ValidationError
from odoo.tools import file_path, mute_logger

from ..lib import fa_checks
from ..lib.exceptions import InvalidPart
from ..lib.fa_reader import Holder
from .common import DirectoryCase

TEXT = {"key": "serial", "label": "Serial", "kind": "text"}


class TestFaType(DirectoryCase):
    def _create_type(self, *parts, **vals):
        return self.env["spar.fa.type"].create(
            {
                "name": "Test Kind",
                "code": "test_kind",
                "part_ids": [(0, 0, part) for part in parts],
            }
            | vals
        )

    def test_four_kinds_come_with_the_addon(self):
        types = self.env["spar.fa.type"].search([])
        self.assertLessEqual(
            {"bank_account", "mobile_wallet", "email_wallet", "voucher"},
            set(types.mapped("code")),
        )
        self.assertEqual(
            self.bank_type.part_ids.mapped("key"),
            ["bank_code", "branch_code", "account_number"],
        )

    def test_parts_are_ordered(self):
        fa_type = self._create_type(
            TEXT | {"sequence": 20}, {"key": "a", "label": "A", "sequence": 5}
        )
        fa_type.invalidate_recordset()
        self.assertEqual(fa_type.part_ids.mapped("key"), ["a", "serial"])

    def test_a_kind_that_data_alone_adds_checks_its_parts(self):
        fa_type = self._create_type(
            {
                "key": "campaign",
                "label": "Campaign",
                "check_code": "regex",
                "check_parameter": "[A-Z]{4}",
            },
            TEXT | {"check_code": "luhn"},
        )
        good = {"campaign": "SEED", "serial": "79927398713"}
        self.assertEqual(fa_type._check_parts(good), {})
        self.assertEqual(
            fa_type._check_parts({"campaign": "seed", "serial": " "}),
            {
                "campaign": "This does not have the expected format.",
                "serial": "This field is required.",
            },
        )

    def test_phone_numbers_are_checked_for_the_country(self):
        parts = {"wallet_code": "X", "phone_number": "0917 123 4567"}
        self.assertEqual(self.wallet_type._check_parts(parts, "PH"), {})
        self.assertEqual(
            list(self.wallet_type._check_parts(parts, "US")), ["phone_number"]
        )

    def test_shipped_account_numbers_are_checked(self):
        parts = {"bank_code": "B", "branch_code": "C"}
        for number in ("1234567890", "12-34 56/78", "DE89370400440532013000"):
            with self.subTest(number=number):
                self.assertEqual(
                    self.bank_type._check_parts(parts | {"account_number": number}), {}
                )
        for number in ("", "123", "1-2 3", "1234\n", "x1" * 20, "12\u202e34", "--"):
            with self.subTest(number=number):
                self.assertEqual(
                    list(
                        self.bank_type._check_parts(parts | {"account_number": number})
                    ),
                    ["account_number"],
                )

    def test_parts_are_given_in_their_one_form(self):
        typed = {"bank_code": "b", "branch_code": "c", "account_number": "12-34 ab"}
        formed, problems = self.bank_type._canonicalise_parts(typed, Holder())
        self.assertEqual(formed, typed | {"account_number": "1234AB"})
        self.assertEqual(problems, {})

    def test_invalid_account_number_is_refused_with_an_explanation(self):
        holder = self.bank._get_holder(self.north)
        typed = {"bank_code": "b", "branch_code": "c"}
        for number, text in [
            ("4111 1111 1111 1111", "payment card"),
            ("0000", "not an account number"),
            ("xxxx", "not an account number"),
            ("password", "not an account number"),
            ("{account}", "only a placeholder"),
            ("null", "only a placeholder"),
            ("GB29 NWBK 6016 1331 9268 19", "another country"),
        ]:
            with self.subTest(number=number):
                self.bank.country_id = self.env.ref("base.tr")
                holder = self.bank._get_holder(self.north)
                _formed, problems = self.bank_type._canonicalise_parts(
                    typed | {"account_number": number}, holder
                )
                self.assertEqual(list(problems), ["account_number"])
                self.assertIn(text, problems["account_number"])

    def test_a_provider_without_branches_has_none_to_name(self):
        typed = {"bank_code": "b", "branch_code": "", "account_number": "12345678"}
        bare = self.env["spar.fsp"].create({"name": "Bare", "code": "BARE"})
        self.assertEqual(
            self.bank_type._canonicalise_parts(typed, bare._get_holder()), (typed, {})
        )
        _formed, problems = self.bank_type._canonicalise_parts(
            typed, self.bank._get_holder()
        )
        self.assertEqual(problems, {"branch_code": "This field is required."})

    def test_every_problem_code_has_a_text(self):
        texts = self.env["spar.fa.type"]._get_error_texts()
        words = set()
        for path in Path(fa_checks.__file__).parent.glob("fa_*.py"):
            found = re.findall(
                r"Invalid(?:Part|Parameter)\(\s*\"(\w+)\"", path.read_text("utf-8")
            )
            words.update(found)
        self.assertGreater(len(words), 15)
        self.assertEqual(words - texts.keys() - {"even"}, set())

    def test_texts_for_beneficiaries_are_translated_into_every_language(self):
        texts = self.env["spar.fa.type"]._get_error_texts()
        settings = {"unknown", "needless", "pattern_missing", "pattern"}
        settings |= {"stdnum_unknown", "phone_parameter", "prefixes"}
        read = {text for word, text in texts.items() if word not in settings}
        self.assertGreater(len(read), 15)
        for language in ("ar", "es", "fr", "hi", "tl"):
            path = file_path(f"spar_fa_directory/i18n/{language}.po")
            said = {e.msgid for e in polib.pofile(path) if e.msgstr and not e.fuzzy}
            with self.subTest(language):
                self.assertEqual(read - said, set())

    def test_a_check_of_another_addon_can_be_chosen(self):
        def refuse(value, parameter, country):
            raise InvalidPart("test_no", "Not on %(day)s.", day="Sunday")

        added = {"test_no": fa_checks.ValueCheck("test_no", "Never", refuse, None)}
        with patch.dict(fa_checks.CHECKS, added):
            fa_type = self._create_type(TEXT | {"check_code": "test_no"})
            self.assertEqual(
                fa_type._check_parts({"serial": "1"}), {"serial": "Not on Sunday."}
            )

    def test_every_shipped_check_has_a_name_and_a_message(self):
        labels = self.env["spar.fa.type"]._get_check_labels()
        texts = self.env["spar.fa.type"]._get_error_texts()
        for code in fa_checks.CHECKS:
            self.assertTrue(labels[code])
            self.assertIn(code, texts)

    def test_bad_keys_and_codes_are_refused(self):
        for key in ("Serial", "1a", "a-b", "a b", "\u00e9"):
            with self.subTest(key=key):
                with self.assertRaises(ValidationError):
                    self._create_type(TEXT | {"key": key})
                with self.assertRaises(ValidationError):
                    self._create_type(TEXT, code=key)

    def test_the_same_key_twice_is_refused(self):
        with (
            mute_logger("odoo.sql_db"),
            self.assertRaises(psycopg2.errors.UniqueViolation),
        ):
            self._create_type(TEXT, TEXT)

    def test_the_same_kind_twice_is_refused(self):
        with (
            mute_logger("odoo.sql_db"),
            self.assertRaises(psycopg2.errors.UniqueViolation),
        ):
            self._create_type(TEXT, code="bank_account")

    def test_two_providers_or_a_branch_alone_are_refused(self):
        provider = {"key": "p", "label": "P", "kind": "provider"}
        branch = {"key": "b", "label": "B", "kind": "branch"}
        for parts in (
            (provider, provider | {"key": "q"}),
            (provider, branch, branch | {"key": "c"}),
            (branch,),
        ):
            with self.subTest(parts=parts), self.assertRaises(ValidationError):
                self._create_type(*parts)

    def test_a_check_that_cannot_work_is_refused(self):
        for vals, text in [
            ({"check_code": "regex", "check_parameter": "("}, "Serial: The pattern"),
            ({"check_code": "regex"}, "Enter the pattern"),
            ({"check_code": "stdnum", "check_parameter": "no.such"}, "python-stdnum"),
            ({"check_code": "iban", "check_parameter": "x"}, "no parameter"),
            ({"check_parameter": "x"}, "no parameter"),
        ]:
            with self.subTest(vals=vals):
                self._assert_refused(text, self._create_type, TEXT | vals)

    def test_an_unknown_check_is_refused(self):
        self._assert_refused(
            "no such check", self._create_type, TEXT | {"check_code": "none"}
        )

    def test_parts_that_strategies_write_stay(self):
        part = self.bank_type.part_ids[-1]
        for vals in ({"key": "other"}, {"kind": "branch"}):
            with self.subTest(vals=vals), self.assertRaises(UserError):
                part.write(vals)
        with self.assertRaises(UserError):
            part.unlink()
        with self.assertRaises(UserError):
            self.bank_type.part_ids = [(0, 0, TEXT)]
        other = self._create_type(TEXT)
        with self.assertRaises(UserError):
            other.part_ids.type_id = self.bank_type

    def test_labels_and_checks_of_such_parts_can_be_changed(self):
        part = self.bank_type.part_ids[-1]
        part.write(
            {
                "key": part.key,
                "label": "Number",
                "check_code": "iban",
                "check_parameter": False,
            }
        )
        self.assertEqual(part.label, "Number")

    def test_parts_without_a_strategy_come_and_go(self):
        fa_type = self._create_type(TEXT)
        fa_type.part_ids = [(0, 0, {"key": "other", "label": "Other"})]
        fa_type.part_ids[0].unlink()
        self.assertEqual(fa_type.part_ids.key, "other")

    def test_a_kind_with_strategies_is_not_deleted(self):
        with self.assertRaises(UserError):
            self.bank_type.unlink()
