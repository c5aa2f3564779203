from datetime import timedelta
from unittest.mock import patch

import psycopg2

from odoo import fields
from odoo.exceptions import ValidationError
from odoo.fields import Domain
from odoo.tests import Form
from odoo.tools import mute_logger

from ..lib import bank_registry
from ..lib.directory_page import SearchCriteria
from .common import DirectoryCase
from .test_spar_bank_load import BANKS
from .test_spar_directory_import import ImportCase


class ClosingCase(DirectoryCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.today = fields.Date.today()
        cls.heir, cls.grand_heir = cls.env["spar.fsp"].create(
            [
                {"name": "Heir Bank", "code": "HEIR"},
                {"name": "Grand Heir", "code": "GH"},
            ]
        )

    def _examine(self, text):
        return self.strategies._examine_addresses([text])[0][1]

    def _get_successor(self, text):
        ((address, problem),) = self.strategies._examine_addresses([text])
        return self.strategies._get_problem_values(address, problem)["successor"]


class TestClosing(ClosingCase):
    def test_closed_provider_takes_no_new_address_and_names_its_successor(self):
        address = "account:12345678@TB-S.TestBank"
        self.assertIsNone(self._examine(address))
        self.bank.closed_on = self.today
        self.assertEqual(self._examine(address).code, "provider_closed")
        self.bank.successor_id = self.heir
        self.assertEqual(self._examine(address).code, "provider_replaced")
        self.assertEqual(self._get_successor(address), "Heir Bank")
        self.heir.write({"closed_on": self.today, "successor_id": self.grand_heir.id})
        self.assertEqual(self._get_successor(address), "Grand Heir")

    def test_a_closed_branch_takes_no_new_address(self):
        address = "account:12345678@TB-S.TestBank"
        self.south.closed_on = self.today
        self.assertEqual(self._examine(address).code, "branch_closed")
        self.south.successor_id = self.north
        self.assertEqual(self._examine(address).code, "branch_replaced")
        self.assertEqual(self._get_successor(address), "North")

    def test_future_closing_changes_nothing_yet(self):
        self.bank.closed_on = self.today + timedelta(days=1)
        self.assertIsNone(self._examine("account:12345678@TB-S.TestBank"))
        self.assertFalse(self.bank.is_closed)

    def test_closed_provider_is_read_as_before(self):
        before = self._read("account:12345678@TB-S.TestBank")
        self.bank.closed_on = self.south.closed_on = self.today
        self.assertEqual(self._read("account:12345678@TB-S.TestBank"), before)
        self.assertIn(
            self.bank, self.env["spar.fsp"].search([("code", "=", "TestBank")])
        )

    def test_successor_is_of_the_same_kind(self):
        self._assert_refused(
            "different kind", self.bank.write, {"successor_id": self.wallet.id}
        )
        self.bank.successor_id = self.heir
        self._assert_refused("different kind", self.heir.write, {"kind": "wallet"})
        paid = self.env["spar.fsp.branch"].create(
            {"name": "Till", "code": "T", "provider_id": self.wallet.id}
        )
        self._assert_refused(
            "another kind", self.north.write, {"successor_id": paid.id}
        )

    def test_successors_cannot_form_a_cycle(self):
        for chain in ((self.bank,), (self.bank, self.heir, self.grand_heir)):
            with self.subTest(len(chain)):
                with self.assertRaises(ValidationError), self.env.cr.savepoint():
                    for number, provider in enumerate(chain):
                        provider.successor_id = chain[(number + 1) % len(chain)]
                self.env.invalidate_all()

    def test_successor_cannot_be_deleted(self):
        self.bank.successor_id = self.heir
        with mute_logger("odoo.sql_db"), self.assertRaises(psycopg2.IntegrityError):
            self.heir.unlink()

    def test_open_and_closed_ones_are_searched(self):
        self.bank.closed_on = self.today
        self.heir.closed_on = self.today + timedelta(days=9)
        ours = Domain("id", "in", (self.bank | self.heir | self.grand_heir).ids)
        search = self.env["spar.fsp"].search
        self.assertEqual(search(ours & Domain("is_closed", "=", True)), self.bank)
        for domain in (
            Domain("is_closed", "=", False),
            Domain("is_closed", "!=", True),
            ~Domain("is_closed", "=", True),
        ):
            self.assertEqual(search(ours & domain), self.heir | self.grand_heir)

    def test_archiving_is_another_matter(self):
        self.bank.closed_on = self.today
        self.assertTrue(self.bank.active)
        self.bank.action_archive()
        self.assertEqual(
            self._examine("account:12345678@TB-S.TestBank").code, "provider_archived"
        )

    def test_closing_is_returned_by_the_directory(self):
        self.bank.write(
            {
                "closed_on": self.today,
                "successor_id": self.heir.id,
                "close_reason": "Merged",
            }
        )
        self.south.write({"closed_on": self.today, "successor_id": self.north.id})
        directory = self.env["spar.directory"]
        (bank,) = directory._find_providers(
            SearchCriteria(text="testbank", limit=1)
        ).items
        closing = (bank["closed_on"], bank["successor"], bank["close_reason"])
        self.assertEqual(closing, (self.today.isoformat(), "HEIR", "Merged"))
        branches = directory._find_branches("testbank", SearchCriteria()).items
        south = next(b for b in branches if b["code"] == "TB-S")
        self.assertEqual(south["successor"], "tb.n")
        self.assertEqual(south["successor_provider"], "TestBank")


class TestBranchesWhereThereAreAny(ClosingCase):
    def test_a_bank_without_branches_is_asked_for_none(self):
        self.assertTrue(self.bank.has_branches)
        self.assertFalse(self.heir.has_branches)
        self.assertIsNone(self._examine("account:12345678@.HEIR"))
        code = self._examine("account:12345678@.TestBank").code
        self.assertEqual(code, "branch_unknown")
        self.assertEqual(
            self._examine("account:12345678@BR01.HEIR").code, "branch_unknown"
        )

    def test_branches_that_cannot_be_chosen_are_not_asked_for(self):
        self.north.closed_on = self.today
        self.assertTrue(self.bank.has_branches)
        self.south.active = False
        self.env.invalidate_all()
        self.assertFalse(self.bank.has_branches)
        self.assertIsNone(self._examine("account:12345678@.TestBank"))

    def test_such_an_address_is_written_by_every_strategy(self):
        address = self._read("account:12345678@.HEIR")
        for number, text in (
            (1, "account:12345678@.HEIR"),
            (
                2,
                "account_number:12345678.branch_name:.branch_code:.bank_name:Heir Bank."
                "bank_code:HEIR.fa_type:bank",
            ),
        ):
            with self.subTest(number=number):
                written = self.strategies._write_addresses([address], number)[0]
                self.assertEqual(written, text)
                self.assertEqual(self._read(written).provider_id, self.heir.id)
                self.assertIsNone(self._examine(written))

    def test_the_preview_asks_for_a_branch_where_there_is_one(self):
        preview = self.env["spar.fa.preview"]
        form = Form(preview.with_context(default_type_id=self.bank_type.id))
        form.provider_id = self.heir
        self.assertFalse(form.has_branch)
        with form.line_ids.edit(2) as line:
            line.value = "12345678"
        self.assertEqual(form.text, "account:12345678@.HEIR")
        form.provider_id = self.bank
        self.assertTrue(form.has_branch)


class TestGone(ImportCase):
    """A repeated load lists new, changed and missing rows, and archives none."""

    def test_a_file_lists_what_is_new_changed_and_gone(self):
        header = "provider,code,name,city\n"
        first = self._load(
            f"{header}TESTBANK,G1,One,Marn\nTESTBANK,G2,Two,Marn\nTESTBANK,G3,Three,\n"
        )
        self.assertEqual((first.changed_count, first.gone_count), (0, 0))
        again = self._load(
            f"{header}TESTBANK,G1,One,Marn\nTESTBANK,G2,Second,Marn\nTESTBANK,G4,New,\n",
            on_existing="update",
        )
        by_code = {b.code: b for b in self.bank.branch_ids}
        changes = [by_code[f"G{n}"].import_change for n in (1, 2, 4)]
        self.assertEqual(changes, ["same", "changed", "new"])
        self.assertEqual((again.changed_count, again.gone_count), (1, 1))
        self.assertTrue(by_code["G3"].gone_from_source)
        self.assertTrue(by_code["G3"].active)
        self.assertFalse(self.north.gone_from_source)  # entered by hand
        domain = again.action_open_gone()["domain"]
        self.assertEqual(self.branches.search(domain), by_code["G3"])
        self._load(f"{header}TESTBANK,G3,Three,\n", on_existing="update")
        self.assertFalse(by_code["G3"].gone_from_source)

    def test_file_of_some_banks_does_not_mark_the_others(self):
        self._load("provider,code,name\nTESTWALLET,W1,Till\nTESTBANK,G1,One\n")
        self._load("provider,code,name\nTESTBANK,G1,One\n", on_existing="update")
        till = self.branches.search([("code", "=", "W1")])
        self.assertFalse(till.gone_from_source)

    def test_file_that_only_adds_marks_nothing_as_missing(self):
        self._load("provider,code,name\nTESTBANK,G1,One\n")
        self._load("provider,code,name\nTESTBANK,G2,Two\n")
        gone = self.branches.search([("gone_from_source", "=", True)])
        self.assertFalse(gone)

    def test_file_can_close_a_branch(self):
        job = self._load(
            "provider,code,name,closed on,successor,reason\n"
            "TESTBANK,G1,One,2026-01-31,G2,Merged\n"
            "TESTBANK,G2,Two,,,\n"
            "TESTBANK,G3,Three,31.1.,,\n"
            "TESTBANK,G4,Four,2026-01-31,NOSUCH,\n"
        )
        by_code = {b.code: b for b in self.bank.branch_ids}
        one = by_code["G1"]
        self.assertEqual(str(one.closed_on), "2026-01-31")
        self.assertEqual(
            (one.successor_id, one.close_reason), (by_code["G2"], "Merged")
        )
        self.assertNotIn("G3", by_code)
        self.assertEqual([row for row, _h, _p in self._get_refusals(job)], [4, 5])
        self.assertTrue(by_code["G4"].is_closed)

    def test_file_can_close_a_provider(self):
        job = self._load(
            "code,name,kind,closed on,successor\n"
            "QOLD,Old Bank,bank,2026-01-31,QNEW\n"
            "QNEW,New Bank,bank,,\n"
            "QODD,Odd Bank,bank,2026-01-31,TESTWALLET\n",
            kind="provider",
        )
        search = self.env["spar.fsp"].search
        old = search([("code", "=", "QOLD")])
        self.assertEqual(old.successor_id.code, "QNEW")
        self.assertEqual([row for row, _h, _p in self._get_refusals(job)], [4])
        self.assertFalse(search([("code", "=", "QODD")]).successor_id)

    def test_missing_banks_are_listed_and_not_archived(self):
        providers = self.env["spar.fsp"]
        providers.search([("registry_key", "!=", False)]).unlink()

        def load(banks):
            with patch.object(bank_registry, "get_banks", lambda code: (banks, ())):
                return providers._load_banks("EE")

        load(BANKS)
        again = load(BANKS[1:])
        first = providers.search([("code", "=", "EE-00")])
        self.assertEqual([name for name, _uses in again.gone], ["First"])
        self.assertTrue(first.active and first.gone_from_source)
        self.assertEqual(load(BANKS).gone, [])
        self.assertFalse(first.gone_from_source)
