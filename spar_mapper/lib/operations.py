"""The operations link, update, unlink, suspend, resume, lock and unlock.

Every channel's request, and every change that was pending, ends here. Each operation is
one function: it takes a :class:`Case`, writes through the ledger, and returns a result.
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

from .assessment import Assessment, Decision, Proposal, Proposer, Situation
from .case import Case, build_address, is_older, to_naive_utc
from .evidence import is_evidence
from .locks import NOT_OWNER, OWNER_LOCK, is_staff, passes
from .records import ChangeRow, Head, StoredAddress, new_uuid
from .stopping import SUSPENDED, Stop

R = TypeVar("R", bound=ChangeRequest)
Function = Callable[[Case[R]], Result]
#: ``Any``, because each operation takes its own type of request.
_OPERATIONS: dict[Operation, Function[Any]] = {}


def operation(code: Operation) -> Callable[[Function[R]], Function[R]]:
    """Register the decorated function as the implementation of ``code``."""

    def register(function: Function[R]) -> Function[R]:
        _OPERATIONS[code] = function
        return function

    return register


def run(code: Operation, case: Case[ChangeRequest]) -> Result:
    """Run ``code``, but first refuse broken or locked subjects."""
    return refuse_locked(code, case) or _OPERATIONS[code](case)


# === THE OPERATIONS === #


@operation(Operation.LINK)
def link(case: Case[LinkRequest]) -> Result:
    """Link an ID, unless its address for this purpose is already in force."""
    head = case.in_force
    if head is not None:
        return _answer(case, Outcome.ALREADY_LINKED, head)
    address = build_address(case)
    held = _hold(case, Operation.LINK, None, address)
    if held:
        return held
    _make_stale(case)
    head = case.ledger.begin(case.holding, case.request.purpose, address, "linked")
    return _answer(case, Outcome.LINKED, head)


@operation(Operation.UPDATE)
def update(case: Case[LinkRequest]) -> Result:
    """Replace the address in force; a suspended one stays suspended."""
    head = case.in_force
    if head is None:
        return _refuse_not_linked(case)
    refusal = _refuse_unfit(case, head)
    if refusal:
        return refusal
    if _is_same_address(case, head):
        return _answer(case, Outcome.UPDATED, head)
    held = _hold(case, Operation.UPDATE, head)
    if held:
        return held
    _make_stale(case)
    old, new = head.current, build_address(case)
    new.asserted_at = max(new.asserted_at, old.asserted_at)
    new.details = _keep_contact(new.details, old.details)
    kind, contact = _UPDATE_KINDS[head.state], old.details.phone_number
    case.ledger.begin(case.holding, head.purpose, new, kind, contact)
    return _answer(case, Outcome.UPDATED, head)


_UPDATE_KINDS = {"active": "updated", "suspended": "updated_suspended"}


@operation(Operation.UNLINK)
def unlink(case: Case[UnlinkRequest]) -> Result:
    """End the address in force; nothing is deleted."""
    head = case.in_force
    if head is None:
        return _refuse_not_linked(case)
    refusal = _refuse_unfit(case, head)
    if refusal:
        return refusal
    requested = case.request.fa
    if requested is not None and not head.current.is_same(case.key):
        return _answer(case, Outcome.FA_MISMATCH, head)
    held = _hold(case, Operation.UNLINK, head)
    if held:
        return held
    _make_stale(case)
    answer = _answer(case, Outcome.UNLINKED, head)
    case.ledger.end(case.holding, head, "unlinked")
    answer.version = head.version
    return answer


@operation(Operation.SUSPEND)
def suspend(case: Case[ChangeRequest]) -> Result:
    """Suspend an address: a doubt takes effect at once, unless a rule weighs it.

    Somebody with more authority than those who suspended it already suspends it again,
    so that the others cannot resume it.
    """
    return _turn(case, Operation.SUSPEND, Outcome.SUSPENDED, "suspended", "suspended")


@operation(Operation.RESUME)
def resume(case: Case[ChangeRequest]) -> Result:
    """Resume payments to a suspended address."""
    return _turn(case, Operation.RESUME, Outcome.RESUMED, "active", "resumed")


def _turn(
    case: Case[ChangeRequest], code: Operation, outcome: Outcome, state: str, kind: str
) -> Result:
    """Bring the address in force into ``state``, unless it is in it already.

    :param kind: the event by which it gets there
    """
    head = case.in_force
    if head is None:
        return _refuse_not_linked(case)
    refusal = _refuse_unfit(case, head)
    if refusal:
        return refusal
    if head.state == state and not _outweighs(case, code, head):
        return _answer(case, outcome, head)
    held = _hold(case, code, head)
    if held:
        return held
    _make_stale(case)
    case.ledger.move(case.holding, head, kind)
    return _answer(case, outcome, head)


def _outweighs(case: Case[ChangeRequest], code: Operation, head: Head) -> bool:
    """Return whether the caller suspends with more authority than others did."""
    if code is not Operation.SUSPEND or head.stop is None:
        return False
    return case.call.authority > head.stop.authority


# === THE OWNER'S LOCK === #


@operation(Operation.LOCK)
def lock(case: Case[ChangeRequest]) -> Result:
    """Lock changes in the owner's name; what waits stays, and has to pass the lock."""
    head = _find_place(case)
    if head is None:
        return _refuse_not_linked(case)
    if case.call.authority < Authority.OWNER:
        return _refuse(case, NOT_OWNER)
    if not _is_owner_locked(case):
        _set_lock(case, head, "changes_locked", OWNER_LOCK)
    return _answer(case, Outcome.LOCK_SET, head)


