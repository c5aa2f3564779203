from odoo.tests import BaseCase

from ..lib.exceptions import InvalidPart
from ..lib.fa_accounts import (
    NO_RULE,
    Bank,
    ProviderRule,
    check_account,
    is_card,
    is_own_id,
)

# Test numbers that the card networks publish.
CARDS = [
    "4111111111111111",
    "4222222222222",
    "4012888888881881",
    "4000000000000000006",
    "5555555555554444",
    "5105105105105100",
    "2223003122003222",
    "2720990000000007",
    "378282246310005",
    "341111111111111",
    "30569309025904",
    "38520000023237",
    "36227206271667",
    "3056930009020004",
    "3530111333300000",
    "3566002020360505",
    "6011111111111117",
    "6011000990139424",
    "6500000000000002",
    "6200000000000005",
    "6205500000000000004",
    "6759649826438453",
    "5018000000000009",
    "2200000000000004",
    "9792000000000001",
    "5060990580000217499",
    "6071000000000000",
]
TURKISH = Bank("TR", "TCZBTR2A", ("TR-00010",))


def make_card(beginning: str) -> str:
    """Return a number with that beginning and a valid last digit."""
    return next(beginning + d for d in "0123456789" if is_luhn(beginning + d))


def is_luhn(number: str) -> bool:
    odd, even = number[-1::-2], number[-2::-2]
    doubled = sum(sum(divmod(2 * int(digit), 10)) for digit in even)
    return (sum(map(int, odd)) + doubled) % 10 == 0


NO_BANK = Bank()


