"""The writing of a batch's results: each table once, whatever the batch's size."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import repeat
from typing import Any

from odoo.addons.spar_mapper_connector.lib.keyring import OpenKeyring

from ..lib import seals
from ..lib.chain import get_format, mac_subject, mark_head, write_marks
from ..lib.ledger import Ledger
from ..lib.records import ChangeRow, EventRow, StoredAddress, StoredId, Subject
from ..lib.transitions import SILENT_EVENTS
from . import listing
from .database import (
    Row,
    StoreCursor,
    build_array,
    build_bytes_array,
    build_moments,
    build_texts,
    copy_rows,
    fetch,
)
from .proving import keep_proof

_EVENT = ("id", "subject_id", "mapping_id", "period_id", "format", *listing.EVENT)
_NOTICE = ("event_id", "state", "sealed")
_CHANGE = (
    "uuid",
    "mapping_id",
    "state",
    "why",
    "proposed_at",
    "asserted_at",
    "authenticated_by",
    "message_reference",
    "reason",
    "sealed",
    *seals.ChangeTerms._fields,
)

_TAKE_IDS = """
    SELECT ARRAY(SELECT nextval('spar_mapping_id_seq') FROM generate_series(1, %s)),
           ARRAY(SELECT nextval('spar_mapping_period_id_seq')
                   FROM generate_series(1, %s)),
           ARRAY(SELECT nextval('spar_event_id_seq') FROM generate_series(1, %s))
"""
_UPDATE_SUBJECTS = """
    UPDATE spar_subject s
       SET change_lock = v.change_lock, pay_stop = v.pay_stop, last_seq = v.last_seq,
           last_mac = v.last_mac, marks = v.marks, mac = v.mac,
           merged_into = v.merged_into
      FROM unnest(%s::bigint[], %s::varchar[], %s::bool[], %s::int[], %s::bytea[],
                  %s::varchar[], %s::bytea[], %s::bigint[])
        AS v (id, change_lock, pay_stop, last_seq, last_mac, marks, mac, merged_into)
     WHERE s.id = v.id
"""
#: The columns of a head that change, and how each is passed.
_UPDATED_COLUMNS: dict[str, Callable[[Sequence[Any]], str]] = {
    "id": build_array,
    "state": build_array,
    "version": build_array,
    "state_since": build_moments,
    "last_seq": build_array,
    "period_id": build_array,
    "address_uuid": build_array,
    "address_version": build_array,
    "sealed": build_bytes_array,
    "mac": build_bytes_array,
    "authority": build_array,
    "channel": build_texts,
    "origin": build_texts,
    "proof": build_texts,
    "valid_from": build_moments,
    "asserted_at": build_moments,
    "strategy_number": build_array,
    "fa_type_id": build_array,
    "provider_id": build_array,
    "branch_id": build_array,
}
_UPDATE_HEADS = f"""
    UPDATE spar_mapping m
       SET {", ".join(f"{name} = v.{name}" for name in list(_UPDATED_COLUMNS)[1:])}
      FROM unnest(%s::bigint[], %s::varchar[], %s::int[], %s::timestamp[], %s::int[],
                  %s::bigint[], %s::varchar[], %s::int[], %s::bytea[], %s::bytea[],
                  %s::int[], %s::varchar[], %s::varchar[], %s::varchar[],
                  %s::timestamp[], %s::timestamp[], %s::int[], %s::int[], %s::int[],
                  %s::int[])
        AS v ({", ".join(_UPDATED_COLUMNS)})
     WHERE m.id = v.id
"""

_UPDATE_IDS = """
    UPDATE spar_subject_id i
       SET subject_id = v.subject_id, type_id = v.type_id, active = v.active,
           form = v.form, last_seq = v.last_seq, sealed = v.sealed,
           digest_a = v.digest_a, digest_b = v.digest_b
      FROM unnest(%s::bigint[], %s::bigint[], %s::int[], %s::bool[], %s::int[],
                  %s::int[], %s::bytea[], %s::bytea[], %s::bytea[])
        AS v (id, subject_id, type_id, active, form, last_seq, sealed, digest_a,
              digest_b)
     WHERE i.id = v.id
