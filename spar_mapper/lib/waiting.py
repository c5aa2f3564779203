"""What becomes of pending changes: applied or dropped.

``assessment.py`` decides what makes a change wait; ``operations.py`` asks it.
"""

from __future__ import annotations

from odoo.addons.spar_mapper_connector.lib.contract import (
    ChangeRequest,
    Operation,
    Outcome,
    Result,
)

from .case import Case
from .ledger import Ledger
from .operations import refuse_locked, run
from .records import ChangeRow, Holding

#: The lock of a subject while an objection is open: no authority overrides it.
OBJECTION_LOCK = "objection"


def is_frozen(holding: Holding) -> bool:
    """Whether a change that waits neither happens nor is called off for now.

    Whether it was asked for by the person is what an open objection is about.
    """
    return holding.subject.change_lock == OBJECTION_LOCK


def is_stale(change: ChangeRow) -> bool:
    """Whether things are no longer as they were when the change was proposed."""
    return change.head.version != change.base_version


def apply_change(case: Case[ChangeRequest], change: ChangeRow) -> Result:
    """Do what waited, on its proposer's word; ``case`` carries the proposer's call.

    The address in force stays where it is when the change turns out to be stale, or its
    proposer has meanwhile been locked out; a change whose ID does not open waits on.
    """
    if is_stale(change):
        case.ledger.note(case.holding, change.head, "change_stale")
        case.ledger.end_change(case.holding, change, "stale")
        return Result(Outcome.CONFLICT, case.request.id_value, problem="version")
    locked = refuse_locked(case)
    if locked:
        if not case.holding.is_broken:
            drop_change(case.ledger, case.holding, change, "refused")
        return locked
    case.ledger.end_change(case.holding, change, "applied")
    case.is_decided = True
    return run(Operation(change.operation), case)


_END_EVENTS = {
    "cancelled": "change_cancelled",
    "refused": "change_refused",
    "expired": "change_expired",
}


def drop_change(ledger: Ledger, holding: Holding, change: ChangeRow, end: str) -> None:
    """End a waiting change without doing it; a proposed first address goes with it."""
    if change.head.state == "proposed":
        ledger.end(holding, change.head, "withdrawn")
    else:
        ledger.note(holding, change.head, _END_EVENTS[end])
    ledger.end_change(holding, change, end)
