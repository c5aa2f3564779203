"""Inserting many rows in one statement, with their ids taken beforehand.

A sealed value names its row's id, so the id has to be known before the row is written.
"""

from collections.abc import Sequence

from odoo import fields
from odoo.tools import SQL


def take_ids(env, table: str, count: int) -> list[int]:
    """Return ``count`` new ids of a table, in ascending order."""
    query = SQL(
        "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)",
        table,
        count,
    )
    return sorted(row_id for (row_id,) in env.execute_query(query))


def insert_rows(
    env, table: str, columns: dict[str, str], rows: Sequence[tuple]
) -> None:
    """Insert rows in one statement; who wrote them, and when, is added.

    :param columns: the PostgreSQL type of each column, in the order of the values
    """
    if not rows:
        return
    names = SQL(", ").join(SQL.identifier(name) for name in columns)
    arrays = SQL(", ").join(
        SQL(f"%s::{kind}[]", list(values))
        for kind, values in zip(columns.values(), zip(*rows, strict=True), strict=True)
    )
    now = fields.Datetime.now()
    env.cr.execute(
        SQL(
            "INSERT INTO %s (%s, create_uid, write_uid, create_date, write_date)"
            " SELECT source.*, %s, %s, %s, %s FROM unnest(%s) AS source",
            SQL.identifier(table),
            names,
            env.uid,
            env.uid,
            now,
            now,
            arrays,
        )
    )
