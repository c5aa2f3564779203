"""The number of failures before a user has to wait, and the length of the pauses."""

from __future__ import annotations

from dataclasses import dataclass

#: More doublings than this exceed every longest pause.
_MAX_DOUBLINGS = 30
#: How many times looser than the default a limit can be set.
_LOOSEST = 10


@dataclass(frozen=True)
class Limit:
    """The number of free failures, and the pauses in seconds after that.

    >>> limit = Limit(free=3, first=10, longest=60)
    >>> [limit.get_pause(failures) for failures in (0, 2, 3, 4, 5, 6, 99)]
    [0, 0, 10, 20, 40, 60, 60]
    """

    free: int
    first: int
    longest: int

    def get_pause(self, failures: int) -> int:
        """Return the seconds to wait after that many failures in a row."""
        if failures < self.free:
            return 0
        doublings = min(failures - self.free, _MAX_DOUBLINGS)
        return min(self.first << doublings, self.longest)


def read_limit(text: str | None, default: Limit) -> Limit:
    """Return the limit in a setting's three numbers, else the default.

    None is more than ten times looser than the default: no setting allows endless
    guessing.

    >>> read_limit("5 30 900", Limit(3, 10, 60))
    Limit(free=5, first=30, longest=900)
    >>> read_limit("five", Limit(3, 10, 60))
    Limit(free=3, first=10, longest=60)
    >>> read_limit("999 0 0", Limit(3, 10, 60))
    Limit(free=30, first=1, longest=6)
    """
    numbers = (text or "").split()
    if len(numbers) != 3 or not all(each.isdecimal() for each in numbers):
        return default
    free, first, longest = map(int, numbers)
    return Limit(
        free=min(max(free, 1), default.free * _LOOSEST),
        first=max(first, default.first // _LOOSEST, 1),
        longest=max(longest, default.longest // _LOOSEST, 1),
    )
