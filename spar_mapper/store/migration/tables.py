"""The tables of addon version 19.0.2.0.0, as they are made beside the old ones.

Each later version's own migration adds what that version adds; Odoo's upgrade creates
the triggers, the comments and the keys to other tables.
"""

from __future__ import annotations

from collections.abc import Iterator

#: The schema of the new tables, and the schema to which the old ones are finally moved.
NEXT, BEFORE = "spar_next", "spar_before"

_ADDRESS = {
    "authority": "int4",
    "channel": "varchar",
    "origin": "varchar",
    "proof": "varchar",
    "valid_from": "timestamp",
    "asserted_at": "timestamp",
    "strategy_number": "int4",
    "fa_type_id": "int4",
    "provider_id": "int4",
    "branch_id": "int4",
    "version": "int4",
    "state": "varchar NOT NULL",
    "state_since": "timestamp NOT NULL",
    "address_uuid": "varchar NOT NULL",
    "address_version": "int4",
    "sealed": "bytea",
}
#: Table -> its columns after the id, with their types.
TABLES: dict[str, dict[str, str]] = {
    "spar_subject": {
        "uuid": "varchar NOT NULL",
        "change_lock": "varchar NOT NULL",
        "pay_stop": "bool",
        "merged_into": "int8",
        "since": "timestamp NOT NULL",
        "last_seq": "int4 NOT NULL",
        "marks": "varchar",
        "last_mac": "bytea",
        "mac": "bytea",
    },
    "spar_subject_id": {
        "subject_id": "int8 NOT NULL",
        "type_id": "int4 NOT NULL",
        "uuid": "varchar NOT NULL",
        "active": "bool",
        "form": "int4",
        "last_seq": "int4 NOT NULL",
        "sealed": "bytea",
        "digest_a": "bytea",
        "digest_b": "bytea",
    },
    "spar_mapping": {
        "subject_id": "int8 NOT NULL",
        "uuid": "varchar NOT NULL",
        "purpose": "varchar NOT NULL",
        "rank": "int4",
        "period_id": "int8",
        "last_seq": "int4 NOT NULL",
        **_ADDRESS,
        "mac": "bytea",
    },
    "spar_mapping_period": {
        "subject_id": "int8 NOT NULL",
        "mapping_id": "int8 NOT NULL",
        "seq": "int4 NOT NULL",
        "form": "int4",
        **_ADDRESS,
        "fa_digest_a": "bytea",
        "fa_digest_b": "bytea",
    },
    "spar_event": {
        "subject_id": "int8 NOT NULL",
        "mapping_id": "int8",
        "period_id": "int8",
        "format": "int4 NOT NULL",
        "uuid": "varchar NOT NULL",
        "seq": "int4 NOT NULL",
        "kind": "varchar NOT NULL",
        "actor": "varchar NOT NULL",
        "on_behalf_of": "varchar",
        "channel": "varchar NOT NULL",
        "authenticated_by": "varchar",
        "message_reference": "varchar",
        "reason": "varchar",
        "happened_at": "timestamp NOT NULL",
        "commitment_before": "bytea",
        "commitment_after": "bytea",
        "previous_mac": "bytea",
        "mac": "bytea",
        "commitment_change": "bytea",
        "commitment_proof": "bytea",
    },
    "spar_change": {
        "mapping_id": "int8 NOT NULL",
        "uuid": "varchar NOT NULL",
        "operation": "varchar NOT NULL",
        "base_version": "int4",
        "state": "varchar NOT NULL",
        "needs_approval": "bool",
        "why": "varchar",
        "proposed_at": "timestamp NOT NULL",
        "effective_at": "timestamp",
        "expires_at": "timestamp",
        "asserted_at": "timestamp",
        "proposer": "varchar NOT NULL",
        "on_behalf_of": "varchar",
        "channel": "varchar NOT NULL",
        "authority": "int4",
        "authenticated_by": "varchar",
        "message_reference": "varchar",
        "reason": "varchar",
        "decided_by": "varchar",
        "decided_at": "timestamp",
        "sealed": "bytea",
    },
    "spar_objection": {
        "uuid": "varchar NOT NULL",
        "event_id": "int8 NOT NULL",
        "mapping_id": "int8 NOT NULL",
        "period_id": "int8 NOT NULL",
        "remedy": "varchar NOT NULL",
        "stop": "varchar",
        "is_disowned": "bool",
        "lock_before": "varchar",
        "stop_before": "bool",
        "state": "varchar NOT NULL",
        "made_at": "timestamp NOT NULL",
        "channel": "varchar NOT NULL",
        "actor": "varchar NOT NULL",
        "on_behalf_of": "varchar",
        "closed_by": "varchar",
        "closed_at": "timestamp",
        "close_reason": "varchar",
    },
    "spar_notice": {
        "event_id": "int8 NOT NULL",
        "state": "varchar NOT NULL",
        "link_expires_at": "timestamp",
        "sealed": "bytea",
        "link_digest": "bytea",
    },
}
#: The old tables; periods are new, and the oldest stores had no objections.
OLD_TABLES = tuple(name for name in TABLES if name != "spar_mapping_period")

