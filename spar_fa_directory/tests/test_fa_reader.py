from odoo.tests import BaseCase

from ..lib import fa_reader
from ..lib.fa_reader import Address, AddressPlace, Holder

BANK = fa_reader.build_known_strategy(
    1, 10, "bank", "account:{number}@{branch}.{bank}", "bank", "branch"
)
OLD_BANK = fa_reader.build_known_strategy(
    31, 10, "bank", "account:{number}@{branch}.{bank}.bank_acc", "bank", "branch"
)
OLD_WALLET = fa_reader.build_known_strategy(
    32, 20, "wallet", "account:{phone}@{wallet}.wallet", "wallet", None
)
BY_BIC = fa_reader.build_known_strategy(
    41, 10, "bank", "account_no:{number}@{bank_bic}", "bank_code", "branch"
)
ALL = fa_reader.group_by_scheme([BANK, OLD_BANK, OLD_WALLET, BY_BIC])


class TestReader(BaseCase):
    def _choose(self, text, found):
        return fa_reader.choose_reading(fa_reader.read_text(ALL, text), found)

    def test_a_text_is_read_by_the_strategies_of_its_scheme(self):
        self.assertEqual(set(ALL), {"account:", "account_no:"})
        (reading,) = fa_reader.read_text(ALL, "ACCOUNT_NO:1@testdeff")
        self.assertEqual(reading.known, BY_BIC)
        self.assertEqual(reading.place, AddressPlace("bic", "TESTDEFFXXX", ""))

    def test_a_bic_is_the_same_with_and_without_its_head_office(self):
        for bic in ("TESTDEFF", "testdeffxxx", "TEST DE FF", "TEST-DE-FF-xxx"):
            with self.subTest(bic=bic):
                (reading,) = fa_reader.read_text(ALL, f"account_no:1@{bic}")
                self.assertEqual(reading.place, AddressPlace("bic", "TESTDEFFXXX", ""))

    def test_codes_are_folded(self):
        for text in ("account:1@ n .demo", "ACCOUNT:1@N.Demo"):
            with self.subTest(text=text):
                reading = fa_reader.read_text(ALL, text)[0]
                self.assertEqual(reading.place, AddressPlace("code", "DEMO", "N"))

    def test_text_of_unknown_shape_is_not_read(self):
        for text in ("", "account", "account:", "12345", "iban:X", ":", "account:1@2"):
            with self.subTest(text=text):
                self.assertEqual(fa_reader.read_text(ALL, text), [])
        self.assertEqual(fa_reader.to_address("x", None, {}), Address("x"))
        self.assertEqual(fa_reader.mask_reading("12345678", None, {}), "•" * 6 + "78")

    def test_the_first_strategy_counts_when_the_directory_knows_none(self):
        reading = self._choose("account:0917@blue.wallet", {})
        self.assertEqual(reading.known, BANK)

    def test_the_strategy_of_a_known_provider_goes_first(self):
        found = {AddressPlace("code", "BLUE", ""): Holder(7)}
        reading = self._choose("account:0917@blue.wallet", found)
        self.assertEqual(
            fa_reader.to_address("t", reading, found),
            Address(
                "t", 32, "wallet", 20, 7, None, {"phone": "0917", "wallet": "blue"}
            ),
        )

    def test_unique_ending_determines_the_strategy(self):
        reading = self._choose("account:1@north.demo.bank_acc", {})
        self.assertEqual(reading.known, OLD_BANK)

    def test_impossible_codes_are_not_codes(self):
        for code in ("\u0130", "caf\u00e9", "a\0b", ""):
            with self.subTest(code=code):
                self.assertEqual(fa_reader.fold_code(code), "")

    def test_an_account_number_in_the_place_of_a_branch_is_masked(self):
        text = "account:1@123456789012.DEMO"
        masked = fa_reader.mask_reading(text, self._choose(text, {}), {})
        self.assertEqual(masked, "account:•@•••••••••012.DEMO")

    def test_branch_in_the_directory_is_shown(self):
        text = "account:1@123456789012.DEMO"
        found = {AddressPlace("code", "DEMO", "123456789012"): Holder(1, 2)}
        masked = fa_reader.mask_reading(text, self._choose(text, found), found)
        self.assertEqual(masked, "account:•@123456789012.DEMO")

    def test_an_address_cannot_be_changed(self):
        with self.assertRaises(AttributeError):
            Address("x").text = "y"
