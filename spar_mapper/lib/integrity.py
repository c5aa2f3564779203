"""What the database itself refuses, as the text of triggers.

Everything here is checked once for each statement, over all rows that it wrote
("transition tables"), because a check for each row costs more than the row. PostgreSQL
sets limits: such a trigger is for one event, has no column list and is not deferred. So
where two tables name each other, one direction is checked by the table that is written
last, and the other at commit, from a queue with one row for each statement.

Rows of the store are never deleted, so that a reference to one that is there stays
good. Rows of the directory may be deleted until they were used once: a key of
``spar_store_use`` is written by whoever uses a row and by whoever deletes it. A unique
index is the one thing that sees what other transactions have done whatever their
isolation; a lock on the row would not (REPEATABLE READ deletes what it still sees).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

#: Tables whose rows can be deleted while nothing of the store uses them.
DIRECTORY = ("spar_fsp", "spar_fsp_branch", "spar_fa_type", "spar_id_type")


def build_references(table: str, references: Mapping[str, str]) -> Iterator[str]:
    """Statements that make ``table`` refuse rows that refer to nothing.

    :param references: column of ``table`` -> the table whose ``id`` it holds
    """
    used = {column: to for column, to in references.items() if to in DIRECTORY}
    body = _build_use(used) + "".join(
        _build_check(table, column, to) for column, to in references.items()
    )
    yield _build_function(f"{table}_references", body)
    yield _build_trigger(table, "references", "INSERT", "NEW TABLE AS added")
    for column, to in used.items():
        yield _build_first_use(table, column, to)


def build_delete_guard(table: str, message: str) -> str:
    """A statement that makes ``table`` refuse DELETE and TRUNCATE with ``message``."""
    name = f"{table}_no_delete"
    return f"""
        CREATE OR REPLACE FUNCTION {name}() RETURNS trigger AS $$
        BEGIN
            RAISE EXCEPTION '{table}: {message}';
        END $$ LANGUAGE plpgsql;
        CREATE OR REPLACE TRIGGER {name} BEFORE DELETE OR TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION {name}();"""


def build_use_table() -> Iterator[str]:
    """Statements for what was used of the directory, and for its own guards."""
    yield """
        CREATE TABLE IF NOT EXISTS spar_store_use (
            used_table varchar NOT NULL, row_id bigint NOT NULL,
            PRIMARY KEY (used_table, row_id))"""
    for table in DIRECTORY:
        yield _build_directory_guard(table)


def drop_directory_guards() -> str:
    """The statement that lets the directory go its own way: for the uninstallation."""
    return "".join(
        f"DROP TRIGGER IF EXISTS {table}_{name} ON {table};"
        for table in DIRECTORY
        for name in ("used", "keeps_id", "no_truncate")
    )


def _build_function(name: str, body: str, settings: str = "") -> str:
    return f"""
        CREATE OR REPLACE FUNCTION {name}() RETURNS trigger AS $$
        BEGIN
            {body}
            RETURN NULL;
        END $$ LANGUAGE plpgsql {settings}"""


#: For a join of two transition tables. They have no index, the plan is made for the
#: first statement and kept, and that one may have had one row: a nested loop over
#: thousands of rows by thousands took 85 % of a batch of updates.
_HASHED = "SET enable_nestloop = off"


def _build_trigger(table: str, name: str, event: str, transition: str) -> str:
    return f"""
        CREATE OR REPLACE TRIGGER {table}_{name} AFTER {event} ON {table}
            REFERENCING {transition}
            FOR EACH STATEMENT EXECUTE FUNCTION {table}_{name}()"""


def _build_check(table: str, column: str, to: str) -> str:
    """A missing row is named by its id, which says nothing of anybody."""
    return f"""
            IF EXISTS (SELECT FROM (SELECT DISTINCT {column} AS id FROM added) child
                         LEFT JOIN {to} parent ON parent.id = child.id
                        WHERE child.id IS NOT NULL AND parent.id IS NULL) THEN
                RAISE foreign_key_violation USING
                    MESSAGE = 'violates foreign key: {table}.{column} in {to}',
                    CONSTRAINT = '{table}_{column}_fkey', TABLE = '{table}';
            END IF;"""


def _build_use(used: Mapping[str, str]) -> str:
    """Note first uses, in one order: two batches must not wait for each other."""
    if not used:
        return ""
    rows = " UNION ".join(
        f"SELECT '{to}'::varchar AS used_table, {column}::bigint AS row_id FROM added"
        for column, to in used.items()
    )
    return f"""
            INSERT INTO spar_store_use (used_table, row_id)
            SELECT used_table, row_id FROM ({rows}) fresh
             WHERE row_id IS NOT NULL AND NOT EXISTS (
                   SELECT FROM spar_store_use known
                    WHERE known.used_table = fresh.used_table
                      AND known.row_id = fresh.row_id)
             ORDER BY 1, 2 ON CONFLICT DO NOTHING;"""


def _build_first_use(table: str, column: str, to: str) -> str:
    """What was there before the triggers; an index, where there is one, is enough."""
    return f"""
        INSERT INTO spar_store_use (used_table, row_id)
        SELECT DISTINCT '{to}', {column} FROM {table} WHERE {column} IS NOT NULL
            ON CONFLICT DO NOTHING"""


def _build_directory_guard(table: str) -> str:
    return f"""
        CREATE OR REPLACE FUNCTION {table}_used() RETURNS trigger AS $$
        BEGIN
            INSERT INTO spar_store_use (used_table, row_id)
            SELECT '{table}', id FROM removed;
            RETURN NULL;
        EXCEPTION WHEN unique_violation THEN
            RAISE foreign_key_violation USING
                MESSAGE = 'violates foreign key: {table} is used by an address',
                CONSTRAINT = '{table}_used', TABLE = '{table}';
        END $$ LANGUAGE plpgsql;
        CREATE OR REPLACE TRIGGER {table}_used AFTER DELETE ON {table}
            REFERENCING OLD TABLE AS removed
            FOR EACH STATEMENT EXECUTE FUNCTION {table}_used();
        CREATE OR REPLACE FUNCTION spar_directory_keeps_rows() RETURNS trigger AS $$
        BEGIN
            RAISE foreign_key_violation USING
                MESSAGE = 'violates foreign key: rows of the directory keep their id';
        END $$ LANGUAGE plpgsql;
        CREATE OR REPLACE TRIGGER {table}_keeps_id BEFORE UPDATE OF id ON {table}
            FOR EACH ROW WHEN (old.id IS DISTINCT FROM new.id)
            EXECUTE FUNCTION spar_directory_keeps_rows();
        CREATE OR REPLACE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table}
            EXECUTE FUNCTION spar_directory_keeps_rows();"""


# === WHAT BELONGS TOGETHER === #


def build_update_guard(
    table: str, fixed: tuple[str, ...], moving: tuple[str, ...]
) -> Iterator[str]:
    """Statements that make ``table`` refuse changes that come without an event.

    :param fixed: columns that never change
    :param moving: columns that change only together with a higher ``last_seq``
    """
    same = _build_row("o", ("id", *fixed))
    kept = _build_row("n", ("id", *fixed))
    before, after = _build_row("o", moving), _build_row("n", moving)
    body = f"""
            IF EXISTS (SELECT FROM after n LEFT JOIN before o ON o.id = n.id
                        WHERE o.id IS NULL OR {kept} IS DISTINCT FROM {same}
                           OR (coalesce(n.last_seq, 0) <= o.last_seq
                               AND {after} IS DISTINCT FROM {before})) THEN
                RAISE EXCEPTION '{table}: a change comes with its event';
            END IF;"""
    yield _build_function(f"{table}_guard", body, _HASHED)
    transition = "OLD TABLE AS before NEW TABLE AS after"
    yield _build_trigger(table, "guard", "UPDATE", transition)


def build_fixed_guard(table: str, fixed: tuple[str, ...]) -> Iterator[str]:
    """Statements that make ``table`` refuse to change the columns ``fixed``."""
    same, kept = _build_row("o", fixed), _build_row("n", fixed)
    body = f"""
            IF EXISTS (SELECT FROM after n LEFT JOIN before o ON o.id = n.id
                        WHERE o.id IS NULL OR {kept} IS DISTINCT FROM {same}) THEN
                RAISE EXCEPTION '{table}: whose row it is does not change';
            END IF;"""
    yield _build_function(f"{table}_fixed", body, _HASHED)
    transition = "OLD TABLE AS before NEW TABLE AS after"
    yield _build_trigger(table, "fixed", "UPDATE", transition)


def _build_row(alias: str, columns: tuple[str, ...]) -> str:
    return f"({', '.join(f'{alias}.{column}' for column in columns)})"


#: Events are written after their mappings, so they look at once.
_EVENT_TIE = """
            IF EXISTS (SELECT FROM added n LEFT JOIN spar_mapping m
                           ON m.id = n.mapping_id
                          AND (m.last_seq > n.seq
                               OR (m.last_seq = n.seq AND m.last_mac = n.mac))
                        WHERE m.id IS NULL) THEN
                RAISE foreign_key_violation USING
                    MESSAGE = 'violates foreign key: spar_event_mapping_id_fkey',
                    CONSTRAINT = 'spar_event_mapping_id_fkey', TABLE = 'spar_event';
            END IF;"""
_MAPPING_TIE = """
            INSERT INTO spar_store_tie (mapping_ids)
            SELECT array_agg(id) FROM added HAVING count(*) > 0;"""
#: A mapping looks at commit whether the event that it names has come.
_TIE_CHECK = """
            IF EXISTS (SELECT FROM unnest(NEW.mapping_ids) AS tied (id)
                         JOIN spar_mapping m ON m.id = tied.id
                         LEFT JOIN spar_event e ON e.mapping_id = m.id
                              AND e.seq = m.last_seq AND e.mac = m.last_mac
                        WHERE e.id IS NULL) THEN
                RAISE foreign_key_violation USING
                    MESSAGE = 'violates foreign key: spar_mapping_last_event_fk',
                    CONSTRAINT = 'spar_mapping_last_event_fk', TABLE = 'spar_mapping';
            END IF;
            DELETE FROM spar_store_tie WHERE mapping_ids = NEW.mapping_ids;"""
#: The queue is read by nobody else, and after a crash nothing in it counts: UNLOGGED.
_TIE_QUEUE = """
        CREATE UNLOGGED TABLE IF NOT EXISTS spar_store_tie (mapping_ids bigint[]);
        CREATE OR REPLACE TRIGGER spar_mapping_tie_insert AFTER INSERT ON spar_mapping
            REFERENCING NEW TABLE AS added
            FOR EACH STATEMENT EXECUTE FUNCTION spar_mapping_tie();
        CREATE OR REPLACE TRIGGER spar_mapping_tie_update AFTER UPDATE ON spar_mapping
            REFERENCING NEW TABLE AS added
            FOR EACH STATEMENT EXECUTE FUNCTION spar_mapping_tie();
        DROP TRIGGER IF EXISTS spar_store_tie_check ON spar_store_tie;
        CREATE CONSTRAINT TRIGGER spar_store_tie_check AFTER INSERT ON spar_store_tie
            DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW EXECUTE FUNCTION spar_store_tie_check()"""


def build_tie() -> Iterator[str]:
    """Statements that tie a mapping to its last event, and each event to a mapping."""
    yield _build_function("spar_event_tie", _EVENT_TIE)
    yield _build_trigger("spar_event", "tie", "INSERT", "NEW TABLE AS added")
    yield _build_function("spar_mapping_tie", _MAPPING_TIE)
    yield _build_function("spar_store_tie_check", _TIE_CHECK)
    yield _TIE_QUEUE
