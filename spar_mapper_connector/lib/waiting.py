"""The server's time limits: settings of its environment, in seconds.

Zero means no limit. They are read once: all workers of a server have the same.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass

#: Name of the setting -> its default.
DEFAULTS = {
    "SPAR_LOCK_SECONDS": 5.0,
    "SPAR_STATEMENT_SECONDS": 30.0,
    "SPAR_QUEUE_LOCK_SECONDS": 2.0,
    "SPAR_SCHEDULE_STATEMENT_SECONDS": 600.0,
    "SPAR_REQUEST_SECONDS": 30.0,
    "SPAR_FETCH_SECONDS": 5.0,
}
#: Interval at which PostgreSQL checks that its client is still connected (from version
#: 14).
_CHECK_SECONDS, _CHECKING_VERSION = 2, 140000
#: A dead connection is closed after about a minute of silence.
_KEEPALIVES = {
    "tcp_keepalives_idle": "30",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
}


def read_seconds(name: str, environ: Mapping[str, str] | None = None) -> float:
    """Return the setting ``name``; raises ValueError if it is not a number of seconds.

    >>> read_seconds("SPAR_LOCK_SECONDS", {}), read_seconds("SPAR_LOCK_SECONDS",
    ...     {"SPAR_LOCK_SECONDS": "0.5"})
    (5.0, 0.5)
    >>> read_seconds("SPAR_LOCK_SECONDS", {"SPAR_LOCK_SECONDS": "soon"})
    Traceback (most recent call last):
    ...
    ValueError: SPAR_LOCK_SECONDS: must be a number of seconds, 0 for no limit
    """
    text = (os.environ if environ is None else environ).get(name, "").strip()
    try:
        seconds = float(text) if text else DEFAULTS[name]
    except ValueError:
        seconds = -1.0
    if not (math.isfinite(seconds) and seconds >= 0):
        raise ValueError(f"{name}: must be a number of seconds, 0 for no limit")
    return seconds


@dataclass(frozen=True)
class TimeLimits:
    """The time a statement may wait for a lock, and the time it may take in all."""

    lock_seconds: float
    statement_seconds: float

    def build_session(self, server_version: int) -> str:
        """Return SQL that sets a connection's limits and ends it if its client is gone.

        >>> TimeLimits(0.5, 30).build_session(130000)
        'SET lock_timeout = 500; SET statement_timeout = 30000; \
SET tcp_keepalives_idle = 30; SET tcp_keepalives_interval = 10; \
SET tcp_keepalives_count = 3'
        >>> TimeLimits(5, 0).build_session(180000).rpartition("; ")[2]
        'SET client_connection_check_interval = 2000'
        """
        settings = {**self._get_timeouts(), **_KEEPALIVES}
        if server_version >= _CHECKING_VERSION:
            interval = str(_CHECK_SECONDS * 1000)
            settings["client_connection_check_interval"] = interval
        return _build("SET", settings)

    def build_transaction(self) -> str:
        """Return SQL that sets the limits of the current transaction.

        >>> TimeLimits(2, 30).build_transaction()
        'SET LOCAL lock_timeout = 2000; SET LOCAL statement_timeout = 30000'
        """
        return _build("SET LOCAL", self._get_timeouts())

    def _get_timeouts(self) -> dict[str, str]:
        return {
            "lock_timeout": _get_milliseconds(self.lock_seconds),
            "statement_timeout": _get_milliseconds(self.statement_seconds),
        }


def _build(verb: str, settings: Mapping[str, str]) -> str:
    return "; ".join(f"{verb} {name} = {value}" for name, value in settings.items())


def _get_milliseconds(seconds: float) -> str:
    """Return milliseconds, as PostgreSQL counts; what is more than zero stays so.

    >>> _get_milliseconds(0), _get_milliseconds(0.0001), _get_milliseconds(2.5)
    ('0', '1', '2500')
    """
    return str(math.ceil(seconds * 1000))


#: For a request: a user waits for the answer, and a worker is occupied meanwhile.
REQUEST = TimeLimits(
    read_seconds("SPAR_LOCK_SECONDS"), read_seconds("SPAR_STATEMENT_SECONDS")
)
#: For a schedule: no user waits, but a lock that it waits for may last for ever.
SCHEDULE = TimeLimits(
    read_seconds("SPAR_LOCK_SECONDS"), read_seconds("SPAR_SCHEDULE_STATEMENT_SECONDS")
)
#: For the processing of a stored message: others wait behind it.
TURN = TimeLimits(
    read_seconds("SPAR_QUEUE_LOCK_SECONDS"), read_seconds("SPAR_STATEMENT_SECONDS")
)
#: For an upgrade that a user started by a click.
NONE = TimeLimits(0, 0)
#: From the first byte of a request to its last.
REQUEST_SECONDS = read_seconds("SPAR_REQUEST_SECONDS")
#: For everything that Odoo fetches from other servers during one request.
FETCH_SECONDS = read_seconds("SPAR_FETCH_SECONDS")
