"""The ledger and the operations, in memory."""

from datetime import datetime, timedelta, timezone

from odoo.tests import BaseCase

from odoo.addons.spar_fa_directory.lib.fa_reader import Address
from odoo.addons.spar_mapper_connector.lib.contract import (
    LinkRequest,
    Operation,
    Outcome,
    UpdateRequest,
)
from odoo.addons.spar_mapper_connector.tests.common import build_open_keyring

from ..lib.assessment import (
    Assessment,
    Decision,
)
from ..lib.case import Case, to_naive_utc
from ..lib.ledger import Ledger
from ..lib.operations import run
from ..lib.records import Holding, Subject
from ..lib.transitions import (
    CHANGE_ENDS,
    ForbiddenTransition,
)
from .common import CALL, NOW, build_address, build_head


class LedgerCase(BaseCase):
    def setUp(self):
        super().setUp()
        self.keyring = build_open_keyring()
        self.holding = Holding("id", 1, Subject("s1", 1))
        self.ledger = Ledger(CALL, self.keyring, NOW)

    def run_operation(self, code, request, decision=Decision.APPLY, call=CALL):
        case = Case(
            request,
            self.holding,
            self.ledger,
            call,
            lambda _proposal: Assessment(decision, 48, "rule"),
            Address(request.fa),
            request.fa,
        )
        return run(code, case)


class TestLedger(LedgerCase):
    def begin(self):
        return self.ledger.begin(self.holding, "", build_address(), "linked")

    def test_each_event_names_the_one_before_it(self):
        head = self.begin()
        self.ledger.move(self.holding, head, "suspended")
        self.ledger.note(self.holding, head, "held")
        self.ledger.end(self.holding, head, "unlinked")
        events = self.ledger.events
        self.assertEqual([event.seq for event in events], [1, 2, 3, 4])
        before = [b"", *(event.mac for event in events[:-1])]
        self.assertEqual([event.previous_mac for event in events], before)
        subject = self.holding.subject
        self.assertEqual((subject.last_seq, subject.last_mac), (4, events[-1].mac))

    def test_the_places_of_a_subject_share_one_chain(self):
        self.begin()
        self.ledger.begin(self.holding, "school", build_address(uuid="u2"), "linked")
        heads = self.holding.subject.heads
        self.assertEqual([heads[p].last_seq for p in ("", "school")], [1, 2])
        one, other = self.ledger.events
        self.assertEqual(other.previous_mac, one.mac)
        self.assertNotEqual(other.head_uuid, one.head_uuid)

    def test_commitments_of_consecutive_events_match(self):
        head = self.begin()
        self.ledger.move(self.holding, head, "suspended")
        self.ledger.end(self.holding, head, "unlinked")
        after = [event.commitment_after for event in self.ledger.events]
        before = [event.commitment_before for event in self.ledger.events]
        self.assertEqual(before, [b"", *after[:-1]])

    def test_each_change_of_state_begins_a_period_and_a_note_none(self):
        head = self.begin()
        self.ledger.move(self.holding, head, "suspended")
        self.ledger.note(self.holding, head, "held")
        self.ledger.end(self.holding, head, "unlinked")
        periods = [period for _subject, _head, period in self.ledger.periods]
        self.assertEqual([period.seq for period in periods], [1, 2, 4])
        states = [period.state for period in periods]
        self.assertEqual(states, ["active", "suspended", "ended"])
        self.assertEqual([bool(period.address) for period in periods], [1, 1, 0])
        self.assertEqual({period.address_uuid for period in periods}, {"u1"})

    def test_a_note_leaves_the_place_as_it_is(self):
        head = build_head()
        self.ledger.note(self.holding, head, "held")
        event = self.ledger.events[0]
        self.assertEqual(event.commitment_before, event.commitment_after)
        self.assertEqual((head.state, head.version), ("active", 1))

    def test_an_address_that_ends_is_in_force_no_more_and_its_place_stays(self):
        head = self.begin()
        self.assertIs(self.holding.in_force(""), head)
        self.ledger.end(self.holding, head, "unlinked")
        self.assertIsNone(self.holding.in_force(""))
        self.assertEqual((head.state_since, head.version), (NOW, 2))
        again = self.ledger.begin(self.holding, "", build_address(), "linked")
        self.assertIs(again, head)
        self.assertEqual(head.version, 3)

    def test_forbidden_transition_raises_and_leaves_no_event(self):
        for state, word, kind in (
            ("ended", self.ledger.move, "resumed"),
            ("proposed", self.ledger.move, "suspended"),
            ("active", self.ledger.end, "withdrawn"),
            ("proposed", self.ledger.note, "held"),
            ("active", self.ledger.move, "linked"),
        ):
            head = build_head(state=state)
            with self.subTest(state=state, kind=kind):
                with self.assertRaises(ForbiddenTransition):
                    word(self.holding, head, kind)
                self.assertEqual(head.state, state)
        self.assertEqual(self.ledger.events, [])

    def test_a_lock_goes_with_an_event(self):
        with self.assertRaises(ForbiddenTransition):
            self.ledger.guard(self.holding, "owner", True)
        self.begin()
        self.ledger.guard(self.holding, "owner", True)
        self.assertEqual(self.holding.subject.change_lock, "owner")

    def test_a_change_ends_once_and_in_a_known_way(self):
        self.run_operation(
            Operation.LINK, LinkRequest("id", "account:1@b"), Decision.APPROVE
        )
        change = self.holding.subject.changes[""]
        with self.assertRaises(ForbiddenTransition):
            self.ledger.end_change(self.holding, change, "deleted")
        self.ledger.end_change(self.holding, change, "refused")
        for end in CHANGE_ENDS:
            with self.subTest(end), self.assertRaises(ForbiddenTransition):
                self.ledger.end_change(self.holding, change, end)


