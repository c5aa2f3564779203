"""What a person's pages show, ready for templates: no ID, no address in clear."""

from __future__ import annotations

from dataclasses import dataclass, field

from odoo.addons.spar_mapper_connector.lib.contract import (
    HistoryEvent,
    ObjectionAnswer,
    Period,
)


@dataclass(frozen=True)
class Line:
    """One line of an address: what it is, and what it says.

    ``heard`` is what is said of a masked value to those who listen. ``is_number`` tells
    that the value runs from left to right in every language.
    """

    label: str
    text: str
    heard: str = ""
    is_number: bool = False
    is_masked: bool = False


@dataclass(frozen=True)
class Waiting:
    """A change that will happen unless somebody stops it."""

    text: str
    lines: list[Line]
    period: str
    seq: int
    is_disputable: bool = False


@dataclass(frozen=True)
class Happening:
    """One line of the history, in words."""

    text: str
    when: str
    who: str
    lines: list[Line]
    period: str
    seq: int
    is_disputable: bool = False
    objection: str = ""


@dataclass(slots=True)
class Overview:
    """How things stand. ``state`` is none, active, stopped, closed or locked.

    Closed: the provider of the address is no more, so nothing is paid to it.

    ``unfinished`` is the reference of a draft that can be gone on with.
    """

    state: str
    lines: list[Line] = field(default_factory=list)
    since: str = ""
    version: int = 0
    waiting: list[Waiting] = field(default_factory=list)
    case: ObjectionAnswer | None = None
    disputable: tuple[str, int] | None = None
    can_change: bool = False
    can_remove: bool = False
    has_history: bool = False
    unfinished: str = ""


#: What a person is told; all else is bookkeeping, or the other half of one of these.
TOLD = (
    "linked updated updated_suspended moved moved_suspended restored "
    "restored_suspended unlinked suspended resumed held change_cancelled "
    "change_refused change_expired change_stale revealed objected "
    "objection_confirmed objection_upheld objection_rejected"
).split()


def get_told(periods: list[Period]) -> list[tuple[Period, HistoryEvent]]:
    """The events that people are told of, newest first."""
    told = [(p, e) for p in periods for e in p.events if e.kind in TOLD]
    return sorted(told, key=lambda pair: pair[1].happened_at, reverse=True)


def get_open_case(periods: list[Period]) -> ObjectionAnswer | None:
    """The newest objection that staff have not decided yet."""
    for _period, event in get_told(periods):
        if event.objection and not event.objection.is_closed:
            return event.objection
    return None


def get_beginning(periods: list[Period], purpose: str = "") -> Period | None:
    """The period in force now, or None."""
    return next((p for p in periods if not p.valid_to and p.purpose == purpose), None)


def is_free(event: HistoryEvent) -> bool:
    """Whether a person who has logged in can object to an event: nobody has, or only
    somebody without a login."""
    case = event.objection
    return event.is_disputable and (case is None or case.needs_login)


def get_disputable(period: Period | None) -> tuple[str, int] | None:
    """The event by which an address came into force, where it can be disputed."""
    if period is None or not period.events:
        return None
    first = period.events[0]
    return (period.uuid, first.seq) if is_free(first) else None
