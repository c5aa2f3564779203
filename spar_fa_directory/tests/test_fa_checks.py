import time

from odoo.tests import BaseCase

from ..lib.exceptions import InvalidParameter, InvalidPart
from ..lib.fa_checks import CHECKS, check, run_check, run_parameter_check

#: Check, parameter, country; the one form; its spellings.
SAME = [
    (
        "regex",
        "[0-9]+-[0-9]+",
        "",
        "12-34",
        ("12-34", " 12-34", "\u0661\u0662-\uff13\u096a"),
    ),
    (
        "iban",
        "",
        "",
        "DE89370400440532013000",
        (
            "DE89 3704 0044 0532 0130 00",
            "de89-3704-0044-0532-0130-00",
            "DE89/3704.0044\u00a00532\u20130130\u221200",
            "DE\u0668\u0669370400440532013000",
        ),
    ),
    (
        "bban",
        "",
        "DE",
        "DE89370400440532013000",
        ("370400440532013000", "3704 0044/0532013000", "de89370400440532013000"),
    ),
    ("bban", "", "DE", "0532013000", ("0532013000", "0532 013 000")),
    ("bban", "", "JE", "GB29NWBK60161331926819", ("GB29 NWBK 6016 1331 9268 19",)),
    (
        "bic",
        "",
        "",
        "NISPIDJAXXX",
        ("NISPIDJA", "NISPIDJAXXX", "nisp id ja", "NISP-ID-JA-xxx", " NISPIDJA "),
    ),
    ("bic", "", "", "BNPAFRPPIFN", ("BNPAFRPPIFN", "bnpa fr pp ifn")),
    (
        "luhn",
        "",
        "",
        "79927398713",
        ("7992 7398 713", "7992-7398-713", "\u0667\u0669\u0669\u0662 7398713"),
    ),
    (
        "phone",
        "",
        "PH",
        "+639171234567",
        (
            "0917 123 4567",
            "+63917 1234567",
            "639171234567",
            "0063 917 1234567",
            "9171234567",
            "(0917) 123-4567",
            "+63 (0)917 123.4567",
            "\uff0b63 917\u2010123\u20114567",
            "0917/1234567",
            "\u0660\u0669\u0661\u0667\u0661\u0662\u0663\u0664\u0665\u0666\u0667",
        ),
    ),
    ("phone", "mobile", "PH", "+639171234567", ("0917 123 4567",)),
    ("phone", "mobile", "US", "+14155552671", ("(415) 555-2671", "1-415-555-2671")),
    ("phone", "mobile", "AR", "+5491112345678", ("011 15 1234-5678", "9 11 12345678")),
    ("phone", "mobile", "IT", "+393123456789", ("312 345 6789", "0039 312 3456789")),
    ("phone", "", "XT", "09171234567", ("0917 123 4567", "0917-1234567")),
    ("phone", "", "", "09171234567", ("0917 123 4567",)),
    ("phone", "", "", "+639171234567", ("+63 917 123 4567",)),
    ("phone", "mobile", "XT", "+99951234567", ("+999 5123 4567",)),
    (
        "email",
        "",
        "",
        "name@example.org",
        ("Name@Example.org", "NAME@EXAMPLE.ORG", " name@example.org\t"),
    ),
    (
        "email",
        "",
        "",
        "maria.cruz+pay@mail.example.com",
        ("Maria.Cruz+pay@Mail.Example.com",),
    ),
    (
        "email",
        "",
        "",
        "\u0905\u0928@xn--p1b2d8c.xn--h2brj9c",
        ("\u0905\u0928@\u0909\u0926\u093e.\u092d\u093e\u0930\u0924",),
    ),
    (
        "email",
        "",
        "",
        "info@xn--mnchen-3ya.example",
        (
            "info@M\u00fcnchen.example",
            "Info@mu\u0308nchen.Example",
            "INFO@XN--MNCHEN-3YA.EXAMPLE",
        ),
    ),
    ("stdnum", "do.cedula", "", "00113918205", ("00113918205", "001-1391820-5")),
    (
        "stdnum",
        "in_.aadhaar",
        "",
        "234123412346",
        ("234123412346", "2341 2341 2346", "2341-2341-2346"),
    ),
    ("stdnum", "luhn", "", "79927398713", ("7992 7398 713", "7992-7398-713")),
]
#: Check, value, parameter, country, and the word for the problem.
BAD = [
    ("regex", "12", "[0-9]", "", "regex"),
    ("regex", "1\n", "[0-9]", "", "regex"),
    ("regex", "\ud800", ".", "", "regex"),
    ("regex", "", "[0-9]+", "", "regex"),
    ("regex", "\u00b2", "[0-9]", "", "regex"),
    ("iban", "DE88370400440532013000", "", "", "iban"),
    ("iban", "\u202eDE89", "", "", "iban"),
    ("iban", "", "", "", "iban"),
    ("bban", "370400440532013", "", "DE", "bban"),
    ("bban", "GB29NWBK60161331926819", "", "DE", "bban"),
    ("bban", "DE88370400440532013000", "", "DE", "iban"),
    ("bban", "12345678", "", "XT", "iban"),
    ("bic", "DEUT", "", "", "bic"),
    ("bic", "12345678", "", "", "bic"),
    ("luhn", "79927398710", "", "", "luhn"),
    ("luhn", "", "", "", "luhn"),
    ("luhn", "\u0667\u0669", "", "", "luhn"),
    ("luhn", "7992x", "", "", "luhn"),
    ("phone", "123", "", "", "phone"),
    ("phone", "call me", "", "", "phone_signs"),
    ("phone", "+63 1", "", "", "phone"),
    ("phone", "12345", "", "PH", "phone"),
    ("phone", "1" * 10_000, "", "PH", "phone"),
    ("phone", "1" * 10_000, "", "XT", "phone"),
    ("phone", "0917FLOWERS", "", "PH", "phone_signs"),
    ("phone", "O9171234567", "", "PH", "phone_signs"),
    ("phone", "Juan 09171234567", "", "PH", "phone_signs"),
    ("phone", "GCash 0917 123 4567", "", "PH", "phone_signs"),
    ("phone", "09171234567 (Juan)", "", "PH", "phone_signs"),
    ("phone", "tel:+639171234567", "", "PH", "phone_signs"),
    ("phone", "+639171234567;ext=5", "", "PH", "phone_signs"),
    ("phone", "0917 123 4567 ext. 5", "", "PH", "phone_signs"),
    ("phone", "0917 123 4567 x5", "", "XT", "phone_signs"),
    ("phone", "0917 123 4567 #5", "", "XT", "phone_signs"),
    ("phone", "09171234567, 09181234567", "", "PH", "phone_signs"),
    ("phone", "0917123456\u2460", "", "PH", "phone_signs"),
    ("phone", "0917 1234567 0918 1234567", "", "PH", "phone"),
    ("phone", "+1 415 555 2671", "", "PH", "phone_country"),
    ("phone", "+1 416 555 2671", "mobile", "US", "phone_country"),
    ("phone", "(02) 8123 4567", "mobile", "PH", "phone_mobile"),
    ("phone", "+63 2 8123 4567", "mobile", "XT", "phone_mobile"),
    ("phone", "0899 123 4567", "mobile", "PH", "phone"),
    ("email", "maria", "", "", "email"),
    ("email", "maria@example", "", "", "email"),
    ("email", "a b@example.com", "", "", "email"),
    ("email", "a@b@example.com", "", "", "email"),
    ("email", "mailto:maria@example.com", "", "", "email"),
    ("email", "Maria <maria@example.com>", "", "", "email"),
    ("email", "x" * 300 + "@example.com", "", "", "email"),
    ("email", "a@\u00fc" + "x" * 70 + ".com", "", "", "email"),
    ("stdnum", "00113918204", "do.cedula", "", "stdnum"),
    ("stdnum", "", "do.cedula", "", "stdnum"),
    ("stdnum", "\U0001f600", "do.cedula", "", "stdnum"),
]


