"""Routes of a website, as the rows that move them write them.

A placeholder of a route can have a domain, ``<model("res.lang", "[…]"):lang>``, which
Odoo evaluates as Python.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

#: A placeholder; quoted text in it can contain anything.
_PLACEHOLDER = re.compile(r"""<(?:"[^"]*"|'[^']*'|[^<>"'])*>""")


def adds_placeholder(path: str, known: Iterable[str]) -> bool:
    """Return whether a path has a placeholder that none of the known routes has.

    >>> adds_placeholder("/garden/<int:page>", ["/shop/<int:page>"])
    False
    >>> adds_placeholder("/x<model('res.lang', '[]'):a>", ["/shop/<int:page>"])
    True
    >>> adds_placeholder("/x<", []), adds_placeholder("/x", [])
    (True, False)
    """
    placeholders = {
        placeholder for route in known for placeholder in _PLACEHOLDER.findall(route)
    }
    # The longest first: one can be a part of another.
    for placeholder in sorted(placeholders, key=len, reverse=True):
        path = path.replace(placeholder, "")
    return "<" in path or ">" in path
