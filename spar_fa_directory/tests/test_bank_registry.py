from unittest.mock import patch

from schwifty import registry

from odoo.tests import BaseCase

from ..lib.bank_registry import KnownBank, get_banks, get_countries, get_whole_bic


def build_entry(code="1", name="Bank", bic="", primary=True):
    return registry.Bank("EE", bic, code, name, primary=primary)


class TestBankRegistry(BaseCase):
    def _read(self, *entries):
        with patch.object(registry, "get_banks_by_country", lambda country: entries):
            return get_banks("EE")

    def test_codes_of_two_countries_never_collide(self):
        codes = [
            bank.code for country in get_countries() for bank in get_banks(country)[0]
        ]
        self.assertGreater(len(codes), 20_000)
        self.assertEqual(len(codes), len(set(codes)))

    def test_the_primary_entry_of_a_code_stands_for_all(self):
        banks, left_out = self._read(
            build_entry(name="Branch", primary=False), build_entry(name="Head")
        )
        self.assertEqual(banks, [KnownBank("EE-1", "Head", "")])
        self.assertEqual([tuple(e) for e in left_out], [("Branch", "duplicate")])

    def test_bank_without_a_code_uses_its_bic(self):
        banks, _left_out = self._read(build_entry(code="", bic="TABUEE22"))
        self.assertEqual(banks, [KnownBank("TABUEE22", "Bank", "TABUEE22")])

    def test_bank_without_name_or_code_is_skipped(self):
        banks, left_out = self._read(
            build_entry(name=" "), build_entry(name="B"), build_entry(code="")
        )
        self.assertEqual(banks, [])
        self.assertEqual({entry.reason for entry in left_out}, {"nameless"})

    def test_invalid_bic_is_dropped_and_the_bank_kept(self):
        banks, _left_out = self._read(build_entry(bic="WRONG"))
        self.assertEqual(banks, [KnownBank("EE-1", "Bank", "")])

    def test_names_are_written_in_one_way(self):
        banks, _left_out = self._read(build_entry(name="Cafe\u0301  Bank\n"))
        self.assertEqual(banks[0].name, "Caf\u00e9 Bank")

    def test_an_unknown_country_has_no_banks(self):
        self.assertEqual(get_banks("XT"), ([], []))

    def test_a_bic_of_a_branch_stays_another(self):
        self.assertNotEqual(get_whole_bic("TABUEE22"), get_whole_bic("TABUEE22ABC"))
        self.assertEqual(get_whole_bic(" tabuee22 "), get_whole_bic("TABUEE22"))
