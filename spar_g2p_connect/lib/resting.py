"""Backends that did not answer, and are left alone for a moment.

While a backend is slow or down, each call of it would occupy a worker until its time is
over. So after a failure nothing is sent to it for some seconds: its items are answered
*try again* at once, and the other items as always.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable

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
