"""What becomes of "this was not me": the one table from events to remedies.

Whatever the event, further changes are locked and a case is opened; what differs is
what can be undone at once. Payments stop only where no undisputed address is left.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from odoo.addons.spar_mapper_connector.lib.contract import Remedy

from .ledger import Ledger
from .records import Head, Holding, PeriodRow, StoredAddress, new_uuid
from .waiting import drop_change

LOCK = "objection"


@dataclass(slots=True)
class PastAddress:
    """An address and how long it was in its place; ``valid_to`` is None while it is.

    ``period`` is the period that began with it.
    """

    address: StoredAddress
    valid_from: datetime
    valid_to: datetime | None
    period: PeriodRow


@dataclass(slots=True)
class Dispute:
    """An event that its owner objects to, and what of the subject bears on it.

    ``past`` is the address that the event is about, ``kind`` what happened to it.
    ``addresses`` are all of the place that were ever in force, and ``past``, newest
    first; ``disowned`` the uuids of those that were disputed before. Nothing that ended
    before ``oldest`` is brought back. The rest is filled by :func:`settle`:
    ``disputed`` is the address that the objection is about, ``stop`` what is not paid:
    ``all``, ``one`` or nothing.
    """

    holding: Holding
    ledger: Ledger
    head: Head
    past: PastAddress
    kind: str
    addresses: list[PastAddress]
    disowned: set[str]
    oldest: datetime
    disputed: PastAddress | None = None
    is_disowned: bool = False
    stop: str = ""

    @property
    def in_force(self) -> Head | None:
        return self.holding.in_force(self.head.purpose)

    def is_in_force(self, past: PastAddress) -> bool:
        """Whether ``past`` is what the place holds, and counts."""
        head = self.in_force
        return head is not None and head.address_uuid == past.address.uuid

    def find_successor(self) -> PastAddress | None:
        """The address that began when ``past`` ended."""
        ended, place = self.past.valid_to, self.addresses.index(self.past)
        newer = self.addresses[:place] if ended else []
        return next((p for p in reversed(newer) if p.valid_from == ended), None)

    def find_previous(self, past: PastAddress) -> PastAddress | None:
        """The newest address before ``past`` that nobody disputes and is not too
        old."""
        refused = {
            p.address.identity or p.address.key
            for p in self.addresses
            if p.address.uuid in self.disowned
        }
        refused.add(past.address.identity or past.address.key)
        for older in self.addresses[self.addresses.index(past) + 1 :]:
            if older.valid_to and not any(map(older.address.is_same, refused)):
                return older if older.valid_to >= self.oldest else None
        return None


def settle(dispute: Dispute) -> Remedy:
    """Do what the objection calls for at once; lock further changes.

    Raises KeyError for a kind of event that cannot be objected to.
    """
    remedy_for = _REMEDIES[dispute.kind]
    dispute.disputed = dispute.past
    holding = dispute.holding
    period = dispute.past.period
    dispute.ledger.note(holding, dispute.head, "objected", period=period)
    remedy = remedy_for(dispute)
    pay_stop = holding.subject.pay_stop or dispute.stop == "all"
    dispute.ledger.guard(holding, LOCK, pay_stop)
    return remedy


# === REMEDIES === #


def _cancel(dispute: Dispute) -> Remedy:
    """A change that still waits will not happen; one that happened is undone."""
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
    """The event told of the old address's end; the objection is to the new one."""
    successor = dispute.find_successor()
    return _undo_opened(dispute, successor) if successor else Remedy.NOTED


def _undo_opened(dispute: Dispute, past: PastAddress | None = None) -> Remedy:
    """The address before takes the place of the disputed one, where it is in force."""
    past = past or dispute.past
    dispute.disputed, dispute.is_disowned = past, True
    head = dispute.in_force
    if head is None or not dispute.is_in_force(past):
        return Remedy.NOTED
    _cancel_waiting(dispute)
    previous = dispute.find_previous(past)
    if previous is None:
        return _stop(dispute, head)
    _bring_back(dispute, previous, _RESTORED_KINDS[head.state])
    return Remedy.RESTORED


def _undo_unlinked(dispute: Dispute) -> Remedy:
    """The removed address counts again, unless another one does meanwhile."""
    past = dispute.past
    if dispute.in_force or past.valid_to is None or past.valid_to < dispute.oldest:
        return Remedy.NOTED
    _cancel_waiting(dispute)
    _bring_back(dispute, past, "restored")
    return Remedy.RESTORED


def _note(dispute: Dispute) -> Remedy:
    return Remedy.NOTED


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
    "suspended": _note,
    "resumed": _note,
    "revealed": _note,
}
#: Kinds of events that an owner can object to.
DISPUTABLE = frozenset(_REMEDIES)


def _cancel_waiting(dispute: Dispute) -> None:
    change = dispute.holding.subject.changes.get(dispute.head.purpose)
    if change is not None:
        drop_change(dispute.ledger, dispute.holding, change, "cancelled")


def _bring_back(dispute: Dispute, past: PastAddress, kind: str) -> None:
    """Put an old address into its place again, on the word that it rested on."""
    now = dispute.ledger.now
    address = replace(
        past.address,
        uuid=new_uuid(),
        valid_from=now,
        asserted_at=now.replace(microsecond=0),
        sealed=b"",
    )
    contact = address.details.phone_number
    dispute.ledger.begin(dispute.holding, dispute.head.purpose, address, kind, contact)


def _stop(dispute: Dispute, head: Head) -> Remedy:
    """Nothing is paid to a disputed address; other purposes go on being paid."""
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

    ``head`` and ``period`` are the disputed place and when it was given the address;
    ``address_uuid`` is that address, ``stop`` what the objection stopped. The subject
    goes back to ``change_lock`` and ``pay_stop``.
    """

    is_upheld: bool
    remedy: Remedy
    stop: str
    head: Head
    period: PeriodRow
    address_uuid: str
    change_lock: str
    pay_stop: bool


def close(holding: Holding, ledger: Ledger, closing: Closing) -> None:
    """End a case.

    Upheld: a disputed address that only stopped ends for good. Rejected: it is paid to
    again. Addresses that were brought back stay in both cases: the owner may change.
    """
    head = closing.head
    kind = "objection_upheld" if closing.is_upheld else "objection_rejected"
    ledger.note(holding, head, kind, period=closing.period)
    is_in_force = holding.in_force(head.purpose) is head
    is_there = is_in_force and head.address_uuid == closing.address_uuid
    if closing.remedy is Remedy.STOPPED and is_there:
        if closing.is_upheld:
            ledger.end(holding, head, "reversed")
        elif closing.stop == "one" and head.state == "suspended":
            ledger.move(holding, head, "resumed")
    ledger.guard(holding, closing.change_lock, closing.pay_stop)
