"""The end of pending changes: applied or dropped.

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
    """Return whether a pending change may be neither applied nor cancelled for now.

    An open objection is about exactly this: whether the person requested the change.
    """
    return holding.subject.change_lock == OBJECTION_LOCK


def is_stale(change: ChangeRow) -> bool:
    """Return whether the place has changed since the change was proposed."""
    return change.head.version != change.base_version


def apply_change(case: Case[ChangeRequest], change: ChangeRow) -> Result:
    """Apply a pending change with its proposer's authority and call, from ``case``.

    The address in force stays where it is if the change turns out to be stale, or if
    its proposer has meanwhile been locked out; a change whose ID does not open stays
    pending.
    """
    if is_stale(change):
        case.ledger.note(case.holding, change.head, "change_stale")
        case.ledger.end_change(case.holding, change, "stale")
        return Result(Outcome.CONFLICT, case.request.id_value, problem="version")
    case.is_decided, case.is_approved = True, change.needs_approval
    code = Operation(change.operation)
    locked = refuse_locked(code, case)
    if locked:
        if not case.holding.is_broken:
            drop_change(case.ledger, case.holding, change, "refused")
        return locked
    case.ledger.end_change(case.holding, change, "applied")
    return run(code, case)


_END_EVENTS = {
    "cancelled": "change_cancelled",
    "refused": "change_refused",
    "expired": "change_expired",
}


def drop_change(ledger: Ledger, holding: Holding, change: ChangeRow, end: str) -> None:
    """End a pending change unapplied, along with a proposed first address."""
    if change.head.state == "proposed":
        ledger.end(holding, change.head, "withdrawn")
    else:
        ledger.note(holding, change.head, _END_EVENTS[end])
    ledger.end_change(holding, change, end)
