"""Up to which event nothing can appear any more, without stopping who writes.

Writers take ``LOCK TABLE spar_event IN ROW EXCLUSIVE MODE`` before they take ids from
the sequence. So an event with a smaller id than one that can be seen belongs to a
transaction that holds that lock now, or that has ended. Waiting for those transactions,
and for no other, is enough: those that come later take greater ids.

Nothing is locked here, and no transaction number is compared: a schedule holds one for
the row of its own job, and so does whoever writes in another database.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, Protocol

_PAUSE = 0.05


class Cursor(Protocol):
    """What is used of a cursor."""

    def execute(self, query: str, params: Sequence[Any] | None = None) -> Any: ...

    def fetchall(self) -> list[tuple[Any, ...]]: ...


def get_newest(cursor: Cursor) -> int:
    """Return the id of the newest event that can be seen, 0 where there is none."""
    cursor.execute("SELECT coalesce(max(id), 0) FROM spar_event")
    return int(cursor.fetchall()[0][0])


def get_writers(cursor: Cursor) -> set[str]:
    """Return the transactions of others that may have taken ids of events."""
    cursor.execute(
        """SELECT virtualtransaction FROM pg_locks
            WHERE locktype = 'relation' AND mode = 'RowExclusiveLock' AND granted
              AND database = (SELECT oid FROM pg_database
                               WHERE datname = current_database())
              AND relation = 'spar_event'::regclass
              AND pid IS DISTINCT FROM pg_backend_pid()"""
    )
    return {name for (name,) in cursor.fetchall()}


def wait_for_writers(cursor: Cursor, seconds: float) -> bool:
    """Return whether all who write events now have ended within ``seconds``.

    What they did is in a snapshot taken from now on, and in none taken before.
    """
    waiting = get_writers(cursor)
    end = time.monotonic() + seconds
    while waiting:
        if time.monotonic() > end:
            return False
        time.sleep(_PAUSE)
        waiting &= get_writers(cursor)
    return True