class TestChecks(BaseCase):
    def test_every_spelling_has_the_same_form(self):
        for code, parameter, country, form, spellings in SAME:
            for value in (form, *spellings):
                with self.subTest(code=code, value=value):
                    self.assertEqual(run_check(code, value, parameter, country), form)

    def test_bad_values_are_refused_and_not_repeated_in_the_message(self):
        for code, value, parameter, country, word in BAD:
            with self.subTest(code=code, value=value):
                with self.assertRaises(InvalidPart) as caught:
                    run_check(code, value, parameter, country)
                self.assertEqual(caught.exception.code, word)
                if len(value) > 3:
                    self.assertNotIn(value, str(caught.exception))

    def test_prefixes_of_a_provider_count_beside_the_numbering_plan(self):
        for prefix in ("0899", "899", "+63899"):
            for value in ("0899 123 4567", "+63 899 123 4567", "899 1234567"):
                with self.subTest(prefix=prefix, value=value):
                    form = run_check("phone", value, "mobile", "PH", (prefix,))
                    self.assertEqual(form, "+638991234567")
        for value in ("0888 123 4567", "0899 123 45678", "+1 899 123 4567"):
            with self.subTest(value=value), self.assertRaises(InvalidPart):
                run_check("phone", value, "mobile", "PH", ("0899",))

    def test_a_pattern_that_would_take_too_much_memory_still_answers(self):
        pattern = "(?:[0-9A-Z]{0,60}[A-Z]){0,16}[0-9]{3,900}"
        value = "A1" * 300 + "1" * 800
        self.assertEqual(run_check("regex", value, pattern), value)

    def test_a_pattern_that_would_run_for_ever_elsewhere_runs_at_once(self):
        start = time.monotonic()
        with self.assertRaises(InvalidPart):
            run_check("regex", "a" * 5_000 + "!", "(a+)+(a*)*b")
        # Python's own engine would not end within the age of the universe: any bound
        # works.
        self.assertLess(time.monotonic() - start, 60)

    def test_parameters_that_cannot_work_are_refused(self):
        for code, parameter, error in [
            ("regex", "", "pattern_missing"),
            ("regex", "(", "pattern"),
            ("regex", "(?=a)", "pattern"),
            ("regex", r"(a)\1", "pattern"),
            ("regex", "((a{1000}){1000}){1000}", "pattern"),
            ("stdnum", "", "stdnum_unknown"),
            ("stdnum", "no.such", "stdnum_unknown"),
            ("stdnum", "..os", "stdnum_unknown"),
            ("stdnum", "util", "stdnum_unknown"),
            ("iban", "DE", "needless"),
            ("phone", "landline", "phone_parameter"),
        ]:
            with self.subTest(code=code, parameter=parameter):
                with self.assertRaises(InvalidParameter) as caught:
                    run_parameter_check(code, parameter)
                self.assertEqual(caught.exception.code, error)

    def test_parameters_that_work_are_accepted(self):
        run_parameter_check("regex", "[0-9]{9,18}")
        run_parameter_check("stdnum", "luhn")
        run_parameter_check("iban", "")
        run_parameter_check("phone", "")
        run_parameter_check("phone", "mobile")

    def test_another_addon_registers_a_check_of_its_own(self):
        self.addCleanup(CHECKS.pop, "test_even")

        @check("test_even", "Even")
        def check_even(value, parameter, country):
            if int(value) % 2:
                raise InvalidPart("test_odd", "The number is odd.")
            return value

        self.assertEqual(run_check("test_even", " \u0662"), "2")
        with self.assertRaisesRegex(InvalidPart, "odd"):
            run_check("test_even", "3")
