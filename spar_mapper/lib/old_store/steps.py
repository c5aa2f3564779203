"""The successive states of an old mapping, each with its version."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from ..transitions import PLACE_EVENTS
from .rows import OldMapping

#: Kinds of events that began a state while the address stayed.
_MOVES = ("suspended", "resumed")


class Step(NamedTuple):
    """One state of a mapping, and when it began."""

    state: str
    version: int
    since: datetime


def list_steps(row: OldMapping) -> list[Step]:
    """Return the states of ``row`` in order; an end is the last of them.

    The version grew by one with each state; only that of the last is recorded.
    """
    first = row.events[0][1].kind
    moves = [event for _row_id, event in row.events[1:] if event.kind in _MOVES]
    version = row.version - len(moves) - (row.valid_to is not None)
    steps = [Step(_get_state_after(first), version, row.began)]
    for event in moves:
        version += 1
        steps.append(Step(_get_state_after(event.kind), version, event.happened_at))
    if row.valid_to is not None:
        steps.append(Step("ended", row.version, row.valid_to))
    return steps


def _get_state_after(kind: str) -> str:
    """Return the state that an event began; empty for a kind that begins none."""
    return PLACE_EVENTS[kind][1] or "" if kind in PLACE_EVENTS else ""
