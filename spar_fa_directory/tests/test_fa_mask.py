import random

from odoo.tests import BaseCase

from ..lib.fa_mask import DOT, looks_like_code, mask, mask_address, mask_parts
from ..lib.fa_syntax import compile_strategy


class TestMask(BaseCase):
    def test_at_most_four_and_at_most_a_quarter_is_shown(self):
        draw = random.Random(3)
        for length in range(200):
            text = "".join(draw.choice("0123456789é") for _ in range(length))
            masked = mask(text)
            shown = len(masked) - masked.count(DOT)
            with self.subTest(length=length):
                self.assertLessEqual(shown, 4)
                self.assertLessEqual(shown * 4, length)
                self.assertTrue(text.endswith(masked.lstrip(DOT)))

    def test_four_of_sixteen_are_shown(self):
        self.assertEqual(mask("1234567890123456"), DOT * 12 + "3456")

    def test_short_values_are_not_shown_at_all(self):
        for text in ("", "1", "12", "123"):
            self.assertEqual(mask(text), DOT * len(text))

    def test_mask_hides_the_length_of_a_long_value(self):
        self.assertEqual(mask("x" * 10_000 + "1234"), mask("x" * 100 + "1234"))

    def test_a_tail_that_would_turn_the_text_around_is_not_shown(self):
        self.assertEqual(mask("12345678901234\u202e1"), DOT * 16)

    def test_only_the_named_parts_are_shown(self):
        parts = {"number": "12345678", "bank": "DEMO", "note": "abc"}
        self.assertEqual(
            mask_parts(parts, {"bank"}),
            {"number": DOT * 6 + "78", "bank": "DEMO", "note": DOT * 3},
        )

    def test_an_address_keeps_its_kind(self):
        strategy = compile_strategy("account:{number}@{bank}.end")
        masked = mask_address(strategy, {"number": "12345678", "bank": "B@C"}, {"bank"})
        self.assertEqual(masked, f"account:{DOT * 6}78@B@C.end")

    def test_an_account_number_does_not_pass_for_a_code(self):
        for value in ("12345", "AB12CD345", "x" * 17, "caf\u00e9", "a\u202eb", "a\nb"):
            with self.subTest(value=value):
                self.assertFalse(looks_like_code(value))
        for value in ("DEMO", "BR01", "tb.n", ""):
            with self.subTest(value=value):
                self.assertTrue(looks_like_code(value))
