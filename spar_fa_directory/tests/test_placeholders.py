from hypothesis import assume, given, settings
from hypothesis import strategies as st

from odoo.tests import BaseCase

from ..lib.placeholders import is_altered_number, is_name_placeholder, is_placeholder

PLACEHOLDERS = (
    "",
    " \t\u200b\u00a0",
    "-",
    "--",
    ".",
    "?",
    "{sub}",
    "{ sub }",
    "{{ x }}",
    "{{x}}",
    "{}",
    "${x}",
    "#{x}",
    "{% x %}",
    "%7Bsub%7D",
    "ID-{number}",
    "%s",
    "%d",
    "%(sub)s",
    "%1$s",
    "%SUB%",
    "$sub",
    ":id",
    "<id>",
    "<your id>",
    "<%= id %>",
    "[id]",
    "__ID__",
    "undefined",
    "UNDEFINED",
    "null",
    "NULL",
    "(null)",
    "[null]",
    '"null"',
    "null null",
    "none",
    "None",
    "nan",
    "NaN",
    "-nan",
    "NaT",
    "<NA>",
    "NA",
    "n/a",
    "N/A",
    "n.a.",
    "N / A",
    "nil",
    "False",
    "inf",
    "-Infinity",
    "not available",
    "not_applicable",
    "unknown",
    "\\N",
    "#N/A",
    "#NA",
    "#NV",
    "#VALUE!",
    "#REF!",
    "#DIV/0!",
    "#NAME?",
    "#NUM!",
    "#NULL!",
    "#¡VALOR!",
    "#WERT!",
    "#VALEUR!",
    "Err:502",
    "#####",
    "-1.#IND",
    "[object Object]",
    "[object Undefined]",
    "[OBJECT OBJECT]",
    "1.23E+11",
    "1.23e11",
    "1.23E 11",
    "1,23E+11",
    "1E+11",
    "1.0E11",
    "1 E5",
    "__1E5__",
    "__\u017f1E5__",
    "__\u212a1E5__",
    "12.3E+10",
    "2.00776062e9",
    "2007760620.0",
    "2007760620.00",
    "2007760620,0",
    "2007760620.000000",
    "2,007,760,620.00",
    "-2007760620.0",
    "\uff4e\uff55\uff4c\uff4c",
    "n\u0430n",
    "\uff11.\uff12\uff13\uff25\uff0b\uff11\uff11",
    "\u0662\u0660\u0660\u0667\u066b\u0660",
    "\u0968\u0966\u0966\u096d.\u0966",
)
VALUES = (
    "2007760620",
    "0",
    "0012",
    "1E",
    "1E2A",
    "E10",
    "1  E5",
    "4e2f-9c1e-0000",
    "__15__",
    "12E3X",
    "5E123456",
    "5\u017fE5",
    "\u212a1E5",
    "\u01301E5",
    "1\u0131E5",
    "12345E678",
    "2007-816053",
    "2007 816 053",
    "12.345.678-5",
    "123.456.789-09",
    "123.456.789.00",
    "10.5",
    "nanette",
    "NULL01",
    "NON-E",
    "Nguyen Null 3",
    "name@example.org",
    "+63917 123 4567",
    "A1/B2",
    "#12345",
    "\u0662\u0660\u0660\u0667",
    "\u0928\u093e\u092e",
    "BR01",
)


class TestPlaceholders(BaseCase):
    def test_placeholders_are_recognised(self):
        for text in PLACEHOLDERS:
            for written in (text, f"  {text}\n", f"\u200e{text}\u00a0"):
                with self.subTest(text=written):
                    self.assertTrue(is_placeholder(written))

    def test_values_are_values(self):
        for text in VALUES:
            with self.subTest(text=text):
                self.assertFalse(is_placeholder(text))

    def test_names_that_programs_write(self):
        for text in (
            "",
            "-",
            "nan",
            "NaN",
            "NULL",
            "null",
            "None",
            "undefined",
            "#N/A",
            "n/a",
            "N/A",
            "NA",
            "(none)",
            "#VALUE!",
            "1001.0",
            "1.23E+15",
            "{name}",
            "\uff2e\uff35\uff2c\uff2c",
            " NaN ",
            "[object Object]",
            "####",
            "<name>",
        ):
            with self.subTest(text=text):
                self.assertTrue(is_name_placeholder(text))

    def test_names_that_people_and_places_have(self):
        for text in (
            "Nan",
            "NAN",
            "Null",
            "NONE",
            "Nil",
            "Na",
            "Unknown",
            "True",
            "False",
            "Nan Wu",
            "Null Island",
            "Bank #1",
            "3 & 4",
            "50% Bank",
            "A/C",
            "7",
            "\u0e19\u0e48\u0e32\u0e19",
            "\u5357",
            "O'Neil",
            "S.B.I.",
            "(East)",
        ):
            with self.subTest(text=text):
                self.assertFalse(is_name_placeholder(text))

    def test_a_name_that_is_refused_is_refused_as_an_id(self):
        for text in PLACEHOLDERS:
            with self.subTest(text=text):
                self.assertFalse(is_name_placeholder(text) and not is_placeholder(text))

    @settings(deadline=None)
    @given(st.integers(0, 10**16), st.sampled_from((str, "{}".format, "{:,}".format)))
    def test_whole_numbers_are_values(self, number, write):
        self.assertFalse(is_placeholder(write(number)))

    @settings(deadline=None)
    @given(st.integers(1, 10**16))
    def test_numbers_changed_by_programs(self, number):
        for written in (
            f"{number:.1f}",
            f"{number:.2f}",
            f"{number:,.2f}",
            f"{number:.3e}",
            f"{number:.5E}",
            str(float(number)),
        ):
            self.assertTrue(is_altered_number(written), written)
            self.assertTrue(is_placeholder(written), written)

    @settings(deadline=None)
    @given(st.text(max_size=30))
    def test_no_text_is_an_error(self, text):
        self.assertIsInstance(is_placeholder(text), bool)
        self.assertIsInstance(is_name_placeholder(text), bool)

    @settings(deadline=None)
    @given(st.sampled_from(PLACEHOLDERS), st.randoms())
    def test_case_does_not_count(self, text, draw):
        assume(text.isascii() and "%7" not in text and "\\" not in text)
        letters = (draw.choice((sign.upper(), sign.lower())) for sign in text)
        self.assertTrue(is_placeholder("".join(letters)))
