"""Another session that holds a lock, as an open psql does; and waiting sessions."""

import contextlib
from collections.abc import Iterator

import psycopg2

from .real_server import RealServer

#: Locks the row of an ID's subject, the first one that a change of it takes.
_ROW = """
    SELECT i.id FROM spar_subject_id i JOIN spar_event e ON e.subject_id = i.subject_id
     WHERE e.message_reference = %s FOR UPDATE OF i"""


@contextlib.contextmanager
def holding(server: RealServer, statement: str, *values) -> Iterator[None]:
    """Keep a transaction open for the block, after it has run a statement."""
    connection = psycopg2.connect(server.get_dsn())
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement, values or None)
            yield
    finally:
        connection.close()


def holding_row(server: RealServer, message: dict):
    """Lock the row of the ID that a message linked for the block."""
    name = message["header"]["message_id"]
    assert server.query(_ROW.replace("FOR UPDATE OF i", ""), name)
    return holding(server, _ROW, name)


def holding_table(server: RealServer, table: str):
    """Lock a table for the block, even against reads."""
    return holding(server, f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")


def count_backends(server: RealServer) -> int:
    """Return how many sessions wait for a lock of the database."""
    query = """SELECT count(*) FROM pg_stat_activity
                WHERE datname = current_database() AND wait_event_type = 'Lock'"""
    return server.query(query)[0][0]
