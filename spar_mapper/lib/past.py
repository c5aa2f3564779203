"""The addresses that a place has had, reconstructed from its periods.

A period is one state for a time; an address spans several periods if it is suspended
and resumed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(slots=True)
class PeriodRecord:
    """A period as it was read; ``sealed`` and ``plain`` serve to open its address."""

    row_id: int
    head_id: int
    purpose: str
    seq: int
    state: str
    version: int
    since: datetime
    address_uuid: str
    address_version: int | None
    sealed: bytes | None
    plain: tuple[Any, ...]


@dataclass(slots=True)
class Stay:
    """An address in its place, from the period with which it began.

    ``state`` is "ended" as soon as it has ended; ``version`` is that of the period with
    which it ended. ``suspensions`` are the times when nothing was paid to it.
    """

    first: PeriodRecord
    state: str
    version: int
    valid_to: datetime | None = None
    suspensions: list[tuple[datetime, datetime | None]] = field(default_factory=list)

    @property
    def uuid(self) -> str:
        return self.first.address_uuid

    @property
    def was_in_force(self) -> bool:
        """Return whether it was ever in force; an address only proposed was not."""
        return self.first.state != "proposed"

    @property
    def was_suspended(self) -> bool:
        """Return whether nothing was paid to it when it ended."""
        return bool(self.suspensions) and self.suspensions[-1][1] == self.valid_to

    def _extend(self, record: PeriodRecord) -> None:
        if record.state == self.state:
            return  # the address was written in another form, and nothing else changed
        self._close_suspension(record.since)
        self.state, self.version = record.state, record.version
        if record.state == "suspended":
            self.suspensions.append((record.since, None))

    def _close_suspension(self, moment: datetime) -> None:
        if self.suspensions and self.suspensions[-1][1] is None:
            self.suspensions[-1] = (self.suspensions[-1][0], moment)

    def _finish(self, moment: datetime, version: int) -> None:
        self._close_suspension(moment)
        self.state, self.version, self.valid_to = "ended", version, moment


def group_stays(records: Iterable[PeriodRecord]) -> list[Stay]:
    """Return the addresses of places, in the order in which they began.

    :param records: periods, grouped by place and in order
    """
    stays: list[Stay] = []
    open_stay: Stay | None = None
    for record in records:
        if open_stay and open_stay.first.head_id != record.head_id:
            open_stay = None
        if open_stay and open_stay.uuid == record.address_uuid:
            if record.state == "ended":
                open_stay._finish(record.since, record.version)
                open_stay = None
            else:
                open_stay._extend(record)
            continue
        if open_stay:
            open_stay._finish(record.since, record.version)
            open_stay = None
        if record.state != "ended":
            open_stay = Stay(record, record.state, record.version)
            if record.state == "suspended":
                open_stay.suspensions.append((record.since, None))
            stays.append(open_stay)
    return sorted(stays, key=lambda stay: (stay.first.since, stay.first.row_id))