@operation(Operation.UNLOCK)
def unlock(case: Case[ChangeRequest]) -> Result:
    """Lift the owner's lock: by the owner's proof, or by two members of staff.

    Where there is no such lock, nothing is done.
    """
    head = _find_place(case)
    if head is None:
        return _refuse_not_linked(case)
    if not _is_owner_locked(case):
        return _answer(case, Outcome.LOCK_LIFTED, head)
    if case.call.authority < Authority.OWNER:
        return _unlock_by_staff(case)
    if case.call.owner_proof is None:
        return _refuse(case, "proof_missing")
    for waiting in list(case.holding.subject.changes.values()):
        if waiting.operation == Operation.UNLOCK:
            _end_stale(case, waiting)
    _set_lock(case, head, "changes_unlocked", "none")
    return _answer(case, Outcome.LOCK_LIFTED, head)


def _unlock_by_staff(case: Case[ChangeRequest]) -> Result:
    """Let a second person decide; lift the lock once they have."""
    head = case.in_force
    if not is_staff(case.call):
        return _refuse(case, NOT_OWNER)
    if head is None:
        return _refuse_not_linked(case)
    held = _hold(case, Operation.UNLOCK, head)
    if held:
        return held
    if not case.is_approved:
        raise ValueError("nobody has approved it")
    _set_lock(case, head, "lock_lifted", "none")
    return _answer(case, Outcome.LOCK_LIFTED, head)


def _find_place(case: Case[ChangeRequest]) -> Head | None:
    """Return the place whose history shows what concerns the person as a whole."""
    heads = case.holding.subject.heads
    if case.request.purpose in heads:
        return heads[case.request.purpose]
    return next((heads[purpose] for purpose in sorted(heads)), None)


def _is_owner_locked(case: Case[ChangeRequest]) -> bool:
    return case.holding.subject.change_lock == OWNER_LOCK


def _set_lock(
    case: Case[ChangeRequest], head: Head, kind: str, change_lock: str
) -> None:
    case.ledger.note(case.holding, head, kind)
    subject = case.holding.subject
    case.ledger.guard(case.holding, change_lock, subject.pay_stop)


# === REFUSALS === #


def refuse_locked(code: Operation, case: Case[ChangeRequest]) -> Result | None:
    """Return the answer if ``code`` is not possible at all, or None."""
    if case.holding.is_broken:
        return Result(Outcome.LOCKED, case.request.id_value, problem="integrity")
    change_lock = case.holding.subject.change_lock
    if not passes(change_lock, code, case.call, case.is_decided, case.is_approved):
        return Result(Outcome.LOCKED, case.request.id_value, problem="change_lock")
    return None


def _refuse(case: Case[ChangeRequest], problem: str) -> Result:
    return Result(Outcome.FORBIDDEN, case.request.id_value, problem=problem)


