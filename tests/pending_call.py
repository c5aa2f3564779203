"""A commit that waits for the test, so that a participant's transaction stays open."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator

import psycopg2

from .real_server import RealServer

_KEY = 7_301_992
#: The commit of the participant's transactions waits while the test has the lock.
_SET_UP = """
    CREATE FUNCTION hold_commit() RETURNS trigger AS $$
    BEGIN
        PERFORM pg_advisory_xact_lock_shared({key});
        RETURN NULL;
    END $$ LANGUAGE plpgsql;
    CREATE CONSTRAINT TRIGGER hold_commit AFTER INSERT ON spar_event
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
        WHEN (NEW.actor = '{actor}') EXECUTE FUNCTION hold_commit();
"""
_CLEAN_UP = "DROP FUNCTION IF EXISTS hold_commit() CASCADE"
_WAITING = """
    SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
       AND objid = %s"""


class PendingCall:
    """A call in a thread of its own whose commit waits until ``release``."""

    def __init__(self, call: Callable, release: Callable):
        self.answer = None
        self.release = release
        self._thread = threading.Thread(target=self._run, args=(call,))
        self._thread.start()

    def _run(self, call: Callable) -> None:
        self.answer = call()

    def finish(self):
        """Let it commit; return its answer."""
        self.release()
        self._thread.join(60)
        assert not self._thread.is_alive(), "the call does not end"
        return self.answer


def wait_until(reached: Callable, what: str, seconds: float = 60) -> None:
    """Return when ``reached()`` is true; fail with ``what`` if it takes too long."""
    end = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < end, what
        time.sleep(0.05)


@contextlib.contextmanager
def delaying_commit(
    server: RealServer, sender: str, call: Callable
) -> Iterator[PendingCall]:
    """Yield a participant's call that was processed and is not committed."""
    connection = psycopg2.connect(server.get_dsn())
    connection.autocommit = True
    with server.cursor() as cursor:
        actor = f"participant:{sender}"
        cursor.execute(_CLEAN_UP)
        cursor.execute(_SET_UP.format(key=_KEY, actor=actor))
    with connection.cursor() as keeper:
        keeper.execute("SELECT pg_advisory_lock(%s)", (_KEY,))
        pending = PendingCall(
            call, lambda: keeper.execute("SELECT pg_advisory_unlock_all()")
        )
        try:
            wait_until(
                lambda: server.query(_WAITING, _KEY)[0][0], "the commit does not wait"
            )
            yield pending
        finally:
            pending.finish()
            with server.cursor() as cursor:
                cursor.execute(_CLEAN_UP)
    connection.close()
