"""Limits on every transaction of a request or a schedule.

A connection is limited when a cursor takes it from Odoo's pool: by then its use is
known, and it costs one statement, which no rollback undoes. Commands run by hand, an
upgrade for example, wait without a limit.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from odoo import http
from odoo.sql_db import PsycoConnection

from ..lib.waiting import REQUEST, TimeLimits

_here = threading.local()


@contextmanager
def limited(limits: TimeLimits) -> Iterator[None]:
    """Apply these limits to connections that this thread takes in the block."""
    before = getattr(_here, "limits", None)
    _here.limits = limits
    try:
        yield
    finally:
        _here.limits = before


def get_limits() -> TimeLimits | None:
    """Return the limits of this thread's work; None if it has none."""
    limits: TimeLimits | None = getattr(_here, "limits", None)
    return limits or (REQUEST if http.request else None)


def limit_connections() -> None:
    """Make Odoo's pool return limited connections, new ones and used ones."""
    begin, reset = PsycoConnection.__init__, PsycoConnection.reset

    def begin_limited(self, *args, **kwargs):
        begin(self, *args, **kwargs)
        _limit(self)

    def reset_limited(self):
        reset(self)
        _limit(self)

    PsycoConnection.__init__ = begin_limited
    PsycoConnection.reset = reset_limited


def _limit(connection: PsycoConnection) -> None:
    limits = get_limits()
    if limits is None:
        return
    connection.autocommit = True  # otherwise a rollback would undo it
    with connection.cursor() as cursor:
        cursor.execute(limits.build_session(connection.server_version))
    connection.autocommit = False