"""

#: Called with the ids of changes that have just ended, in the same transaction.
EndsCallback = Callable[[list[int]], None]
#: Called with the contacts of notices that were just written, by the id of the event;
#: a contact is empty if none was known.
NoticesCallback = Callable[[dict[int, str]], None]


class Saver:
    """Converts a batch's ledger to rows, and seals what must be sealed.

    :param on_ends: called once, when pending changes have ended
    :param on_notices: called once, when notices have been written
    """

    def __init__(
        self,
        cr: StoreCursor,
        keyring: OpenKeyring,
        on_ends: EndsCallback,
        on_notices: NoticesCallback,
    ):
        self.cr = cr
        self.keyring = keyring
        self.on_ends = on_ends
        self.on_notices = on_notices

    def save(self, ledger: Ledger) -> None:
        """Write subjects, then heads, periods, events and notices, then changes.

        Rows are written after the rows they name, because the tables' triggers check
        immediately.
        """
        if not ledger.subjects:
            return
        event_ids = self._take_ids(ledger)
        for subject, head in ledger.heads.values():
            subject.marks[mark_head(head.row_id)] = head.last_seq
        self._seal_addresses(ledger)
        self._save_subjects(ledger)
        self._save_ids(ledger)
        self._save_heads(ledger)
        self._insert_periods(ledger)
        self._insert_events(ledger.events, event_ids)
        if ledger.proof is not None and ledger.proved is not None:
            event_id = event_ids[ledger.events.index(ledger.proved)]
            keep_proof(self.cr, self.keyring, ledger.proof, event_id, ledger.proved)
        self._save_changes(ledger)

    def _take_ids(self, ledger: Ledger) -> list[int]:
        """Give each new row its id before it is written; return those of the events.

        The lock, for which no writer waits, shows a checkpoint that this transaction
        takes ids of events: the checkpoint waits for all its holders.
        """
        if not ledger.events:
            return []
        self.cr.execute("LOCK TABLE spar_event IN ROW EXCLUSIVE MODE")
        new = [head for _subject, head in ledger.heads.values() if head.is_new]
        counts = (len(new), len(ledger.periods), len(ledger.events))
        ((head_ids, period_ids, event_ids),) = fetch(self.cr, _TAKE_IDS, *counts)
        for head, row_id in zip(new, head_ids, strict=True):
            head.row_id = row_id
        periods = zip(ledger.periods, period_ids, strict=True)
        for (_subject, _head, period), row_id in periods:
            period.row_id = row_id
        return list(event_ids)

    # === SUBJECTS === #

    def _save_subjects(self, ledger: Ledger) -> None:
        subjects = ledger.subjects.values()
        since = ledger.now
        new = [s for s in subjects if s.is_new]
        added = [listing.list_subject(self.keyring, s, since) for s in new]
        copy_rows(self.cr, "spar_subject", listing.SUBJECT, added)
        self._update_subjects([s for s in subjects if not s.is_new])

    def _update_subjects(self, subjects: list[Subject]) -> None:
        if not subjects:
            return
        marks = [write_marks(s.marks) for s in subjects]
        macs = map(mac_subject, repeat(self.keyring), subjects, marks)
        self.cr.execute(
            _UPDATE_SUBJECTS,
            (
                build_array([s.row_id for s in subjects]),
                build_array([s.change_lock for s in subjects]),
                build_array([s.pay_stop for s in subjects]),
                build_array([s.last_seq for s in subjects]),
                build_bytes_array([s.last_mac for s in subjects]),
                build_texts(marks),
                build_bytes_array(macs),
                build_array([s.merged_into for s in subjects]),
            ),
        )

    # === IDS === #

    def _save_ids(self, ledger: Ledger) -> None:
        """Write changed IDs: first those whose digest another one may get."""
        pairs = list(ledger.ids.values())
        for active in (False, True):
            rows = [self._list_id(*pair) for pair in pairs if pair[1].active == active]
            if rows:
                columns = list(zip(*rows, strict=True))
                plain = [build_array(column) for column in columns[:-3]]
                sealed = [build_bytes_array(column) for column in columns[-3:]]
                self.cr.execute(_UPDATE_IDS, (*plain, *sealed))

    def _list_id(self, subject: Subject, stored: StoredId) -> Row:
        """Return the values of ``_UPDATE_IDS``; a deactivated ID has no digest."""
        digests = (
            self.keyring.digests(seals.ID, stored.canonical) if stored.active else {}
        )
        place = (stored.uuid, subject.uuid, stored.active, stored.last_seq)
        text = seals.pack_id(stored.canonical, stored.typed)
        return (
            stored.row_id,
            subject.row_id,
            stored.type_id,
            stored.active,
            stored.form,
            stored.last_seq,
            self.keyring.seal(seals.ID, text, seals.id_context(*place)),
            digests.get("a"),
            digests.get("b"),
        )

    # === HEADS AND PERIODS === #

    def _save_heads(self, ledger: Ledger) -> None:
        pairs = ledger.heads.values()
        list_head = partial(listing.list_head, self.keyring)
        added = [list_head(*pair) for pair in pairs if pair[1].is_new]
        copy_rows(self.cr, "spar_mapping", listing.HEAD, added)
        known = [list_head(*pair) for pair in pairs if not pair[1].is_new]
        if known:
            self._update_heads(list(zip(*known, strict=True)))

    def _update_heads(self, columns: list[Row]) -> None:
        """Update known rows to their present state."""
        given = dict(zip(listing.HEAD, columns, strict=True))
        self.cr.execute(
            _UPDATE_HEADS,
            [build(given[name]) for name, build in _UPDATED_COLUMNS.items()],
        )

    def _seal_addresses(self, ledger: Ledger) -> None:
        """Seal each new address once, however many rows it is copied to."""
        new: dict[str, tuple[StoredAddress, bytes]] = {}
        for subject, _head, period in ledger.periods:
            address = period.address
            if address is not None and not address.sealed:
                place = (address.uuid, subject.uuid, address.version)
                new[address.uuid] = (address, seals.address_context(*place))
        pairs = [(seals.pack_address(each), context) for each, context in new.values()]
        sealed = self.keyring.seal_all(seals.ADDRESS, pairs)
        for (address, _context), value in zip(new.values(), sealed, strict=True):
            address.sealed = value

    def _insert_periods(self, ledger: Ledger) -> None:
        addresses = [period.address for _subject, _head, period in ledger.periods]
        rows = [
            listing.list_period(*row, digests)
            for row, digests in zip(
                ledger.periods, self._digest_all(addresses), strict=True
            )
        ]
        copy_rows(self.cr, "spar_mapping_period", listing.PERIOD, rows)

    def _digest_all(
        self, addresses: list[StoredAddress | None]
    ) -> list[listing.DigestPair]:
        keys = [address.key for address in addresses if address]
        digests = self.keyring.digests_all(seals.ADDRESS, keys)
        absent = repeat(None)
        pairs = zip(digests.get("a", absent), digests.get("b", absent), strict=False)
        return [next(pairs) if address else (None, None) for address in addresses]

    # === EVENTS AND NOTICES === #

    def _insert_events(self, events: list[EventRow], event_ids: list[int]) -> None:
        pairs = list(zip(event_ids, events, strict=True))
        rows = [self._list_event(row_id, event) for row_id, event in pairs]
        copy_rows(self.cr, "spar_event", _EVENT, rows)
        notified = [pair for pair in pairs if pair[1].kind not in SILENT_EVENTS]
        notices = [(row_id, *self._build_notice(event)) for row_id, event in notified]
        copy_rows(self.cr, "spar_notice", _NOTICE, notices)
        if notified:
            self.on_notices({row_id: event.contact for row_id, event in notified})

    def _list_event(self, row_id: int, event: EventRow) -> Row:
        return (
            row_id,
            event.subject.row_id if event.subject else None,
            event.head.row_id if event.head else None,
            event.period.row_id if event.period else None,
            get_format(event),
            *listing.list_content(event),
        )

    def _build_notice(self, event: EventRow) -> Row:
        """Return the state of an event's notice, and the contact known before it."""
        if not event.contact:
            return "letter", None
        context = seals.contact_context(event.uuid)
        return "queued", self.keyring.seal(seals.CONTACT, event.contact, context)

    # === PENDING CHANGES === #

    def _save_changes(self, ledger: Ledger) -> None:
        pairs = list(ledger.changes.values())
        self._end_changes([c for _subject, c in pairs if c.row_id], ledger)
        new = [
            self._build_change(ledger, *pair) for pair in pairs if not pair[1].row_id
        ]
        copy_rows(self.cr, "spar_change", _CHANGE, new)

    def _end_changes(self, changes: list[ChangeRow], ledger: Ledger) -> None:
        if not changes:
            return
        row_ids = [change.row_id for change in changes if change.row_id]
        self.cr.execute(
            """UPDATE spar_change c
                  SET state = v.state, decided_by = %s, decided_at = %s
                 FROM unnest(%s::bigint[], %s::varchar[]) AS v (id, state)
                WHERE c.id = v.id""",
            (
                ledger.call.actor,
                ledger.now,
                build_array(row_ids),
                build_array([change.state for change in changes]),
            ),
        )
        self.on_ends(row_ids)

    def _build_change(self, ledger: Ledger, subject: Subject, row: ChangeRow) -> Row:
        call = ledger.call
        terms = seals.build_terms(call, ledger.now, row)
        context = seals.change_context(row.uuid, subject.uuid, row.head.uuid, terms)
        text = seals.pack(row.fa, row.details)
        return (
            row.uuid,
            row.head.row_id,
            row.state,
            row.why,
            ledger.now,
            row.asserted_at,
            call.authenticated_by,
            call.message_reference,
            call.reason,
            self.keyring.seal(seals.CHANGE, text, context),
            *terms,
        )
