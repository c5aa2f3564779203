"""The constraints that the database itself enforces, as the text of triggers.

Everything here is checked once per statement, over all rows that the statement wrote
("transition tables"), because a check per row costs more than the row. PostgreSQL sets
limits: such a trigger is for one event, has no column list and is not deferred. So if
two tables refer to each other, one direction is checked by the table that is written
last, and the other at commit, from a queue with one row per statement.

Rows of the store are never deleted, so that a reference to an existing row stays valid.
Rows of the directory may be deleted until they are first used: a key of
``spar_store_use`` is written both by a transaction that uses a row and by one that
deletes it. A unique index is the only mechanism that sees what other transactions have
done whatever their isolation level; a lock on the row does not (REPEATABLE READ deletes
what its snapshot still shows).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from .transitions import ID_EVENTS, MIGRATED

#: Tables whose rows can be deleted as long as nothing in the store uses them.
DIRECTORY = ("spar_fsp", "spar_fsp_branch", "spar_fa_type", "spar_id_type")


def build_references(
    table: str,
    references: Mapping[str, str],
    owned: Mapping[str, tuple[str, ...]] | None = None,
) -> Iterator[str]:
    """Yield statements that make ``table`` refuse dangling references.

    :param references: column of ``table`` -> the table whose ``id`` it holds
    :param owned: the columns among those for which both rows must also agree in other
        columns, namely those that state the owner
    """
    owned = owned or {}
    used = {column: to for column, to in references.items() if to in DIRECTORY}
    body = _build_use(used) + "".join(
        _build_owned_check(table, column, to, owned[column])
        if column in owned
        else _build_check(table, column, to)
        for column, to in references.items()
    )
    yield _build_function(f"{table}_references", body, _INDEXED)
    yield _build_trigger(table, "references", "INSERT", "NEW TABLE AS added")
    for column, to in used.items():
        yield _build_first_use(table, column, to)


def build_delete_guard(table: str, message: str) -> str:
    """Return a statement by which ``table`` refuses DELETE and TRUNCATE.

    The error text is ``message``.
    """
    name = f"{table}_no_delete"
    return f"""
        CREATE OR REPLACE FUNCTION {name}() RETURNS trigger AS $$
        BEGIN
            RAISE EXCEPTION '{table}: {message}';
        END $$ LANGUAGE plpgsql;
        CREATE OR REPLACE TRIGGER {name} BEFORE DELETE OR TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION {name}();"""


def build_use_table() -> Iterator[str]:
    """Yield statements for the record of used directory rows, and for its guards."""
    yield """
        CREATE TABLE IF NOT EXISTS spar_store_use (
            used_table varchar NOT NULL, row_id bigint NOT NULL,
            PRIMARY KEY (used_table, row_id))"""
    for table in DIRECTORY:
        yield _build_directory_guard(table)


def drop_directory_guards() -> str:
    """Return the statement that removes the directory's guards, for uninstallation."""
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


#: For a join of two transition tables. They have no index, and the plan is made for the
#: first statement, which may have had one row, and then cached: a nested loop over
#: thousands of rows by thousands took 85 % of a batch of updates.
_HASHED = "SET enable_nestloop = off"
#: For a join of the written rows with a table of any size. The plan is cached, and may
#: date from when the table was empty and a sequential scan was cheap.
_INDEXED = "SET enable_seqscan = off"


def _build_trigger(table: str, name: str, event: str, transition: str) -> str:
    return f"""
        CREATE OR REPLACE TRIGGER {table}_{name} AFTER {event} ON {table}
            REFERENCING {transition}
            FOR EACH STATEMENT EXECUTE FUNCTION {table}_{name}()"""


def _build_check(table: str, column: str, to: str) -> str:
    """Return the check that a reference exists.

    A missing row is named by its id, which reveals nothing about any person.
    """
    return f"""
            IF EXISTS (SELECT FROM (SELECT DISTINCT {column} AS id FROM added) child
                         LEFT JOIN {to} parent ON parent.id = child.id
                        WHERE child.id IS NOT NULL AND parent.id IS NULL) THEN
                RAISE foreign_key_violation USING
                    MESSAGE = 'violates foreign key: {table}.{column} in {to}',
                    CONSTRAINT = '{table}_{column}_fkey', TABLE = '{table}';
            END IF;"""


