"""The merging of another directory's data, which keeps local changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Merged:
    """The values to write, and whether previously fetched values were changed here."""

    values: dict[str, object]
    is_edited: bool


def merge(
    fetched: Mapping[str, object],
    before: Mapping[str, object],
    current: Mapping[str, object],
) -> Merged:
    """Return what to take over of a record.

    A value that differs from the previously fetched one (``before``) was changed here,
    and stays. A record is archived or restored only if none of its values was changed
    here.

    >>> merge({"name": "B", "active": True}, {"name": "A", "active": True},
    ...       {"name": "A", "active": True})
    Merged(values={'name': 'B'}, is_edited=False)
    >>> merge({"name": "A", "active": False}, {"name": "A", "active": True},
    ...       {"name": "Ours", "active": True})
    Merged(values={}, is_edited=True)
    """
    edited = {name for name in fetched if current[name] != before.get(name)}
    changed = {name for name in fetched if fetched[name] != before.get(name)}
    if edited:
        changed.discard("active")
    values = {
        name: fetched[name]
        for name in fetched
        if name in changed - edited and fetched[name] != current[name]
    }
    return Merged(values, bool(edited))
