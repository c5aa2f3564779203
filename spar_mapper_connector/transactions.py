"""The isolation under which SPAR's set-based statements are right."""

from odoo.modules import module


def use_read_committed(cr) -> None:
    """Begin a READ COMMITTED transaction on ``cr``; what was pending is rolled back.

    Odoo's default, REPEATABLE READ, answers every race with a serialization failure and
    runs the whole batch again; at READ COMMITTED a batch waits for the rows it wants
    and then sees them as they are. A test keeps its one transaction.
    """
    if module.current_test:
        return
    cr.rollback()
    cr.execute("SET TRANSACTION ISOLATION LEVEL READ COMMITTED")
