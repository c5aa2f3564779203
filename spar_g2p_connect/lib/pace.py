"""Limits per minute: two buckets for each participant that refill within a minute.

One holds calls, the other items. An unknown ID costs as much as twenty known ones; the
difference is taken afterwards, and may leave a debt that has to be refilled first.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

UNKNOWN_COST = 20


@dataclass(frozen=True)
class Pace:
    """The current content of a participant's buckets; a limit of 0 means no limit."""

    calls: float
    items: float
    calls_per_minute: int
    items_per_minute: int

    def get_seconds(self, items: int) -> int:
        """Return the seconds until a call with ``items`` is admitted, at least one.

        >>> Pace(0, 6000, 60, 6000).get_seconds(1)
        1
        >>> Pace(10, -14000, 60, 6000).get_seconds(1000)
        150
        """
        # A call for more items than the bucket holds waits until it is full.
        wanted = min(items, self.items_per_minute)
        return max(
            1,
            _get_wait(1 - self.calls, self.calls_per_minute),
            _get_wait(wanted - self.items, self.items_per_minute),
        )


def _get_wait(missing: float, per_minute: int) -> int:
    return ceil(missing * 60 / per_minute) if per_minute and missing > 0 else 0
