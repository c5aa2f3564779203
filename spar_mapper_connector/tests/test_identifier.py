import unicodedata

from odoo.tests import BaseCase

from ..exceptions import InvalidIdentifier, InvalidIdTemplate
from ..lib import identifier, tokenisers
from ..lib.identifier import canonicalise, fold, parse_template


class TestCanonicalForm(BaseCase):
    def assert_invalid(self, code, text):
        with self.assertRaises(InvalidIdentifier) as caught:
            canonicalise(text)
        self.assertEqual(caught.exception.code, code)

    def test_type_and_provider_are_folded_and_the_value_is_kept(self):
        cases = {
            "token:AbC@nationalId": "token:AbC@nationalid",
            "TOKEN:AbC@NATIONALID": "token:AbC@nationalid",
            "Token:abc@NationalId": "token:abc@nationalid",
            "AbC": "AbC",
            "AbC@Provider": "AbC@provider",
            "Kind:AbC": "kind:AbC",
            "Kind:A:B": "kind:A:B",
            "Kind:A@B@C": "kind:A@B@c",
            "STRASSE:X@STRASSE": "strasse:X@strasse",
            "Straße:X@Straße": "strasse:X@strasse",
            "4711 0815": "4711 0815",
            ":": ":",
            "@": "@",
        }
        for text, expected in cases.items():
            with self.subTest(text):
                self.assertEqual(canonicalise(text), expected)

    def test_the_canonical_form_is_its_own_canonical_form(self):
        for text in ("Token:AbC@Id", "É:É@É", "a:b:c@d@e", "ǰ:x@ǰ", "x@İ"):
            once = canonicalise(text)
            with self.subTest(text):
                self.assertEqual(canonicalise(once), once)

    def test_values_that_differ_in_case_are_two_people(self):
        self.assertNotEqual(
            canonicalise("token:AbC@nationalid"), canonicalise("token:abc@nationalid")
        )

    def test_composed_and_decomposed_letters_are_one_person(self):
        composed = "kind:José-Ñandú@Perú"
        for form in ("NFC", "NFD"):
            with self.subTest(form):
                self.assertEqual(
                    canonicalise(unicodedata.normalize(form, composed)),
                    "kind:José-Ñandú@perú",
                )

    def test_digits_of_every_script_are_one(self):
        for digits in ("２００７", "٢٠٠٧", "۲۰۰۷", "२००७", "২০০৭", "๒๐๐๗", "𝟐𝟎𝟎𝟕"):
            with self.subTest(digits):
                self.assertEqual(canonicalise(f"id:{digits}@x"), "id:2007@x")
                self.assertEqual(canonicalise(digits), "2007")

    def test_letters_that_only_look_alike_are_not_merged(self):
        self.assertNotEqual(canonicalise("id:²@x"), canonicalise("id:2@x"))
        self.assertNotEqual(canonicalise("id:ﬁ@x"), canonicalise("id:fi@x"))

    def test_every_script_can_be_an_id(self):
        for text in ("هوية:١٢٣@مزود", "पहचान:१२३@x", "编号:一二三@x", "id:🙂@x"):
            with self.subTest(text):
                self.assertTrue(canonicalise(text))

    def test_nothing_is_no_id(self):
        for text in ("", " ", "   ", "\t", "\u3000"):
            with self.subTest(repr(text)):
                self.assert_invalid("empty", text)

    def test_255_characters_are_the_most(self):
        self.assertEqual(len(canonicalise("x" * 255)), 255)
        self.assert_invalid("too_long", "x" * 256)
        self.assert_invalid("too_long", "x" * 100_000)

    def test_blanks_around_an_id_do_not_count(self):
        for text in (" 4711", "4711 ", "\u00a04711", "4711\u2003", "\t4711\n"):
            with self.subTest(repr(text)):
                self.assertEqual(canonicalise(text), "4711")

    def test_control_and_format_characters_are_refused(self):
        invisible = {
            "NUL": "\x00",
            "newline": "\n",
            "tab": "\t",
            "escape": "\x1b",
            "delete": "\x7f",
            "C1 control": "\x85",
            "soft hyphen": "\xad",
            "zero width space": "\u200b",
            "zero width joiner": "\u200d",
            "left to right mark": "\u200e",
            "right to left override": "\u202e",
            "line separator": "\u2028",
            "paragraph separator": "\u2029",
            "byte order mark": "\ufeff",
            "lone surrogate": "\ud800",
            "private use": "\ue000",
            "unassigned": "\U000e0fff",
            "tag": "\U000e0041",
        }
        for name, character in invisible.items():
            for text in (f"id:47{character}11@x", f"id{character}:4711@x"):
                with self.subTest(name):
                    self.assert_invalid("characters", text)

    def test_folding_leaves_a_value_with_delimiters_alone(self):
        self.assertEqual(fold("ACC:AbC:D@E@F.G"), "acc:AbC:D@E@f.g")
        self.assertEqual(fold(""), "")


