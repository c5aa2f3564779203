"""The conversion of an old subject: its periods answer as its mappings did."""

from dataclasses import replace
from datetime import timedelta
from itertools import count

from odoo.tests import BaseCase

from odoo.addons.spar_mapper_connector.lib.identifier import fold
from odoo.addons.spar_mapper_connector.tests.common import build_open_keyring

from ..lib import audit, seals
from ..lib.chain import commit_to_past, describe, mac_subject
from ..lib.old_chain import mac_old_event
from ..lib.old_store import rules
from ..lib.old_store.convert import Converter
from ..lib.old_store.rows import OldChange, OldId, OldMapping, OldSubject
from ..lib.past import PeriodRecord, group_stays
from ..lib.records import EventRow, new_uuid
from .common import NOW, build_address

CANONICAL = "token:1@nationalid"
HOUR = timedelta(hours=1)


class OldStore:
    """Writes one subject as the old store did; an hour passes with each event."""

    def __init__(self):
        self.keyring = build_open_keyring()
        self.now = NOW
        self.subject = OldSubject(7, new_uuid(), NOW, "none", False)
        digests = self.keyring.digests(seals.ID, CANONICAL)
        self.subject.ids[1] = OldId(1, new_uuid(), 1, True, b"", digests)
        self.ids = count(1)

    def open(self, kind="linked", state="active", version=1, purpose=""):
        """Begin an address."""
        address = build_address()
        address.uuid, address.version = new_uuid(), 0
        address.fa = f"account:{len(self.subject.mappings)}@b"
        address.valid_from = self.now
        row_id = len(self.subject.mappings) + 100
        digests = self.keyring.digests(seals.ADDRESS, fold(address.fa))
        row = OldMapping(
            row_id,
            1,
            purpose,
            1,
            state,
            version,
            None,
            0,
            b"",
            b"",
            digests,
            address,
        )
        self.subject.mappings[row_id] = row
        self._record(row, kind)
        return row

    def move(self, row, kind, state):
        self.now += HOUR
        row.state, row.version = state, row.version + 1
        self._record(row, kind)

    def end(self, row, kind="unlinked"):
        row.valid_to = self.now + HOUR
        self.move(row, kind, "ended")

    def note(self, row, kind):
        self.now += HOUR
        self._record(row, kind)

    def wait(self, row, base_version, state="waiting"):
        terms = ("update", base_version, True, None, None, "user:1", "", "rest", 10)
        change = OldChange(
            len(self.subject.changes) + 1,
            row.row_id,
            new_uuid(),
            state,
            b"",
            seals.ChangeTerms(*terms),
        )
        self.subject.changes.append(change)
        return change

    def _record(self, row, kind):
        after = rules.commit_to(self.keyring, CANONICAL, row)
        event = EventRow(
            new_uuid(),
            "",
            row.last_seq + 1,
            kind,
            "user:1",
            "",
            "rest",
            "",
            "",
            "",
            self.now,
            b"",
            after,
            row.last_mac,
            "",
            row.uuid,
        )
        event.mac = mac_old_event(self.keyring, event)
        row.events.append((next(self.ids), event))
        row.last_seq, row.last_mac = event.seq, event.mac

    def seal(self):
        """Seal everything as it stands; return the subject as it is then read."""
        subject = self.subject
        for row in subject.ids.values():
            guards = (subject.change_lock, subject.pay_stop)
            context = rules.id_context(row.uuid, subject.uuid, *guards)
            row.sealed = self.keyring.seal(seals.ID, CANONICAL, context)
        for row in subject.mappings.values():
            place = (row.uuid, subject.uuid, row.version, row.state, CANONICAL)
            context = rules.address_context(*place)
            row.sealed = self.keyring.seal(seals.ADDRESS, row.address.fa, context)
        for change in subject.changes:
            context = rules.change_context(change.uuid, CANONICAL, change.terms)
            change.sealed = self.keyring.seal(seals.CHANGE, "account:9@b", context)
        return subject

    def examine(self):
        return list(rules.examine(self.keyring, self.subject))

    def convert(self):
        self.seal()
        found = self.examine()
        assert not found, found
        ids = count(1)

        def take_ids(number):
            return [next(ids) for _n in range(number)]

        converter = Converter(self.keyring, self.now + HOUR, take_ids)
        return converter.convert(self.subject)


