"""Texts that count as the same ID, and those that are no ID; without a database."""

import json
import unicodedata

from hypothesis import assume, given
from hypothesis import strategies as st

from odoo.tests import BaseCase

from odoo.addons.spar_fa_directory.lib.placeholders import is_altered_number

from ..exceptions import InvalidIdentifier
from ..lib.id_forms import NEWEST, READERS, IdForm, load_form, read_in_forms
from ..lib.id_rules import CardCheck, CardRule, IdRule, get_clean_value, read_id
from ..lib.identifier import parse_template

NATIONAL = parse_template("token:{sub}@nationalId")
OTHER = IdRule(9)
#: An ID with the values that programs write for an empty one.
NOTHING = (
    "",
    " ",
    "{sub}",
    "{{ sub }}",
    "${sub}",
    "<id>",
    "%s",
    "undefined",
    "null",
    "NULL",
    "none",
    "None",
    "nan",
    "NaN",
    "n/a",
    "N/A",
    "#N/A",
    "#VALUE!",
    "-",
    "[object Object]",
    "1.23E+11",
    "1,23E+11",
    "2007760620.0",
    "١.٢٣E+١١",
    "ｎｕｌｌ",
)
_ZEROS = [c for c in map(chr, range(0x1FBFA)) if unicodedata.decimal(c, None) == 0]
_GAPS = ["", "", " ", "  ", "-", " - ", ".", "/", *"\u00a0\u2011\u2013\u2009"]


def make_rules(**values):
    return (IdRule(1, NATIONAL, **values), OTHER)


class RulesCase(BaseCase):
    def identify(self, text, card_check=CardCheck.NONE, **values):
        return read_id(make_rules(**values), text, card_check)

    def read_value(self, value, **values):
        canonical = self.identify(f"token:{value}@nationalId", **values).canonical
        return canonical.removeprefix("token:").removesuffix("@nationalid")

    def assert_invalid(self, code, text, card_check=CardCheck.NONE, **values):
        with self.assertRaises(InvalidIdentifier) as caught:
            self.identify(text, card_check, **values)
        self.assertEqual(caught.exception.code, code)


