"""What becomes of "this was not me": the one table from events to remedies.

Whatever the event, further changes are locked and a case is opened; what differs is
what can be undone at once. Payments stop only where no undisputed address is left.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from odoo.addons.spar_mapper_connector.lib.contract import Remedy
from odoo.addons.spar_mapper_connector.lib.identifier import fold

from .ledger import Ledger
from .records import Holding, MappingRow, new_uuid
from .waiting import drop_change

LOCK = "objection"


@dataclass(slots=True)
class Dispute:
    """An event that its owner objects to, and what of the subject bears on it.

    ``row`` is the period of the event, ``kind`` what happened to it. ``periods`` are
    all periods of the purpose that were ever in force, newest first; ``disowned`` the
    uuids of those that were disputed before. Nothing that ended before ``oldest`` is
    brought back. The rest is filled by :func:`settle`: ``disputed`` is the period that
    the objection is about, ``stop`` what is not paid: ``all``, ``one`` or nothing.
    """

    holding: Holding
    ledger: Ledger
    row: MappingRow
    kind: str
    periods: list[MappingRow]
    disowned: set[str]
    oldest: datetime
    disputed: MappingRow | None = None
    is_disowned: bool = False
    stop: str = ""

    @property
    def in_force(self) -> MappingRow | None:
        return self.holding.in_force(self.row.purpose)

    def find_successor(self) -> MappingRow | None:
        """The period that began when the row's ended."""
        ended, uuids = self.row.valid_to, [p.uuid for p in self.periods]
        newer = self.periods[: uuids.index(self.row.uuid)] if ended else []
        return next((p for p in reversed(newer) if p.valid_from == ended), None)

    def find_previous(self, row: MappingRow) -> MappingRow | None:
        """The newest address before ``row`` that nobody disputes and is not too old."""
        refused = {fold(p.fa) for p in self.periods if p.uuid in self.disowned}
        refused.add(fold(row.fa))
        place = [p.uuid for p in self.periods].index(row.uuid)
        for period in self.periods[place + 1 :]:
            if period.valid_to and fold(period.fa) not in refused:
                return period if period.valid_to >= self.oldest else None
        return None


def settle(dispute: Dispute) -> Remedy:
    """Do what the objection calls for at once; lock further changes.

    Raises KeyError for a kind of event that cannot be objected to.
    """
    remedy_for = _REMEDIES[dispute.kind]
    dispute.disputed = dispute.row
    holding = dispute.holding
    dispute.ledger.note(holding, dispute.row, "objected")
    remedy = remedy_for(dispute)
    pay_stop = holding.pay_stop or dispute.stop == "all"
    dispute.ledger.guard(holding, LOCK, pay_stop)
    return remedy


# === REMEDIES === #


def _cancel(dispute: Dispute) -> Remedy:
    """A change that still waits will not happen; one that happened is undone."""
    change = dispute.holding.changes.get(dispute.row.purpose)
    if change is not None and change.mapping.uuid == dispute.row.uuid:
        drop_change(dispute.ledger, dispute.holding, change, "cancelled")
        return Remedy.CANCELLED
    if dispute.row.state == "ended" and dispute.find_successor():
        return _undo_replaced(dispute)
    if dispute.row.state == "ended" and dispute.kind == "held":
        return _undo_unlinked(dispute)
    return Remedy.NOTED


def _undo_replaced(dispute: Dispute) -> Remedy:
    """The event told of the old period's end; the objection is to the new one."""
    successor = dispute.find_successor()
    return _undo_opened(dispute, successor) if successor else Remedy.NOTED


def _undo_opened(dispute: Dispute, row: MappingRow | None = None) -> Remedy:
    """The disputed address ends, where it is in force, and the one before begins."""
    row = row or dispute.row
    dispute.disputed, dispute.is_disowned = row, True
    if dispute.in_force is not row:
        return Remedy.NOTED
    _cancel_waiting(dispute)
    previous = dispute.find_previous(row)
    if previous is None:
        return _stop(dispute, row)
    kind = _RESTORED_KINDS[row.state]
    before = dispute.ledger.close_period(dispute.holding, row, "reversed")
    _bring_back(dispute, previous, row.version + 1, kind, before)
    return Remedy.RESTORED


def _undo_unlinked(dispute: Dispute) -> Remedy:
    """The removed address counts again, unless another one does meanwhile."""
    row = dispute.row
    if dispute.in_force or row.valid_to is None or row.valid_to < dispute.oldest:
        return Remedy.NOTED
    _cancel_waiting(dispute)
    _bring_back(dispute, row, row.version + 1, "restored")
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
    change = dispute.holding.changes.get(dispute.row.purpose)
    if change is not None:
        drop_change(dispute.ledger, dispute.holding, change, "cancelled")


def _bring_back(
    dispute: Dispute, old: MappingRow, version: int, kind: str, before: bytes = b""
) -> None:
    """Begin a period with an old address, on the word that it rested on."""
    now = dispute.ledger.now
    row = replace(
        old,
        uuid=new_uuid(),
        version=version,
        valid_from=now,
        valid_to=None,
        asserted_at=now.replace(microsecond=0),
        last_seq=0,
        last_mac=b"",
        row_id=None,
        canonical=dispute.holding.canonical,
    )
    contact = old.details.phone_number
    dispute.ledger.open_period(dispute.holding, row, kind, before, contact)


def _stop(dispute: Dispute, row: MappingRow) -> Remedy:
    """Nothing is paid to a disputed address; other purposes go on being paid."""
    others = [
        other
        for other in dispute.holding.mappings.values()
        if other is not row
        and other.state == "active"
        and other.uuid not in dispute.disowned
    ]
    if not others:
        dispute.stop = "all"
    elif row.state == "active":
        dispute.stop = "one"
        dispute.ledger.move(dispute.holding, row, "suspended")
    return Remedy.STOPPED


# === CLOSING A CASE === #


@dataclass(frozen=True, slots=True)
class Closing:
    """A supervisor's decision: whether it was somebody else, and what to lift.

    ``row`` is the disputed period, ``stop`` what the objection stopped. The subject
    goes back to ``change_lock`` and ``pay_stop``.
    """

    is_upheld: bool
    remedy: Remedy
    stop: str
    row: MappingRow
    change_lock: str
    pay_stop: bool


def close(holding: Holding, ledger: Ledger, closing: Closing) -> None:
    """End a case.

    Upheld: a disputed address that only stopped ends for good. Rejected: it is paid to
    again. Addresses that were brought back stay in both cases: the owner may change.
    """
    row = closing.row
    kind = "objection_upheld" if closing.is_upheld else "objection_rejected"
    ledger.note(holding, row, kind)
    if closing.remedy is Remedy.STOPPED and holding.in_force(row.purpose) is row:
        if closing.is_upheld:
            ledger.close_period(holding, row, "reversed")
        elif closing.stop == "one" and row.state == "suspended":
            ledger.move(holding, row, "resumed")
    ledger.guard(holding, closing.change_lock, closing.pay_stop)
