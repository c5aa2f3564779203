"""Growing pauses between retries."""

from __future__ import annotations

import random
from datetime import timedelta

#: After this time nothing is retried any more.
GIVE_UP = timedelta(days=1)

_MINUTES = (0.2, 1, 2, 5, 10, 20, 40, 60, 120, 180)


def get_pause(attempt: int) -> timedelta:
    """Return the pause after attempt number ``attempt`` (from 1), with some jitter.

    Thanks to the jitter, what failed together is not retried all at once.

    >>> get_pause(1) < timedelta(seconds=20), get_pause(99) > timedelta(hours=2)
    (True, True)
    """
    minutes = _MINUTES[min(attempt, len(_MINUTES)) - 1]
    return timedelta(minutes=minutes * random.uniform(0.8, 1.2))  # noqa: S311
