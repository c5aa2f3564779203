"""One batch's work on the store, collected in memory and written at once.

The ledger is the only place where a mapping changes its state: every change goes with
an event, and the event with the table of transitions.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from odoo.addons.spar_mapper_connector.lib.contract import CallContext
from odoo.addons.spar_mapper_connector.lib.keyring import OpenKeyring

from .chain import commit_to, mac_event
from .records import ChangeRow, EventRow, Holding, MappingRow, new_uuid
from .transitions import CHANGE_ENDS, ForbiddenTransition, next_state


class Guard(NamedTuple):
    """A subject whose lock or stop was changed, and how both stood before."""

    holding: Holding
    change_lock: str
    pay_stop: bool


class Ledger:
    """What a batch did: rows that are new or changed, events, changes that wait."""

    def __init__(self, keyring: OpenKeyring, call: CallContext, now: datetime):
        self.keyring = keyring
        self.call = call
        self.now = now
        self.mappings: dict[str, tuple[Holding, MappingRow]] = {}
        self.changes: dict[str, tuple[Holding, ChangeRow]] = {}
        self.events: list[EventRow] = []
        self.guards: dict[int, Guard] = {}

    # === MAPPINGS === #

    def open_period(
        self,
        holding: Holding,
        row: MappingRow,
        kind: str,
        before: bytes = b"",
        contact: str = "",
    ) -> None:
        """Begin the period ``row``, whose state is set by ``kind``."""
        row.state = next_state(kind, "new")
        holding.mappings[row.purpose] = row
        self._record(holding, row, kind, before, contact)

    def close_period(self, holding: Holding, row: MappingRow, kind: str) -> bytes:
        """End ``row``; gives the commitment to what it was."""
        row.valid_to = self.now
        before = self.move(holding, row, kind)
        holding.mappings.pop(row.purpose, None)
        return before

    def move(self, holding: Holding, row: MappingRow, kind: str) -> bytes:
        """Bring ``row`` into the state after ``kind``; a new version of it."""
        before = self._commit_before(row)
        row.state = next_state(kind, row.state)
        row.version += 1
        self._record(holding, row, kind, before, row.details.phone_number)
        return before

    def note(
        self, holding: Holding, row: MappingRow, kind: str, reason: str | None = None
    ) -> None:
        """Record an event that leaves ``row`` as it is."""
        next_state(kind, row.state)
        before = commit_to(self.keyring, row.canonical, row)
        self._record(holding, row, kind, before, row.details.phone_number, reason)

    def _commit_before(self, row: MappingRow) -> bytes:
        """The commitment to ``row`` as it stood: a period that ends had no end yet."""
        valid_to, row.valid_to = row.valid_to, None
        before = commit_to(self.keyring, row.canonical, row)
        row.valid_to = valid_to
        return before

    def _record(
        self,
        holding: Holding,
        row: MappingRow,
        kind: str,
        before: bytes,
        contact: str,
        reason: str | None = None,
    ) -> None:
        event = EventRow(
            uuid=new_uuid(),
            mapping=row,
            holding=holding,
            seq=row.last_seq + 1,
            kind=kind,
            actor=self.call.actor,
            on_behalf_of=self.call.on_behalf_of,
            channel=self.call.channel,
            authenticated_by=self.call.authenticated_by,
            message_reference=self.call.message_reference,
            reason=self.call.reason if reason is None else reason,
            happened_at=self.now,
            commitment_before=before,
            commitment_after=commit_to(self.keyring, row.canonical, row),
            previous_mac=row.last_mac,
            contact=contact,
        )
        event.mac = mac_event(self.keyring, event)
        row.last_seq, row.last_mac = event.seq, event.mac
        self.mappings[row.uuid] = (holding, row)
        self.events.append(event)

    # === SUBJECTS === #

    def guard(self, holding: Holding, change_lock: str, pay_stop: bool) -> None:
        """Set who may change the subject's addresses, and whether it is paid at all.

        It goes with an event of one of its mappings: the caller records that.
        """
        before = Guard(holding, holding.change_lock, holding.pay_stop)
        self.guards.setdefault(holding.subject_id, before)
        holding.change_lock, holding.pay_stop = change_lock, pay_stop

    # === CHANGES THAT WAIT === #

    def wait(self, holding: Holding, change: ChangeRow) -> None:
        """Keep ``change`` until it is decided or due."""
        holding.changes[change.mapping.purpose] = change
        self.changes[change.uuid] = (holding, change)

    def end_change(self, holding: Holding, change: ChangeRow, state: str) -> None:
        """End a waiting change: applied, cancelled, refused, stale or expired."""
        if change.state != "waiting" or state not in CHANGE_ENDS:
            raise ForbiddenTransition(f"{change.state} to {state}")
        change.state = state
        holding.changes.pop(change.mapping.purpose, None)
        self.changes[change.uuid] = (holding, change)
