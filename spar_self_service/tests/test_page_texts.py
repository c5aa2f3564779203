"""Every result has a text in plain words, which says what to do."""

from datetime import datetime

from odoo.tests import TransactionCase, tagged

from odoo.addons.spar_mapper_connector.lib.contract import (
    PROCESSING,
    HistoryEvent,
    MaskedFa,
    ObjectionAnswer,
    Outcome,
    Remedy,
)

from ..lib.overview import SHOWN_EVENTS
from .page_case import FA, StandInCase

CHANNELS = ("portal", "agent", "staff", "rest", "schedule", "notice")
#: (outcome of a draft, whether it is done, a word of the text for the person).
OUTCOMES = (
    (Outcome.LINKED, True, "Your next payment will go there."),
    (Outcome.UPDATED, True, "may still go to your old account"),
    (Outcome.UNLINKED, True, "Without an account nobody can pay you."),
    (Outcome.HELD, False, "Until then, nothing changes."),
    (Outcome.CONFLICT, False, "somebody else changed"),
    (Outcome.ALREADY_LINKED, False, "somebody else added"),
    (Outcome.NOT_LINKED, False, "no account to change"),
    (Outcome.LOCKED, False, "locked"),
    (Outcome.INVALID_FA, False, "choose another account"),
    (Outcome.INVALID_ID, False, "Your ID cannot be used"),
    (Outcome.FORBIDDEN, False, "rules of this registry"),
)


@tagged("post_install", "-at_install")
class TestPageTexts(StandInCase, TransactionCase):
    def setUp(self):
        super().setUp()
        self.texts = self.env["spar.page.texts"].with_user(self.ada_user)

    def build_event(self, channel="rest"):
        now = datetime(2026, 3, 1)
        return HistoryEvent(1, "linked", now, "a", "", channel, "", "")

    def test_every_shown_event_has_its_own_text(self):
        words = {kind: self.texts._get_event_text(kind) for kind in SHOWN_EVENTS}
        self.assertEqual(len(set(words.values())), len(SHOWN_EVENTS))
        unknown = self.texts._get_event_text("something_new")
        self.assertNotIn(unknown, words.values())
        self.assertTrue(unknown)

    def test_events_of_notices_have_texts(self):
        unknown = self.texts._get_event_text("something_new")
        for kind in ("proposed", "replaced"):
            with self.subTest(kind):
                self.assertNotEqual(self.texts._get_event_text(kind), unknown)

    def test_no_text_names_a_channel_or_a_person(self):
        for channel in (*CHANNELS, "something_new"):
            with self.subTest(channel):
                words = self.texts._get_actor_text(self.build_event(channel))
                self.assertTrue(words)
                self.assertNotIn("_", words)
                self.assertNotIn("participant", words)
        said = {self.texts._get_actor_text(self.build_event(c)) for c in CHANNELS}
        self.assertEqual(len(said), len(CHANNELS))

    def test_problem_of_an_account_is_explained(self):
        for problem, word in (
            ("own_id", "number of an ID card"),
            ("card", "payment card"),
            ("provider_archived", "cannot be used for payments"),
            ("", "cannot be used for payments"),
        ):
            with self.subTest(problem=problem):
                draft = self.env["spar.draft"]._open_draft("set", 0, owner_key="x")
                draft._close(Outcome.INVALID_FA.value, problem)
                result = self.texts._get_outcome(draft)
                self.assertIn(word, result["text"])
                self.assertIn("choose another account", result["advice"])

    def test_every_outcome_of_a_draft_is_explained(self):
        for outcome, is_done, word in OUTCOMES:
            with self.subTest(outcome=outcome):
                draft = self.env["spar.draft"]._open_draft("set", 0, owner_key="x")
                draft._close(outcome.value)
                result = self.texts._get_outcome(draft)
                self.assertEqual(result["is_done"], is_done)
                self.assertIn(word, f"{result['text']} {result['advice']}")
                failed = result["title"] == "Nothing was changed"
                self.assertEqual(failed, not is_done and outcome is not Outcome.HELD)

    def test_change_that_waits_says_for_what(self):
        for problem, text in (
            ("", "It will take effect after our staff have checked it."),
            (PROCESSING, "It takes effect once it has been processed."),
        ):
            with self.subTest(problem=problem):
                draft = self.env["spar.draft"]._open_draft("set", 0, owner_key="x")
                draft._close(Outcome.HELD.value, problem)
                result = self.texts._get_outcome(draft)
                self.assertEqual(result["text"], text)
                self.assertFalse(result["is_done"])

    def test_contested_id_is_refused_without_waiting(self):
        draft = self.env["spar.draft"]._open_draft("set", 0, owner_key="x")
        draft._close(Outcome.HELD.value, "contested")
        result = self.texts._get_outcome(draft)
        self.assertEqual(result["title"], "Nothing was changed")
        self.assertIn("welfare office", result["advice"])

    def test_every_remedy_has_a_text(self):
        words = {self.texts._get_remedy_text(remedy) for remedy in Remedy}
        self.assertEqual(len(words), len(Remedy))

    def test_a_case_names_its_number_until_it_is_decided(self):
        case = ObjectionAnswer(Remedy.NOTED, "CASE0001")
        self.assertIn("CASE0001", self.texts._get_case_text(case))
        closed = ObjectionAnswer(Remedy.NOTED, "CASE0001", is_closed=True)
        self.assertNotIn("CASE0001", self.texts._get_case_text(closed))

    def test_steps_are_counted_when_their_number_is_known(self):
        self.assertEqual(self.texts._get_step_text(1, 1), "")
        self.assertEqual(self.texts._get_step_text(2, 5), "Step 2 of 5")

    def test_time_is_that_of_the_office(self):
        self.env.company.partner_id.tz = "Asia/Manila"
        moment = datetime(2026, 2, 28, 20, 30)
        self.assertEqual(self.texts._get_day(moment), "March 1, 2026")
        self.assertIn("4:30", self.texts._get_moment(moment))
        self.assertNotIn("UTC", self.texts._get_moment(moment))
        here = self.texts.with_context(tz="Africa/Nairobi")
        self.assertEqual(here._get_day(moment), "February 28, 2026")
        self.env.company.partner_id.tz = False
        self.assertTrue(self.texts._get_moment(moment).endswith("UTC"))


