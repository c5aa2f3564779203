"""Taking over what another directory says, without undoing what people changed here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Merged:
    """What to write, and whether people have changed what was taken over before."""

    values: dict[str, object]
    is_edited: bool


def merge(
    told: Mapping[str, object],
    before: Mapping[str, object],
    current: Mapping[str, object],
) -> Merged:
    """What to take over of a record.

    A value that differs from what was told `before` was changed here, and stays. A
    record is archived or restored only where nothing of it was changed here.

    >>> merge({"name": "B", "active": True}, {"name": "A", "active": True},
    ...       {"name": "A", "active": True})
    Merged(values={'name': 'B'}, is_edited=False)
    >>> merge({"name": "A", "active": False}, {"name": "A", "active": True},
    ...       {"name": "Ours", "active": True})
    Merged(values={}, is_edited=True)
    """
    edited = {name for name in told if current[name] != before.get(name)}
    changed = {name for name in told if told[name] != before.get(name)}
    if edited:
        changed.discard("active")
    values = {
        name: told[name]
        for name in told
        if name in changed - edited and told[name] != current[name]
    }
    return Merged(values, bool(edited))
