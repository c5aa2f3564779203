"""The past of a subject, its actors, and its pending changes."""

from __future__ import annotations

from dataclasses import dataclass

from odoo.addons.spar_mapper_connector.exceptions import SealBroken
from odoo.addons.spar_mapper_connector.lib.contract import (
    HistoryEvent,
    ObjectionAnswer,
    Operation,
    Period,
    Remedy,
    WaitingChange,
)

from ..exceptions import RowBroken
from ..lib import seals
from ..lib.objection import DISPUTABLE
from ..lib.past import PeriodRecord, Stay, group_stays
from ..lib.records import ADDRESS_COLUMNS, StoredAddress
from ..lib.transitions import SILENT_EVENTS, WAIT_BEGINS
from .database import Row, fetch
from .opening import HEAD_ALTERED, name_columns
from .work import Work

_SUBJECT = "SELECT id, uuid FROM spar_subject WHERE id = %s"
_SUBJECT_OF_ID = """
    SELECT s.id, s.uuid
      FROM spar_subject_id i JOIN spar_subject s ON s.id = i.subject_id
     WHERE i.digest_{column} = %s
"""
PERIODS = f"""
    SELECT p.id, p.mapping_id, m.purpose, p.seq, p.state, p.version, p.state_since,
           p.address_uuid, p.address_version, p.sealed,
           {name_columns("p", ADDRESS_COLUMNS)}
      FROM spar_mapping_period p JOIN spar_mapping m ON m.id = p.mapping_id
"""
_PLAIN = 10
_EVENTS = """
    SELECT p.address_uuid, o.uuid, o.remedy, o.state, e.seq, e.kind, e.happened_at,
           e.actor, e.on_behalf_of, e.channel, e.reason, e.message_reference
      FROM spar_event e
      JOIN spar_mapping_period p ON p.id = e.period_id
      LEFT JOIN spar_objection o ON o.event_id = e.id
     WHERE e.subject_id = %s AND e.kind <> ALL(%s) ORDER BY e.id
"""
_WAITING = f"""
    SELECT c.uuid, c.sealed, c.proposed_at, s.uuid, m.uuid, m.purpose,
           m.address_uuid,
           (SELECT e.seq FROM spar_event e
             WHERE e.subject_id = m.subject_id AND e.mapping_id = m.id
               AND e.kind = ANY(%s) ORDER BY e.id DESC LIMIT 1),
           {name_columns("c", seals.ChangeTerms._fields)}
      FROM spar_mapping m
      JOIN spar_subject s ON s.id = m.subject_id
      JOIN spar_change c ON c.mapping_id = m.id AND c.state = 'waiting'
     WHERE m.subject_id = %s ORDER BY c.id
"""


def read_period(row: Row) -> PeriodRecord:
    """Return a row of ``PERIODS`` as a record."""
    values: Row = (*row[:_PLAIN], tuple(row[_PLAIN:]))
    return PeriodRecord(*values)


def build_answer(
    reference: str | None, remedy: str | None, state: str | None
) -> ObjectionAnswer | None:
    """Return the answer of a case, or None if there is no case."""
    if reference is None:
        return None
    return ObjectionAnswer(Remedy(remedy), reference[:8].upper(), state != "open")


@dataclass(frozen=True)
class PastSubject:
    """A subject whose past is read."""

    row_id: int
    uuid: str


