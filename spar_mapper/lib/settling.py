"""Determine up to which event the history is final, without blocking writers.

Writers take ``LOCK TABLE spar_event IN ROW EXCLUSIVE MODE`` before they take ids from
the sequence. So an event that is not visible yet, and whose id is smaller than a
visible one, belongs to a transaction that holds that lock now, or that has ended.
Waiting for those transactions, and for no other, is enough: later ones take greater
ids.

Nothing is locked here, and no transaction numbers are compared: a scheduler holds one
for the row of its own job, and so does any process that writes in another database.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, Protocol

_PAUSE = 0.05


class QueryCursor(Protocol):
    """The part of a cursor's interface that is used here."""

    def execute(self, query: str, params: Sequence[Any] | None = None) -> Any: ...

    def fetchall(self) -> list[tuple[Any, ...]]: ...


def get_newest(cursor: QueryCursor) -> int:
    """Return the id of the newest visible event, or 0 if there is none."""
    cursor.execute("SELECT coalesce(max(id), 0) FROM spar_event")
    return int(cursor.fetchall()[0][0])


def get_writers(cursor: QueryCursor) -> set[str]:
    """Return the other transactions that may have taken ids of events."""
    cursor.execute(
        """SELECT virtualtransaction FROM pg_locks
            WHERE locktype = 'relation' AND mode = 'RowExclusiveLock' AND granted
              AND database = (SELECT oid FROM pg_database
                               WHERE datname = current_database())
              AND relation = 'spar_event'::regclass
              AND pid IS DISTINCT FROM pg_backend_pid()"""
    )
    return {name for (name,) in cursor.fetchall()}


def wait_for_writers(cursor: QueryCursor, seconds: float) -> bool:
    """Return whether all current writers of events have ended within ``seconds``.

    Their events are visible in a snapshot taken from now on, and in none taken before.
    """
    waiting = get_writers(cursor)
    end = time.monotonic() + seconds
    while waiting:
        if time.monotonic() > end:
            return False
        time.sleep(_PAUSE)
        # Later writers are left out: they take greater ids.
        waiting &= get_writers(cursor)
    return True
