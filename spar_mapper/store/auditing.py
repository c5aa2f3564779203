"""Verification that subjects and all their rows are as the store left them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

from odoo.addons.spar_mapper_connector.exceptions import SealBroken
from odoo.addons.spar_mapper_connector.lib.contract import Authority, CallContext
from odoo.addons.spar_mapper_connector.lib.keyring import OpenKeyring

from ..exceptions import RowBroken
from ..lib import audit, seals
from ..lib.chain import (
    CHAIN_FORMATS,
    commit_to,
    commit_to_past,
    describe_id,
    describe_place,
    get_format,
    mac_event,
    mark_head,
    mark_id,
)
from ..lib.id_reading import FormState
from ..lib.old_chain import mac_old_event
from ..lib.past import PeriodRecord
from ..lib.records import (
    ADDRESS_COLUMNS,
    EventRow,
    StoredAddress,
    StoredId,
    Subject,
)
from ..lib.transitions import (
    CASE_BEGINS,
    CASE_ENDS,
    ID_EVENTS,
    MIGRATED,
    PLACE_EVENTS,
    SUBJECT_EVENTS,
    WAIT_BEGINS,
    WAIT_ENDS,
)
from .database import Row, StoreCursor, build_array, fetch
from .listing import EVENT, read_digests, read_event
from .loading import fetch_changes, open_change
from .opening import (
    HEAD_COLUMNS,
    ID_COLUMNS,
    ID_WIDTH,
    NEWEST_MAC,
    SUBJECT_COLUMNS,
    Opener,
    name_columns,
)
from .work import Work

CHECK = CallContext("system", "check", Authority.STAFF)

_SUBJECTS = f"""
    SELECT {SUBJECT_COLUMNS}, {NEWEST_MAC} FROM spar_subject s
     WHERE s.id > %s AND s.id <= %s ORDER BY s.id
"""
_IDS = f"""
    SELECT i.subject_id, {ID_COLUMNS}, i.type_id, i.form, i.digest_a, i.digest_b
      FROM spar_subject_id i
     WHERE i.subject_id = ANY(%s::bigint[]) ORDER BY i.id
"""
_HEADS = f"""
    SELECT m.subject_id, c.id, {HEAD_COLUMNS} FROM spar_mapping m
      LEFT JOIN spar_change c ON c.mapping_id = m.id AND c.state = 'waiting'
     WHERE m.subject_id = ANY(%s::bigint[]) ORDER BY m.id
"""
_PERIODS = f"""
    SELECT p.subject_id, p.fa_digest_a, p.fa_digest_b, p.id, p.mapping_id, '', p.seq,
           p.state, p.version, p.state_since, p.address_uuid, p.address_version,
           p.sealed, {name_columns("p", ADDRESS_COLUMNS)}
      FROM spar_mapping_period p
     WHERE p.subject_id = ANY(%s::bigint[]) ORDER BY p.mapping_id, p.seq
"""
#: After two digests and the first columns of a PeriodRecord.
_PERIOD_PLAIN = 12
_EVENTS = f"""
    SELECT e.subject_id, e.id, e.mapping_id, e.period_id, e.format,
           {name_columns("e", EVENT)}
      FROM spar_event e WHERE e.subject_id = ANY(%s::bigint[])
     ORDER BY e.format > 1, e.id
"""
_OBJECTIONS = """
    SELECT m.subject_id, m.id, count(*)
      FROM spar_mapping m JOIN spar_objection o ON o.mapping_id = m.id
     WHERE m.subject_id = ANY(%s::bigint[]) AND o.state = 'open'
     GROUP BY m.subject_id, m.id
