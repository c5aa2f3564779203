"""The consequences of "this was not me": the one table from events to remedies.

Whatever the event, further changes are locked and a case is opened; events differ in
what can be undone at once. Payments stop only if no undisputed address is left.

Only a caller that has proved to be the person can undo anything. One that merely holds
the link of a notice can freeze: a thief who linked first is the one who was notified of
the owner's change.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from odoo.addons.spar_mapper_connector.lib.contract import (
    Authority,
    CallContext,
    Remedy,
)

from .ledger import Ledger
from .records import Head, Holding, PeriodRow, StoredAddress, new_uuid
from .transitions import NOTIFIED_REPRESENTATIVE_EVENTS
from .waiting import OBJECTION_LOCK, drop_change

LOCK = OBJECTION_LOCK
#: The authority behind an act, by how the actor was authenticated.
_PROVED = {"login": Authority.OWNER, "document": Authority.STAFF}


def proves_person(call: CallContext) -> bool:
    """Return whether the objector has proved their identity: else nothing is undone.

    A participant has proved its own identity, never that of a person.

    >>> from dataclasses import replace
    >>> call = CallContext("person:1", "portal", Authority.OWNER, "login")
    >>> proves_person(call), proves_person(replace(call, authenticated_by="bearer"))
    (True, False)
    """
    return call.authenticated_by in _PROVED


def get_authority(authenticated_by: str | None) -> int:
    """Return the authority behind a way to authenticate; 0 if it implies none.

    >>> get_authority("login"), get_authority("bearer")
    (40, 0)
    """
    return int(_PROVED.get(authenticated_by or "", 0))


@dataclass(slots=True)
class PastAddress:
    """An address and its time in its place; ``valid_to`` is None while it is there.

    ``period`` is the period that began with it; ``was_suspended`` states that nothing
    was paid to it when it ended.
    """

    address: StoredAddress
    valid_from: datetime
    valid_to: datetime | None
    period: PeriodRow
    was_suspended: bool = False


@dataclass(slots=True)
class Dispute:
    """An event to which its owner objects, and the relevant data of the subject.

    ``past`` is the address that the event is about, ``kind`` what happened to it.
    ``addresses`` are all addresses of the place that were ever in force, and ``past``,
    newest first; ``disowned`` are the uuids of those that were disputed before. Nothing
    that ended before ``oldest`` is restored. ``actor_authority`` is the authority of
    the actor, as far as the event reveals it. ``was_stopped`` states whether payments
    were already stopped before this objection, ``is_known`` whether it already has a
    case. The rest is filled by :func:`settle` and :func:`freeze`: ``disputed`` is the
    address that the objection is about, ``stop`` is what is not paid: ``all``, ``one``
    or nothing.
    """

    holding: Holding
    ledger: Ledger
    head: Head
    past: PastAddress
    kind: str
    addresses: list[PastAddress]
    disowned: set[str]
    oldest: datetime
    actor_authority: int = 0
    was_stopped: bool = False
    is_known: bool = False
    disputed: PastAddress | None = None
    is_disowned: bool = False
    stop: str = ""

    @property
    def in_force(self) -> Head | None:
        return self.holding.in_force(self.head.purpose)

    def is_in_force(self, past: PastAddress) -> bool:
        """Return whether ``past`` is the address in force in its place."""
        head = self.in_force
        return head is not None and head.address_uuid == past.address.uuid

    def find_successor(self) -> PastAddress | None:
        """Return the address that began when ``past`` ended."""
        ended, place = self.past.valid_to, self.addresses.index(self.past)
        newer = self.addresses[:place] if ended else []
        return next((p for p in reversed(newer) if p.valid_from == ended), None)

    def find_previous(self, past: PastAddress) -> PastAddress | None:
        """Return the newest undisputed address before ``past``.

        It must not be too old, and must rest on an authority that is no lower than that
        of ``past``.
        """
        weight = past.address.authority
        refused = {
            p.address.identity or p.address.key
            for p in self.addresses
            if p.address.uuid in self.disowned
        }
        refused.add(past.address.identity or past.address.key)
        for older in self.addresses[self.addresses.index(past) + 1 :]:
            if older.valid_to and not any(map(older.address.is_same, refused)):
                is_fit = older.valid_to >= self.oldest
                return older if is_fit and older.address.authority >= weight else None
        return None


def settle(dispute: Dispute) -> Remedy:
    """Apply the immediate remedy for the objection; lock further changes.

    Raises KeyError for a kind of event that cannot be objected to.
    """
    remedy_for = _REMEDIES[dispute.kind]
    dispute.disputed = dispute.past
    _record_objection(dispute)
    remedy = remedy_for(dispute)
    _lock(dispute)
    return remedy


def freeze(dispute: Dispute, stops_payments: bool) -> Remedy:
    """Lock further changes; pending changes stay pending, and nothing is undone.

    Raises KeyError for a kind of event that cannot be objected to.
    """
    dispute.disputed = dispute.past
    if _REMEDIES[dispute.kind] in (_cancel, _undo_replaced):
        dispute.disputed = dispute.find_successor() or dispute.past
    _record_objection(dispute)
    dispute.stop = "all" if stops_payments else ""
    _lock(dispute)
    return Remedy.FROZEN


def _record_objection(dispute: Dispute) -> None:
    kind = "objection_confirmed" if dispute.is_known else "objected"
    period = dispute.past.period
    dispute.ledger.note(dispute.holding, dispute.head, kind, period=period)


def _lock(dispute: Dispute) -> None:
    pay_stop = dispute.was_stopped or dispute.stop == "all"
    dispute.ledger.guard(dispute.holding, LOCK, pay_stop)


# === REMEDIES === #


def _cancel(dispute: Dispute) -> Remedy:
    """Cancel a change that is still pending; undo one that was applied."""
    change = dispute.holding.subject.changes.get(dispute.head.purpose)
    if change is not None and dispute.head.address_uuid == dispute.past.address.uuid:
        drop_change(dispute.ledger, dispute.holding, change, "cancelled")
        return Remedy.CANCELLED
    if dispute.past.valid_to and dispute.find_successor():
        return _undo_replaced(dispute)
    if dispute.past.valid_to and dispute.kind == "held":
        return _undo_unlinked(dispute)
    return Remedy.NOTED


def _undo_replaced(dispute: Dispute) -> Remedy:
    """Undo a replacement: the event concerns the old address, the objection the new."""
    successor = dispute.find_successor()
    return _undo_opened(dispute, successor) if successor else Remedy.NOTED


def _undo_opened(dispute: Dispute, past: PastAddress | None = None) -> Remedy:
    """Replace the disputed address, if it is in force, with the previous one."""
    past = past or dispute.past
    dispute.disputed, dispute.is_disowned = past, True
    head = dispute.in_force
    if head is None or not dispute.is_in_force(past):
        return Remedy.NOTED
    _cancel_waiting(dispute)
    previous = dispute.find_previous(past)
    if previous is None:
        return _stop(dispute, head)
    _restore(dispute.ledger, dispute.holding, head, previous.address)
    return Remedy.RESTORED


def _undo_unlinked(dispute: Dispute) -> Remedy:
    """Restore the removed address.

    It is not restored if another address is in force meanwhile, if it was removed with
    a higher authority than the one it rests on, or if it was suspended: it would be
    paid to again.
    """
    past = dispute.past
    if dispute.in_force or past.valid_to is None or past.valid_to < dispute.oldest:
        return Remedy.NOTED
    if past.address.authority < dispute.actor_authority or past.was_suspended:
        return Remedy.NOTED
    _cancel_waiting(dispute)
    _restore(dispute.ledger, dispute.holding, dispute.head, past.address)
    return Remedy.RESTORED


def _undo_nothing(dispute: Dispute) -> Remedy:
    return Remedy.NOTED


#: The event with which an old address is restored, by the state of its place; otherwise
#: the first.
_RESTORED_KINDS = {"active": "restored", "suspended": "restored_suspended"}
_REMEDIES: dict[str, Callable[[Dispute], Remedy]] = {
    "held": _cancel,
    "proposed": _cancel,
    "linked": _undo_opened,
    "updated": _undo_opened,
    "updated_suspended": _undo_opened,
    "moved": _undo_opened,
    "moved_suspended": _undo_opened,
    "restored": _undo_opened,
    "restored_suspended": _undo_opened,
    "replaced": _undo_replaced,
    "unlinked": _undo_unlinked,
    "suspended": _undo_nothing,
    "resumed": _undo_nothing,
    "revealed": _undo_nothing,
    "changes_locked": _undo_nothing,
    "changes_unlocked": _undo_nothing,
    "lock_lifted": _undo_nothing,
}
#: Kinds of events to which an owner can object. A view changes nothing that could be
#: undone or locked; older cases about views are still closed by the table.
DISPUTABLE = frozenset(_REMEDIES) - {"revealed"}
#: Kinds of events whose notices have a link. Those that concern no address lead to a
#: complaint.
REPORTABLE = DISPUTABLE.union(NOTIFIED_REPRESENTATIVE_EVENTS)


def _cancel_waiting(dispute: Dispute) -> None:
    _cancel_change(dispute.ledger, dispute.holding, dispute.head)


def _cancel_change(ledger: Ledger, holding: Holding, head: Head) -> None:
    change = holding.subject.changes.get(head.purpose)
    if change is not None:
        drop_change(ledger, holding, change, "cancelled")


def _restore(ledger: Ledger, holding: Holding, head: Head, past: StoredAddress) -> None:
    """Put an old address back into its place, with the authority it rested on."""
    now = ledger.now
    address = replace(
        past,
        uuid=new_uuid(),
        valid_from=now,
        asserted_at=now.replace(microsecond=0),
        sealed=b"",
    )
    kind = _RESTORED_KINDS.get(head.state, "restored")
    contact = address.details.phone_number
    ledger.begin(holding, head.purpose, address, kind, contact)


def _stop(dispute: Dispute, head: Head) -> Remedy:
    """Stop payments to a disputed address; other purposes are still paid."""
    others = [
        other
        for other in dispute.holding.subject.heads.values()
        if other is not head
        and other.state == "active"
        and other.address_uuid not in dispute.disowned
    ]
    if not others:
        dispute.stop = "all"
    elif head.state == "active":
        dispute.stop = "one"
        dispute.ledger.move(dispute.holding, head, "suspended")
    return Remedy.STOPPED


# === CLOSING A CASE === #


@dataclass(frozen=True, slots=True)
class Closing:
    """A supervisor's decision: whether it was somebody else, and what to lift.

    ``kind`` is the outcome of the disputed event, ``event_address`` the uuid of the
    address that the event concerned. ``head`` and ``period`` are the disputed place and
    the time at which it was given the address; ``address_uuid`` is that address,
    ``stop`` what the objection stopped, ``is_disowned`` whether the address itself was
    disputed. ``replaced`` is the disputed address if the objection restored one that is
    still in the place. The subject goes back to ``change_lock`` and ``pay_stop``.
    """

    is_upheld: bool
    remedy: Remedy
    stop: str
    kind: str
    event_address: str
    head: Head
    period: PeriodRow
    address_uuid: str
    is_disowned: bool
    replaced: StoredAddress | None
    change_lock: str
    pay_stop: bool

    @property
    def disowns(self) -> bool:
        """Return whether upholding the case means the address is not the owner's."""
        remedy_for = _REMEDIES[self.kind]
        concerns_old_address = remedy_for in (_cancel, _undo_replaced)
        is_other = self.address_uuid != self.event_address
        return remedy_for is _undo_opened or (concerns_old_address and is_other)


