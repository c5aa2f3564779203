from unittest.mock import patch

from odoo.exceptions import ConcurrencyError

from odoo.addons.spar_mapper_connector.lib.contract import (
    Details,
    Outcome,
    ProviderInfo,
    ResolveRequest,
    ResumeRequest,
    SuspendRequest,
    UnlinkRequest,
)
from odoo.addons.spar_mapper_connector.lib.id_rules import Identifier

from .common import CANONICAL, FA, ID, OTHER_FA, OTHER_ID, StoreCase

REQUESTS = {
    "suspend": SuspendRequest,
    "resume": ResumeRequest,
    "unlink": UnlinkRequest,
}


class TestResolve(StoreCase):
    def setUp(self):
        super().setUp()
        self.details = Details("Ada", "+15551815", ({"note": "x"},))
        self.link(ID, FA, details=self.details)

    def test_resolve_by_id_returns_address_and_details(self):
        result = self.resolve(ID)
        self.assertEqual(result.outcome, Outcome.FOUND)
        self.assertEqual((result.id_value, result.fa), (ID, FA))
        self.assertEqual(result.details, self.details)
        self.assertEqual(result.version, 1)
        self.assertIsNone(result.same_fa)
        self.assertEqual(result.provider, ProviderInfo("Test Bank", "TESTBANK", "BR01"))

    def test_by_address_it_gives_the_id(self):
        result = self.resolve(fa=FA)
        self.assertEqual(result.outcome, Outcome.FOUND)
        self.assertEqual(result.id_value, CANONICAL)
        self.assertEqual(result.fa, FA)

    def test_resolve_by_both_compares_id_and_address(self):
        result = self.resolve(ID, FA)
        self.assertEqual((result.outcome, result.same_fa), (Outcome.FOUND, True))
        result = self.resolve(ID, OTHER_FA)
        self.assertEqual(result.outcome, Outcome.FA_MISMATCH)
        self.assertIs(result.same_fa, False)
        self.assertIsNone(result.fa, "the true address is not disclosed")
        self.assertFalse(result.details)

    def test_spelling_that_is_folded_does_not_matter(self):
        self.assertEqual(self.get_fa(ID.replace("token", "TOKEN")), FA)
        spelled = FA.replace("account", "ACCOUNT").replace("TESTBANK", "TestBank")
        self.assertEqual(self.resolve(fa=spelled).fa, FA)
        self.assertTrue(self.resolve(ID, spelled).same_fa)

    def test_gaps_that_are_signs_of_the_strategy_do_not_matter(self):
        for number in ("1111.0000.1111", "1111/0000/1111", "1111-0000.1111"):
            with self.subTest(number):
                spelled = f"account:{number}@BR01.TESTBANK"
                self.assertEqual(self.resolve(fa=spelled).fa, FA)
                self.assertTrue(self.resolve(ID, spelled).same_fa)
        self.assertEqual(self.unlink(ID, spelled).outcome, Outcome.UNLINKED)
        self.assertEqual(self.link(OTHER_ID, spelled).outcome, Outcome.LINKED)
        self.assertEqual(self.get_fa(OTHER_ID), FA)

    def test_a_branch_code_is_one_in_each_writing_that_its_bank_allows(self):
        self.bank.branch_code_form = "000000"
        values = {"name": "East", "code": "30100", "provider_id": self.bank.id}
        self.env["spar.fsp.branch"].create(values)
        one, other = (f"account:12345678@{c}.TESTBANK" for c in ("30100", "030100"))
        self.assertEqual(self.link(OTHER_ID, one).outcome, Outcome.LINKED)
        for fa in (one, other):
            self.assertEqual(self.resolve(fa=fa).fa, other)
            self.assertTrue(self.resolve(OTHER_ID, fa).same_fa)
            self.assertEqual(self.resolve(OTHER_ID).provider.branch_code, "030100")
        self.assertEqual(self.unlink(OTHER_ID, one).outcome, Outcome.UNLINKED)

    def test_free_text_that_the_directory_has_learnt_to_read_is_the_same(self):
        text = "coupon:AbC/9@FOOD"
        self.link(OTHER_ID, text)
        self.env["spar.fsp"].create({"name": "Food", "code": "FOOD", "kind": "voucher"})
        parts = [{"key": "scheme", "label": "Scheme", "kind": "provider"}]
        parts += [{"key": key, "label": key} for key in ("campaign", "serial")]
        strategy = {"name": "V", "template": "coupon:{serial}/{campaign}@{scheme}"}
        self.env["spar.fa.type"].create(
            {
                "name": "V",
                "code": "v",
                "provider_kind": "voucher",
                "part_ids": [(0, 0, part) for part in parts],
                "strategy_ids": [(0, 0, {**strategy, "is_default": True})],
            }
        )
        self.assertEqual(self.resolve(fa=text).outcome, Outcome.FOUND)
        self.assertTrue(self.resolve(OTHER_ID, text).same_fa)
        self.assertEqual(self.unlink(OTHER_ID, text).outcome, Outcome.UNLINKED)

    def test_id_rewritten_meanwhile_is_retried(self):
        seen = Identifier("token:gone-meanwhile@nationalid", 1, is_stored=True)
        with (
            patch.object(type(self.mapper), "_identify", return_value=[seen]),
            self.assertRaises(ConcurrencyError),
        ):
            self.resolve(ID)

    def test_result_states_the_origin(self):
        self.assertTrue(self.resolve(ID).is_origin)
        self.assertFalse(self.resolve(ID, call=self.other_call).is_origin)

    def test_an_address_of_several_people_belongs_to_no_one_id(self):
        self.link(OTHER_ID, FA)
        result = self.resolve(fa=FA)
        self.assertEqual(result.problem, "several_ids")
        self.assertIsNone(result.id_value)
        for number in range(5):
            self.link(f"token:{number}@nationalId", FA)
        self.assertEqual(self.resolve(fa=FA).problem, "several_ids")
        self.assertEqual(self.resolve(OTHER_ID, FA).outcome, Outcome.FOUND)

    def test_one_person_with_the_address_for_two_purposes_is_one(self):
        self.link(ID, FA, purpose="school")
        for purpose in ("", "school", "health"):
            with self.subTest(purpose=purpose):
                result = self.resolve(fa=FA, purpose=purpose)
                self.assertEqual(result.problem, "")
                self.assertEqual(result.id_value, CANONICAL)

    def test_other_purposes_of_an_address_hide_no_one(self):
        for number in range(5):
            self.link(f"token:{number}@nationalId", FA, purpose="school")
        result = self.resolve(fa=FA)
        self.assertEqual(result.id_value, CANONICAL)
        self.assertEqual(self.resolve(fa=FA, purpose="school").problem, "several_ids")

    def test_former_address_finds_no_one(self):
        self.update(ID, OTHER_FA)
        self.assertEqual(self.resolve(fa=FA).outcome, Outcome.NOT_LINKED)
        self.assertEqual(self.resolve(fa=OTHER_FA).outcome, Outcome.FOUND)

    def test_unknown_id_is_not_linked(self):
        for result in (
            self.resolve(OTHER_ID),
            self.resolve(fa=OTHER_FA),
            self.resolve(OTHER_ID, FA),
        ):
            self.assertEqual(result.outcome, Outcome.NOT_LINKED)

    def test_suspended_address_is_not_disclosed(self):
        self.suspend(ID)
        for result in (
            self.resolve(ID),
            self.resolve(fa=FA),
            self.resolve(ID, FA),
            self.resolve(ID, OTHER_FA),
        ):
            self.assertEqual(result.outcome, Outcome.SUSPENDED)
            self.assertFalse(result.details)
            self.assertIsNone(result.provider)
            self.assertIsNone(result.same_fa)
            self.assertIsNone(result.fa)

    def test_an_id_that_cannot_be_used_is_refused(self):
        for id_value in ("", " ", "x" * 256, "a\x00", "\ud800"):
            for fa in (None, FA):
                with self.subTest(id_value=repr(id_value), fa=fa):
                    result = self.resolve(id_value, fa)
                    self.assertEqual(result.outcome, Outcome.INVALID_ID)
                    self.assertIsNone(result.fa)

    def test_an_address_that_cannot_be_used_is_refused(self):
        for fa in ("", "  ", "x" * 1001, "a\x00", "\ud800"):
            for id_value in (None, ID):
                with self.subTest(fa=repr(fa), id_value=id_value):
                    result = self.resolve(id_value, fa)
                    self.assertEqual(result.outcome, Outcome.INVALID_FA)
                    self.assertIsNone(result.fa)

    def test_asking_nothing_is_refused(self):
        self.assertEqual(self.resolve().outcome, Outcome.INVALID_ID)

    def test_bad_items_among_good_ones_get_their_own_answers(self):
        self.link(OTHER_ID, OTHER_FA)
        requests = [
            ResolveRequest(ID),
            ResolveRequest("\ud800"),
            ResolveRequest(fa="\ud800"),
            ResolveRequest(fa=OTHER_FA),
            ResolveRequest("nobody"),
            ResolveRequest(ID),
            ResolveRequest(OTHER_ID, FA),
        ]
        results = self.mapper._resolve_fa(self.call, requests)
        self.assertEqual(
            [result.outcome for result in results],
            [
                Outcome.FOUND,
                Outcome.INVALID_ID,
                Outcome.INVALID_FA,
                Outcome.FOUND,
                Outcome.NOT_LINKED,
                Outcome.FOUND,
                Outcome.FA_MISMATCH,
            ],
        )
        self.assertEqual(results[5].fa, FA)

    def test_renamed_provider_is_returned_by_its_new_name(self):
        self.assertEqual(self.resolve(ID).provider.name, "Test Bank")
        self.bank.name = "New Bank"
        self.assertEqual(self.resolve(ID).provider.name, "New Bank")

    def test_provider_has_one_name_in_any_language(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        self.bank.with_context(lang="fr_FR").name = "Banque"
        french = self.mapper.with_context(lang="fr_FR")
        result = french._resolve_fa(self.call, [ResolveRequest(ID)])[0]
        self.assertEqual(result.provider.name, "Test Bank")
        self.assertEqual(self.resolve(ID).provider.name, "Test Bank")

    def test_resolving_changes_nothing(self):
        self.env.cr.execute("SELECT count(*) FROM spar_event")
        before = self.env.cr.fetchone()
        for result in (self.resolve(ID), self.resolve(fa=FA), self.resolve(OTHER_ID)):
            self.assertTrue(result)
        self.env.cr.execute("SELECT count(*) FROM spar_event")
        self.assertEqual(self.env.cr.fetchone(), before)
        self.assertFalse(self.subject_of(OTHER_ID))
