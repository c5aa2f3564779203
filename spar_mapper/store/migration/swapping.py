"""The replacement of the old tables by the new ones, in one transaction."""

# Table and schema names cannot be parameters: pylint: disable=sql-injection

from __future__ import annotations

from typing import NamedTuple

from ..database import StoreCursor, fetch
from .copying import list_old_columns
from .tables import BEFORE, NEXT, OLD_TABLES, TABLES


class ForeignKey(NamedTuple):
    """A foreign key from or to an old table; ``to`` is its target."""

    table: str
    name: str
    column: str
    to: str


def lock(cr: StoreCursor, mode: str) -> None:
    """Lock the old tables; fail if another transaction keeps one of them locked."""
    cr.execute("SET LOCAL lock_timeout = '10s'")
    tables = [table for table in OLD_TABLES if list_old_columns(cr, table)]
    cr.execute(f"LOCK TABLE {', '.join(tables)} IN {mode} MODE")


def swap(cr: StoreCursor) -> None:
    """Move the old tables away, and the new ones into their place."""
    lock(cr, "ACCESS EXCLUSIVE")
    ((home,),) = fetch(cr, "SELECT current_schema")
    _drop_foreign_keys(cr)
    cr.execute(f"CREATE SCHEMA {BEFORE}")
    for table in OLD_TABLES:
        if list_old_columns(cr, table):
            cr.execute(f"ALTER TABLE {table} SET SCHEMA {BEFORE}")
    for table in TABLES:
        cr.execute(f'ALTER TABLE {NEXT}.{table} SET SCHEMA "{home}"')
    cr.execute(f"DROP SCHEMA {NEXT} CASCADE")


def _drop_foreign_keys(cr: StoreCursor) -> None:
    """Drop the foreign keys from and to the old tables.

    Tables kept only for a while are emptied; the others point to the place that an old
    mapping became. Odoo's upgrade creates the keys again.
    """
    for key in _list_keys(cr):
        cr.execute(f'ALTER TABLE "{key.table}" DROP CONSTRAINT "{key.name}"')
        if key.table in OLD_TABLES:
            continue
        if _is_transient(cr, key.table):
            cr.execute(f'TRUNCATE "{key.table}" CASCADE')
        elif key.to == "spar_mapping":
            cr.execute(
                f"""UPDATE "{key.table}" t SET "{key.column}" = p.mapping_id
                      FROM {NEXT}.placed p WHERE t."{key.column}" = p.old_id"""
            )


def _list_keys(cr: StoreCursor) -> list[ForeignKey]:
    """Return the foreign keys that cross the border of the old tables."""
    rows = fetch(
        cr,
        """SELECT f.relname, c.conname, a.attname, t.relname
             FROM pg_constraint c
             JOIN pg_class f ON f.oid = c.conrelid
             JOIN pg_class t ON t.oid = c.confrelid
             JOIN pg_attribute a ON a.attrelid = f.oid AND a.attnum = c.conkey[1]
            WHERE c.contype = 'f' AND f.relnamespace = current_schema::regnamespace
              AND (f.relname = ANY(%s)) != (t.relname = ANY(%s))
            ORDER BY 1, 2""",
        list(OLD_TABLES),
        list(OLD_TABLES),
    )
    return [ForeignKey(*row) for row in rows]


def _is_transient(cr: StoreCursor, table: str) -> bool:
    query = "SELECT FROM ir_model WHERE transient AND replace(model, '.', '_') = %s"
    return bool(fetch(cr, query, table))


def drop_old(cr: StoreCursor) -> bool:
    """Remove the old tables for good; return whether there were any."""
    query = "SELECT FROM pg_namespace WHERE nspname = %s"
    there = bool(fetch(cr, query, BEFORE))
    cr.execute(f"DROP SCHEMA IF EXISTS {BEFORE} CASCADE")
    return there


def count_others(cr: StoreCursor, own: list[int]) -> int:
    """Return how many sessions of others the database has.

    :param own: the processes of this command's own sessions
    """
    ((count,),) = fetch(
        cr,
        """SELECT count(*) FROM pg_stat_activity
            WHERE datname = current_database() AND usename IS NOT NULL
              AND pid != ALL(%s)
              AND coalesce(backend_type, 'client backend') = 'client backend'""",
        own,
    )
    return int(count)
