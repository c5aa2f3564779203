from odoo import api, models
from odoo.tools import SQL

from odoo.addons.spar_mapper_connector.lib.identifier import fold
from odoo.addons.spar_mapper_connector.lib.keyring import OpenKeyring

from ..lib import seals
from ..lib.ledger import Ledger
from ..lib.operations import APPROVAL_TIME, to_naive_utc
from ..lib.records import ChangeRow, EventRow, Holding, MappingRow

#: Columns of a mapping with the type each has in an UPDATE from VALUES.
_MUTABLE = {
    "id": "int",
    "state": "varchar",
    "version": "int",
    "valid_to": "timestamp",
    "sealed": "bytea",
    "last_seq": "int",
    "last_mac": "bytea",
}
_INSERTED = (
    "uuid subject_id identifier_id purpose rank state version authority channel origin "
    "proof valid_from valid_to asserted_at strategy_number fa_type_id provider_id "
    "branch_id last_seq last_mac sealed fa_digest_a fa_digest_b"
).split()
_PLAIN = (
    "purpose rank state version authority channel origin proof valid_from valid_to "
    "asserted_at strategy_number fa_type_id provider_id branch_id last_seq last_mac"
).split()
_EVENT = (
    "mapping_id uuid seq kind actor on_behalf_of channel authenticated_by "
    "message_reference reason happened_at commitment_before commitment_after "
    "previous_mac mac"
).split()
_CHANGE = [
    *(
        "uuid mapping_id state why proposed_at asserted_at authenticated_by "
        "message_reference reason sealed"
    ).split(),
    *seals.ChangeTerms._fields,
]