def _build_owned_check(table: str, column: str, to: str, same: tuple[str, ...]) -> str:
    """Return the same check, row by row: each written row refers to another one."""
    agree = "".join(f" AND parent.{name} = child.{name}" for name in same)
    return f"""
            IF EXISTS (SELECT FROM added child
                         LEFT JOIN {to} parent ON parent.id = child.{column}{agree}
                        WHERE child.{column} IS NOT NULL AND parent.id IS NULL) THEN
                RAISE foreign_key_violation USING
                    MESSAGE = 'violates foreign key: {table}.{column} in {to}',
                    CONSTRAINT = '{table}_{column}_fkey', TABLE = '{table}';
            END IF;"""


def _build_use(used: Mapping[str, str]) -> str:
    """Return the recording of first uses, in a fixed order.

    Otherwise two batches could wait for each other.
    """
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
    """Return the recording of uses that predate the triggers.

    An index, if there is one, is enough.
    """
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


# === ROWS THAT BELONG TOGETHER === #


def build_update_guard(
    table: str, fixed: tuple[str, ...], moving: tuple[str, ...]
) -> Iterator[str]:
    """Yield statements that make ``table`` refuse changes without an event.

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


#: For an ID: its row stays what it is; its text and its owner change only with an event
#: of its owner at that time. Only its form may become a newer one, because the form
#: merely records which rules last read the ID. A digest may be added, and one that is
#: no longer searched may be removed, because the index key rotates. Without the digest
#: that is searched, the ID could not be found.
_ID_GUARD = """
            IF EXISTS (SELECT FROM after n LEFT JOIN before o ON o.id = n.id
                        WHERE o.id IS NULL OR n.uuid IS DISTINCT FROM o.uuid) THEN
                RAISE EXCEPTION 'spar_subject_id: whose row it is does not change';
            END IF;
            IF EXISTS (
                SELECT FROM after n JOIN before o ON o.id = n.id
                 WHERE NOT (n.last_seq > 0 AND (n.subject_id <> o.subject_id
                                                OR n.last_seq > o.last_seq))
                   AND ((n.subject_id, n.type_id, n.active, n.last_seq)
                        IS DISTINCT FROM
                        (o.subject_id, o.type_id, o.active, o.last_seq)
                     OR coalesce(n.form, 0) < coalesce(o.form, 0)
                     OR (o.digest_a <> n.digest_a) OR (o.digest_b <> n.digest_b))) THEN
                RAISE EXCEPTION 'spar_subject_id: a change comes with its event';
            END IF;
            IF EXISTS (
                SELECT FROM after n JOIN spar_keyring_phase p ON true
                 WHERE n.active AND CASE p.read_column WHEN 'a' THEN n.digest_a
                                                       ELSE n.digest_b END IS NULL) THEN
                RAISE EXCEPTION 'spar_subject_id: it could not be found';
            END IF;"""


def build_id_guard() -> Iterator[str]:
    """Yield statements that make an ID refuse changes without an event."""
    yield "DROP TRIGGER IF EXISTS spar_subject_id_fixed ON spar_subject_id"
    yield _build_function("spar_subject_id_guard", _ID_GUARD, _HASHED)
    transition = "OLD TABLE AS before NEW TABLE AS after"
    yield _build_trigger("spar_subject_id", "guard", "UPDATE", transition)


# === ROWS THAT GOVERN READING === #


def build_revision_guard(table: str) -> Iterator[str]:
    """Yield statements that keep the rows of ``table`` and make their numbers grow."""
    body = f"""
            IF EXISTS (SELECT FROM after n LEFT JOIN before o ON o.id = n.id
                        WHERE o.id IS NULL
                           OR coalesce(n.revision, 0) < coalesce(o.revision, 0)) THEN
                RAISE EXCEPTION '{table}: nothing is brought back';
            END IF;"""
    yield build_delete_guard(table, "its rows stay")
    yield _build_function(f"{table}_revision", body, _HASHED)
    transition = "OLD TABLE AS before NEW TABLE AS after"
    yield _build_trigger(table, "revision", "UPDATE", transition)


#: For a case of IDs: its subject matter stays; a digest is treated as for an ID.
_CASE_GUARD = """
            IF EXISTS (
                SELECT FROM after n LEFT JOIN before o ON o.id = n.id
                 WHERE (n.uuid, n.kind) IS DISTINCT FROM (o.uuid, o.kind)
                    OR o.digest_a <> n.digest_a OR o.digest_b <> n.digest_b) THEN
                RAISE EXCEPTION 'spar_form_case: what it is about does not change';
            END IF;
            IF EXISTS (
                SELECT FROM after n JOIN spar_keyring_phase p ON n.kind = 'ids'
                 WHERE CASE p.read_column WHEN 'a' THEN n.digest_a
                                          ELSE n.digest_b END IS NULL) THEN
                RAISE EXCEPTION 'spar_form_case: it could not be found';
            END IF;"""


def build_case_guard() -> Iterator[str]:
    """Yield statements that keep the subject matter of a case fixed."""
    yield _build_function("spar_form_case_guard", _CASE_GUARD, _HASHED)
    transition = "OLD TABLE AS before NEW TABLE AS after"
    yield _build_trigger("spar_form_case", "guard", "UPDATE", transition)


#: The notes of a dry run are deleted when it ends.
_FORECAST_GUARD = """
            IF EXISTS (SELECT FROM removed f JOIN spar_form_run r ON r.id = f.run_id
                        WHERE r.state IN ('looking', 'ready', 'rewriting')) THEN
                RAISE EXCEPTION 'spar_form_row: the run has not ended';
            END IF;"""


def build_forecast_guard() -> Iterator[str]:
    """Yield statements that keep the notes of a dry run as long as they count."""
    yield _build_function("spar_form_row_guard", _FORECAST_GUARD)
    yield _build_trigger("spar_form_row", "guard", "DELETE", "OLD TABLE AS removed")
    yield """
        CREATE OR REPLACE FUNCTION spar_form_row_keeps() RETURNS trigger AS $$
        BEGIN
            RAISE EXCEPTION 'spar_form_row: notes do not change';
        END $$ LANGUAGE plpgsql"""
    yield """
        CREATE OR REPLACE TRIGGER spar_form_row_keeps
            BEFORE UPDATE OR TRUNCATE ON spar_form_row
            FOR EACH STATEMENT EXECUTE FUNCTION spar_form_row_keeps()"""


def _build_row(alias: str, columns: tuple[str, ...]) -> str:
    return f"({', '.join(f'{alias}.{column}' for column in columns)})"


#: A transaction that writes by rules no longer in use began before they ended: retry
#: it.
_FORM_CHECK = """
            IF EXISTS (SELECT FROM (SELECT DISTINCT form FROM added) child
                         JOIN spar_id_form f ON f.number = child.form
                        WHERE f.state = 'gone') THEN
                RAISE serialization_failure USING
                    MESSAGE = 'spar_subject_id: a form that is not used any more';
            END IF;"""


def build_form_check() -> Iterator[str]:
    """Yield statements that make IDs refuse to be written in an ended form."""
    yield _build_function("spar_subject_id_form", _FORM_CHECK)
    yield _build_trigger("spar_subject_id", "form", "INSERT", "NEW TABLE AS added")


def build_append_only(table: str, columns: Iterable[str]) -> Iterator[str]:
    """Yield statements that make ``table`` refuse changes to ``columns`` of any row."""
    name = f"{table}_append_only"
    yield f"""
        CREATE OR REPLACE FUNCTION {name}() RETURNS trigger AS $$
        BEGIN
            RAISE EXCEPTION '{table}: history is not rewritten';
        END $$ LANGUAGE plpgsql"""
    yield f"""
        CREATE OR REPLACE TRIGGER {name} BEFORE UPDATE OF {", ".join(columns)}
            ON {table} FOR EACH STATEMENT EXECUTE FUNCTION {name}()"""


def build_seen_guard(table: str) -> Iterator[str]:
    """Yield statements that let ``last_seen`` of ``table`` only move on.

    It moves by the named step alone, which announces itself for its transaction.
    """
    name = f"{table}_seen"
    yield f"""
        CREATE OR REPLACE FUNCTION {name}() RETURNS trigger AS $$
        BEGIN
            IF current_setting('spar.key_seen', true) IS DISTINCT FROM 'yes'
               OR NEW.last_seen < OLD.last_seen OR NEW.last_seen IS NULL THEN
                RAISE EXCEPTION '{table}: history is not rewritten';
            END IF;
            RETURN NEW;
        END $$ LANGUAGE plpgsql"""
    yield f"""
        CREATE OR REPLACE TRIGGER {name} BEFORE UPDATE ON {table}
            FOR EACH ROW EXECUTE FUNCTION {name}()"""


# === CHECKS AT THE END OF THE TRANSACTION === #


@dataclass(frozen=True)
class _Tie:
    """A condition that each written row must meet when the transaction ends.

    ``needs`` are the values of a written row that the queue holds, by the queue's
    columns; ``missing`` finds rows of ``tied`` (those columns, row by row) that lack
    what they name. The values are those that were written: rows of events, subjects and
    periods are permanent, so a row that was found once stays.
    """

    needs: Mapping[str, str]
    missing: str
    name: str


_EVENT_OF = """SELECT FROM tied t LEFT JOIN spar_event e
               ON e.subject_id = t.subject_id AND e.seq = t.seq AND e.format > 1"""
#: Events after which an ID is what the event states.
_ID_KINDS = ", ".join(f"'{kind}'" for kind in (MIGRATED, *ID_EVENTS))
_TIES = {
    "id_event": _Tie(
        {"subject_id": "subject_id", "seq": "last_seq"},
        f"""{_EVENT_OF} AND e.kind IN ({_ID_KINDS})
            WHERE t.seq > 0 AND e.id IS NULL""",
        "spar_subject_id_last_event_fk",
    ),
    "subject": _Tie(
        {"subject_id": "id", "seq": "last_seq", "mac": "last_mac"},
        f"{_EVENT_OF} AND e.mac = t.mac WHERE t.seq > 0 AND e.id IS NULL",
        "spar_subject_last_event_fk",
    ),
    "identifier": _Tie(
        {"subject_id": "subject_id"},
        """SELECT FROM tied t LEFT JOIN spar_subject s ON s.id = t.subject_id
            WHERE s.id IS NULL""",
        "spar_subject_id_subject_id_fkey",
    ),
    "head": _Tie(
        {
            "subject_id": "subject_id",
            "seq": "last_seq",
            "mapping_id": "id",
            "period_id": "period_id",
        },
        f"""{_EVENT_OF} AND e.mapping_id = t.mapping_id AND e.period_id = t.period_id
            WHERE e.id IS NULL""",
        "spar_mapping_last_event_fk",
    ),
    "period": _Tie(
        {"subject_id": "subject_id", "seq": "seq", "period_id": "id"},
        f"{_EVENT_OF} AND e.period_id = t.period_id WHERE e.id IS NULL",
        "spar_mapping_period_event_fk",
    ),
}
#: Columns of the queue: each an array with one value per written row.
_QUEUED = {
    "subject_id": "bigint",
    "seq": "int",
    "mac": "bytea",
    "mapping_id": "bigint",
    "period_id": "bigint",
}


def build_queue_table() -> Iterator[str]:
    """Yield statements for the queue of checks at the end of a transaction.

    No other transaction reads the queue, and after a crash its content is irrelevant:
    UNLOGGED.
    """
    columns = ", ".join(f"{name} {kind}[]" for name, kind in _QUEUED.items())
    yield f"""
        CREATE UNLOGGED TABLE IF NOT EXISTS spar_store_tie (
            id bigserial PRIMARY KEY, kind varchar NOT NULL, {columns})"""
    branches = "".join(map(_build_tie_check, _TIES, _TIES.values()))
    body = f"{branches}\n            DELETE FROM spar_store_tie WHERE id = NEW.id;"
    yield _build_function("spar_store_tie_check", body, _INDEXED)
    yield "DROP TRIGGER IF EXISTS spar_store_tie_check ON spar_store_tie"
    yield """
        CREATE CONSTRAINT TRIGGER spar_store_tie_check AFTER INSERT ON spar_store_tie
            DEFERRABLE INITIALLY DEFERRED
            FOR EACH ROW EXECUTE FUNCTION spar_store_tie_check()"""


def _build_tie_check(kind: str, tie: _Tie) -> str:
    arrays = ", ".join(f"NEW.{column}" for column in tie.needs)
    columns = ", ".join(tie.needs)
    return f"""
            IF NEW.kind = '{kind}' AND EXISTS (
                WITH tied AS (SELECT * FROM unnest({arrays}) AS queued ({columns}))
                {tie.missing}) THEN
                RAISE foreign_key_violation USING
                    MESSAGE = 'violates foreign key: {tie.name}',
                    CONSTRAINT = '{tie.name}';
            END IF;"""


def _build_queue(table: str, kind: str, events: tuple[str, ...]) -> Iterator[str]:
    """Yield statements that queue the written rows of ``table``."""
    needs = _TIES[kind].needs
    columns, values = (
        ", ".join(needs),
        ", ".join(map("array_agg({})".format, needs.values())),
    )
    for event in events:
        name = f"tie_{event.lower()}"
        body = f"""
            INSERT INTO spar_store_tie (kind, {columns})
            SELECT '{kind}', {values} FROM added HAVING count(*) > 0;"""
        yield _build_function(f"{table}_{name}", body)
        yield _build_trigger(table, name, event, "NEW TABLE AS added")


def build_subject_tie() -> Iterator[str]:
    """Yield statements that tie a subject to the end of its chain of events."""
    yield from _build_queue("spar_subject", "subject", ("INSERT", "UPDATE"))


def build_id_tie() -> Iterator[str]:
    """Yield statements that tie an ID to its subject, which is written after it."""
    yield from _build_queue("spar_subject_id", "identifier", ("INSERT",))
    yield from _build_queue("spar_subject_id", "id_event", ("UPDATE",))


def build_head_tie() -> Iterator[str]:
    """Yield statements that tie a head to the event and the period that it names."""
    yield from _build_queue("spar_mapping", "head", ("INSERT", "UPDATE"))


def build_period_tie() -> Iterator[str]:
    """Yield statements that tie a period to the event with which it began."""
    yield from _build_queue("spar_mapping_period", "period", ("INSERT",))


def drop_ties() -> str:
    """Return the statement that removes the ties, for uninstallation."""
    guarded = ("spar_subject", "spar_subject_id", "spar_mapping", "spar_mapping_period")
    names = ("guard", "fixed", "form", "append_only", "tie_insert", "tie_update")
    triggers = "".join(
        f"DROP TRIGGER IF EXISTS {table}_{name} ON {table};"
        for table in guarded
        for name in names
    )
    return f"{triggers}DROP TABLE IF EXISTS spar_store_tie, spar_store_use;"


#: Events are written after their subjects, so they are checked immediately.
_EVENT_TIE = """
            IF EXISTS (SELECT FROM added n LEFT JOIN spar_subject s
                           ON s.id = n.subject_id
                          AND (s.last_seq > n.seq
                               OR (s.last_seq = n.seq AND s.last_mac = n.mac))
                        WHERE s.id IS NULL OR n.format NOT IN (2, 3)
                           OR (n.mapping_id IS NULL) != (n.period_id IS NULL)) THEN
                RAISE foreign_key_violation USING
                    MESSAGE = 'violates foreign key: spar_event_chain_fkey',
                    CONSTRAINT = 'spar_event_chain_fkey', TABLE = 'spar_event';
            END IF;"""


def build_event_tie() -> Iterator[str]:
    """Yield statements that make an event refuse to be outside its subject's chain."""
    yield _build_function("spar_event_tie", _EVENT_TIE, _INDEXED)
    yield _build_trigger("spar_event", "tie", "INSERT", "NEW TABLE AS added")
