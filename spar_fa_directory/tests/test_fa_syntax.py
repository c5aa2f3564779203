import random
import re
from pathlib import Path
from xml.etree import ElementTree

from odoo.tests import BaseCase

from ..lib.exceptions import InvalidStrategyTemplate, MissingPart
from ..lib.fa_syntax import build, compile_strategy, parse

DATA = Path(__file__).parents[1] / "data" / "spar_fa_strategy_data.xml"
# Templates that are not shipped, with adjacent delimiters.
AWKWARD = [
    "x:{a}",
    "x:{a}.end",
    "x:{a}::@::{b}",
    "x:{a}%:{b}%",
    "x:{a}.y{b}x.{c}",
    "x:{a}_k_:{b}K.k{c}-",
    "x:{c}|{a*}.{b}@{d}.z",
    "x:.:{a*}.:{b}",
]
HARD = "@.:%_|-{}25 3aAfFkKxyz\u0130\u00df\u00e9\u212a\u202e\U0001f600\ud800\0\n\u2022"


def get_shipped_templates():
    """Return the templates of the data file, by number."""
    return {
        int(record.find("field[@name='number']").text): record.find(
            "field[@name='template']"
        ).text
        for record in ElementTree.parse(DATA).iter("record")
    }


class TestRoundTrip(BaseCase):
    """A built address is parsed into the same parts, whatever people write."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.strategies = [
            compile_strategy(text)
            for text in [*get_shipped_templates().values(), *AWKWARD]
        ]

    def _draw_value(self, draw, strategy):
        """Draw any text, or one that resembles a piece of the template."""
        if draw.random() < 0.3:
            count = draw.randrange(6)
            return "".join(chr(draw.randrange(0x110000)) for _ in range(count))
        value = "".join(draw.choice(HARD) for _ in range(draw.randrange(8)))
        if draw.random() < 0.5:
            literal = draw.choice(strategy.literals)
            value += draw.choice((literal, literal.upper(), literal[:-1]))
            value += "".join(draw.choice(HARD) for _ in range(draw.randrange(3)))
        return value

    def test_parse_undoes_build_for_any_values(self):
        draw = random.Random(20260119)
        for _ in range(30_000):
            strategy = draw.choice(self.strategies)
            parts = {key: self._draw_value(draw, strategy) for key in strategy.keys}
            text = build(strategy, parts)
            self.assertEqual(parse(strategy, text), parts, (strategy.template, text))

    def test_changing_one_value_changes_no_other_part(self):
        draw = random.Random(7)
        for _ in range(10_000):
            strategy = draw.choice(self.strategies)
            parts = {key: self._draw_value(draw, strategy) for key in strategy.keys}
            key = draw.choice(strategy.keys)
            changed = parts | {key: self._draw_value(draw, strategy)}
            read = parse(strategy, build(strategy, changed))
            self.assertEqual(
                {k: v for k, v in read.items() if k != key},
                {k: v for k, v in parts.items() if k != key},
            )

    def test_different_parts_never_give_the_same_text(self):
        strategy = compile_strategy("a:{x}@{y}.{z}")
        values = ["", "a", "@", ".", "%", "%40", "a.b"]
        texts = {
            build(strategy, {"x": x, "y": y, "z": z})
            for x in values
            for y in values
            for z in values
        }
        self.assertEqual(len(texts), len(values) ** 3)

    def test_a_value_of_ten_thousand_characters_comes_back(self):
        strategy = compile_strategy("account:{number}@{bank}")
        parts = {"number": "@%" * 5_000, "bank": "B"}
        self.assertEqual(parse(strategy, build(strategy, parts)), parts)

    def test_case_between_the_parts_does_not_count(self):
        strategy = compile_strategy("a:{x}.Bank_Code:{y}.fa_type:BANK")
        text = "A:MiXed.bank_code:Demo.FA_TYPE:bank"
        self.assertEqual(parse(strategy, text), {"x": "MiXed", "y": "Demo"})

    def test_letters_that_grow_when_lowered_do_not_shift_the_parts(self):
        strategy = compile_strategy("a:{x}@{y}")
        parts = {"x": "\u0130\u0130\u0130", "y": "Z"}
        self.assertEqual(parse(strategy, "A:\u0130\u0130\u0130@Z"), parts)

    def test_escapes_are_read_in_either_case(self):
        strategy = compile_strategy("a:{x}.k:{y}")
        self.assertEqual(parse(strategy, "a:1%3a2.k:z")["x"], "1:2")

    def test_a_percent_that_escapes_nothing_is_itself(self):
        strategy = compile_strategy("a:{x}@{y}")
        self.assertEqual(parse(strategy, "a:100%@z%zz"), {"x": "100%", "y": "z%zz"})


class TestOpenG2PShapes(BaseCase):
    """Texts as OpenG2P writes them, without escaping."""

    def _strategy(self, number):
        return compile_strategy(get_shipped_templates()[number])

    def test_a_bank_account_of_the_first_release(self):
        parts = parse(
            self._strategy(2),
            "account_number:123456789.branch_name:Mumbai Central Branch"
            ".branch_code:HDFC0000522"
            ".bank_name:H Bank Ltd..bank_code:HDFC.fa_type:bank",
        )
        self.assertEqual(
            parts,
            {
                "account_number": "123456789",
                "branch_name": "Mumbai Central Branch",
                "branch_code": "HDFC0000522",
                "bank_name": "H Bank Ltd.",
                "bank_code": "HDFC",
            },
        )

    def test_the_dots_of_an_email_address_are_left_alone(self):
        strategy = self._strategy(22)
        parts = {
            "email_address": "a.b@example.com",
            "wallet_name": "Mail Inc.",
            "wallet_code": "MAIL",
        }
        text = build(strategy, parts)
        self.assertEqual(
            text,
            "email_address:a.b@example.com.wallet_provider_name:Mail Inc."
            ".wallet_provider_code:MAIL.fa_type:EMAIL_WALLET",
        )
        self.assertEqual(parse(strategy, text), parts)

    def test_the_first_prototype_is_read_from_the_right(self):
        strategy = self._strategy(33)
        self.assertEqual(
            parse(strategy, "email:a.b@example.com.mpesa"),
            {"email_address": "a.b@example.com", "wallet_code": "mpesa"},
        )

    def test_a_greedy_reader_takes_our_text_apart_as_we_do(self):
        strategy = self._strategy(5)
        pattern = re.sub(r"\\{(\w+)\\}", r"(?P<\1>.*)", re.escape(strategy.template))
        parts = dict.fromkeys(strategy.keys, "x.branch_code:y.bank_code:z")
        found = re.fullmatch(pattern, build(strategy, parts)).groupdict()
        self.assertEqual(found, dict.fromkeys(parts, "x.branch_code%3Ay.bank_code%3Az"))

    def test_a_branch_name_that_apes_a_label_is_not_guessed_at(self):
        text = (
            "account_number:1.branch_name:N.branch_name:S.branch_code:B"
            ".bank_name:X.bank_code:Y.fa_type:bank"
        )
        self.assertIsNone(parse(self._strategy(2), text))


class TestRefusals(BaseCase):
    def _assert_refused(self, template, code):
        with self.assertRaises(InvalidStrategyTemplate) as caught:
            compile_strategy(template)
        self.assertEqual(caught.exception.code, code, template)

    def test_templates_that_could_not_be_parsed_back(self):
        for template, code in {
            "account:{a}{b}": "delimiter",
            "account:{a}and{b}": "delimiter",
            "account:{a}..{b}": "delimiter",
            "account:{a}%{b}": "delimiter",
            "account:{a}@{a}": "duplicate",
            "account:{a*}@{b*}": "stars",
            "{a}@{b}": "scheme",
            "account{a}": "scheme",
            "Account:{a}": "scheme",
            "account:": "placeholder",
            "": "placeholder",
            "account:{A}": "placeholder",
            "account:{a": "placeholder",
            "account:{a}}@{b}": "placeholder",
            "account:{a!r}": "placeholder",
            "account:{a.__class__}": "placeholder",
            "account:{a}\u00e9@{b}": "ascii",
            "account:{a}\n@{b}": "ascii",
        }.items():
            with self.subTest(template=template):
                self._assert_refused(template, code)

    def test_the_message_names_the_parts(self):
        with self.assertRaisesRegex(InvalidStrategyTemplate, "Between alpha and beta"):
            compile_strategy("x:{alpha}{beta}")

    def test_a_missing_part_is_named_and_never_written_as_nothing(self):
        strategy = compile_strategy("x:{alpha}@{beta}")
        with self.assertRaisesRegex(MissingPart, "beta"):
            build(strategy, {"alpha": "1"})

    def test_texts_of_another_shape(self):
        strategy = compile_strategy("account:{number}@{branch}.{bank}.end")
        for text in (
            "",
            "account:",
            "account:.end",
            "account:1@2.end",
            "account:1.2@3.end",
            "account:1@2.3",
            "accounts:1@2.3.end",
            "account:1@2@3.4.end",
            "account:1@2.3.4.end",
            " account:1@2.3.end",
            "account:1@2.3.end\n",
        ):
            with self.subTest(text=text):
                self.assertIsNone(parse(strategy, text))

    def test_a_long_text_that_nearly_matches_is_refused(self):
        strategy = compile_strategy("a:{x}.bank_name:{y}.bank_code:{z}.fa_type:bank")
        for text in (".bank_name" * 5_000, ".bank_name:" * 5_000, "." * 50_000):
            with self.subTest(text=text[:11]):
                self.assertIsNone(parse(strategy, f"a:{text}.fa_type:bank"))

    def test_a_part_that_is_none_is_missing(self):
        strategy = compile_strategy("a:{x}@{y}")
        with self.assertRaises(MissingPart):
            build(strategy, {"x": "1", "y": None})

    def test_prefix_and_suffix_do_not_share_signs(self):
        self.assertIsNone(parse(compile_strategy("ab:{x}b:"), "ab:"))
        self.assertEqual(parse(compile_strategy("ab:{x}b:"), "ab:b:"), {"x": ""})
