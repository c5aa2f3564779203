"""The models that an action of Odoo opens in a browser."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def find_opened(action: Any) -> Iterator[str]:
    """Yield the models that an action opens, and the actions that it leads to.

    >>> nested = {"params": {"next": [{"res_model": "b"}]}, "res_model": "a"}
    >>> sorted(find_opened(nested))
    ['a', 'b']
    >>> list(find_opened(False))
    []
    """
    if isinstance(action, dict):
        model = action.get("res_model")
        if isinstance(model, str):
            yield model
        for value in action.values():
            yield from find_opened(value)
    elif isinstance(action, list | tuple):
        for value in action:
            yield from find_opened(value)
