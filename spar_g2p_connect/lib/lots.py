"""Lots of a participant's limits, which a process takes in advance to count alone.

It takes a lot from the shared counter, and then admits calls without a further query
until the lot is used up. So a limit is never exceeded, and when it is reached no
process has more than one lot left. A lot is small and expires soon: what is left of it
is given back with the next one.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import date

#: The lots of all workers of a host together are at most 1/PARTS of a limit.
PARTS = 20
#: How long calls are counted in one lot.
LOT_SECONDS = 2.0


@dataclass(frozen=True)
class Need:
    """The amounts that a call needs of several limits; a limit of 0 means no limit.

    ``day`` is the day that the limits are for, and ``kind`` what is counted.
    """

    limits: tuple[int, ...]
    amounts: tuple[int, ...]
    day: date | None = None
    kind: str = ""

    def get_lots(self, workers: int) -> list[tuple[int, ...]]:
        """Return the lots to try to take for this call, in order.

        The first is a full lot, the second exactly what is needed, which is the only
        one when there are no ``workers`` that keep lots.

        >>> Need((600, 6000), (1, 10)).get_lots(2)
        [(15, 150), (1, 10)]
        >>> Need((39, 0), (1, 10)).get_lots(2)
        [(1, 10)]
        """
        if not workers:
            return [self.amounts]
        each = zip(self.limits, self.amounts, strict=True)
        lot = tuple(max(n, limit // (PARTS * workers)) for limit, n in each)
        return list(dict.fromkeys((lot, self.amounts)))


@dataclass
class Lot:
    """The rest of a lot, with the limits and the day that it was taken for."""

    limits: tuple[int, ...]
    day: date | None
    left: tuple[int, ...]
    #: until when calls are counted in it, by a monotonic clock
    until: float = 0
    #: what was counted in it and will be written with the next one, by kind
    unwritten: Counter[str] = field(default_factory=Counter)

    @classmethod
    def take(cls, need: Need, taken: tuple[int, ...]) -> Lot:
        """Return a lot of ``taken``, after this call.

        What the call needs has already been used and written.

        >>> Lot.take(Need((600, 0), (1, 10)), (15, 10)).left
        (14, 0)
        """
        until = time.monotonic() + LOT_SECONDS
        lot = cls(need.limits, need.day, taken, until)
        lot.left = lot._get_rest(need)
        return lot

    def covers(self, need: Need) -> bool:
        """Return whether ``need`` can be counted in this lot now.

        >>> lot = Lot.take(Need((600, 0), (1, 10)), (15, 10))
        >>> lot.covers(Need((600, 0), (14, 9999))), lot.covers(Need((600, 0), (15, 1)))
        (True, False)
        >>> lot.covers(Need((500, 0), (1, 1)))
        False
        """
        if (self.limits, self.day) != (need.limits, need.day):
            return False
        each = zip(self.limits, self._get_rest(need), strict=True)
        is_enough = all(not limit or rest >= 0 for limit, rest in each)
        return is_enough and time.monotonic() < self.until

    def use(self, need: Need) -> None:
        """Count a call that this lot covers."""
        self.left = self._get_rest(need)
        if need.kind:
            self.unwritten[need.kind] += need.amounts[0]

    def end(self) -> None:
        """Stop counting in this lot; what is left is given back with the next one."""
        self.until = 0

    def _get_rest(self, need: Need) -> tuple[int, ...]:
        each = zip(self.limits, self.left, need.amounts, strict=True)
        return tuple(left - n if limit else 0 for limit, left, n in each)
