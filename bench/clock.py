"""Repeating one operation for some seconds, and timing it."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from .usage import Usage

#: Sends a request body and returns the response body.
Send = Callable[[bytes], bytes]


@dataclass
class Measurement:
    """The calls of one process, or of several added up."""

    calls: int = 0
    items: int = 0
    wrong: int = 0
    calls_per_second: float = 0.0
    items_per_second: float = 0.0
    latencies: list[float] = field(default_factory=list, repr=False)
    #: the clients' own processor seconds
    client_seconds: float = field(default=0.0, repr=False)
    #: the cost of all clients together; only one of them records it
    usage: Usage | None = field(default=None, repr=False)

    def add(self, other: "Measurement") -> None:
        """Add what another process measured at the same time."""
        self.calls += other.calls
        self.items += other.items
        self.wrong += other.wrong
        self.calls_per_second += other.calls_per_second
        self.items_per_second += other.items_per_second
        self.latencies += other.latencies
        self.client_seconds += other.client_seconds
        self.usage = self.usage or other.usage

    def to_dict(self) -> dict:
        """Return the figures; latencies are summarised, in milliseconds.

        >>> figures = Measurement(calls=2, latencies=[0.001, 0.003]).to_dict()
        >>> figures["calls"], figures["p50_ms"], figures["p95_ms"]
        (2, 1.0, 3.0)
        """
        latencies = sorted(self.latencies)
        figures = {
            "calls": self.calls,
            "items": self.items,
            "wrong": self.wrong,
            "calls_per_second": self.calls_per_second,
            "items_per_second": self.items_per_second,
            "p50_ms": get_percentile(latencies, 50),
            "p95_ms": get_percentile(latencies, 95),
        }
        usage = self.usage or Usage()
        cost = replace(usage, client=self.client_seconds).to_dict(self.items)
        return {**figures, **cost}


def get_percentile(latencies: list[float], percent: int) -> float:
    """Return the value that a percentage of the sorted latencies stay within, in ms.

    >>> get_percentile([0.001, 0.002, 0.003, 0.004], 50)
    2.0
    >>> get_percentile([], 95)
    0.0
    """
    if not latencies:
        return 0.0
    place = -(-len(latencies) * percent // 100) - 1
    return round(latencies[max(place, 0)] * 1000, 3)


def repeat(
    send: Send, bodies: Iterable[bytes], seconds: float
) -> tuple[list[bytes], Measurement]:
    """Send one body after another until the time is over, but at least one.

    The answers are checked later, so that checking takes no time from the server.

    :return: the answers, and the calls with their latencies; items are not counted
    """
    answers, latencies = [], []
    used = time.process_time()
    begun = ended = time.perf_counter()
    for body in bodies:
        started = time.perf_counter()
        if answers and started - begun >= seconds:
            break
        answers.append(send(body))
        ended = time.perf_counter()
        latencies.append(ended - started)
    took = max(ended - begun, 1e-9)
    return answers, Measurement(
        len(answers),
        calls_per_second=len(answers) / took,
        latencies=latencies,
        client_seconds=time.process_time() - used,
    )


def count_items(measured: Measurement, items: int, wrong: int) -> Measurement:
    """Complete a measurement with its number of items and of wrong answers."""
    measured.items, measured.wrong = items, wrong
    if measured.calls:
        per_call = items / measured.calls
        measured.items_per_second = measured.calls_per_second * per_call
    return measured