def refuse_foreign(
    call: CallContext, request: LinkRequest, address: Address
) -> Result | None:
    """Return the refusal of an address outside the caller's own providers, or None.

    This comes before any lookup, so the answer reveals nothing about the ID.
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


def _refuse_unfit(case: Case[ChangeRequest], head: Head) -> Result | None:
    """Refuse a version other than the caller saw, or an older claim."""
    expected = case.request.expected_version
    if expected is not None and expected != head.version:
        return _answer(case, Outcome.CONFLICT, head, "version")
    asserted = case.request.asserted_at
    if asserted is not None and is_older(asserted, head.current.asserted_at):
        return _answer(case, Outcome.CONFLICT, head, "older_than_current")
    return None


def _answer(
    case: Case[ChangeRequest], outcome: Outcome, head: Head, problem: str = ""
) -> Result:
    requested, address = case.request.fa, head.current
    return Result(
        outcome,
        case.request.id_value,
        fa=requested,
        same_fa=address.is_same(case.key) if requested else None,
        is_origin=address.origin == case.call.actor,
        version=head.version,
        problem=problem,
    )


# === HOLDING === #


def _hold(
    case: Case[ChangeRequest],
    code: Operation,
    head: Head | None,
    first: StoredAddress | None = None,
) -> Result | None:
    """Assess the change; return None if it may be applied now, else the answer.

    :param head: the place whose address is in force; None for a link
    :param first: the address of a link
    """
    if case.is_decided:
        return None
    proposal = Proposal(code, _get_proposer(case.call), _get_situation(case, head))
    assessment = case.assess(proposal)
    if assessment.decision is Decision.APPLY:
        return None
    if assessment.decision is Decision.REFUSE:
        return _refuse(case, assessment.why or "rule")
    return _wait(case, code, head, first, assessment)


def _get_proposer(call: CallContext) -> Proposer:
    return Proposer(
        call.channel,
        call.authority,
        is_evidence(call.message_reference),
        call.review_reason,
        _get_other_channel(call),
    )


def _get_situation(case: Case[ChangeRequest], head: Head | None) -> Situation:
    current = head.current if head else None
    stop = _get_stop(case, head)
    return Situation(
        current.authority if current else None,
        current is not None and _is_foreign(case.call, current.provider_id),
        _is_owner_locked(case),
        case.is_provisional,
        stop.get_needed_authority(case.call) if stop else None,
        stop is not None and stop.is_by_two,
    )


def _get_stop(case: Case[ChangeRequest], head: Head | None) -> Stop | None:
    """Return who has suspended what is paid now for the purpose of the request.

    Without a place of its own, a purpose is paid to the address for any purpose: a link
    would let payments go on.
    """
    place = head or case.holding.in_force("")
    return place.stop if place is not None and place.state == SUSPENDED else None


def _get_other_channel(call: CallContext) -> str:
    """Return whose rules count beside those of the call's channel, "" for nobody's.

    That an officer elsewhere helped a person is only the portal's word.

    >>> actors = "participant:portal.example", "user:7"
    >>> calls = [CallContext(each, "agent", Authority.OWNER) for each in actors]
    >>> [_get_other_channel(call) for call in calls]
    ['portal', '']
    """
    is_claimed = call.channel == "agent" and call.actor.startswith("participant:")
    return "portal" if is_claimed else ""


def _wait(
    case: Case[ChangeRequest],
    code: Operation,
    head: Head | None,
    first: StoredAddress | None,
    assessment: Assessment,
) -> Result:
    """Keep the change; an identical repeated request does not add a second one."""
    answer = Result(Outcome.HELD, case.request.id_value, case.request.fa)
    waiting = case.holding.subject.changes.get(case.request.purpose)
    if waiting is not None:
        if waiting.operation == code and waiting.key == case.key:
            answer.reference = waiting.uuid
            return answer
        problem = "change_waiting"
        return Result(Outcome.CONFLICT, case.request.id_value, problem=problem)
    place = head or case.ledger.get_place(case.holding, case.request.purpose)
    # The event names it.
    change = _build_change(case, code, place, assessment)
    case.ledger.wait(case.holding, change)
    answer.reference = change.uuid
    if head is not None:
        case.ledger.note(case.holding, head, "held")
    elif first is not None:
        case.ledger.begin(case.holding, case.request.purpose, first, "proposed")
    else:
        raise ValueError("there is nothing to wait for")
    return answer


def _build_change(
    case: Case[ChangeRequest], code: Operation, head: Head, assessment: Assessment
) -> ChangeRow:
    request = case.request
    now, on_hold = case.ledger.now, assessment.decision is Decision.HOLD
    return ChangeRow(
        uuid=new_uuid(),
        operation=code.value,
        head=head,
        base_version=head.version,
        fa=request.fa or "",
        key=case.key,
        details=request.details if isinstance(request, LinkRequest) else NO_DETAILS,
        asserted_at=to_naive_utc(request.asserted_at) if request.asserted_at else None,
        needs_approval=not on_hold,
        effective_at=now + timedelta(hours=assessment.hold_hours) if on_hold else None,
        why=assessment.why,
    )


def _make_stale(case: Case[ChangeRequest]) -> None:
    """Mark the pending change as stale: it was based on another state."""
    waiting = case.holding.subject.changes.get(case.request.purpose)
    if waiting is not None:
        _end_stale(case, waiting)


def _end_stale(case: Case[ChangeRequest], waiting: ChangeRow) -> None:
    case.ledger.note(case.holding, waiting.head, "change_stale")
    case.ledger.end_change(case.holding, waiting, "stale")


# === EQUALITY === #


def _is_same_address(case: Case[LinkRequest], head: Head) -> bool:
    details, address = case.request.details, head.current
    return address.is_same(case.key) and (
        not details or _keep_contact(details, address.details) == address.details
    )


def _keep_contact(new: Details, old: Details) -> Details:
    """Return ``new`` with the contact details that it omits taken from ``old``."""
    return Details(
        new.name or old.name,
        new.phone_number or old.phone_number,
        new.additional_info,
    )
