"""The unchanged rows: events, notices and cases, copied within the database.

The bytes of an old event never leave the database; only its place is new. Rows are
copied in the order of their ids, so that data searched by ranges of pages stays
together.
"""

from __future__ import annotations

from ..database import StoreCursor, fetch
from .tables import NEXT, list_columns

#: Table -> its new columns, and the source that provides them for an old row ``o``.
COPIES: dict[str, tuple[dict[str, str], str]] = {
    "spar_event": (
        {
            "subject_id": "p.subject_id",
            "mapping_id": "p.mapping_id",
            "period_id": "p.period_id",
            "format": "1",
        },
        f"JOIN {NEXT}.placed p ON p.old_id = o.mapping_id",
    ),
    "spar_notice": ({}, ""),
    "spar_objection": (
        {"mapping_id": "p.mapping_id", "period_id": "p.period_id"},
        f"JOIN {NEXT}.placed p ON p.old_id = o.mapping_id",
    ),
}


def copy_range(cr: StoreCursor, table: str, after: int, limit: int) -> int | None:
    """Copy the next rows of a table after an id; return the id of the last one.

    Return None if there are no more rows, or if the old store has no such table.
    """
    there = list_old_columns(cr, table)
    if not there:
        return None
    query = f"""SELECT max(id) FROM (SELECT id FROM {table} WHERE id > %s
                                      ORDER BY id LIMIT %s) AS piece"""
    ((until,),) = fetch(cr, query, after, limit)
    if until is None:
        return None
    new, join = COPIES[table]
    columns = [name for name in list_columns(table) if name in new or name in there]
    values = ", ".join(new.get(name, f"o.{name}") for name in columns)
    cr.execute(
        f"""INSERT INTO {NEXT}.{table} ({", ".join(columns)})
            SELECT {values} FROM {table} o {join}
             WHERE o.id > %s AND o.id <= %s ORDER BY o.id""",
        (after, until),
    )
    return int(until)


def list_old_columns(cr: StoreCursor, table: str) -> set[str]:
    """Return the columns of an old table; none if the table does not exist."""
    rows = fetch(
        cr,
        """SELECT column_name FROM information_schema.columns
            WHERE table_schema = current_schema AND table_name = %s""",
        table,
    )
    return {name for (name,) in rows}
