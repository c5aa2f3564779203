"""The addons that belong together with ours, by their dependencies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping


def find_related(depends: Mapping[str, Iterable[str]], prefix: str) -> set[str]:
    """Return our addons, those that they depend on, and those that depend on them.

    >>> depends = {"web": [], "spar_a": ["web"], "mine": ["spar_a"], "other": ["web"]}
    >>> sorted(find_related(depends, "spar_"))
    ['mine', 'spar_a', 'web']
    """
    ours = {name for name in depends if name.startswith(prefix)}
    below = _follow(ours, depends)
    above = {name for name in depends if ours & _follow({name}, depends)}
    return below | above


def _follow(names: set[str], depends: Mapping[str, Iterable[str]]) -> set[str]:
    """Return these addons with everything that they depend on."""
    found, left = set(names), list(names)
    while left:
        new = set(depends.get(left.pop(), ())) - found
        found |= new
        left += new
    return found
