"""Where Odoo may fetch from while it serves a request, and for how long.

Odoo fetches addresses that a caller names: of a link, a picture, a video. Such an
address must reach nothing in our own network. A network that the operator allowed, for
mappers or callbacks, is not allowed to callers by that: only what is allowed by name,
and what an administrator has set, such as the provider of a login.
"""

from __future__ import annotations

import math
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from os import getpid

from ..exceptions import OutgoingFailed, OutgoingRefused, TargetTooSlow
from .network_targets import is_public
from .outgoing import get_allowed, look_up

_CHECK_SECONDS = 0.25
#: What stands for no limit: sockets know no longer time limits than some weeks.
_A_DAY = 24 * 60 * 60.0


def find_addresses(
    host: str, port: int, seconds: float, is_set: Callable[[str, int], bool]
) -> list[str]:
    """Return the addresses of a host to which Odoo may connect for a caller.

    :param seconds: how long the name may be looked up
    :param is_set: whether an administrator has set an address at this host and port
    :raises OSError: if there are none, or the name is not known in time
    """
    host = host.strip("[]")
    try:
        allowed = get_allowed()
        addresses = look_up(host, port, seconds)
        if not all(map(is_public, addresses)) and not allowed.names(host, port):
            if not (allowed.has(host, port, addresses) and is_set(host, port)):
                raise OutgoingRefused(f"{host}: is not on the public internet")
    except TargetTooSlow as error:
        raise TimeoutError(str(error)) from None
    except (OutgoingRefused, OutgoingFailed) as error:
        raise ConnectionRefusedError(str(error)) from None
    return [str(address) for address in addresses]


@dataclass(frozen=True)
class Time:
    """The time that one request has for everything that Odoo fetches in it."""

    until: float

    @classmethod
    def begin(cls, seconds: float) -> Time:
        """Return the time from now on; for zero seconds it never ends."""
        return cls(time.monotonic() + seconds if seconds else math.inf)

    def get_left(self, wanted: object = None) -> float:
        """Return the seconds that are left, or that are wanted, if those are fewer.

        >>> Time.begin(60).get_left(3), 59 < Time.begin(60).get_left() <= 60
        (3.0, True)
        >>> Time.begin(0).get_left()
        86400.0
        >>> Time(0).get_left()
        Traceback (most recent call last):
        ...
        TimeoutError: the time for other servers is over
        """
        left = min(self.until - time.monotonic(), _A_DAY)
        if left <= 0:
            raise TimeoutError("the time for other servers is over")
        if isinstance(wanted, int | float) and 0 < wanted < left:
            return float(wanted)
        return left


class Connections:
    """The connections of this process that end with the time of their request.

    A time limit of a socket starts again with each byte. So a second handle of each
    connection is kept, by which it is shut down, whoever reads from it, with or without
    TLS.
    """

    def __init__(self) -> None:
        self._open: list[tuple[float, socket.socket, Callable[[], object]]] = []
        self._lock = threading.Lock()
        self._pid = 0

    def add(
        self, connection: socket.socket, until: float, is_needed: Callable[[], object]
    ) -> None:
        """Shut a connection down at a time, unless its request has ended before."""
        if math.isinf(until):
            return
        with self._lock:
            if self._pid != getpid():
                # A worker begins as a copy of its server, without the thread.
                self._pid, self._open = getpid(), []
                threading.Thread(target=self._run, name="fetching", daemon=True).start()
            self._open.append((until, connection.dup(), is_needed))

    def _run(self) -> None:
        never = threading.Event()
        while not never.wait(_CHECK_SECONDS):
            now = time.monotonic()
            with self._lock:
                ended = [each for each in self._open if _is_over(each, now)]
                self._open = [each for each in self._open if each not in ended]
            for until, connection, _is_needed in ended:
                with suppress(OSError):
                    if until <= now:
                        connection.shutdown(socket.SHUT_RDWR)
                connection.close()


def _is_over(
    entry: tuple[float, socket.socket, Callable[[], object]], now: float
) -> bool:
    until, _connection, is_needed = entry
    return until <= now or not is_needed()
