"""Backends that did not answer, and are left alone for a moment.

While a backend is slow or down, each call of it would occupy a worker until its time is
over. So after a failure nothing is sent to it for some seconds: its items are answered
*try again* at once, and the other items as always.

A mapper that quickly answers *try again* about its items has answered. Otherwise one
participant's item would keep everybody else's from being asked about.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable, Sequence

from odoo.addons.spar_mapper_connector.lib.contract import Outcome, Result

#: A call that took less occupied no worker, in seconds.
QUICK_SECONDS = 1.0

#: How long a process sends nothing to a backend that did not answer.
REST_SECONDS = 5.0


class Resting:
    """The backends that this process leaves alone, and until when.

    >>> moment = [0.0]
    >>> resting = Resting(lambda: moment[0])
    >>> resting.begin("a")
    >>> resting.includes("a"), resting.includes("b")
    (True, False)
    >>> moment[0] = REST_SECONDS
    >>> resting.includes("a")
    False
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic):
        self._clock = clock
        self._until: dict[Hashable, float] = {}
        self._lock = threading.Lock()

    def begin(self, backend: Hashable) -> None:
        """Leave a backend alone from now on, for a while."""
        with self._lock:
            self._until[backend] = self._clock() + REST_SECONDS

    def end(self, backend: Hashable) -> None:
        """Note that a backend answered."""
        with self._lock:
            self._until.pop(backend, None)

    def includes(self, backend: Hashable) -> bool:
        until = self._until.get(backend)
        return until is not None and self._clock() < until


def is_failure(results: Sequence[Result], seconds: float) -> bool:
    """Return whether a call of a backend failed as a whole, after some time.

    >>> retries = [Result(Outcome.RETRY)]
    >>> is_failure(retries, 10), is_failure(retries, 0.1)
    (True, False)
    >>> is_failure([*retries, Result(Outcome.LINKED)], 10)
    False
    """
    is_slow = seconds > QUICK_SECONDS
    return is_slow and all(each.outcome is Outcome.RETRY for each in results)
