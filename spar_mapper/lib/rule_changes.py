"""What a change of the directory can concern, while it is being made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass
class RuleChanges:
    """The changes of one save: what was done first, and in its course.

    It stands in the context of the save, where no program outside can put one.
    """

    providers: set[int] = field(default_factory=set)
    types: set[int] = field(default_factory=set)
    #: how many there are
    noted: int = 0
    #: what is being saved, with all that comes in its course: the model, the ids of
    #: the records (none where they are made) and the values (None to delete them)
    saved: tuple[str, list[int], Any] | None = None
    #: somebody has seen what it does, or looks at that now
    is_seen: bool = False
    #: it is only tried, and undone
    is_rehearsed: bool = False

    @property
    def has_any(self) -> bool:
        """Whether anything was changed that decides how addresses are read."""
        return self.noted > 0

    def add(self, scope: Mapping[str, set[int]]) -> None:
        """Note the providers and kinds whose addresses a change can concern.

        >>> changes = RuleChanges()
        >>> changes.add({"providers": {7}})
        >>> changes.to_scope()
        {'providers': [7], 'types': [], 'unread': True}
        """
        self.providers |= scope.get("providers", set())
        self.types |= scope.get("types", set())
        self.noted += 1

    def to_scope(self) -> dict[str, Any]:
        """Return which addresses are to be looked at, as a run keeps it."""
        return {
            "providers": sorted(self.providers),
            "types": sorted(self.types),
            "unread": True,
        }
