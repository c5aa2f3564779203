"""Drafts: sealed, of one person, of one version."""

from datetime import timedelta

from psycopg2 import IntegrityError

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import TransactionCase, tagged
from odoo.tools import mute_logger

from ..exceptions import AnswerRefused, DraftClosed, DraftOutdated, NoSuchDraft
from ..lib.steps import Answers
from .page_case import StandInCase


@tagged("post_install", "-at_install")
class TestSparDraft(StandInCase, TransactionCase):
    def setUp(self):
        super().setUp()
        self.drafts = self.env["spar.draft"]
        self.draft = self.drafts._open_draft("set", 0, owner_key="ada-key")

    def read_columns(self):
        self.env.flush_all()
        self.env.cr.execute(
            "SELECT to_jsonb(d)::text FROM spar_draft d WHERE id = %s", (self.draft.id,)
        )
        return self.env.cr.fetchone()[0]

    def test_typed_text_is_stored_nowhere_in_clear(self):
        self.fill_in(self.draft, number="7777 8888 9999")
        row = self.read_columns()
        for clear in ("777788889999", "account_number", "7777 8888"):
            with self.subTest(clear):
                self.assertNotIn(clear, row)
                self.assertNotIn(clear.encode().hex(), row)
        self.assertEqual(
            self.draft._get_answers().parts, {"account_number": "777788889999"}
        )

    def test_answers_of_another_draft_cannot_be_unsealed(self):
        self.fill_in(self.draft)
        other = self.drafts._open_draft("set", 0, owner_key="grace-key")
        self.env.cr.execute(
            """UPDATE spar_draft SET sealed = (
                      SELECT sealed FROM spar_draft WHERE id = %s) WHERE id = %s""",
            (self.draft.id, other.id),
        )
        self.assertEqual(other._get_answers(), Answers())

    def test_older_version_of_the_answers_cannot_be_unsealed(self):
        self.fill_in(self.draft)
        self.env.cr.execute("SELECT sealed FROM spar_draft")
        old = self.env.cr.fetchone()[0]
        typed = {"account_number": "99998888"}
        self.draft._answer_details(self.draft.version, typed, typed)
        self.draft._store_sealed(bytes(old))
        self.assertEqual(self.draft._get_answers(), Answers())
        self.assertEqual(self.draft._build_address(), "")

    def test_a_draft_is_found_by_its_owner_only(self):
        find = self.drafts._find_draft
        uuid = self.draft.uuid
        self.assertEqual(find(uuid, owner_key="ada-key"), self.draft)
        for owner in ({"owner_key": "grace-key"}, {"officer_id": self.officer.id}):
            with self.subTest(owner), self.assertRaises(NoSuchDraft):
                find(uuid, **owner)
        with self.assertRaises(NoSuchDraft):
            find("x" * 32, owner_key="ada-key")

    def test_drafts_cannot_be_read_by_the_orm(self):
        for user in (self.ada_user, self.officer, self.env.ref("base.user_admin")):
            with self.subTest(user.login), self.assertRaises(AccessError):
                self.draft.with_user(user).read(["uuid"])

    def test_draft_needs_an_owner(self):
        for owner in ({}, {"owner_key": "x", "officer_id": self.officer.id}):
            with (
                self.subTest(owner),
                mute_logger("odoo.sql_db"),
                self.assertRaises(IntegrityError),
                self.env.cr.savepoint(),
            ):
                self.drafts._open_draft("set", 0, **owner)

    def test_a_new_draft_ends_the_older_one(self):
        self.fill_in(self.draft)
        self.drafts._open_draft("set", 0, owner_key="ada-key")
        self.assertEqual((self.draft.state, self.draft.outcome), ("done", "abandoned"))
        self.assertEqual(self.draft._get_answers(), Answers())

    def test_a_closed_draft_takes_no_answer(self):
        self.draft._close("linked")
        with self.assertRaises(DraftClosed):
            self.draft._answer_type(self.draft.version, self.account.id)

    def test_an_older_version_takes_no_other_answer(self):
        self.draft._answer_type(1, self.account.id)
        with self.assertRaises(DraftOutdated):
            self.draft._answer_type(1, self.wallet.id)
        self.draft._answer_type(1, self.account.id)
        self.assertEqual(self.draft.version, 2)

    def test_expired_drafts_are_deleted(self):
        fresh = self.drafts._open_draft("set", 0, owner_key="grace-key")
        long_ago = fields.Datetime.now() - timedelta(hours=25)
        self.env.cr.execute(
            "UPDATE spar_draft SET create_date = %s WHERE id = %s",
            (long_ago, self.draft.id),
        )
        self.env.invalidate_all()
        with self.assertRaises(NoSuchDraft):
            self.drafts._find_draft(self.draft.uuid, owner_key="ada-key")
        self.drafts._gc_drafts()
        self.assertFalse(self.draft.exists())
        self.assertTrue(fresh.exists())

    # === ANSWERS === #

    def test_each_answer_is_checked_by_the_directory(self):
        draft = self.draft
        draft._answer_type(draft.version, self.account.id)
        wallet = self.env["spar.fsp"].create(
            {"name": "Wallet", "code": "WALLET1", "kind": "wallet"}
        )
        for provider_id in (wallet.id, 0, 10**6):
            with self.subTest(provider_id), self.assertRaises(AnswerRefused):
                draft._answer_provider(draft.version, provider_id)
        self.bank.active = False
        with self.assertRaises(AnswerRefused):
            draft._answer_provider(draft.version, self.bank.id)

    def test_a_kind_without_a_strategy_is_not_offered(self):
        bare = self.env["spar.fa.type"].create({"name": "Bare", "code": "bare"})
        self.assertNotIn(bare, self.draft._get_types())
        with self.assertRaises(AnswerRefused):
            self.draft._answer_type(1, bare.id)

    def test_the_provider_is_found_by_typing(self):
        draft = self.draft
        draft._answer_type(draft.version, self.account.id)
        answers = draft._get_answers()
        self.assertIn(self.bank, draft._find_providers(answers, "test ban"))
        self.assertFalse(draft._find_providers(answers, "zzzzqqqq"))
        draft._answer_provider(draft.version, self.bank.id)
        answers = draft._get_answers()
        self.assertEqual(draft._find_branches(answers, "port ada"), self.north)
        self.assertEqual(draft._find_branches(answers, ""), self.north | self.south)

    def test_an_archived_branch_voids_the_draft(self):
        self.fill_in(self.draft)
        self.assertTrue(self.draft._build_address())
        self.north.active = False
        self.assertEqual(self.draft._build_address(), "")
        self.assertEqual(
            self.draft._get_outdated_step(self.draft._get_answers()), "branch"
        )

    def test_a_bank_without_branches_is_asked_for_none(self):
        bank = self.env["spar.fsp"].create({"name": "Branchless", "code": "NOBR"})
        draft = self.draft
        draft._answer_type(draft.version, self.account.id)
        self.assertIn("branch", draft._get_steps(draft._get_answers()))
        draft._answer_provider(draft.version, bank.id)
        questions = draft._get_steps(draft._get_answers())
        self.assertEqual(questions, ["kind", "provider", "details", "review"])
        typed = {"account_number": "12345678"}
        draft._answer_details(draft.version, typed, typed)
        self.assertEqual(draft._build_address(), "account:12345678@.NOBR")
        bank.branch_ids = [(0, 0, {"name": "First", "code": "B1"})]
        self.assertEqual(draft._build_address(), "")
        self.assertIn("branch", draft._get_steps(draft._get_answers()))

    def test_closed_provider_is_not_offered_and_names_its_successor(self):
        heir = self.env["spar.fsp"].create({"name": "Heir Bank", "code": "HEIR"})
        draft = self.draft
        draft._answer_type(draft.version, self.account.id)
        self.bank.write({"closed_on": fields.Date.today(), "successor_id": heir.id})
        answers = draft._get_answers()
        self.assertNotIn(self.bank, draft._find_providers(answers, "test ban"))
        self.assertNotIn(self.bank, draft._find_providers(answers, ""))
        with self.assertRaises(AnswerRefused) as refused:
            draft._answer_provider(draft.version, self.bank.id)
        self.assertIn("Heir Bank", refused.exception.problems["provider"])

    def test_a_closing_voids_the_draft(self):
        self.fill_in(self.draft)
        self.north.closed_on = fields.Date.today()
        self.assertEqual(self.draft._build_address(), "")
        answers = self.draft._get_answers()
        self.assertEqual(self.draft._get_outdated_step(answers), "branch")

    def test_the_own_country_is_offered_first(self):
        own = self.env["res.country"].create({"name": "Own", "code": "Q1"})
        self.env.company.country_id = own
        bank = self.env["spar.fsp"].create(
            {"name": "Zzz Bank", "code": "ZZZ", "country_id": own.id}
        )
        draft = self.draft
        draft._answer_type(draft.version, self.account.id)
        self.assertEqual(draft._find_providers(draft._get_answers(), "")[0], bank)

    def test_both_times_the_same_must_be_typed(self):
        draft = self.draft
        draft._answer_type(draft.version, self.account.id)
        draft._answer_provider(draft.version, self.bank.id)
        draft._answer_branch(draft.version, self.north.id)
        with self.assertRaises(AnswerRefused) as refused:
            draft._answer_details(
                draft.version,
                {"account_number": "12345678"},
                {"account_number": "12345670"},
            )
        self.assertEqual(list(refused.exception.problems), ["account_number_again"])
        self.assertFalse(draft._get_answers().parts)

    def test_the_digest_is_of_this_draft_as_it_stands(self):
        self.fill_in(self.draft)
        before = self.draft._get_digest_text()
        typed = {"account_number": "99998888"}
        self.draft._answer_details(self.draft.version, typed, typed)
        self.assertNotEqual(self.draft._get_digest_text(), before)
        other = self.drafts._open_draft("set", 0, owner_key="grace-key")
        self.fill_in(other)
        self.assertNotEqual(other._get_digest_text(), before)

    def test_a_wallet_has_no_branch_and_keeps_its_number(self):
        draft = self.draft
        wallet = self.env["spar.fsp"].create(
            {
                "name": "Wallet",
                "code": "WALLET1",
                "kind": "wallet",
                "country_id": self.env.ref("base.ph").id,
            }
        )
        draft._answer_type(draft.version, self.wallet.id)
        draft._answer_provider(draft.version, wallet.id)
        for wrong in ("12", "abc"):
            typed = {"phone_number": wrong}
            with self.subTest(wrong), self.assertRaises(AnswerRefused):
                draft._answer_details(draft.version, typed, typed)
        typed = {"phone_number": "0917 123 4567"}
        draft._answer_details(draft.version, typed, typed)
        self.assertIn("WALLET1", draft._build_address().upper())
        self.assertEqual(draft._get_answers().parts, {"phone_number": "+639171234567"})

    def start_details(self):
        draft = self.draft
        draft._answer_type(draft.version, self.account.id)
        draft._answer_provider(draft.version, self.bank.id)
        draft._answer_branch(draft.version, self.north.id)
        return draft

    def test_an_account_number_has_one_form_however_it_is_typed(self):
        for typed, again in (
            ("1234-5678", "12345678"),
            ("\u0661\u0662\u0663\u0664 5678", "1234 5678"),
            ("1234.5678", "1234/5678"),
            ("\u200f12345678", "1234\u20135678"),
        ):
            with self.subTest(typed=typed):
                draft = self.start_details()
                before = draft.version
                typed, again = {"account_number": typed}, {"account_number": again}
                draft._answer_details(before, typed, again)
                self.assertEqual(
                    draft._get_answers().parts, {"account_number": "12345678"}
                )
                self.assertIn(":12345678@", draft._build_address())
                draft._answer_details(before, typed, again)  # a second click

    def test_invalid_account_number_is_refused_with_an_explanation(self):
        for number, text in (
            ("4111 1111 1111 1111", "payment card"),
            ("password", "not an account number"),
            ("0000", "not an account number"),
            ("{account}", "only a placeholder"),
        ):
            draft = self.start_details()
            typed = {"account_number": number}
            with self.subTest(number), self.assertRaises(AnswerRefused) as refused:
                draft._answer_details(draft.version, typed, typed)
            self.assertIn(text, refused.exception.problems["account_number"])

    def test_rules_of_the_chosen_bank_apply(self):
        self.bank.account_pattern = "[0-9]{16}"
        draft = self.start_details()
        short = {"account_number": "12345678"}
        with self.assertRaises(AnswerRefused) as refused:
            draft._answer_details(draft.version, short, short)
        self.assertIn("of this bank", refused.exception.problems["account_number"])
        card = {"account_number": "4111 1111 1111 1111"}
        draft._answer_details(draft.version, card, card)
        self.assertEqual(
            draft._get_answers().parts, {"account_number": "4111111111111111"}
        )

    def test_later_rule_voids_the_details(self):
        self.fill_in(self.draft)
        self.bank.account_longest = 4
        self.assertEqual(self.draft._build_address(), "")
        answers = self.draft._get_answers()
        self.assertEqual(self.draft._get_outdated_step(answers), "details")