"""
#: After the event's id, place, period and format.
_CONTENT_START = 4


@dataclass(slots=True)
class HeadEvidence:
    """A head as it was read; ``manner`` are its uuid, purpose and rank."""

    row: Row
    change_id: int | None
    manner: tuple[str, str, int]


@dataclass(slots=True)
class SubjectEvidence:
    """Everything that the tables state about one subject."""

    row: Row
    ids: list[Row] = field(default_factory=list)
    places: dict[int, HeadEvidence] = field(default_factory=dict)
    periods: dict[int, PeriodRecord] = field(default_factory=dict)
    digests: dict[int, dict[str, bytes]] = field(default_factory=dict)
    #: IDs that open, by the number of the event that last changed them.
    changed_ids: dict[int, StoredId] = field(default_factory=dict)
    events: list[Row] = field(default_factory=list)
    #: Pending changes by row, and the number of open objections to a place.
    changes: dict[int, Row] = field(default_factory=dict)
    objections: dict[int, int] = field(default_factory=dict)


class Auditor:
    """Checks subjects, a range of ids at a time, in one snapshot.

    :param forms: the forms of existing IDs; None before any were kept
    """

    def __init__(
        self,
        call: CallContext,
        cr: StoreCursor,
        keyring: OpenKeyring,
        forms: FormState | None = None,
    ):
        self.cr = cr
        self.keyring = keyring
        self.forms = forms
        self.opener = Opener(call, keyring)

    def check(self, after: int, until: int) -> list[audit.Finding]:
        """Return all problems of the subjects after ``after`` up to ``until``."""
        found: list[audit.Finding] = []
        for evidence in self._collect(after, until):
            found += self._examine(evidence)
        return list(dict.fromkeys(found))

    def _collect(self, after: int, until: int) -> Iterable[SubjectEvidence]:
        rows = fetch(self.cr, _SUBJECTS, after, until)
        by_id = {row[0]: SubjectEvidence(row) for row in rows}
        ids = build_array(by_id)
        for subject_id, *row in fetch(self.cr, _IDS, ids):
            by_id[subject_id].ids.append(tuple(row))
        for subject_id, change_id, *row in fetch(self.cr, _HEADS, ids):
            manner = (row[1], row[2], row[5])
            place = HeadEvidence(tuple(row), change_id, manner)
            by_id[subject_id].places[row[0]] = place
        for subject_id, *row in fetch(self.cr, _PERIODS, ids):
            evidence, digests = by_id[subject_id], read_digests(*row[:2])
            values: Row = (*row[2:_PERIOD_PLAIN], tuple(row[_PERIOD_PLAIN:]))
            record = PeriodRecord(*values)
            evidence.periods[record.row_id] = record
            evidence.digests[record.row_id] = digests
        for subject_id, *row in fetch(self.cr, _EVENTS, ids):
            by_id[subject_id].events.append(tuple(row))
        for subject_id, head_id, count in fetch(self.cr, _OBJECTIONS, ids):
            by_id[subject_id].objections[head_id] = count
        self._collect_changes(by_id.values())
        return by_id.values()

    def _collect_changes(self, found: Collection[SubjectEvidence]) -> None:
        owners = {
            place.change_id: evidence
            for evidence in found
            for place in evidence.places.values()
            if place.change_id
        }
        for change_id, row in fetch_changes(self.cr, list(owners)).items():
            owners[change_id].changes[change_id] = row

    # === ONE SUBJECT === #

    def _examine(self, evidence: SubjectEvidence) -> Iterator[audit.Finding]:
        try:
            subject = self.opener.open_subject(evidence.row)
        except RowBroken as error:
            yield error.problem
            # The content of the row is still compared with everything else.
            subject = _read_subject(evidence.row)
        yield from self._examine_ids(subject, evidence)
        yield from self._examine_heads(subject, evidence)
        described = dict(self._describe_periods(subject, evidence))
        yield from self._examine_periods(subject, evidence)
        yield from self._examine_chain(subject, evidence, described)
        yield from _examine_changes(evidence)
        yield from _examine_objections(evidence)

    def _examine_ids(
        self, subject: Subject, evidence: SubjectEvidence
    ) -> Iterator[audit.Finding]:
        for *row, type_id, form, digest_a, digest_b in evidence.ids:
            try:
                texts = self.opener.read_id(subject, tuple(row[:ID_WIDTH]))
            except RowBroken as error:
                yield error.problem
                continue
            row_id, uuid, _sealed, active, last_seq = row
            stored = StoredId(row_id, uuid, type_id, form, *texts, active, last_seq)
            evidence.changed_ids[last_seq] = stored
            # A deactivated ID cannot be found.
            digests = self.keyring.digests(seals.ID, texts[0]) if active else {}
            if digests != read_digests(digest_a, digest_b):
                yield "spar_subject_id", row_id, audit.ID_DIGEST
            forms = self.forms if active else None
            if forms and not forms.has_row(form, texts[0], type_id):
                yield "spar_subject_id", row_id, audit.ID_FORM
        there = {mark_id(row[0]) for row in evidence.ids}
        there |= set(map(mark_head, evidence.places))
        if set(subject.marks) != there:
            yield "spar_subject", subject.row_id, audit.ROW_MISSING

    def _examine_heads(
        self, subject: Subject, evidence: SubjectEvidence
    ) -> Iterator[audit.Finding]:
        for row_id, place in evidence.places.items():
            try:
                head = self.opener.open_head(subject, place.row)
                if place.change_id:
                    change = evidence.changes[place.change_id]
                    open_change(self.keyring, subject.uuid, head, change)
            except RowBroken as error:
                yield error.problem
                continue
            period = evidence.periods.get((head.period and head.period.row_id) or 0)
            same = period is not None and (
                period.head_id,
                period.state,
                period.version,
                period.address_uuid,
                period.since,
            ) == (
                row_id,
                head.state,
                head.version,
                head.address_uuid,
                head.state_since,
            )
            newest = [
                p.row_id for p in evidence.periods.values() if p.head_id == row_id
            ]
            if not same or newest[-1:] != [period.row_id if period else 0]:
                yield "spar_mapping", row_id, audit.PERIOD_OTHER

    def _examine_periods(
        self, subject: Subject, evidence: SubjectEvidence
    ) -> Iterator[audit.Finding]:
        for row_id, period in evidence.periods.items():
            if period.sealed is None:
                continue
            try:
                key = self._open(subject, period).key
            except SealBroken:
                yield "spar_mapping_period", row_id, audit.FA_DOES_NOT_OPEN
                continue
            digests = self.keyring.digests(seals.ADDRESS, key)
            if digests != evidence.digests[row_id]:
                yield "spar_mapping_period", row_id, audit.FA_DIGEST

    def _open(self, subject: Subject, period: PeriodRecord) -> StoredAddress:
        return self.opener.open_address(
            subject,
            period.address_uuid,
            period.address_version or 0,
            period.sealed or b"",
            period.plain,
        )

    def _describe_periods(
        self, subject: Subject, evidence: SubjectEvidence
    ) -> Iterator[tuple[int, str]]:
        """Yield each period's row and description; empty if it does not open."""
        for row_id, period in evidence.periods.items():
            place = evidence.places.get(period.head_id)
            if place is None:
                yield row_id, ""
                continue
            try:
                address = None
                if period.sealed is not None:
                    address = self._open(subject, period)
            except SealBroken:
                yield row_id, ""
                continue
            uuid, purpose, rank = place.manner
            manner = (purpose, rank, period.state, period.version)
            yield (
                row_id,
                describe_place(
                    subject.uuid,
                    uuid,
                    manner,
                    period.since,
                    period.address_uuid,
                    address,
                ),
            )

    # === THE CHAIN === #

    def _examine_chain(
        self, subject: Subject, evidence: SubjectEvidence, described: dict[int, str]
    ) -> Iterator[audit.Finding]:
        """Check the chain from its first event to the one that the subject names.

        It also checks what each event states about its place.
        """
        events = [row for row in evidence.events if row[3] in CHAIN_FORMATS]
        begun = {p.seq: p for p in evidence.periods.values() if p.seq > 0}
        standing = _find_migrated(evidence, described)
        previous, first = b"", _get_first_seq(events)
        for number, row in enumerate(events, start=first):
            event = _read_event(subject, evidence, row)
            if event.seq != number:
                yield "spar_event", row[0], audit.EVENT_GAP
                return
            if event.previous_mac != previous:
                yield "spar_event", row[0], audit.EVENT_CHAIN
            if row[3] != get_format(event) or event.mac != mac_event(
                self.keyring, event
            ):
                yield "spar_event", row[0], audit.EVENT_ALTERED
            previous = event.mac
            if event.kind in (MIGRATED, *SUBJECT_EVENTS):
                yield from self._examine_other(subject, evidence, row, event, described)
                continue
            period = begun.pop(event.seq, None)
            if period is not None:
                standing[period.head_id] = described[period.row_id]
            elif PLACE_EVENTS[event.kind][1] is not None:
                yield "spar_event", row[0], audit.PERIOD_MISSING
                continue
            text = standing.get(row[1] or 0, "")
            if text and commit_to(self.keyring, text) != event.commitment_after:
                yield from _locate_problem(row, period)
        for period in begun.values():
            yield "spar_mapping_period", period.row_id, audit.NO_EVENTS
        if (first + len(events) - 1, previous) != (subject.last_seq, subject.last_mac):
            yield "spar_subject", subject.row_id, audit.LAST_EVENT

    def _examine_other(
        self,
        subject: Subject,
        evidence: SubjectEvidence,
        row: Row,
        event: EventRow,
        described: dict[int, str],
    ) -> Iterator[audit.Finding]:
        """Check an event that concerns no place."""
        if event.kind == MIGRATED:
            yield from self._examine_past(subject, evidence, row, event, described)
        else:
            yield from self._examine_id(subject, evidence, event)

    def _examine_id(
        self, subject: Subject, evidence: SubjectEvidence, event: EventRow
    ) -> Iterator[audit.Finding]:
        """Check that an ID is what the event that last changed it states."""
        stored = evidence.changed_ids.get(event.seq)
        if stored is None or event.kind not in ID_EVENTS:
            return
        commitment = commit_to(self.keyring, describe_id(subject.uuid, stored))
        if commitment != event.commitment_after:
            yield "spar_subject_id", stored.row_id, audit.NOT_AS_RECORDED

    def _examine_past(
        self,
        subject: Subject,
        evidence: SubjectEvidence,
        row: Row,
        event: EventRow,
        described: dict[int, str],
    ) -> Iterator[audit.Finding]:
        """Check the legacy chains and their periods against the subject's chain.

        The event ``migrated`` states what was tied to it.
        """
        ends: dict[str, tuple[int, bytes]] = {}
        for old in evidence.events:
            if old[3] in CHAIN_FORMATS:
                continue
            past = _read_event(subject, evidence, old)
            seq, mac = ends.get(past.address_uuid, (0, b""))
            if past.seq != seq + 1:
                yield "spar_event", old[0], audit.EVENT_GAP
            if past.previous_mac != mac:
                yield "spar_event", old[0], audit.EVENT_CHAIN
            if past.mac != mac_old_event(self.keyring, past):
                yield "spar_event", old[0], audit.EVENT_ALTERED
            ends[past.address_uuid] = (past.seq, past.mac)
        texts = [described[p.row_id] for p in evidence.periods.values() if p.seq < 0]
        tips = [(uuid, *end) for uuid, end in ends.items()]
        if commit_to_past(self.keyring, tips, texts) != event.commitment_after:
            yield "spar_event", row[0], audit.PAST_ALTERED