class Historian:
    """Reads the past of one subject."""

    def __init__(self, work: Work):
        self.work = work
        self.opener = work.load().opener

    def find(self, canonical: str) -> PastSubject | None:
        """Return the subject of an ID, or None if the ID is unknown."""
        keyring = self.work.keyring
        query = _SUBJECT_OF_ID.format(column=keyring.roles.read_column)
        rows = fetch(self.work.cr, query, keyring.digest(seals.ID, canonical))
        return PastSubject(*rows[0]) if rows else None

    def get(self, row_id: int) -> PastSubject:
        """Return the subject of a row; raises KeyError."""
        rows = fetch(self.work.cr, _SUBJECT, row_id)
        if not rows:
            raise KeyError(row_id)
        return PastSubject(*rows[0])

    # === PERIODS === #

    def read_periods(self, canonical: str) -> list[Period]:
        """Return every address that was ever in force for an ID, newest first.

        One that does not open is omitted, and reported as a problem.
        """
        subject = self.find(canonical)
        if subject is None:
            return []
        events = self._fetch_events(subject)
        periods = []
        for stay in reversed(self.fetch_stays(subject)):
            if not stay.was_in_force:
                continue
            try:
                address = self.open(subject, stay.first)
            except RowBroken as error:
                self.work.problems.append(error.problem)
                continue
            periods.append(_build_period(stay, address, events.get(stay.uuid, [])))
        return periods

    def fetch_stays(
        self, subject: PastSubject, head_id: int | None = None
    ) -> list[Stay]:
        """Return the past addresses of a subject or of one of its places.

        They are sorted from the oldest, and still sealed.
        """
        rows = fetch(
            self.work.cr,
            f"""{PERIODS} WHERE p.subject_id = %s
                            AND (%s::bigint IS NULL OR p.mapping_id = %s)
                 ORDER BY p.mapping_id, p.seq""",
            subject.row_id,
            head_id,
            head_id,
        )
        return group_stays(map(read_period, rows))

    def open(self, subject: PastSubject, record: PeriodRecord) -> StoredAddress:
        """Return the address of a period; raises RowBroken."""
        uuid, version = record.address_uuid, record.address_version or 0
        context = seals.address_context(uuid, subject.uuid, version)
        try:
            text = self.work.keyring.unseal(
                seals.ADDRESS, bytes(record.sealed or b""), context
            )
        except SealBroken as error:
            problem = ("spar_mapping_period", record.row_id, HEAD_ALTERED)
            raise RowBroken(*problem) from error
        form, key, typed, text = seals.split_address(text)
        fa, details, _packed = seals.split(text)
        rest: Row = (*record.plain, details, key, typed, form)
        return StoredAddress(uuid, version, fa, *rest)

    def _fetch_events(self, subject: PastSubject) -> dict[str, list[HistoryEvent]]:
        """Return the events of each address, in order."""
        events: dict[str, list[HistoryEvent]] = {}
        for uuid, reference, remedy, state, seq, kind, *rest in fetch(
            self.work.cr, _EVENTS, subject.row_id, list(SILENT_EVENTS)
        ):
            case = build_answer(reference, remedy, state)
            values: Row = (seq, kind, *rest, kind in DISPUTABLE, case)
            events.setdefault(uuid, []).append(HistoryEvent(*values))
        return events

    # === PENDING CHANGES === #

    def read_waiting(self, canonical: str) -> list[WaitingChange]:
        """Return an ID's pending changes; raises SealBroken if one was altered."""
        subject = self.find(canonical)
        if subject is None:
            return []
        rows = fetch(self.work.cr, _WAITING, list(WAIT_BEGINS), subject.row_id)
        return [self._build_waiting(row) for row in rows]

    def _build_waiting(self, row: Row) -> WaitingChange:
        uuid, sealed, proposed_at, subject, head, purpose, period, seq = row[:8]
        terms = seals.ChangeTerms(*row[8:])
        context = seals.change_context(uuid, subject, head, terms)
        text = self.work.keyring.unseal(seals.CHANGE, bytes(sealed or b""), context)
        fa, _details = seals.unpack(text)
        return WaitingChange(
            Operation(terms.operation),
            fa,
            purpose,
            period,
            seq,
            proposed_at,
            terms.effective_at,
            terms.channel,
            terms.proposer,
        )


def _build_period(
    stay: Stay, address: StoredAddress, events: list[HistoryEvent]
) -> Period:
    return Period(
        uuid=stay.uuid,
        fa=address.fa,
        state=stay.state,
        purpose=stay.first.purpose,
        version=stay.version,
        valid_from=address.valid_from,
        valid_to=stay.valid_to,
        channel=address.channel,
        actor=address.origin,
        events=tuple(events),
        suspensions=tuple(stay.suspensions),
    )