def get_stays(new):
    """Return the addresses as the current history reads them."""
    records = [
        PeriodRecord(
            p.row.row_id,
            p.head.row_id,
            p.head.purpose,
            p.row.seq,
            p.row.state,
            p.row.version,
            p.row.valid_from,
            p.row.address_uuid,
            None,
            None,
            (),
        )
        for p in new.periods
    ]
    return group_stays(records)


class TestOldRules(BaseCase):
    """The old rules detect tampering."""

    def build(self):
        old = OldStore()
        row = old.open()
        old.note(row, "held")
        old.wait(row, 1)
        old.seal()
        return old, row

    def test_untouched_old_store_has_no_findings(self):
        old, row = self.build()
        self.assertEqual(old.examine(), [])
        self.assertEqual(row.address.fa, "account:0@b")
        self.assertEqual(old.subject.changes[0].text, "account:9@b")

    def test_each_thing_that_was_altered_is_named(self):
        cases = {
            rules.SWITCHED_OFF: lambda o, r: setattr(o.subject.ids[1], "active", False),
            rules.ID_DOES_NOT_OPEN: lambda o, r: setattr(o.subject, "pay_stop", True),
            rules.OTHER_ID: lambda o, r: setattr(r, "identifier_id", 5),
            audit.ID_DIGEST: lambda o, r: o.subject.ids[1].digests.clear(),
            rules.FA_DOES_NOT_OPEN: lambda o, r: setattr(r, "version", 2),
            audit.FA_DIGEST: lambda o, r: r.digests.clear(),
            audit.NOT_AS_RECORDED: lambda o, r: setattr(r.address, "authority", 1),
            audit.LAST_EVENT: lambda o, r: r.events.pop(),
            audit.EVENT_GAP: lambda o, r: r.events.pop(0),
            audit.EVENT_ALTERED: lambda o, r: setattr(r.events[0][1], "actor", "x"),
            audit.NO_EVENTS: lambda o, r: r.events.clear(),
            audit.CHANGE_HIDDEN: lambda o, r: o.subject.changes.clear(),
            audit.CHANGE_ENDED: lambda o, r: setattr(
                r.events[1][1], "kind", "change_refused"
            ),
            audit.CHANGE_DOES_NOT_OPEN: lambda o, r: setattr(
                o.subject.changes[0], "uuid", "other"
            ),
        }
        for problem, alter in cases.items():
            with self.subTest(problem):
                old, row = self.build()
                alter(old, row)
                self.assertIn(problem, [found[2] for found in old.examine()])


