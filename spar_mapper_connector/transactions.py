"""The isolation under which SPAR's set-based statements are right."""

from psycopg2.extensions import ISOLATION_LEVEL_READ_COMMITTED

from odoo.modules import module


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