class TestOperations(LedgerCase):
    def test_a_batch_works_in_memory_alone(self):
        link = self.run_operation(Operation.LINK, LinkRequest("id", "account:1@b"))
        update = self.run_operation(
            Operation.UPDATE, UpdateRequest("id", "account:2@b")
        )
        self.assertEqual(
            (link.outcome, update.outcome), (Outcome.LINKED, Outcome.UPDATED)
        )
        kinds = [event.kind for event in self.ledger.events]
        self.assertEqual(kinds, ["linked", "updated"])
        self.assertEqual(self.holding.in_force("").current.fa, "account:2@b")

    def test_no_operation_touches_a_broken_record(self):
        self.holding.does_not_open = True
        result = self.run_operation(Operation.LINK, LinkRequest("id", "account:1@b"))
        self.assertEqual(
            (result.outcome, result.problem), (Outcome.LOCKED, "integrity")
        )
        self.assertEqual(self.ledger.events, [])

    def test_a_refusing_rule_leaves_nothing(self):
        request = LinkRequest("id", "account:1@b")
        result = self.run_operation(Operation.LINK, request, Decision.REFUSE)
        self.assertEqual((result.outcome, result.problem), (Outcome.FORBIDDEN, "rule"))
        self.assertEqual((self.ledger.events, self.holding.subject.heads), ([], {}))

    def test_a_held_change_knows_its_time_and_its_base(self):
        self.run_operation(Operation.LINK, LinkRequest("id", "account:1@b"))
        request = UpdateRequest("id", "account:2@b")
        result = self.run_operation(Operation.UPDATE, request, Decision.HOLD)
        change = self.holding.subject.changes[""]
        self.assertEqual(result.outcome, Outcome.HELD)
        self.assertEqual(change.effective_at, NOW + timedelta(hours=48))
        self.assertEqual((change.base_version, change.needs_approval), (1, False))
        self.assertEqual(self.holding.in_force("").current.fa, "account:1@b")

    def test_without_a_claim_the_present_counts_to_the_second(self):
        self.run_operation(Operation.LINK, LinkRequest("id", "account:1@b"))
        address = self.holding.in_force("").current
        self.assertEqual(address.asserted_at, NOW.replace(microsecond=0))

    def test_a_claim_is_kept_as_it_is_but_never_from_the_future(self):
        past = datetime(2026, 2, 1, tzinfo=timezone.utc)
        future = datetime(2027, 1, 1, tzinfo=timezone.utc)
        for claim, expected in ((past, to_naive_utc(past)), (future, NOW)):
            self.holding.subject.heads.clear()
            request = LinkRequest("id", "account:1@b", asserted_at=claim)
            self.run_operation(Operation.LINK, request)
            with self.subTest(claim=claim):
                self.assertEqual(
                    self.holding.in_force("").current.asserted_at, expected
                )

    def test_resolving_is_no_change(self):
        with self.assertRaises(KeyError):
            self.run_operation(Operation.RESOLVE, LinkRequest("id", "account:1@b"))
