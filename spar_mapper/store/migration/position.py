"""The progress of a migration, kept in the transaction of the rows that it concerns."""

# Table and schema names cannot be parameters: pylint: disable=sql-injection

from __future__ import annotations

from datetime import datetime, timezone
from typing import NamedTuple

from ..database import StoreCursor, fetch
from .copying import list_old_columns
from .tables import NEXT, OLD_TABLES, TABLES, build_tables


class MigrationPosition(NamedTuple):
    """The stage and the id after which the migration continues.

    ``started_at`` is the time stated in the events that tie the histories together.
    """

    stage: str
    after: int
    started_at: datetime


def has_store(cr: StoreCursor) -> bool:
    """Return whether the database has a store at all."""
    return bool(list_old_columns(cr, "spar_mapping"))


def has_old_layout(cr: StoreCursor) -> bool:
    """Return whether the store has the legacy layout."""
    return "identifier_id" in list_old_columns(cr, "spar_mapping")


def begin(cr: StoreCursor, stage: str) -> tuple[MigrationPosition, bool]:
    """Return where the migration continues, and whether something is already done.

    Results for rows that were written to in the meantime no longer count.
    """
    stamp = _build_stamp(cr)
    known = _read(cr)
    if known and known[1] == stamp:
        return known[0], True
    discard(cr)
    for statement in build_tables():
        cr.execute(statement)
    _continue_sequences(cr)
    position = MigrationPosition(
        stage, 0, datetime.now(timezone.utc).replace(tzinfo=None)
    )
    cr.execute(
        f"INSERT INTO {NEXT}.position VALUES (%s, %s, %s, %s)", (*position, stamp)
    )
    return position, False


def save(cr: StoreCursor, position: MigrationPosition) -> None:
    """Store the position, to be committed with the work done so far."""
    query = f"UPDATE {NEXT}.position SET stage = %s, after = %s"
    cr.execute(query, (position.stage, position.after))


def discard(cr: StoreCursor) -> None:
    """Remove everything that was made beside the old tables."""
    cr.execute(f"DROP SCHEMA IF EXISTS {NEXT} CASCADE")


def _read(cr: StoreCursor) -> tuple[MigrationPosition, str] | None:
    ((there,),) = fetch(cr, "SELECT to_regclass(%s)", f"{NEXT}.position")
    if there is None:
        return None
    query = f"SELECT stage, after, started_at, stamp FROM {NEXT}.position"
    ((*values, stamp),) = fetch(cr, query)
    stage, after, started_at = values
    return MigrationPosition(stage, after, started_at), stamp


def _build_stamp(cr: StoreCursor) -> str:
    """Return a text that changes after any write to the old store.

    Every change there has an event, except that of a notice's link; and a key
    replacement reseals rows, which the keyring's generation reveals.
    """
    ((generation,),) = fetch(cr, "SELECT generation FROM spar_keyring_phase")
    parts = [f"keyring {generation}"]
    for table in OLD_TABLES:
        columns = list_old_columns(cr, table)
        if columns:
            link = "max(link_expires_at)" if "link_expires_at" in columns else "''"
            query = f"SELECT concat_ws(' ', count(*), max(id), {link}) FROM {table}"
            ((part,),) = fetch(cr, query)
            parts.append(f"{table} {part}")
    return "; ".join(parts)


def _continue_sequences(cr: StoreCursor) -> None:
    """Make ids continue after the old ones."""
    for table in TABLES:
        if list_old_columns(cr, table):
            cr.execute(
                f"""SELECT setval('{NEXT}.{table}_id_seq', greatest(
                        (SELECT last_value FROM {table}_id_seq),
                        (SELECT max(id) FROM {table}), 1))"""
            )
