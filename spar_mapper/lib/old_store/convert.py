"""The conversion of an old subject: to heads, periods, and one chain of events.

The old events stay as they are. An event ``migrated`` ties the ends of their chains,
and the periods made from them, to the subject's own chain, of which it is the first
event.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from odoo.addons.spar_mapper_connector.lib.keyring import OpenKeyring

from .. import seals
from ..chain import commit_to_past, describe_place, mac_event, mark_head, mark_id
from ..records import EventRow, Head, PeriodRow, StoredAddress, Subject, new_uuid
from ..transitions import MIGRATED
from .rows import Digests, OldChange, OldId, OldMapping, OldSubject
from .steps import Step, list_steps


@dataclass(slots=True)
class NewPeriod:
    """A period, its place, and the digests of its address."""

    head: Head
    row: PeriodRow
    digests: Digests


@dataclass(slots=True)
class NewChange:
    """A change, sealed anew, with the place that it now points to."""

    row_id: int
    head: Head
    terms: seals.ChangeTerms
    sealed: bytes


@dataclass(slots=True)
class NewSubject:
    """A subject with all its rows, ready to be written.

    ``firsts`` maps each old mapping to the period with which it began. ``migrated`` is
    None if nothing has happened to the subject yet.
    """

    subject: Subject
    since: datetime
    ids: list[tuple[OldId, bytes]]
    periods: list[NewPeriod]
    firsts: dict[int, NewPeriod]
    changes: list[NewChange]
    migrated: EventRow | None

    @property
    def heads(self) -> list[Head]:
        return list({p.head.uuid: p.head for p in self.periods}.values())


@dataclass(slots=True)
class _Stay:
    """An old mapping in its place, and the periods that it becomes."""

    row: OldMapping
    periods: list[NewPeriod] = field(default_factory=list)


class Converter:
    """Converts examined old rows to new rows.

    :param now: when the history was tied together
    :param take_ids: returns the given number of new period ids
    """

    def __init__(
        self,
        keyring: OpenKeyring,
        now: datetime,
        take_ids: Callable[[int], Iterable[int]],
    ):
        self.keyring = keyring
        self.now = now
        self.take_ids = take_ids

    def convert(self, old: OldSubject) -> NewSubject:
        """Return the conversion of a subject, all of whose values open."""
        stays = [_Stay(row) for row in old.mappings.values()]
        first_seq = _get_first_seq(old)
        heads = {
            place: self._fill(old, place, stays, first_seq)
            for place in _list_places(stays)
        }
        periods = self._number(stays)
        firsts = {stay.row.row_id: stay.periods[0] for stay in stays}
        subject = Subject(old.uuid, old.row_id, old.change_lock, old.pay_stop)
        migrated = self._tie(subject, first_seq, stays, periods) if stays else None
        subject.marks = {mark_id(row_id): subject.last_seq for row_id in old.ids}
        for head in heads.values():
            subject.marks[mark_head(head.row_id)] = subject.last_seq
        return NewSubject(
            subject,
            old.since,
            [(row, self._seal_id(subject, row)) for row in old.ids.values()],
            periods,
            firsts,
            [self._move(old, heads, change) for change in old.changes],
            migrated,
        )

    # === PLACES === #

    def _fill(
        self,
        old: OldSubject,
        place: tuple[str, int],
        stays: list[_Stay],
        first_seq: int,
    ) -> Head:
        """Give the stays of a place their periods; return its head."""
        ours = sorted((s for s in stays if s.row.place == place), key=_by_time)
        newest = ours[-1].row
        head = Head(new_uuid(), place[0], rank=place[1], last_seq=first_seq)
        head.row_id = newest.row_id
        greatest = max(stay.row.version for stay in ours)
        for number, stay in enumerate(ours):
            following = ours[number + 1].row if stay is not ours[-1] else None
            self._fill_stay(old, head, stay, following, greatest)
        last = ours[-1].periods[-1].row
        if last.state == "ended" and last.version < greatest:
            # The version of a place never restarts, as it did in the old store.
            end = Step("ended", greatest, newest.valid_to or newest.began)
            ours[-1].periods.append(_begin(head, ours[-1].row, end, None))
        _rewrite_in_form(head, ours[-1].periods[-1].row)
        return head

    def _fill_stay(
        self,
        old: OldSubject,
        head: Head,
        stay: _Stay,
        following: OldMapping | None,
        greatest: int,
    ) -> None:
        """Make the periods of one address.

        Its end is a period of its own unless another address began at the same moment
        and with the version with which it ended.
        """
        steps = list_steps(stay.row)
        address = self._seal_address(old, stay.row, steps[0].version)
        if steps[-1].state == "ended" and _is_end_recorded(steps[-1], following):
            steps.pop()
        if steps[-1].state == "proposed" and following is None:
            # An address that is only proposed has the version of its place.
            steps[-1] = steps[-1]._replace(version=greatest)
        stay.periods = [
            _begin(head, stay.row, step, None if step.state == "ended" else address)
            for step in steps
        ]

    def _number(self, stays: list[_Stay]) -> list[NewPeriod]:
        """Give periods their ids and numbers; return them by place, in order."""
        stays.sort(key=lambda stay: (stay.row.began, stay.row.row_id))
        periods = [period for stay in stays for period in stay.periods]
        for period, row_id in zip(periods, self.take_ids(len(periods)), strict=True):
            period.row.row_id = row_id
        by_place: dict[int, list[NewPeriod]] = {}
        for stay in sorted(stays, key=_by_time):
            by_place.setdefault(stay.periods[0].head.row_id or 0, []).extend(
                stay.periods
            )
        for of_place in by_place.values():
            for seq, period in enumerate(of_place, start=-len(of_place)):
                period.row.seq = seq
        return [period for _id, found in sorted(by_place.items()) for period in found]

    # === THE CHAIN === #

    def _tie(
        self,
        subject: Subject,
        first_seq: int,
        stays: list[_Stay],
        periods: list[NewPeriod],
    ) -> EventRow:
        """Return the event with which the subject's chain begins."""
        ends = [(s.row.uuid, s.row.last_seq, s.row.last_mac) for s in stays]
        descriptions = [_describe(subject, period) for period in periods]
        event = EventRow(
            new_uuid(),
            subject.uuid,
            first_seq,
            MIGRATED,
            actor="system",
            on_behalf_of="",
            channel="migration",
            authenticated_by="",
            message_reference="",
            reason="",
            happened_at=self.now,
            commitment_before=b"",
            commitment_after=commit_to_past(self.keyring, ends, descriptions),
            previous_mac=b"",
            subject=subject,
        )
        event.mac = mac_event(self.keyring, event)
        subject.last_seq, subject.last_mac = event.seq, event.mac
        return event

    # === RESEALING === #

    def _seal_id(self, subject: Subject, row: OldId) -> bytes:
        context = seals.id_context(row.uuid, subject.uuid, True, subject.last_seq)
        return self.keyring.seal(seals.ID, row.canonical, context)

    def _seal_address(
        self, old: OldSubject, row: OldMapping, version: int
    ) -> StoredAddress:
        """Seal the address of ``row`` once, for all of its periods and its head."""
        address = row.address
        address.version = version
        context = seals.address_context(row.uuid, old.uuid, version)
        address.sealed = self.keyring.seal(seals.ADDRESS, row.text, context)
        return address

    def _move(
        self, old: OldSubject, heads: dict[tuple[str, int], Head], change: OldChange
    ) -> NewChange:
        """Point a change to its place.

        A stale change stays stale, and no other change becomes stale.
        """
        row = old.mappings[change.mapping_id]
        head, terms = heads[row.place], change.terms
        if change.state == "waiting":
            base = terms.base_version
            terms = terms._replace(base_version=_get_base(row, head, base))
        context = seals.change_context(change.uuid, old.uuid, head.uuid, terms)
        sealed = self.keyring.seal(seals.CHANGE, change.text, context)
        return NewChange(change.row_id, head, terms, sealed)


