from unittest.mock import patch

import psycopg2

from odoo.exceptions import UserError
from odoo.tools import mute_logger

from ..lib.fa_reader import AddressPlace, Holder
from .common import DirectoryCase


class TestProvider(DirectoryCase):
    def _use(self, records):
        """Make the records count as named by a mapping."""
        patcher = patch.object(
            type(records), "_is_used", lambda named: named & records.with_env(named.env)
        )
        self.startPatcher(patcher)

    def test_code_is_unique_regardless_of_case(self):
        with (
            mute_logger("odoo.sql_db"),
            self.assertRaises(psycopg2.errors.UniqueViolation),
        ):
            self.env["spar.fsp"].create({"name": "Other", "code": "tESTbANK"})

    def test_a_branch_code_is_unique_in_its_bank(self):
        other = self.env["spar.fsp"].create({"name": "Other", "code": "OTHER"})
        self.env["spar.fsp.branch"].create(
            {"name": "North", "code": "TB.N", "provider_id": other.id}
        )
        with (
            mute_logger("odoo.sql_db"),
            self.assertRaises(psycopg2.errors.UniqueViolation),
        ):
            self.env["spar.fsp.branch"].create(
                {"name": "Other", "code": "TB.N", "provider_id": self.bank.id}
            )

    def test_codes_that_addresses_cannot_contain_are_refused(self):
        for code in ("A B", "caf\u00e9", "a\x07b", "a\tb", "\u0130"):
            with self.subTest(code=code):
                for record in (self.bank, self.north):
                    self._assert_refused(record.name, record.write, {"code": code})

    def test_signs_that_addresses_use_may_stand_in_a_code(self):
        self.bank.code = "a@b.c:d%e"
        self.assertEqual(self.bank.code, "a@b.c:d%e")

    def test_a_mistyped_bic_is_refused(self):
        self._assert_refused("not a valid BIC", self.bank.write, {"bic": "TEST"})

    def test_a_used_code_is_fixed(self):
        self._use(self.bank)
        self._assert_refused(
            "Archive it", self.bank.write, {"code": "OTHER"}, exception=UserError
        )
        self.assertTrue(self.bank.is_used)
        self.bank.write({"code": "TestBank", "name": "Renamed"})
        self.assertEqual(self.bank.name, "Renamed")

    def test_an_unused_code_may_change(self):
        self.assertFalse(self.bank.is_used)
        self.bank.code = "OTHER"
        self.assertEqual(self.bank.code, "OTHER")

    def test_a_used_provider_is_archived_not_deleted(self):
        self._use(self.bank)
        with self.assertRaises(UserError):
            self.bank.unlink()
        self.bank.action_archive()
        self.assertFalse(self.bank.active)

    def test_a_provider_of_a_used_branch_is_not_deleted(self):
        self._use(self.north)
        with self.assertRaises(UserError):
            self.bank.unlink()

    def test_a_used_branch_keeps_code_and_provider(self):
        self._use(self.north)
        other = self.env["spar.fsp"].create({"name": "Other", "code": "OTHER"})
        for vals in ({"code": "X"}, {"provider_id": other.id}):
            with self.subTest(vals=vals), self.assertRaises(UserError):
                self.north.write(vals)
        with self.assertRaises(UserError):
            self.north.unlink()
        self.north.write(
            {"code": "tb.n", "provider_id": self.bank.id, "city": "Vellin"}
        )
        self.south.code = "X"
        self.south.unlink()
        self.assertEqual(self.bank.branch_ids, self.north)

    def test_it_is_found_by_name_or_code(self):
        search = self.env["spar.fsp"].name_search
        self.assertIn(self.bank.id, dict(search("testban")))
        self.assertIn(self.bank.id, dict(search("Test B")))
        branches = self.env["spar.fsp.branch"].name_search("Marn")
        self.assertIn(self.north.id, dict(branches))