def _locate_problem(row: Row, period: PeriodRecord | None) -> Iterator[audit.Finding]:
    if period is None:
        yield "spar_event", row[0], audit.NOT_AS_RECORDED
    else:
        yield "spar_mapping_period", period.row_id, audit.NOT_AS_RECORDED


def _get_first_seq(events: list[Row]) -> int:
    """Return the number with which a chain begins.

    A chain that follows legacy chains begins after them, at the number that its first
    event states, which cannot be forged without the key.
    """
    if events and events[0][_CONTENT_START + 2] == MIGRATED:
        return int(events[0][_CONTENT_START + 1])
    return 1


def _find_migrated(
    evidence: SubjectEvidence, described: dict[int, str]
) -> dict[int, str]:
    """Return each place's description as of when the legacy chains were tied in."""
    return {
        period.head_id: described[period.row_id]
        for period in evidence.periods.values()
        if period.seq < 0
    }


def _read_subject(row: Row) -> Subject:
    """Return the subject as its row states it, whether that is correct or not."""
    row_id, uuid, lock, stop, merged, seq, last_mac, _marks, _mac, _newest = row
    return Subject(uuid, row_id, lock, stop, merged, seq, bytes(last_mac or b""))


def _read_event(subject: Subject, evidence: SubjectEvidence, row: Row) -> EventRow:
    head_id, period_id = row[1:3]
    place, period = evidence.places.get(head_id), evidence.periods.get(period_id)
    return read_event(
        row[_CONTENT_START:],
        subject.uuid,
        place.manner[0] if place else "",
        period.address_uuid if period else "",
    )