@tagged("post_install", "-at_install")
class TestAddressWords(StandInCase, TransactionCase):
    def setUp(self):
        super().setUp()
        self.words = self.env["spar.address.words"].with_user(self.ada_user)

    def describe(self, text, **how):
        return {line.label: line for line in self.words._describe(text, **how)}

    def test_address_is_shown_line_by_line(self):
        lines = self.describe(FA)
        shown = {label: line.text for label, line in lines.items()}
        self.assertEqual(
            shown,
            {
                "Kind": "Bank account",
                "Bank": "Test Bank",
                "Branch": "North",
                "Account number": "•••••••••111",
            },
        )
        self.assertTrue(lines["Account number"].is_masked)
        self.assertFalse(lines["Bank"].is_masked)

    def test_address_that_came_masked_is_shown_in_the_same_lines(self):
        """A portal gets no other from a store elsewhere."""
        (masked,) = self.env["spar.fa.strategy"]._mask_addresses([FA])
        self.assertEqual(self.describe(MaskedFa(masked)), self.describe(FA))

    def test_masked_address_that_cannot_be_read_is_shown_as_it_came(self):
        for text in ("••••••••1111", "other:••••••••1111@BR01.TESTBANK"):
            (line,) = self.words._describe(MaskedFa(text))
            self.assertEqual((line.text, line.heard), (text, "hidden"))

    def test_typed_number_is_shown_whole_and_grouped(self):
        line = self.describe(FA, whole=True)["Account number"]
        self.assertEqual((line.text, line.is_masked), ("1111 0000 1111", False))

    def test_unknown_provider_is_shown_by_its_code(self):
        lines = self.describe("account:111100001111@BR09.NOBANK")
        self.assertEqual(lines["Bank"].text, "NOBANK")
        self.assertEqual(lines["Branch"].text, "BR09")

    def test_bank_without_branches_shows_no_branch(self):
        lines = self.describe("account:111100001111@.NOBR")
        self.assertEqual(list(lines), ["Kind", "Bank", "Account number"])

    def test_number_in_place_of_a_provider_is_masked(self):
        lines = self.describe("account:111100001111@BR09.9998887776665")
        self.assertNotIn("99988877", lines["Bank"].text)

    def test_an_archived_provider_keeps_its_name(self):
        self.bank.active = False
        self.assertEqual(self.describe(FA)["Bank"].text, "Test Bank")

    def test_unreadable_address_is_masked_completely(self):
        for text in (
            "a secret text",
            "account:",
            "x" * 500,
            "<script>alert(1)</script>",
        ):
            with self.subTest(text[:20]):
                (line,) = self.words._describe(text)
                self.assertTrue(line.is_masked)
                self.assertEqual(line.heard, "hidden")
                self.assertNotIn("secret", line.text)
                self.assertNotIn("script", line.text)

    def test_short_number_is_masked_completely(self):
        line = self.describe("account:123@BR01.TESTBANK")["Account number"]
        self.assertEqual((line.text, line.heard), ("•••", "hidden"))

    def test_names_are_in_the_readers_language(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        self.account.with_context(lang="fr_FR").name = "Compte bancaire"
        words = self.words.with_context(lang="fr_FR")
        self.assertEqual(words._describe(FA)[0].text, "Compte bancaire")
