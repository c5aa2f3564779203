from odoo.tests import BaseCase

from ..lib.directory_rows import (
    Column,
    Row,
    check_row,
    clean_cell,
    fold_header,
    match_headers,
)
from ..lib.fa_keys import suggest_key
from ..models.directory_import.spar_directory_loader_branch import COLUMNS as BRANCH
from ..models.directory_import.spar_directory_loader_provider import COLUMNS as PROVIDER

GOOD = {"provider": "BANK", "name": "Market Square", "code": "BR01", "city": "Marn"}


class TestHeaders(BaseCase):
    def test_common_headers_are_recognised(self):
        for headers, columns, names in [
            (["BANK", "IFSC", "BRANCH", "CITY1"], BRANCH, "provider code name city"),
            (
                ["bank_code", "branch_code", "Branch-Name", "Town"],
                BRANCH,
                "provider code name city",
            ),
            (["Código", "Nombre", "Banco"], BRANCH, "code name provider"),
            (["Code", "Name", "SWIFT", "Pays"], PROVIDER, "code name bic country"),
            (["Bank Code", "Bank Name", "Type"], PROVIDER, "code name kind"),
        ]:
            with self.subTest(headers=headers):
                self.assertEqual(match_headers(headers, columns), names.split())

    def test_unknown_and_duplicate_headers_are_ignored(self):
        headers = ["phone", "", "Code", "IFSC", "Name "]
        self.assertEqual(match_headers(headers, BRANCH), ["", "", "code", "", "name"])

    def test_no_header_names_two_columns(self):
        for columns in (BRANCH, PROVIDER):
            names = [
                fold_header(alias)
                for column in columns
                for alias in {column.name, *column.aliases}
            ]
            self.assertEqual(len(names), len(set(names)), sorted(names))

    def test_every_letter_and_mark_is_folded(self):
        for header in ("  branch_CODE ", "Branch-Code", "branch.code", "Brañch  Codé"):
            with self.subTest(header=header):
                self.assertEqual(fold_header(header), "branch code")


class TestCells(BaseCase):
    def test_invisible_characters_are_removed(self):
        for text, clean in {
            " Market  Square\n": "Market Square",
            "\u200eMarn\u200f": "Marn",
            "Mar\u00adket": "Market",
            "e\u0301tat": "\u00e9tat",
            "'=1+1": "=1+1",
            "'s-Gravenhage": "'s-Gravenhage",
            "": "",
        }.items():
            with self.subTest(text=text):
                self.assertEqual(clean_cell(text), clean)

    def test_cleaning_once_more_changes_nothing(self):
        for text in ("  a  b ", "\u200eMarn", "plain"):
            self.assertEqual(clean_cell(clean_cell(text)), clean_cell(text))


class TestRows(BaseCase):
    def _check(self, **cells):
        return [tuple(p)[:2] for p in check_row(Row(2, GOOD | cells), BRANCH)]

    def test_a_good_row_has_no_problem(self):
        self.assertEqual(self._check(), [])
        self.assertEqual(self._check(city=""), [])
        self.assertEqual(self._check(code="a@b.c:d%e-1"), [])
        self.assertEqual(self._check(name="\u0936\u093e\u0916\u093e \U0001f600"), [])

    def test_every_problem_of_a_row_is_reported(self):
        self.assertEqual(
            self._check(code="A 1", name="", city="x" * 251),
            [("code", "space"), ("name", "missing"), ("city", "too_long")],
        )

    def test_codes(self):
        for code, problem in {
            "": "missing",
            "A B": "space",
            "caf\u00e9": "signs",
            "\u0661\u0662": "signs",
            "1E+11": "number",
            "4.56e12": "number",
            "1,2E+5": "number",
            "a\udce9": "encoding",
            "\ufffd": "encoding",
            "a\x07b": "control",
        }.items():
            with self.subTest(code=code):
                self.assertEqual(self._check(code=code), [("code", problem)])

    def test_codes_that_only_look_like_numbers_of_a_spreadsheet(self):
        for code in ("E10", "1E", "12E3X", "0012"):
            with self.subTest(code=code):
                self.assertEqual(self._check(code=code), [])

    def test_missing_column_is_a_problem_only_if_required(self):
        columns = (Column("a", required=True), Column("b"))
        problems = check_row(Row(2, {}), columns)
        self.assertEqual([tuple(p)[:2] for p in problems], [("a", "missing")])


class TestKeys(BaseCase):
    def test_keys_follow_from_names(self):
        for name, key in {
            "Serial number": "serial_number",
            "  Número  de série ": "numero_de_serie",
            "2nd try (new)": "nd_try_new",
            "\u0915\u094b\u0921": "",
            "": "",
        }.items():
            with self.subTest(name=name):
                self.assertEqual(suggest_key(name), key)