def _examine_changes(evidence: SubjectEvidence) -> Iterator[audit.Finding]:
    """Yield changes that are pending by the history but have no row."""
    waits = _follow(evidence, WAIT_BEGINS, WAIT_ENDS, most=1)
    for row_id, place in evidence.places.items():
        if waits.get(row_id) and not place.change_id:
            yield "spar_mapping", row_id, audit.CHANGE_HIDDEN


def _examine_objections(evidence: SubjectEvidence) -> Iterator[audit.Finding]:
    """Check that each place has as many open cases as its history states."""
    open_cases = _follow(evidence, CASE_BEGINS, CASE_ENDS)
    for row_id in evidence.places:
        if open_cases.get(row_id, 0) != evidence.objections.get(row_id, 0):
            yield "spar_mapping", row_id, audit.OBJECTION_OTHER


def _follow(
    evidence: SubjectEvidence,
    begins: Collection[str],
    ends: Collection[str],
    most: int | None = None,
) -> dict[int, int]:
    """Return how many of each place have begun and not ended, at most ``most``."""
    count: dict[int, int] = {}
    for row in sorted(evidence.events, key=lambda row: row[0]):
        kind, so_far = row[_CONTENT_START + 2], count.get(row[1], 0)
        if kind in begins:
            count[row[1]] = most or so_far + 1
        elif kind in ends:
            count[row[1]] = max(so_far - 1, 0)
    return count


def check_person(work: Work, subject_id: int) -> None:
    """Raise RowBroken if any of one person's rows was altered.

    It is called before any action that relies on their history.
    """
    auditor = Auditor(work.call, work.cr, work.keyring)
    found = auditor.check(subject_id - 1, subject_id)
    if found:
        work.problems.extend(found)
        raise RowBroken(*found[0])