class TestSpellings(RulesCase):
    def test_gaps_are_ignored_if_the_type_ignores_them(self):
        spellings = ("2007 816 053", "2007-816053", "٢٠٠٧٨١٦٠٥٣", "2007.816/053")
        for spelling in (*spellings, " 2007816053 ", "2007\u2011816\u00a0053"):
            with self.subTest(spelling):
                value = self.read_value(spelling, ignores_gaps=True)
                self.assertEqual(value, "2007816053")

    def test_a_value_may_hold_delimiters(self):
        for value in ("rest-a:b.c", "a-b@c"):
            with self.subTest(value):
                plain = value.replace("-", "").replace(".", "")
                self.assertEqual(self.read_value(value, ignores_gaps=True), plain)

    def test_gaps_count_everywhere_else(self):
        self.assertEqual(self.read_value("2007-816 053"), "2007-816 053")

    def test_digits_and_blanks_around_never_count(self):
        for text in (" token:٤٧١١@nationalId", "TOKEN: 4711 @NationalID\u00a0"):
            with self.subTest(text):
                self.assertEqual(self.identify(text).canonical, "token:4711@nationalid")
        self.assertEqual(self.identify(" ٤٧١١ ").canonical, "4711")

    def test_case_is_ignored_if_the_type_ignores_it(self):
        self.assertEqual(self.read_value("ab12k", ignores_case=True), "AB12K")
        self.assertEqual(self.read_value("ab12k"), "ab12k")

    def test_a_token_keeps_its_dashes(self):
        tokens = (
            "3CUkFAVnskFmGt8yUeqyNgu1H6gn-QfYTLgGSdwZPek",
            "550e8400-e29b-41d4-a716-446655440000",
        )
        for token in tokens:
            with self.subTest(token):
                self.assertEqual(self.read_value(token, ignores_gaps=True), token)

    def test_a_check_makes_the_value_compact(self):
        checked = {"check": "stdnum", "check_parameter": "in_.aadhaar"}
        for value in ("234123412346", "2341 2341 2346", "2341-2341-2346"):
            with self.subTest(value):
                self.assertEqual(self.read_value(value, **checked), "234123412346")

    def test_a_check_sees_the_value_without_ignored_characters(self):
        checked = {"check": "regex", "check_parameter": "[0-9A-Z]{4}"}
        value = self.read_value(
            "a-1 b.2", ignores_gaps=True, ignores_case=True, **checked
        )
        self.assertEqual(value, "A1B2")
        self.assert_invalid("check", "token:a-1b2@nationalId", **checked)

    def test_one_token_is_made_of_every_spelling(self):
        values = {"tokeniser": "openg2p-sha3-256", "ignores_gaps": True}
        tokens = {self.read_value(v, **values) for v in ("47 11", "4711", "٤٧-١١")}
        self.assertEqual(len(tokens), 1)

    def test_a_stored_form_is_the_same_as_the_one_it_was_made_of(self):
        card = IdRule(2, parse_template("nid:{x}"), stored=NATIONAL)
        rules = (card, IdRule(1, NATIONAL, ignores_gaps=True), OTHER)
        ids = {read_id(rules, t).canonical for t in ("nid:1-2", "token:12@nationalId")}
        self.assertEqual(ids, {"token:12@nationalid"})

    def test_an_id_in_its_stored_form_is_of_its_type(self):
        stored = parse_template("token:{x}@registry")
        card = IdRule(2, parse_template("nid:{x}"), stored, "openg2p-sha3-256")
        rules = (card, *make_rules())
        first = read_id(rules, "nid:4711")
        self.assertEqual(read_id(rules, first.canonical), first)

    @given(st.text("0123456789", min_size=4, max_size=20), st.data())
    def test_every_spelling_of_a_number_is_one_id(self, number, data):
        spelt = ""
        for digit in number:
            zero = data.draw(st.sampled_from(_ZEROS))
            spelt += data.draw(st.sampled_from(_GAPS)) + chr(ord(zero) + int(digit))
        # A spreadsheet adds a point before the last zeros of a number.
        assume(not is_altered_number(spelt))
        self.assertEqual(self.read_value(spelt, ignores_gaps=True), number)

    @given(st.text(max_size=60), st.booleans(), st.booleans())
    def test_an_id_is_its_own_form(self, text, gaps, case):
        for written in (text, f"token:{text}@nationalId"):
            values = {"ignores_gaps": gaps, "ignores_case": case}
            try:
                once = self.identify(written, **values)
            except InvalidIdentifier:
                continue
            self.assertEqual(self.identify(once.canonical, **values), once)


class TestNoIds(RulesCase):
    def test_placeholders_are_not_ids(self):
        for value in NOTHING:
            for template in ("token:%s@nationalId", "vid:%s@x", "%s"):
                text = template.replace("%s", value)
                with self.subTest(text), self.assertRaises(InvalidIdentifier):
                    self.identify(text)

    def test_an_id_may_look_a_little_like_nothing(self):
        for value in ("2007816053", "12.345.678-5", "nanette", "E123", "AbC_d-9"):
            for text in (f"token:{value}@nationalId", value):
                with self.subTest(text):
                    self.assertTrue(self.identify(text))

    def test_a_text_that_resembles_a_type_is_of_it_or_refused(self):
        texts = (
            "token:4711",
            "4711@nationalId",
            "token:4711@",
            "token:4711@national",
            "token :4711@nationalId",
            "TOKEN:4711@x",
            "token：4711＠nationalId",
            "4711 @ nationalId",
            "token:undefined@…",
            "tok:4711@NATIONALID",
        )
        for text in texts:
            with self.subTest(text), self.assertRaises(InvalidIdentifier):
                self.identify(text)
        self.assert_invalid("alike", "token:4711")

    def test_another_type_may_start_alike(self):
        rules = (IdRule(2, parse_template("token:{x}@vid")), *make_rules())
        self.assertEqual(read_id(rules, "token:4711@vid").type_id, 2)