class TestAccounts(BaseCase):
    def _find_problem(self, number, rule=NO_RULE, bank=NO_BANK):
        try:
            check_account(number, rule, bank)
        except InvalidPart as error:
            return error.code
        return ""

    def test_cards_are_no_accounts(self):
        for published in CARDS:
            number = make_card(published[:-1])
            with self.subTest(number=number):
                self.assertTrue(is_card(number))
                self.assertEqual(self._find_problem(number), "card")
                wrong = number[:-1] + str((int(number[-1]) + 1) % 10)
                self.assertEqual(self._find_problem(wrong), "")

    def test_accounts_are_no_cards(self):
        for number in (
            "12345678",
            make_card("123456781234567"),  # not of any network
            make_card("41111111111"),  # too short for a card
            make_card("9791000000000000"[:15]),
        ):
            with self.subTest(number=number):
                self.assertEqual(self._find_problem(number), "")

    def test_words_in_place_of_a_number_are_refused(self):
        for number in (
            "0000",
            "00000000000000",
            "1111",
            "XXXX",
            "XXXXXXXX1234",
            "PASSWORD",
            "UNKNOWN",
            "CASH",
            "ABCD",
        ):
            with self.subTest(number=number):
                self.assertEqual(self._find_problem(number), "no_account")

    def test_provider_s_own_pattern_accepts_card_numbers(self):
        for number, pattern in (
            ("4111111111111111", "[0-9]{16}"),
            ("0000", "[0-9]{4}"),
            ("CASH", "[A-Z]{4}"),
        ):
            rule = ProviderRule(pattern)
            with self.subTest(number=number):
                self.assertEqual(self._find_problem(number, rule), "")

    def test_length_or_check_alone_does_not_accept_card_numbers(self):
        rule = ProviderRule(shortest=16, longest=16, check_code="luhn")
        self.assertEqual(self._find_problem("4111111111111111", rule), "card")

    def test_the_provider_s_rule_counts(self):
        for number, rule, word in (
            ("1234567", ProviderRule("[0-9]{8}"), "account_pattern"),
            ("12345678", ProviderRule("[0-9]{8}"), ""),
            ("1234567", ProviderRule(shortest=8), "account_length"),
            ("123456789", ProviderRule(longest=8), "account_length"),
            ("12345678", ProviderRule(shortest=8, longest=8), ""),
            ("79927398713", ProviderRule(check_code="luhn"), ""),
            ("79927398710", ProviderRule(check_code="luhn"), "luhn"),
            (
                "00113918204",
                ProviderRule(check_code="stdnum", check_parameter="do.cedula"),
                "stdnum",
            ),
            ("12345678", ProviderRule(check_code="iban"), "iban"),
        ):
            with self.subTest(number=number, rule=rule):
                self.assertEqual(self._find_problem(number, rule), word)

    def test_numbers_of_an_iban_country_follow_its_structure(self):
        rule, bank = ProviderRule(check_code="bban"), Bank("TR")
        for number, word in (
            ("TR330006100519786457841326", ""),
            ("0006100519786457841326", ""),
            ("0519786457841326", ""),
            ("519786457841326", "bban"),
            ("GB29NWBK60161331926819", "bban"),
            ("TR340006100519786457841326", "iban"),
        ):
            with self.subTest(number=number):
                self.assertEqual(self._find_problem(number, rule, bank), word)

    def test_an_iban_is_of_the_bank_that_was_chosen(self):
        for number, bank, word in (
            ("TR320010009999901234567890", TURKISH, ""),
            ("TR330010009999901234567890", TURKISH, "iban"),
            ("GB29NWBK60161331926819", TURKISH, "iban_country"),
            # The registry does not have this bank, but its country is the same.
            ("TR330006100519786457841326", TURKISH, ""),
            ("DE89370400440532013000", Bank("DE", "COBADEFF"), ""),
            ("DE89370400440532013000", Bank("DE", "COBADEFFXXX"), ""),
            ("DE89370400440532013000", Bank("DE", "", ("DE-37040044",)), ""),
            ("DE89370400440532013000", Bank("DE", "DEUTDEFF"), "iban_bank"),
            ("DE89370400440532013000", Bank("DE", "", ("DE-10010010",)), "iban_bank"),
            ("DE89370400440532013000", Bank("DE"), ""),
            ("DE89370400440532013000", Bank("FR", "BNPAFRPP"), "iban_country"),
            # A bank that issues IBANs of another country, by its BIC.
            ("DE89370400440532013000", Bank("FR", "COBADEFF"), ""),
            ("DE89370400440532013000", Bank("XT"), "iban_country"),
            ("DE89370400440532013000", Bank(), ""),
            ("DE88370400440532013000", Bank(), "iban"),
            # Where another country's IBANs are used.
            ("GB29NWBK60161331926819", Bank("JE"), ""),
            ("FR1420041010050500013M02606", Bank("RE"), ""),
            ("FR1420041010050500013M02606", Bank("RE", "BNPAFRPP"), "iban_bank"),
            # Not IBANs, though they begin like some.
            ("GB12345678", TURKISH, ""),
            ("ZZ29NWBK60161331926819", TURKISH, ""),
        ):
            with self.subTest(number=number, bank=bank):
                self.assertEqual(self._find_problem(number, bank=bank), word)

    def test_no_pattern_makes_an_iban_one_of_another_bank(self):
        rule = ProviderRule("[A-Z0-9]+")
        word = self._find_problem("GB29NWBK60161331926819", rule, TURKISH)
        self.assertEqual(word, "iban_country")

    def test_an_id_is_found_however_it_is_written(self):
        for text in (
            "2007816053",
            "2007 816-053",
            "\u0662\u0660\u0660\u0667\u0668\u0661\u0666\u0660\u0665\u0663",
            "token:2007816053@nationalId",
            "TOKEN:2007 816 053@NATIONALID",
        ):
            with self.subTest(text=text):
                self.assertTrue(is_own_id("2007816053", ["x", text]))
        for text in ("", "2007816054", "12007816053", "token:2007816053", ":@"):
            with self.subTest(text=text):
                self.assertEqual(
                    is_own_id("2007816053", [text]), text == "token:2007816053"
                )
        self.assertFalse(is_own_id("2007816053", []))