#: Indexes that fields and ``init`` make: name -> table and definition.
_INDEXES = {
    "spar_subject_id__subject_id_index": ("spar_subject_id", "INDEX (subject_id)"),
    "spar_subject_id_digest_a_once": (
        "spar_subject_id",
        "UNIQUE INDEX (digest_a) WHERE digest_a IS NOT NULL",
    ),
    "spar_subject_id_digest_b_once": (
        "spar_subject_id",
        "UNIQUE INDEX (digest_b) WHERE digest_b IS NOT NULL",
    ),
    "spar_mapping_period_fa_digest_a_index": (
        "spar_mapping_period",
        "INDEX (fa_digest_a) WHERE fa_digest_a IS NOT NULL",
    ),
    "spar_mapping_period_fa_digest_b_index": (
        "spar_mapping_period",
        "INDEX (fa_digest_b) WHERE fa_digest_b IS NOT NULL",
    ),
    "spar_notice_link_digest_uniq": (
        "spar_notice",
        "UNIQUE INDEX (link_digest) WHERE link_digest IS NOT NULL",
    ),
    "spar_change__mapping_id_index": ("spar_change", "INDEX (mapping_id)"),
    "spar_objection__mapping_id_index": ("spar_objection", "INDEX (mapping_id)"),
}
#: Indexes that models declare: Odoo keeps the definition as a comment, and recreates an
#: index if the definition differs.
_DECLARED = {
    "spar_mapping_place_uniq": (
        "spar_mapping",
        "UNIQUE INDEX (subject_id, purpose, rank)",
    ),
    "spar_mapping_period_seq_uniq": (
        "spar_mapping_period",
        "UNIQUE INDEX (subject_id, mapping_id, seq)",
    ),
    "spar_event_chain": (
        "spar_event",
        "UNIQUE INDEX (subject_id, seq, (CASE WHEN format = 1 THEN id ELSE 0 END))",
    ),
    "spar_event_happened_at": ("spar_event", "INDEX USING brin (happened_at)"),
    "spar_notice_event_range": ("spar_notice", "INDEX USING brin (event_id)"),
    "spar_change_waiting_uniq": (
        "spar_change",
        "UNIQUE INDEX (mapping_id) WHERE state = 'waiting'",
    ),
    "spar_change_message_reference": ("spar_change", "INDEX (message_reference)"),
    "spar_change_uuid": ("spar_change", "INDEX (uuid)"),
    "spar_objection_event_uniq": ("spar_objection", "UNIQUE INDEX (event_id)"),
}
#: Room for updates of a place's row is left on its page.
_SETTINGS = """
    ALTER TABLE {0}.spar_subject SET (fillfactor = 70);
    ALTER TABLE {0}.spar_mapping SET (fillfactor = 70);
"""


def build_tables() -> Iterator[str]:
    """Yield statements that make the new tables, empty, and their auxiliary tables.

    ``placed`` states for each old mapping where it went; ``position`` is the progress
    of the migration.
    """
    yield f"CREATE SCHEMA {NEXT}"
    for table, columns in TABLES.items():
        listed = ", ".join(f"{name} {kind}" for name, kind in columns.items())
        yield f"CREATE TABLE {NEXT}.{table} (id bigserial PRIMARY KEY, {listed})"
    yield _SETTINGS.format(NEXT)
    yield f"""
        CREATE TABLE {NEXT}.placed (
            old_id bigint PRIMARY KEY, subject_id bigint NOT NULL,
            mapping_id bigint NOT NULL, period_id bigint NOT NULL)"""
    yield f"""
        CREATE TABLE {NEXT}.position (
            stage varchar NOT NULL, after bigint NOT NULL,
            started_at timestamp NOT NULL, stamp varchar NOT NULL)"""


def build_indexes() -> Iterator[str]:
    """Yield statements for the indexes, which are faster to build after the rows."""
    for name, (table, definition) in (_INDEXES | _DECLARED).items():
        kind, what = definition.split("INDEX ", 1)
        yield f"CREATE {kind}INDEX {name} ON {NEXT}.{table} {what}"
    for name, (_table, definition) in _DECLARED.items():
        comment = definition.replace("'", "''")
        yield f"COMMENT ON INDEX {NEXT}.{name} IS '{comment}'"


def list_columns(table: str) -> tuple[str, ...]:
    """Return the columns of a new table, the id first."""
    return ("id", *TABLES[table])
