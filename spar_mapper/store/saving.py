"""Writing what a batch did: each table once, whatever the batch's size."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter

from odoo.addons.spar_mapper_connector.lib.identifier import fold
from odoo.addons.spar_mapper_connector.lib.keyring import OpenKeyring

from ..lib import seals
from ..lib.case import to_naive_utc
from ..lib.ledger import Guard, Ledger
from ..lib.operations import APPROVAL_TIME
from ..lib.records import ChangeRow, EventRow, Holding, MappingRow
from .database import (
    Cursor,
    Row,
    build_array,
    build_bytes_array,
    build_moments,
    copy_rows,
    fetch,
)

_PLAIN = (
    *("purpose", "rank", "state", "version", "authority", "channel", "origin", "proof"),
    *("valid_from", "valid_to", "asserted_at", "strategy_number", "fa_type_id"),
    *("provider_id", "branch_id", "last_seq", "last_mac"),
)
_MAPPING = (
    *("id", "uuid", "subject_id", "identifier_id", *_PLAIN),
    *("sealed", "fa_digest_a", "fa_digest_b"),
)
_SAID = (
    *("uuid", "seq", "kind", "actor", "on_behalf_of", "channel", "authenticated_by"),
    *("message_reference", "reason", "happened_at", "commitment_before"),
    *("commitment_after", "previous_mac", "mac"),
)
_EVENT = ("id", "mapping_id", *_SAID)
_NOTICE = ("event_id", "state", "sealed")
_CHANGE = (
    *("uuid", "mapping_id", "state", "why", "proposed_at", "asserted_at"),
    *("authenticated_by", "message_reference", "reason", "sealed"),
    *seals.ChangeTerms._fields,
)
_get_plain = attrgetter(*_PLAIN)
_get_said = attrgetter(*_SAID)

_TAKE_IDS = """
    SELECT ARRAY(SELECT nextval('spar_mapping_id_seq') FROM generate_series(1, %s)),
           ARRAY(SELECT nextval('spar_event_id_seq') FROM generate_series(1, %s))
"""
_UPDATE_MAPPINGS = """
    UPDATE spar_mapping m
       SET state = v.state, version = v.version, valid_to = v.valid_to,
           sealed = v.sealed, last_seq = v.last_seq, last_mac = v.last_mac
      FROM unnest(%s::int[], %s::varchar[], %s::int[], %s::timestamp[], %s::bytea[],
                  %s::int[], %s::bytea[])
        AS v (id, state, version, valid_to, sealed, last_seq, last_mac)
     WHERE m.id = v.id