class TestTemplate(BaseCase):
    def test_a_template_builds_and_extracts_the_same_value(self):
        for template in ("token:{sub}@nationalId", "{value}", "nid:{x}", "{x}@tax"):
            for value in ("AbC_d-9", "ñandú", "x" * 100):
                with self.subTest(template=template, value=value):
                    strategy = parse_template(template)
                    self.assertEqual(strategy.extract(strategy.build(value)), value)

    def test_a_template_is_matched_whatever_its_case(self):
        strategy = parse_template("ToKen:{sub}@NationalID")
        self.assertEqual(strategy.extract(canonicalise("TOKEN:A@nationalid")), "A")

    def test_an_id_of_another_strategy_is_not_extracted(self):
        strategy = parse_template("token:{sub}@nationalId")
        for text in ("token:a@other", "nid:a@nationalid", "a", "token:@nationalid"):
            with self.subTest(text):
                self.assertIsNone(strategy.extract(text))

    def test_a_value_that_would_change_the_template_is_refused(self):
        strategy = parse_template("token:{sub}@nationalId")
        for value in ("a:b", "a@b", "@", ":", "x@evil"):
            with self.subTest(value), self.assertRaises(InvalidIdentifier) as caught:
                strategy.build(value)
            self.assertEqual(caught.exception.code, "delimiter")

    def test_a_value_that_is_no_id_is_refused(self):
        strategy = parse_template("token:{sub}@nationalId")
        for value, code in (("x" * 255, "too_long"), ("a\u200bb", "characters")):
            with self.subTest(code), self.assertRaises(InvalidIdentifier) as caught:
                strategy.build(value)
            self.assertEqual(caught.exception.code, code)

    def test_a_template_holds_exactly_one_placeholder(self):
        for template in ("", "token", "{a}{b}", "{a}:{b}@x", "{A}", "{}", "{a b}"):
            with self.subTest(template), self.assertRaises(InvalidIdTemplate) as caught:
                parse_template(template)
            self.assertEqual(caught.exception.code, "placeholder")


class TestTokenisers(BaseCase):
    def test_every_tokeniser_is_offered_with_a_label(self):
        offered = dict(tokenisers.selection())
        self.assertIn("none", offered)
        self.assertIn("openg2p-sha3-256", offered)
        self.assertTrue(all(offered.values()))

    def test_none_keeps_the_value(self):
        self.assertEqual(tokenisers.get_tokeniser("none")("AbC", "ignored"), "AbC")

    def test_openg2p_s_token_is_base64url_without_padding(self):
        token = tokenisers.get_tokeniser("openg2p-sha3-256")
        for value in ("1234567890", "ñandú", "", "x" * 300):
            with self.subTest(value):
                self.assertRegex(token(value, "partner"), r"^[A-Za-z0-9_-]{43}$")

    def test_openg2p_s_token_depends_on_value_and_partner(self):
        token = tokenisers.get_tokeniser("openg2p-sha3-256")
        tokens = {token("1", "a"), token("2", "a"), token("1", "b")}
        self.assertEqual(len(tokens), 3)

    def test_an_unknown_tokeniser_is_an_error(self):
        with self.assertRaises(KeyError):
            tokenisers.get_tokeniser("md5")

    def test_a_tokeniser_is_added_by_decorating_a_function(self):
        self.addCleanup(tokenisers._TOKENISERS.pop, "reverse", None)

        @tokenisers.tokeniser("reverse", "Backwards")
        def reverse(value, parameter):
            return value[::-1]

        self.assertIs(tokenisers.get_tokeniser("reverse"), reverse)
        self.assertIn(("reverse", "Backwards"), tokenisers.selection())

    def test_no_token_can_change_a_template(self):
        template = identifier.parse_template("token:{sub}@nationalId")
        for code, _label in tokenisers.selection():
            with self.subTest(code):
                token = tokenisers.get_tokeniser(code)("4711", "partner")
                self.assertEqual(template.extract(template.build(token)), token)
