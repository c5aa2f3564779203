"""The time limit for a request to arrive completely.

Odoo's workers restart the wait for each byte: a body that arrives at a byte per second
occupies one for hours. Here reading ends when the time is over; the answer can still be
sent. The time before Odoo has a connection is the proxy's responsibility.
"""

import socket
import threading
import time
from contextlib import suppress
from os import getpid

from odoo.service.server import CommonRequestHandler, RequestHandler

from ..lib.waiting import REQUEST_SECONDS

_CHECK_SECONDS = 1.0


class Deadlines:
    """The connections that this process reads from, with their deadlines."""

    def __init__(self, seconds: float):
        self._seconds = seconds
        self._reading: dict[int, tuple[float, CommonRequestHandler]] = {}
        self._over: set[int] = set()
        self._pid = 0

    def begin(self, handler: CommonRequestHandler) -> None:
        """Start the time limit of what this thread reads."""
        thread = threading.get_ident()
        self._over.discard(thread)
        if self._seconds:
            self._reading[thread] = (time.monotonic() + self._seconds, handler)
            self._watch()

    def end(self) -> None:
        """Note that this thread has served its request."""
        self._reading.pop(threading.get_ident(), None)

    def is_over(self) -> bool:
        """Return whether the request of this thread did not arrive in time."""
        return threading.get_ident() in self._over

    def _watch(self) -> None:
        """Start a thread that enforces the deadlines: each process needs its own."""
        if self._pid != getpid():
            self._pid = getpid()
            self._reading = {
                thread: reading
                for thread, reading in self._reading.items()
                if thread == threading.get_ident()
            }
            threading.Thread(target=self._run, name="deadlines", daemon=True).start()

    def _run(self) -> None:
        while True:
            time.sleep(_CHECK_SECONDS)
            now = time.monotonic()
            for thread, (until, handler) in list(self._reading.items()):
                if until < now and not _is_websocket(handler):
                    self._reading.pop(thread, None)
                    self._over.add(thread)
                    with suppress(OSError):
                        handler.connection.shutdown(socket.SHUT_RD)


def _is_websocket(handler: CommonRequestHandler) -> bool:
    """Return whether it stays open on purpose: only in Odoo without workers."""
    headers = getattr(handler, "headers", None)
    is_able = isinstance(handler, RequestHandler)
    return bool(is_able and headers and headers.get("Upgrade") == "websocket")


DEADLINES = Deadlines(REQUEST_SECONDS)


def limit_reading() -> None:
    """Make requests fail that take longer to arrive than the setting allows."""
    handle = CommonRequestHandler.handle

    def handle_in_time(self):
        DEADLINES.begin(self)
        try:
            return handle(self)
        finally:
            DEADLINES.end()

    CommonRequestHandler.handle = handle_in_time
