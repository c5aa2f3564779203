"""What link, update, unlink, suspend and resume do: one function each.

Every channel's request, and every change that waited, ends here. A function looks at
one :class:`Case`, writes through the ledger, and gives the result.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

from odoo.addons.spar_fa_directory.lib.fa_reader import Address
from odoo.addons.spar_mapper_connector.lib.contract import (
    NO_DETAILS,
    Authority,
    CallContext,
    ChangeRequest,
    Details,
    LinkRequest,
    Operation,
    Outcome,
    Result,
    UnlinkRequest,
)
from odoo.addons.spar_mapper_connector.lib.identifier import fold

from .assessment import Decision, Proposal, Verdict
from .case import Case, build_row, to_naive_utc
from .records import ChangeRow, MappingRow, new_uuid

#: How long a change waits for a second person before it expires.
APPROVAL_TIME = timedelta(days=30)


R = TypeVar("R", bound=ChangeRequest)
Function = Callable[[Case[R]], Result]
#: Only here is it open which kind of request a function takes: its code's.
_OPERATIONS: dict[Operation, Function[Any]] = {}


def operation(code: Operation) -> Callable[[Function[R]], Function[R]]:
    """Register the decorated function as what ``code`` does."""

    def register(function: Function[R]) -> Function[R]:
        _OPERATIONS[code] = function
        return function

    return register


def run(code: Operation, case: Case[ChangeRequest]) -> Result:
    """Do ``code``; refuse first what is broken or locked."""
    return refuse_locked(case) or _OPERATIONS[code](case)


# === THE OPERATIONS === #


@operation(Operation.LINK)
def link(case: Case[LinkRequest]) -> Result:
    """An ID that has an address keeps it; any other gets its first."""
    row = case.in_force
    if row is not None:
        return _answer(case, Outcome.ALREADY_LINKED, row)
    new = build_row(case, version=1)
    held = _hold(case, Operation.LINK, new)
    if held:
        return held
    _withdraw_proposed(case)
    case.ledger.open_period(case.holding, new, "linked")
    return _answer(case, Outcome.LINKED, new)


@operation(Operation.UPDATE)
def update(case: Case[LinkRequest]) -> Result:
    """The period in force ends and the next begins; a suspended one stays suspended."""
    row = case.in_force
    if row is None:
        return _refuse_not_linked(case)
    refusal = _refuse_unfit(case, row)
    if refusal:
        return refusal
    if _is_same_address(case, row):
        return _answer(case, Outcome.UPDATED, row)
    held = _hold(case, Operation.UPDATE, row)
    if held:
        return held
    _make_stale(case)
    contact, kind = row.details.phone_number, _UPDATE_KINDS[row.state]
    new = build_row(case, version=row.version + 1)
    new.details = _keep_contact(new.details, row.details)
    before = case.ledger.close_period(case.holding, row, "replaced")
    case.ledger.open_period(case.holding, new, kind, before, contact)
    return _answer(case, Outcome.UPDATED, new)


_UPDATE_KINDS = {"active": "updated", "suspended": "updated_suspended"}


@operation(Operation.UNLINK)
def unlink(case: Case[UnlinkRequest]) -> Result:
    """The period in force ends; nothing is deleted."""
    row = case.in_force
    if row is None:
        return _refuse_not_linked(case)
    refusal = _refuse_unfit(case, row)
    if refusal:
        return refusal
    if case.request.fa is not None and fold(case.request.fa) != fold(row.fa):
        return _answer(case, Outcome.FA_MISMATCH, row)
    held = _hold(case, Operation.UNLINK, row)
    if held:
        return held
    _make_stale(case)
    case.ledger.close_period(case.holding, row, "unlinked")
    return _answer(case, Outcome.UNLINKED, row)


@operation(Operation.SUSPEND)
def suspend(case: Case[ChangeRequest]) -> Result:
    """Stopping is never held up: a doubt must take effect at once."""
    row = case.in_force
    if row is None:
        return _refuse_not_linked(case)
    refusal = _refuse_unfit(case, row)
    if refusal:
        return refusal
    if row.state != "suspended":
        _make_stale(case)
        case.ledger.move(case.holding, row, "suspended")
    return _answer(case, Outcome.SUSPENDED, row)


@operation(Operation.RESUME)
def resume(case: Case[ChangeRequest]) -> Result:
    """A suspended address is paid to again."""
    row = case.in_force
    if row is None:
        return _refuse_not_linked(case)
    refusal = _refuse_unfit(case, row)
    if refusal:
        return refusal
    if row.state == "active":
        return _answer(case, Outcome.RESUMED, row)
    held = _hold(case, Operation.RESUME, row)
    if held:
        return held
    _make_stale(case)
    case.ledger.move(case.holding, row, "resumed")
    return _answer(case, Outcome.RESUMED, row)


# === REFUSALS === #

_MAY_PASS_LOCK = {"none": 0, "staff": Authority.STAFF, "owner": Authority.OWNER}
# Nobody passes the lock of an objection: closing its case lifts it.
_MAY_PASS_LOCK["objection"] = Authority.OWNER + 1


def refuse_locked(case: Case[ChangeRequest]) -> Result | None:
    """The answer where nothing may be done at all, or None."""
    if case.holding.is_broken:
        return Result(Outcome.LOCKED, case.request.id_value, problem="integrity")
    if case.call.authority < _MAY_PASS_LOCK[case.holding.change_lock]:
        return Result(Outcome.LOCKED, case.request.id_value, problem="change_lock")
    return None


def refuse_foreign(
    call: CallContext, request: LinkRequest, address: Address
) -> Result | None:
    """The answer where the address is with none of the caller's own providers, or None.

    Before anything is looked up: it tells nothing of the ID.
    """
    if _is_foreign(call, address.provider_id):
        return Result(
            Outcome.FORBIDDEN, request.id_value, request.fa, problem="foreign_provider"
        )
    return None


def _is_foreign(call: CallContext, provider_id: int | None) -> bool:
    return call.provider_ids is not None and provider_id not in call.provider_ids


def _refuse_not_linked(case: Case[ChangeRequest]) -> Result:
    return Result(Outcome.NOT_LINKED, case.request.id_value)


def _refuse_unfit(case: Case[ChangeRequest], row: MappingRow) -> Result | None:
    """Another version than the caller saw, or an older claim."""
    expected = case.request.expected_version
    if expected is not None and expected != row.version:
        return _answer(case, Outcome.CONFLICT, row, "version")
    asserted = case.request.asserted_at
    if asserted is not None and to_naive_utc(asserted) < row.asserted_at:
        return _answer(case, Outcome.CONFLICT, row, "older_than_current")
    return None


def _answer(
    case: Case[ChangeRequest], outcome: Outcome, row: MappingRow, problem: str = ""
) -> Result:
    asked = case.request.fa
    return Result(
        outcome,
        case.request.id_value,
        fa=asked,
        same_fa=fold(asked) == fold(row.fa) if asked else None,
        is_origin=row.origin == case.call.actor,
        version=row.version,
        problem=problem,
    )


# === HOLDING === #


def _hold(case: Case[ChangeRequest], code: Operation, row: MappingRow) -> Result | None:
    """Assess the change; None when it may be applied now, else the answer.

    ``row`` is the address in force; of a first link the one that it would begin.
    """
    if case.is_decided:
        return None
    is_first = row.state == "new"
    verdict = case.assess(
        Proposal(
            code.value,
            case.call.channel,
            case.call.authority,
            None if is_first else row.authority,
            case.request.purpose,
            is_foreign=not is_first and _is_foreign(case.call, row.provider_id),
        )
    )
    if verdict.decision is Decision.APPLY:
        return None
    if verdict.decision is Decision.REFUSE:
        problem = verdict.why or "rule"
        return Result(Outcome.FORBIDDEN, case.request.id_value, problem=problem)
    return _wait(case, code, row, verdict)


def _wait(
    case: Case[ChangeRequest], code: Operation, row: MappingRow, verdict: Verdict
) -> Result:
    """Keep the change; the same one asked for again waits only once."""
    answer = Result(Outcome.HELD, case.request.id_value, case.request.fa)
    waiting = case.holding.changes.get(case.request.purpose)
    if waiting is not None:
        same = waiting.operation == code and fold(waiting.fa) == fold(answer.fa or "")
        if same:
            return answer
        problem = "change_waiting"
        return Result(Outcome.CONFLICT, case.request.id_value, problem=problem)
    case.ledger.wait(case.holding, _build_change(case, code, row, verdict))
    return answer


def _build_change(
    case: Case[ChangeRequest], code: Operation, row: MappingRow, verdict: Verdict
) -> ChangeRow:
    request = case.request
    if row.state == "new":
        row.version = 0
        case.ledger.open_period(case.holding, row, "proposed")
    else:
        case.ledger.note(case.holding, row, "held")
    now, on_hold = case.ledger.now, verdict.decision is Decision.HOLD
    return ChangeRow(
        uuid=new_uuid(),
        operation=code.value,
        mapping=row,
        base_version=row.version,
        fa=request.fa or "",
        details=request.details if isinstance(request, LinkRequest) else NO_DETAILS,
        asserted_at=request.asserted_at,
        needs_approval=not on_hold,
        effective_at=now + timedelta(hours=verdict.hold_hours) if on_hold else None,
        why=verdict.why,
    )


def _make_stale(case: Case[ChangeRequest]) -> None:
    """A change that waits for another state of things can no longer be applied."""
    waiting = case.holding.changes.get(case.request.purpose)
    if waiting is not None:
        case.ledger.note(case.holding, waiting.mapping, "change_stale")
        case.ledger.end_change(case.holding, waiting, "stale")


def _withdraw_proposed(case: Case[LinkRequest]) -> None:
    _make_stale(case)
    proposed = case.holding.mappings.get(case.request.purpose)
    if proposed is not None:
        case.ledger.close_period(case.holding, proposed, "withdrawn")


# === WHAT IS THE SAME === #


def _is_same_address(case: Case[LinkRequest], row: MappingRow) -> bool:
    details = case.request.details
    return fold(case.request.fa) == fold(row.fa) and (
        not details or _keep_contact(details, row.details) == row.details
    )


def _keep_contact(new: Details, old: Details) -> Details:
    """What a change does not mention stays known."""
    return Details(
        new.name or old.name,
        new.phone_number or old.phone_number,
        new.additional_info,
    )