class TestConvert(BaseCase):
    def assert_answers_as_before(self, old, new):
        """Assert that each address has its old state, version, times and id order."""
        rows = sorted(old.subject.mappings.values(), key=lambda r: (r.began, r.row_id))
        before = [(r.uuid, r.state, r.version, r.began, r.valid_to) for r in rows]
        now = [
            (stay.uuid, stay.state, stay.version, stay.first.since, stay.valid_to)
            for stay in get_stays(new)
        ]
        self.assertEqual(now, before)

    def test_an_address_that_was_suspended_and_paid_to_again(self):
        old = OldStore()
        row = old.open()
        old.move(row, "suspended", "suspended")
        old.move(row, "resumed", "active")
        new = old.convert()
        self.assert_answers_as_before(old, new)
        (stay,) = get_stays(new)
        self.assertEqual(stay.suspensions, [(NOW + HOUR, NOW + 2 * HOUR)])
        self.assertEqual([p.row.seq for p in new.periods], [-3, -2, -1])
        self.assertEqual(len({p.row.address.sealed for p in new.periods}), 1)

    def test_where_the_next_begins_the_one_before_has_ended(self):
        old = OldStore()
        old.end(old.open(), "replaced")
        old.open("updated", version=2)
        new = old.convert()
        self.assert_answers_as_before(old, new)
        self.assertEqual([p.row.state for p in new.periods], ["active", "active"])

    def test_an_end_is_a_period_of_its_own(self):
        old = OldStore()
        old.end(old.open())
        old.now += HOUR
        old.open()
        new = old.convert()
        self.assert_answers_as_before(old, new)
        states = [p.row.state for p in new.periods]
        self.assertEqual(states, ["active", "ended", "active"])

    def test_a_version_never_restarts_from_now_on(self):
        old = OldStore()
        first = old.open()
        old.move(first, "suspended", "suspended")
        old.end(first)
        old.now += HOUR
        old.end(old.open())
        new = old.convert()
        self.assert_answers_as_before(old, new)
        (head,) = new.heads
        self.assertEqual((head.state, head.version), ("ended", 3))
        self.assertEqual(new.periods[-1].row.version, 3)

    def test_proposed_address_has_the_version_of_its_place(self):
        old = OldStore()
        old.end(old.open())
        old.now += HOUR
        row = old.open("proposed", "proposed", version=0)
        old.wait(row, 0)
        new = old.convert()
        (head,) = new.heads
        self.assertEqual((head.state, head.version), ("proposed", 2))
        self.assertEqual(new.changes[0].terms.base_version, 2)

    def test_withdrawn_proposal_never_counted(self):
        old = OldStore()
        proposed = old.open("proposed", "proposed", version=0)
        old.end(proposed, "withdrawn")
        old.open()
        new = old.convert()
        self.assert_answers_as_before(old, new)
        self.assertFalse(get_stays(new)[0].was_in_force)
        self.assertEqual([p.row.state for p in new.periods], ["proposed", "active"])

    def test_a_change_is_stale_where_it_was(self):
        for base, is_stale in ((2, False), (1, True)):
            old = OldStore()
            row = old.open(version=2)
            old.note(row, "held")
            old.wait(row, base)
            new = old.convert()
            (head,), (change,) = new.heads, new.changes
            self.assertEqual(change.terms.base_version != head.version, is_stale)

    def test_a_decided_change_keeps_its_terms_and_opens(self):
        old = OldStore()
        change = old.wait(old.open(version=3), 1, "refused")
        new = old.convert()
        (moved,), (head,) = new.changes, new.heads
        self.assertEqual(moved.terms, change.terms)
        subject = new.subject.uuid
        context = seals.change_context(change.uuid, subject, head.uuid, moved.terms)
        opened = old.keyring.unseal(seals.CHANGE, moved.sealed, context)
        self.assertEqual(opened, "account:9@b")

    def test_each_purpose_is_a_place(self):
        old = OldStore()
        old.open()
        old.open(purpose="school")
        new = old.convert()
        self.assert_answers_as_before(old, new)
        self.assertEqual([h.purpose for h in new.heads], ["", "school"])
        self.assertEqual([h.row_id for h in new.heads], [100, 101])

    def test_the_chain_begins_behind_those_before(self):
        """An address and a number therefore never name two events."""
        old = OldStore()
        row = old.open()
        old.move(row, "suspended", "suspended")
        new = old.convert()
        self.assertEqual(new.migrated.seq, 3)
        self.assertEqual(new.subject.last_mac, new.migrated.mac)
        self.assertEqual(new.subject.marks, {"i1": 3, "h100": 3})

    def test_the_past_is_tied_to_the_chain(self):
        old = OldStore()
        row = old.open()
        new = old.convert()
        descriptions = [describe(new.subject.uuid, head) for head in new.heads]
        ends = [(row.uuid, row.last_seq, row.last_mac)]
        tied = commit_to_past(old.keyring, ends, descriptions)
        self.assertEqual(new.migrated.commitment_after, tied)
        other = replace(new.subject, pay_stop=True)
        macs = [mac_subject(old.keyring, s) for s in (new.subject, other)]
        self.assertNotEqual(*macs)

    def test_person_without_an_address_has_no_event(self):
        old = OldStore()
        new = old.convert()
        self.assertIsNone(new.migrated)
        self.assertEqual((new.subject.last_seq, new.subject.marks), (0, {"i1": 0}))
        ((row, sealed),) = new.ids
        context = seals.id_context(row.uuid, new.subject.uuid, True, 0)
        self.assertEqual(old.keyring.unseal(seals.ID, sealed, context), CANONICAL)