class SparMapperLocal(models.AbstractModel):
    """Writing what a batch did: each table once."""

    _inherit = "spar.mapper.local"  # pylint: disable=consider-merging-classes-inherited

    @api.model
    def _save(self, ledger: Ledger) -> None:
        """Write the ledger: ended periods before new ones, events, notices, changes."""
        known = [(h, m) for h, m in ledger.mappings.values() if m.row_id]
        new = [(h, m) for h, m in ledger.mappings.values() if not m.row_id]
        self._update_mappings(ledger.keyring, known)
        self._insert_mappings(ledger.keyring, new)
        self._announce_events()
        event_ids = self._insert_events(ledger.events)
        self._insert_notices(ledger.keyring, ledger.events, event_ids)
        self._save_changes(ledger)
        self._save_guards(ledger)
        self._forget_cached()

    @api.model
    def _forget_cached(self) -> None:
        """What the ORM remembers of the store's tables is no longer so."""
        for name in ("spar.subject", "spar.mapping", "spar.event", "spar.change"):
            self.env[name].invalidate_model()

    @api.model
    def _insert(self, table: str, columns: list[str], rows: list[tuple]) -> list[int]:
        """Insert ``rows`` by one statement; gives their ids in the same order."""
        if not rows:
            return []
        into = SQL(
            "INSERT INTO %s (%s)",
            SQL.identifier(table),
            SQL(", ").join(map(SQL.identifier, columns)),
        )
        query = f"{into.code} VALUES %s RETURNING id"
        found = self.env.cr.execute_values(query, rows, page_size=len(rows), fetch=True)
        return [row_id for (row_id,) in found]

    # === MAPPINGS === #

    @api.model
    def _seal_mapping(self, keyring: OpenKeyring, holding: Holding, row: MappingRow):
        context = seals.address_context(
            row.uuid, holding.subject_uuid, row.version, row.state, row.canonical
        )
        return keyring.seal(seals.ADDRESS, seals.pack(row.fa, row.details), context)

    @api.model
    def _update_mappings(self, keyring: OpenKeyring, pairs: list) -> None:
        """Bring known rows to where they are now, sealed anew for their new state."""
        if not pairs:
            return
        rows = [self._build_update_row(keyring, h, m) for h, m in pairs]
        casts = ", ".join(f"%s::{kind}" for kind in _MUTABLE.values())
        self.env.cr.execute_values(
            """UPDATE spar_mapping m
                  SET state = v.state, version = v.version, valid_to = v.valid_to,
                      sealed = v.sealed, last_seq = v.last_seq, last_mac = v.last_mac
                 FROM (VALUES %s) AS v
                      (id, state, version, valid_to, sealed, last_seq, last_mac)
                WHERE m.id = v.id""",
            rows,
            template=f"({casts})",
            page_size=len(rows),
        )

    @api.model
    def _build_update_row(self, keyring, holding: Holding, row: MappingRow) -> tuple:
        return (
            row.row_id,
            row.state,
            row.version,
            row.valid_to,
            self._seal_mapping(keyring, holding, row),
            row.last_seq,
            row.last_mac,
        )

    @api.model
    def _insert_mappings(self, keyring: OpenKeyring, pairs: list) -> None:
        rows = [self._build_mapping_row(keyring, h, m) for h, m in pairs]
        ids = self._insert("spar_mapping", _INSERTED, rows)
        for (_holding, mapping), row_id in zip(pairs, ids, strict=True):
            mapping.row_id = row_id

    @api.model
    def _build_mapping_row(self, keyring, holding: Holding, row: MappingRow) -> tuple:
        digests = keyring.digests(seals.ADDRESS, fold(row.fa))
        return (
            row.uuid,
            holding.subject_id,
            holding.identifier_row_id,
            *(getattr(row, name) for name in _PLAIN),
            self._seal_mapping(keyring, holding, row),
            digests.get("a"),
            digests.get("b"),
        )

    # === EVENTS AND NOTICES === #

    @api.model
    def _announce_events(self) -> None:
        """Let a checkpoint see that this transaction takes ids of events from now."""
        self.env.cr.execute("LOCK TABLE spar_event IN ROW EXCLUSIVE MODE")

    @api.model
    def _insert_events(self, events: list[EventRow]) -> list[int]:
        rows = [
            (event.mapping.row_id, *(getattr(event, name) for name in _EVENT[1:]))
            for event in events
        ]
        return self._insert("spar_event", _EVENT, rows)

    @api.model
    def _insert_notices(self, keyring, events: list[EventRow], ids: list[int]) -> None:
        """Queue each event for the contact known before it; a letter where none was."""
        rows = [
            (
                event_id,
                "queued" if event.contact else "letter",
                self._seal_contact(keyring, event),
            )
            for event, event_id in zip(events, ids, strict=True)
        ]
        self._insert("spar_notice", ["event_id", "state", "sealed"], rows)

    @api.model
    def _seal_contact(self, keyring: OpenKeyring, event: EventRow) -> bytes | None:
        if not event.contact:
            return None
        context = seals.contact_context(event.uuid)
        return keyring.seal(seals.CONTACT, event.contact, context)

    # === CHANGES THAT WAIT === #

    @api.model
    def _save_changes(self, ledger: Ledger) -> None:
        pairs = list(ledger.changes.values())
        self._end_changes([c for _h, c in pairs if c.row_id], ledger)
        new = [self._build_change(ledger, h, c) for h, c in pairs if not c.row_id]
        self._insert("spar_change", _CHANGE, new)

    @api.model
    def _end_changes(self, changes: list[ChangeRow], ledger: Ledger) -> None:
        if not changes:
            return
        self.env.cr.execute_values(
            """UPDATE spar_change c
                  SET state = v.state, decided_by = v.decided_by,
                      decided_at = v.decided_at
                 FROM (VALUES %s) AS v (id, state, decided_by, decided_at)
                WHERE c.id = v.id""",
            [(c.row_id, c.state, ledger.call.actor, ledger.now) for c in changes],
            template="(%s::int, %s::varchar, %s::varchar, %s::timestamp)",
            page_size=len(changes),
        )

    @api.model
    def _build_change(self, ledger: Ledger, holding: Holding, row: ChangeRow) -> tuple:
        call, terms = ledger.call, self._build_terms(ledger, row)
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
            ledger.keyring.seal(seals.CHANGE, text, context),
            *terms,
        )

    @api.model
    def _build_terms(self, ledger: Ledger, row: ChangeRow) -> seals.ChangeTerms:
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
