import datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from odoo.tests import BaseCase

from ..lib.branch_code import fit_branch_code, is_branch_code_form
from ..lib.cell_rules import (
    clean_code,
    clean_text,
    find_code_problem,
    find_name_problem,
)

#: What programs turn a code or a name into; refused in both.
SPOILT = {
    "1001.0": "fraction",
    "1001.00": "fraction",
    "1001,0": "fraction",
    "1,003,000.00": "fraction",
    "1,003": "thousands",
    "1,234,567": "thousands",
    "12,34,567": "thousands",
    "1'003": "thousands",
    "1,003.50": "thousands",
    "1.23E+15": "number",
    "1,23E+15": "number",
    "1E+11": "number",
    "2.00776E+09": "number",
    "02-Mar": "date",
    "2-Mar-24": "date",
    "02-Mar-2024": "date",
    "Mar-02": "date",
    "mars-02": "date",
    "02-févr.": "date",
    "02-Dez": "date",
    "02-May": "date",
    "02/03/2024": "date",
    "3/2/24": "date",
    "2024-03-02": "date",
    "2024-03-02 00:00:00": "date",
    "2024-03-02T00:00:00": "date",
    "02.03.2024": "date",
    "#N/A": "placeholder",
    "#VALUE!": "placeholder",
    "#REF!": "placeholder",
    "#DIV/0!": "placeholder",
    "#NAME?": "placeholder",
    "########": "placeholder",
    "NULL": "placeholder",
    "null": "placeholder",
    "nan": "placeholder",
    "NaN": "placeholder",
    "None": "placeholder",
    "undefined": "placeholder",
    "N/A": "placeholder",
    "-": "placeholder",
    "--": "placeholder",
    "?": "placeholder",
    "{code}": "placeholder",
    "[object Object]": "placeholder",
    "=A1+B1": "formula",
    "=VLOOKUP(A1,B:C,2)": "formula",
}
CODES = (
    "BR01",
    "00123",
    "0",
    "SBIN0000001",
    "tb.n",
    "A-1/2",
    "30-12-45",
    "MAR-02",
    "1E",
    "E10",
    "12E3X",
    "5E123456",
    "12.5",
    "1.2.3",
    "EE-00",
    "x@y:z%1",
    "+44",
    "1/2",
)
NAMES = (
    "Market Square",
    "Nan",
    "NAN",
    "Null",
    "NONE",
    "6 October",
    "10 Ramadan",
    "7",
    "25 de Mayo",
    "1er Mai",
    "May",
    "3M",
    "Bank 24/7",
    "S.B.I.",
    "O'Neil",
    "'s-Hage",
    "शाखा",
    "الفرع",
    "น่าน",
    "A & B",
    "5th Avenue",
    "Section #3",
    "Branch (2)",
)


class TestProblems(BaseCase):
    def test_codes_and_names_changed_by_programs_are_refused(self):
        for text, problem in SPOILT.items():
            with self.subTest(text=text):
                self.assertEqual(find_name_problem(clean_text(text)), problem)
                self.assertEqual(find_code_problem(clean_code(text)), problem)

    def test_codes_are_codes(self):
        for text in CODES:
            with self.subTest(text=text):
                self.assertEqual(find_code_problem(clean_code(text)), "")

    def test_names_are_names(self):
        for text in NAMES:
            with self.subTest(text=text):
                self.assertEqual(find_name_problem(clean_text(text)), "")

    def test_texts_that_are_names_but_not_codes(self):
        for text, problem in {"A 1": "space", "café": "signs", "٠١": "signs"}.items():
            with self.subTest(text=text):
                self.assertEqual(find_code_problem(text), problem)
                self.assertEqual(find_name_problem(text), "")

    @settings(deadline=None)
    @given(
        st.dates(datetime.date(1800, 1, 1), datetime.date(2199, 12, 31)),
        st.sampled_from(
            ("%Y-%m-%d", "%d/%m/%Y", "%d.%m.%Y", "%d-%b", "%d-%b-%y", "%c")
        ),
    )
    def test_dates_as_programs_write_them(self, day, form):
        text = day.strftime(form) if form != "%c" else f"{day} 10:30:00"
        self.assertEqual(find_code_problem(text), "date")
        self.assertEqual(find_name_problem(text), "date")

    @settings(deadline=None)
    @given(st.integers(0, 10**18).map(str))
    def test_plain_digits_are_codes(self, digits):
        self.assertEqual(find_code_problem(digits), "")


class TestCleaning(BaseCase):
    def test_protection_of_a_text_is_removed(self):
        for text, clean in {
            '="00123"': "00123",
            '= "00123"': "00123",
            '="a""b"': 'a"b',
            "'0044": "0044",
            "'=1+1": "=1+1",
            '\'="0044"': "0044",
            "'s-Gravenhage": "'s-Gravenhage",
            "": "",
            "'": "'",
            "=": "=",
        }.items():
            with self.subTest(text=text):
                self.assertEqual(clean_text(text), clean)

    def test_a_code_never_begins_with_an_apostrophe(self):
        self.assertEqual(clean_code("'A044"), "A044")
        self.assertEqual(clean_code("'0044"), "0044")

    def test_format_characters_go_and_joiners_stay(self):
        for (
            sign
        ) in "\u200b\u200e\u200f\u202a\u202e\u2060\u2066\u2069\ufeff\u00ad\U000e0041":
            with self.subTest(sign=hex(ord(sign))):
                self.assertEqual(clean_text(f"Mar{sign}ket"), "Market")
                self.assertEqual(clean_code(f"BR{sign}01"), "BR01")
        for sign in "\u200c\u200d":
            with self.subTest(sign=hex(ord(sign))):
                self.assertEqual(clean_text(f"क{sign}ष"), f"क{sign}ष")
                self.assertEqual(clean_code(f"BR{sign}01"), "BR01")

    @settings(deadline=None)
    @given(st.text(max_size=40))
    def test_no_text_is_an_error(self, text):
        find_name_problem(clean_text(text))
        find_code_problem(clean_code(text))

    @settings(deadline=None)
    @given(st.text("abcÉé  \u200f-.0", max_size=40))
    def test_cleaning_once_more_changes_nothing(self, text):
        self.assertEqual(clean_text(clean_text(text)), clean_text(text))


class TestBranchCodes(BaseCase):
    @settings(deadline=None)
    @given(st.integers(0, 999_999), st.integers(1, 9))
    def test_every_writing_of_a_number_is_one_code(self, number, width):
        self.assertEqual(
            fit_branch_code(str(number).zfill(width), "000000"), f"{number:06}"
        )

    def test_codes_of_another_form_do_not_fit(self):
        for code, form in (
            ("3010A", "000000"),
            ("1234567", "000000"),
            ("1", "A00"),
            ("SBIX0000001", "SBIN0??????"),
            ("12", "AA"),
        ):
            with self.subTest(code=code, form=form):
                self.assertEqual(fit_branch_code(code, form), "")
        self.assertEqual(fit_branch_code("sbin0ab1234", "SBIN0??????"), "SBIN0AB1234")

    def test_forms(self):
        for form, good in {"000": True, "A-0?": True, "0 0": False, "": False}.items():
            with self.subTest(form=form):
                self.assertEqual(is_branch_code_form(form), good)