def _get_first_seq(old: OldSubject) -> int:
    """Return the number of the event ``migrated``.

    It comes after the greatest old number: an address and a number name one event,
    whichever chain it is in.
    """
    return 1 + max((row.last_seq for row in old.mappings.values()), default=0)


def _by_time(stay: _Stay) -> tuple[bool, datetime, int]:
    """Return a sort key: ended stays before open ones, then by time."""
    return stay.row.state != "ended", stay.row.began, stay.row.row_id


def _list_places(stays: list[_Stay]) -> list[tuple[str, int]]:
    return list(dict.fromkeys(stay.row.place for stay in stays))


def _is_end_recorded(end: Step, following: OldMapping | None) -> bool:
    """Return whether the next address's beginning implies the end of this one."""
    if following is None:
        return False
    first = list_steps(following)[0]
    return (first.since, first.version) == (end.since, end.version)


def _begin(
    head: Head, row: OldMapping, step: Step, address: StoredAddress | None
) -> NewPeriod:
    period = PeriodRow(0, None, step.state, step.version, row.uuid, address, step.since)
    return NewPeriod(head, period, row.digests if address else {})


def _rewrite_in_form(head: Head, period: PeriodRow) -> None:
    """Set a head to the content of its last period."""
    head.state, head.version = period.state, period.version
    head.address, head.address_uuid = period.address, period.address_uuid
    head.state_since, head.period = period.valid_from, period


def _describe(subject: Subject, period: NewPeriod) -> str:
    row, head = period.row, period.head
    manner = (head.purpose, head.rank, row.state, row.version)
    return describe_place(
        subject.uuid, head.uuid, manner, row.valid_from, row.address_uuid, row.address
    )


def _get_base(row: OldMapping, head: Head, base: int) -> int:
    """Return the version of the place on which a pending change is based."""
    if base == row.version:
        return head.version
    return base if base != head.version else -1
