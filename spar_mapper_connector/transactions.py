"""The isolation level for set-based statements, and the errors that stop them."""

import psycopg2
from psycopg2.errors import LockNotAvailable, QueryCanceled
from psycopg2.extensions import ISOLATION_LEVEL_READ_COMMITTED

from odoo.exceptions import ConcurrencyError
from odoo.modules import module

from .exceptions import ServiceUnavailable
from .lib.waiting import TimeLimits

#: A statement waited too long for a lock, or took too long.
STOPPED = (LockNotAvailable, QueryCanceled)

#: Classes of PostgreSQL's codes that do not concern the statement itself: connection,
#: conflict, resources, intervention, object state, system errors.
_PASSING = ("08", "40", "53", "55", "57", "58")


def use_read_committed(cr) -> None:
    """Begin a READ COMMITTED transaction on ``cr``; pending changes are rolled back.

    Odoo's default, REPEATABLE READ, answers every race with a serialization failure and
    runs the whole batch again; at READ COMMITTED a batch waits for the rows it wants
    and then sees them as they are. It costs no statement: the level is set when the
    transaction begins with its first one, as for those that follow on this cursor. A
    test keeps its one transaction.
    """
    if module.current_test:
        return
    cr.rollback()
    cr.connection.set_isolation_level(ISOLATION_LEVEL_READ_COMMITTED)


def is_read_committed(cr) -> bool:
    """Return whether each statement on ``cr`` sees what was committed before it."""
    return cr.connection.isolation_level == ISOLATION_LEVEL_READ_COMMITTED


def count_alone(cr, counter: str, *keys: object) -> None:
    """Begin a transaction on ``cr`` in which nobody else counts the same.

    Whoever counts to a limit calls this first, and counts and records in the same
    transaction: of attempts at the same time, no more than the limit get through. It is
    READ COMMITTED, because at REPEATABLE READ the statement that waits for the lock has
    its snapshot already, and what was counted meanwhile would be missing from it.
    Changes that ``cr`` has pending are rolled back.

    :param counter: what is counted
    :param keys: for whom, each counted alone
    """
    use_read_committed(cr)
    lock_counters(cr, counter, *keys)


def lock_counters(cr, counter: str, *keys: object) -> None:
    """Do as ``count_alone`` in a transaction that is READ COMMITTED already."""
    # In a fixed order, so that those who count several cannot deadlock.
    for key in sorted(map(str, keys)):
        cr.execute(
            "SELECT pg_advisory_xact_lock(hashtext(%s), hashtext(%s))", (counter, key)
        )


def limit_transaction(cr, limits: TimeLimits) -> None:
    """Make the rest of this transaction wait no longer than ``limits`` allow."""
    cr.execute(limits.build_transaction())


def is_passing(error: BaseException) -> bool:
    """Return whether a later retry may succeed after ``error``.

    The error then means that something is unavailable or in use, and is no objection to
    the request.
    """
    if isinstance(error, psycopg2.OperationalError):
        return (error.pgcode or "08")[:2] in _PASSING
    return isinstance(
        error, (ServiceUnavailable, ConcurrencyError, psycopg2.InterfaceError)
    )