"""

#: Called with the ids of changes that were just ended, in the same transaction.
EndsCallback = Callable[[list[int]], None]


class Saver:
    """The way from a batch's ledger to rows; seals what is to be sealed.

    :param on_ends: called once, when changes that waited have ended
    """

    def __init__(self, cr: Cursor, keyring: OpenKeyring, on_ends: EndsCallback):
        self.cr = cr
        self.keyring = keyring
        self.on_ends = on_ends

    def save(self, ledger: Ledger) -> None:
        """Write ended periods before new ones, then events, notices, changes, locks."""
        pairs = list(ledger.mappings.values())
        known = [pair for pair in pairs if pair[1].row_id]
        new = [pair for pair in pairs if not pair[1].row_id]
        event_ids = self._take_ids(new, len(ledger.events))
        self._update_mappings(known)
        rows = [self._build_mapping(*pair) for pair in new]
        copy_rows(self.cr, "spar_mapping", _MAPPING, rows)
        self._insert_events(ledger.events, event_ids)
        self._save_changes(ledger)
        for guard in ledger.guards.values():
            self._save_guard(guard)

    def _take_ids(
        self, new: list[tuple[Holding, MappingRow]], event_count: int
    ) -> list[int]:
        """Give each new row its id before it is written; return those of the events.

        The lock, which no writer waits for, lets a checkpoint see that this transaction
        takes ids of events: it waits for whoever holds it.
        """
        if not (new or event_count):
            return []
        self.cr.execute("LOCK TABLE spar_event IN ROW EXCLUSIVE MODE")
        ((row_ids, event_ids),) = fetch(self.cr, _TAKE_IDS, len(new), event_count)
        for (_holding, mapping), row_id in zip(new, row_ids, strict=True):
            mapping.row_id = row_id
        return list(event_ids)

    # === MAPPINGS === #

    def _seal(self, holding: Holding, row: MappingRow) -> bytes:
        context = seals.address_context(
            row.uuid, holding.subject_uuid, row.version, row.state, row.canonical
        )
        text = seals.join(row.fa, row.packed_details)
        return self.keyring.seal(seals.ADDRESS, text, context)

    def _update_mappings(self, pairs: list[tuple[Holding, MappingRow]]) -> None:
        """Bring known rows to where they are now, sealed anew for their new state."""
        if not pairs:
            return
        rows = [mapping for _holding, mapping in pairs]
        self.cr.execute(
            _UPDATE_MAPPINGS,
            (
                build_array([row.row_id for row in rows]),
                build_array([row.state for row in rows]),
                build_array([row.version for row in rows]),
                build_moments([row.valid_to for row in rows]),
                build_bytes_array([self._seal(*pair) for pair in pairs]),
                build_array([row.last_seq for row in rows]),
                build_bytes_array([row.last_mac for row in rows]),
            ),
        )

    def _build_mapping(self, holding: Holding, row: MappingRow) -> Row:
        digests = self.keyring.digests(seals.ADDRESS, fold(row.fa))
        return (
            row.row_id,
            row.uuid,
            holding.subject_id,
            holding.identifier_row_id,
            *_get_plain(row),
            self._seal(holding, row),
            digests.get("a"),
            digests.get("b"),
        )

    # === EVENTS AND NOTICES === #

    def _insert_events(self, events: list[EventRow], event_ids: list[int]) -> None:
        pairs = list(zip(event_ids, events, strict=True))
        rows = [(i, event.mapping.row_id, *_get_said(event)) for i, event in pairs]
        copy_rows(self.cr, "spar_event", _EVENT, rows)
        notices = [(i, *self._build_notice(event)) for i, event in pairs]
        copy_rows(self.cr, "spar_notice", _NOTICE, notices)

    def _build_notice(self, event: EventRow) -> Row:
        """Return the state of an event's notice, and the contact known before it."""
        if not event.contact:
            return "letter", None
        context = seals.contact_context(event.uuid)
        return "queued", self.keyring.seal(seals.CONTACT, event.contact, context)

    # === CHANGES THAT WAIT === #

    def _save_changes(self, ledger: Ledger) -> None:
        pairs = list(ledger.changes.values())
        self._end_changes([c for _holding, c in pairs if c.row_id], ledger)
        new = [self._build_change(ledger, c) for _holding, c in pairs if not c.row_id]
        copy_rows(self.cr, "spar_change", _CHANGE, new)

    def _end_changes(self, changes: list[ChangeRow], ledger: Ledger) -> None:
        if not changes:
            return
        row_ids = [change.row_id for change in changes if change.row_id]
        self.cr.execute(
            """UPDATE spar_change c
                  SET state = v.state, decided_by = %s, decided_at = %s
                 FROM unnest(%s::int[], %s::varchar[]) AS v (id, state)
                WHERE c.id = v.id""",
            (
                ledger.call.actor,
                ledger.now,
                build_array(row_ids),
                build_array([change.state for change in changes]),
            ),
        )
        self.on_ends(row_ids)

    def _build_change(self, ledger: Ledger, row: ChangeRow) -> Row:
        call, terms = ledger.call, _build_terms(ledger, row)
        context = seals.change_context(row.uuid, row.mapping.canonical, terms)
        text = seals.pack(row.fa, row.details)
        return (
            row.uuid,
            row.mapping.row_id,
            row.state,
            row.why,
            ledger.now,
            to_naive_utc(row.asserted_at) if row.asserted_at else None,
            call.authenticated_by,
            call.message_reference,
            call.reason,
            self.keyring.seal(seals.CHANGE, text, context),
            *terms,
        )

    # === LOCKS AND STOPS === #

    def _save_guard(self, guard: Guard) -> None:
        """Write a subject's lock and stop; every ID of it is sealed anew for them."""
        holding = guard.holding
        rows = fetch(
            self.cr,
            """SELECT id, uuid, sealed FROM spar_subject_id
                WHERE subject_id = %s ORDER BY id FOR UPDATE""",
            holding.subject_id,
        )
        resealed = [self._reseal_id(guard, uuid, bytes(s)) for _id, uuid, s in rows]
        self.cr.execute(
            "UPDATE spar_subject SET change_lock = %s, pay_stop = %s WHERE id = %s",
            (holding.change_lock, holding.pay_stop, holding.subject_id),
        )
        self.cr.execute(
            """UPDATE spar_subject_id i SET sealed = v.sealed
                 FROM unnest(%s::int[], %s::bytea[]) AS v (id, sealed)
                WHERE i.id = v.id""",
            (build_array([row[0] for row in rows]), build_bytes_array(resealed)),
        )

    def _reseal_id(self, guard: Guard, uuid: str, sealed: bytes) -> bytes:
        """Seal an ID for what now holds of its subject; raises SealBroken."""
        now = guard.holding
        subject = now.subject_uuid
        before = seals.id_context(uuid, subject, guard.change_lock, guard.pay_stop)
        text = self.keyring.unseal(seals.ID, sealed, before)
        after = seals.id_context(uuid, subject, now.change_lock, now.pay_stop)
        return self.keyring.seal(seals.ID, text, after)


def _build_terms(ledger: Ledger, row: ChangeRow) -> seals.ChangeTerms:
    call = ledger.call
    return seals.ChangeTerms(
        operation=row.operation,
        base_version=row.base_version,
        needs_approval=row.needs_approval,
        effective_at=row.effective_at,
        expires_at=ledger.now + APPROVAL_TIME if row.needs_approval else None,
        proposer=call.actor,
        on_behalf_of=call.on_behalf_of,
        channel=call.channel,
        authority=int(call.authority),
    )