class TestCards(RulesCase):
    TEN = CardRule(pattern="[0-9]+", min_length=10, max_length=10)

    def test_people_s_ids_look_as_on_the_card(self):
        for value in ("John Smith", "200781605", "20078160533", "200781605x"):
            with self.subTest(value):
                text = f"token:{value}@nationalId"
                rule = {"card": self.TEN, "ignores_gaps": True}
                self.assert_invalid("card", text, CardCheck.PEOPLE, **rule)
                self.assertTrue(self.identify(text, CardCheck.PARTICIPANTS, **rule))

    def test_the_card_is_compared_without_ignored_characters(self):
        for value in ("2007 816 053", "٢٠٠٧-٨١٦٠٥٣"):
            text = f"token:{value}@nationalId"
            rule = {"card": self.TEN, "ignores_gaps": True}
            self.assertTrue(self.identify(text, CardCheck.PEOPLE, **rule))

    def test_participants_are_bound_if_the_type_requires_it(self):
        rule = {"card": CardRule(pattern="[0-9]+", binds_participants=True)}
        text = "token:John@nationalId"
        self.assert_invalid("card", text, CardCheck.PARTICIPANTS, **rule)
        self.assertTrue(self.identify(text, CardCheck.NONE, **rule))

    def test_a_check_digit_is_required(self):
        rule = {"card": CardRule(check="luhn")}
        good, bad = "79927398713", "79927398714"
        self.assertTrue(
            self.identify(f"token:{good}@nationalId", CardCheck.PEOPLE, **rule)
        )
        bad = f"token:{bad}@nationalId"
        self.assert_invalid("card", bad, CardCheck.PEOPLE, **rule)

    def test_a_card_is_looked_at_before_its_number_becomes_a_token(self):
        rule = {"card": self.TEN, "tokeniser": "openg2p-sha3-256"}
        good = "token:2007816053@nationalId"
        self.assertTrue(self.identify(good, CardCheck.PEOPLE, **rule))
        self.assert_invalid("card", "token:1@nationalId", CardCheck.PEOPLE, **rule)
        rules = make_rules(**rule)
        value = get_clean_value(rules, "token: 2007816053@nationalId")
        self.assertEqual(value, "2007816053")


class TestForms(BaseCase):
    def get_forms(self, **values):
        rules = make_rules(**values)
        return IdForm(NEWEST, rules), IdForm(1, rules)

    def identify(self, text, **values):
        found = read_in_forms(self.get_forms(**values), text)
        return [identifier.canonical for identifier in found]

    def test_a_row_of_before_is_found_by_its_first_form(self):
        self.assertEqual(
            self.identify("token:20-07@nationalId", ignores_gaps=True),
            ["token:2007@nationalid", "token:20-07@nationalid"],
        )

    def test_an_id_that_stays_the_same_stands_there_once(self):
        self.assertEqual(
            self.identify("token:2007@nationalId"), ["token:2007@nationalid"]
        )

    def test_a_former_id_has_its_old_form(self):
        self.assertEqual(self.identify("null"), ["null"])
        self.assertEqual(self.identify("token:1@elsewhere"), ["token:1@elsewhere"])
        self.assertEqual(self.identify("\u200b"), [])

    def test_a_form_is_kept_as_data(self):
        card = CardRule("[0-9]+", 1, 9, binds_participants=True)
        for form in self.get_forms(ignores_case=True, card=card, stored=NATIONAL):
            data = json.loads(json.dumps(form.to_data()))
            self.assertEqual(load_form(data), form)
            self.assertIn("python-stdnum", data["libraries"])

    def test_every_number_up_to_the_newest_has_an_algorithm(self):
        self.assertEqual(sorted(READERS), list(range(1, NEWEST + 1)))
