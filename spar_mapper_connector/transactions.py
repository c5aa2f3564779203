"""The isolation under which SPAR's set-based statements are right; what ends them."""

import psycopg2
from psycopg2.errors import LockNotAvailable, QueryCanceled
from psycopg2.extensions import ISOLATION_LEVEL_READ_COMMITTED

from odoo.exceptions import ConcurrencyError
from odoo.modules import module

from .exceptions import ServiceUnavailable
from .lib.waiting import Limits

#: A statement waited too long for a lock, or took too long.
STOPPED = (LockNotAvailable, QueryCanceled)

#: Classes of PostgreSQL's codes that say nothing against the statement: connection,
#: conflict, resources, intervention, state of what is needed, the system below.
_PASSING = ("08", "40", "53", "55", "57", "58")


def use_read_committed(cr) -> None:
    """Begin a READ COMMITTED transaction on ``cr``; what was pending is rolled back.

    Odoo's default, REPEATABLE READ, answers every race with a serialization failure and
    runs the whole batch again; at READ COMMITTED a batch waits for the rows it wants
    and then sees them as they are. It costs no statement: the transaction begins so
    with its first one, as do those that follow on this cursor. A test keeps its one
    transaction.
    """
    if module.current_test:
        return
    cr.rollback()
    cr.connection.set_isolation_level(ISOLATION_LEVEL_READ_COMMITTED)


def is_read_committed(cr) -> bool:
    """Whether each statement on ``cr`` sees what was committed before it began."""
    return cr.connection.isolation_level == ISOLATION_LEVEL_READ_COMMITTED


def limit_transaction(cr, limits: Limits) -> None:
    """Have what follows in this transaction wait no longer than ``limits`` say."""
    cr.execute(limits.build_transaction())


def is_passing(error: BaseException) -> bool:
    """Whether ``error`` says that something is away or in use, and nothing against what
    was asked: later the same may work."""
    if isinstance(error, psycopg2.OperationalError):
        return (error.pgcode or "08")[:2] in _PASSING
    return isinstance(
        error, (ServiceUnavailable, ConcurrencyError, psycopg2.InterfaceError)
    )