class TestPlaces(DirectoryCase):
    def _search(self, *places):
        """Return the ids of provider and branch, by place."""
        found = self.env["spar.fsp"]._search_places(set(places))
        return {place: holder[:2] for place, holder in found.items()}

    def test_holder_contains_what_a_check_needs(self):
        place = AddressPlace("code", "TESTBANK", "TB.N")
        self.bank.country_id = self.env.ref("base.fr")
        self.north.action_archive()
        found = self.env["spar.fsp"]._search_places({place})
        known = Holder(
            self.bank.id,
            self.north.id,
            "bank",
            "FR",
            True,
            False,
            "TestBank",
            "tb.n",
            True,
            "TESTDEFFXXX",
            ("TestBank",),
        )
        self.assertEqual(found[place], known)
        self.assertEqual(self.bank._get_holder(self.north), known)

    def test_holder_contains_the_provider_s_rules(self):
        self.wallet.write(
            {
                "account_pattern": "[0-9]+",
                "account_shortest": 4,
                "account_longest": 9,
                "account_check": "stdnum",
                "account_check_parameter": "luhn",
                "phone_prefixes": "0999, +63 998",
            }
        )
        place = AddressPlace("code", "TESTWALLET", "")
        holder = self.env["spar.fsp"]._search_places({place})[place]
        self.assertEqual(holder.rule, ("[0-9]+", 4, 9, "stdnum", "luhn"))
        self.assertEqual(holder.prefixes, ("0999", "+63998"))
        self.assertFalse(holder.has_branches)
        self.assertEqual(self.wallet._get_holder(), holder)

    def test_an_archived_branch_is_one(self):
        self.bank.branch_ids.action_archive()
        place = AddressPlace("code", "TESTBANK", "")
        holder = self.env["spar.fsp"]._search_places({place})[place]
        self.assertTrue(holder.has_branches)

    def test_no_provider_has_no_rule(self):
        self.assertEqual(self.env["spar.fsp"]._get_holder(), Holder())

    def test_codes_are_found_regardless_of_case(self):
        place = AddressPlace("code", "TESTBANK", "TB.N")
        self.assertEqual(self._search(place), {place: (self.bank.id, self.north.id)})

    def test_a_branch_of_another_bank_is_no_branch(self):
        place = AddressPlace("code", "TESTWALLET", "TB.N")
        self.assertEqual(self._search(place), {place: (self.wallet.id, None)})

    def test_archived_records_are_found(self):
        self.north.action_archive()
        self.bank.action_archive()
        place = AddressPlace("code", "TESTBANK", "TB.N")
        self.assertEqual(self._search(place), {place: (self.bank.id, self.north.id)})

    def test_unknown_codes_are_not_found(self):
        self.assertEqual(self._search(AddressPlace("code", "NONE", "TB.N")), {})
        self.assertEqual(self._search(), {})

    def test_a_bic_finds_its_bank(self):
        place = AddressPlace("bic", "TESTDEFFXXX", "")
        self.assertEqual(self._search(place), {place: (self.bank.id, None)})

    def test_a_bic_of_two_banks_finds_neither(self):
        self.env["spar.fsp"].create(
            {"name": "Twin", "code": "TWIN", "bic": "TESTDEFFXXX"}
        )
        self.assertEqual(self._search(AddressPlace("bic", "TESTDEFFXXX", "")), {})

    def test_branch_of_a_head_office_does_not_distinguish_two_banks(self):
        twin = self.env["spar.fsp"].create({"name": "Twin", "code": "TWIN"})
        twin.bic = "test de ff"
        self.assertEqual(twin.bic, "TESTDEFF")
        place = AddressPlace("bic", "TESTDEFFXXX", "")
        self.assertEqual(self._search(place), {})
        twin.bic = "TESTDEFF001"
        self.assertEqual(self._search(place), {place: (self.bank.id, None)})
        self.bank.bic = "TEST-DE-FF"
        self.assertEqual(self._search(place), {place: (self.bank.id, None)})

    def test_the_lookup_uses_the_index(self):
        self.env.flush_all()
        self.env.cr.execute("SET LOCAL enable_seqscan = off")
        self.env.cr.execute(
            """EXPLAIN SELECT id FROM spar_fsp_branch AS branch
                WHERE provider_id = 1 AND upper(branch.code COLLATE "C") = 'X'"""
        )
        plan = "\n".join(row[0] for row in self.env.cr.fetchall())
        self.assertIn("spar_fsp_branch_code_uniq", plan)


class TestRules(DirectoryCase):
    """The rules of a provider for its numbers."""

    def test_a_rule_that_cannot_work_is_refused(self):
        for vals, text in [
            ({"account_pattern": "("}, "Test Bank: The pattern"),
            ({"account_check": "stdnum"}, "python-stdnum"),
            ({"account_check": "iban", "account_check_parameter": "x"}, "no parameter"),
            ({"account_check_parameter": "x"}, "no parameter"),
            ({"phone_prefixes": "0917, abc"}, "prefixes of numbers"),
            ({"phone_prefixes": "0917 0918 0919 0920"}, "prefixes of numbers"),
        ]:
            with self.subTest(vals=vals):
                self._assert_refused(text, self.bank.write, vals)

    def test_lengths_fit_each_other(self):
        for vals in (
            {"account_shortest": 9, "account_longest": 8},
            {"account_shortest": -1},
            {"account_longest": -1},
        ):
            with (
                self.subTest(vals=vals),
                mute_logger("odoo.sql_db"),
                self.assertRaises(psycopg2.errors.CheckViolation),
                self.env.cr.savepoint(),
            ):
                self.bank.write(vals)
                self.env.flush_all()