def close(holding: Holding, ledger: Ledger, closing: Closing) -> None:
    """Close a case.

    Upheld: a disputed address that was only stopped, or that was left unchanged, ends
    for good, and so does a pending change if that is what is disputed. A restored
    address stays. Rejected: the disputed address counts again, and an unlinked address
    is unlinked again.
    """
    head = closing.head
    kind = "objection_upheld" if closing.is_upheld else "objection_rejected"
    ledger.note(holding, head, kind, period=closing.period)
    is_in_force = holding.in_force(head.purpose) is head
    is_there = is_in_force and head.address_uuid == closing.address_uuid
    if closing.is_upheld:
        _uphold(holding, ledger, closing, is_there)
    elif is_there and closing.stop == "one" and head.state == "suspended":
        ledger.move(holding, head, "resumed")
    elif is_in_force and closing.replaced is not None:
        _revert_remedy(holding, ledger, closing, closing.replaced)
    ledger.guard(holding, closing.change_lock, closing.pay_stop)


def _uphold(holding: Holding, ledger: Ledger, closing: Closing, is_there: bool) -> None:
    """End what is disputed and was not undone: the owner may choose again."""
    if closing.remedy is Remedy.FROZEN:
        concerns_request = closing.address_uuid == closing.event_address
        if _REMEDIES[closing.kind] is _cancel and concerns_request:
            _cancel_change(ledger, holding, closing.head)
            return
        if not closing.disowns:
            return
    elif closing.remedy is not Remedy.STOPPED:
        return
    if is_there:
        _cancel_change(ledger, holding, closing.head)
        ledger.end(holding, closing.head, "reversed")


def _revert_remedy(
    holding: Holding, ledger: Ledger, closing: Closing, replaced: StoredAddress
) -> None:
    """Revert what the objection had undone: the disputed event was legitimate."""
    _cancel_change(ledger, holding, closing.head)
    if closing.is_disowned:
        _restore(ledger, holding, closing.head, replaced)
    else:
        ledger.end(holding, closing.head, "unlinked")
