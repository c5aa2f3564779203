"""The content of a person's pages, ready for templates: no ID or address in clear."""

from __future__ import annotations

from dataclasses import dataclass, field

from odoo.addons.spar_mapper_connector.lib.contract import (
    HistoryEvent,
    ObjectionAnswer,
    Period,
)
from odoo.addons.spar_mapper_connector.lib.pages.lines import AddressLine


@dataclass(frozen=True)
class PendingChange:
    """A change that will take effect unless it is stopped."""

    text: str
    lines: list[AddressLine]
    period: str
    seq: int
    is_disputable: bool = False


@dataclass(frozen=True)
class HistoryEntry:
    """One line of the history, in words."""

    text: str
    when: str
    who: str
    lines: list[AddressLine]
    period: str
    seq: int
    is_disputable: bool = False
    objection: str = ""
    advice: str = ""


@dataclass(slots=True)
class Overview:
    """The state of an address: none, active, stopped, closed or locked.

    Closed: the provider of the address no longer exists, so nothing is paid to it.
    ``unfinished`` is the reference of a draft that can be continued.
    """

    state: str
    lines: list[AddressLine] = field(default_factory=list)
    since: str = ""
    version: int = 0
    waiting: list[PendingChange] = field(default_factory=list)
    case: ObjectionAnswer | None = None
    disputable: tuple[str, int] | None = None
    can_change: bool = False
    can_remove: bool = False
    #: Nobody but the person can change the address, and they have said so themselves.
    is_locked: bool = False
    can_lock: bool = False
    has_history: bool = False
    unfinished: str = ""


#: Somebody saw the full account number.
VIEWED = "revealed"
#: Who may act for the person changed: to report it locks nothing.
REPRESENTATIVE = "representative_"
#: Events that are shown to the person; others are bookkeeping, or the counterpart of
#: one of these.
SHOWN_EVENTS = (
    "linked",
    "updated",
    "updated_suspended",
    "moved",
    "moved_suspended",
    "restored",
    "restored_suspended",
    "unlinked",
    "suspended",
    "resumed",
    "held",
    "change_cancelled",
    "change_refused",
    "change_expired",
    "change_stale",
    VIEWED,
    "objected",
    "objection_confirmed",
    "objection_upheld",
    "objection_rejected",
    "changes_locked",
    "changes_unlocked",
    "lock_lifted",
)


def get_shown_events(periods: list[Period]) -> list[tuple[Period, HistoryEvent]]:
    """Return the events that are shown to the person, newest first."""
    shown = [(p, e) for p in periods for e in p.events if e.kind in SHOWN_EVENTS]
    return sorted(shown, key=lambda pair: pair[1].happened_at, reverse=True)


def get_open_case(periods: list[Period]) -> ObjectionAnswer | None:
    """Return the newest objection that staff have not decided yet."""
    for _period, event in get_shown_events(periods):
        if event.objection and not event.objection.is_closed:
            return event.objection
    return None


def get_current_period(periods: list[Period], purpose: str = "") -> Period | None:
    """Return the period that is currently in force, or None."""
    return next((p for p in periods if not p.valid_to and p.purpose == purpose), None)


def can_object_to(event: HistoryEvent) -> bool:
    """Return whether a logged-in person can object to an event.

    They can if there is no objection yet, or only one that was made without a login. A
    view changed nothing that could be undone, whatever the registry says.
    """
    case = event.objection
    is_change = event.kind != VIEWED
    return is_change and event.is_disputable and (case is None or case.needs_login)


def get_disputable(period: Period | None) -> tuple[str, int] | None:
    """Return the event by which an address took effect, where it can be disputed."""
    if period is None or not period.events:
        return None
    first = period.events[0]
    return (period.uuid, first.seq) if can_object_to(first) else None
