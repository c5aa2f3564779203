"""The possible scope of a directory change, collected while it is being made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass
class RuleChanges:
    """The changes of one save: those made first, and those that follow from it.

    It is kept in the context of the save, which no external client can set.
    """

    providers: set[int] = field(default_factory=set)
    types: set[int] = field(default_factory=set)
    #: how many there are
    noted: int = 0
    #: what is being saved, with everything that follows from it: the model, the ids of
    #: the records (none if they are being created) and the values (None to delete them)
    saved: tuple[str, list[int], Any] | None = None
    #: a user has seen the effect, or is looking at it now
    is_seen: bool = False
    #: it is only a trial, and is undone
    is_rehearsed: bool = False
    #: stored numbers are compared with a pattern that somebody chose
    tests_numbers: bool = False

    @property
    def has_any(self) -> bool:
        """Return whether a change affects how addresses are read."""
        return self.noted > 0

    def add(self, scope: Mapping[str, set[int]]) -> None:
        """Record the providers and kinds whose addresses a change can concern.

        >>> changes = RuleChanges()
        >>> changes.add({"providers": {7}})
        >>> changes.to_scope()
        {'providers': [7], 'types': [], 'unread': True}
        """
        self.providers |= scope.get("providers", set())
        self.types |= scope.get("types", set())
        self.noted += 1

    def to_scope(self) -> dict[str, Any]:
        """Return which addresses are to be checked, as a run stores it."""
        return {
            "providers": sorted(self.providers),
            "types": sorted(self.types),
            "unread": True,
        }
