"""Values that this process caches, each for as long as its version is unchanged."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

#: The maximum number of entries; a full cache is emptied, as after a restart.
SIZE = 1024


class RowCache:
    """One value for each key, and the version of the rows that it was computed from.

    >>> cache = RowCache()
    >>> cache.put("rules", "745(0,1)", "apply")
    >>> cache.get("rules", "745(0,1)"), cache.get("rules", "746(0,2)")
    ('apply', None)
    """

    def __init__(self, size: int = SIZE):
        self._size = size
        self._values: dict[Hashable, tuple[Hashable, Any]] = {}

    def get(self, key: Hashable, version: Hashable) -> Any:
        """Return the value of ``key``; None if it is unknown or of another version."""
        known = self._values.get(key)
        return known[1] if known and known[0] == version else None

    def put(self, key: Hashable, version: Hashable, value: Any) -> None:
        """Store ``value``, made of rows that were read after their ``version``."""
        if key not in self._values and len(self._values) >= self._size:
            self._values.clear()
        self._values[key] = (version, value)
