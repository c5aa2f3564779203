"""Marks of the servers through which a request passes, so that none passes it twice.

A server that answers for another mapper sends requests on. If two servers name each
other for the same IDs, a request would go round for ever. So each server that sends a
request on adds its mark, and no server sends on what has its own.

A mark is an opaque digest: it says which database it is of to nobody who does not know
that database, and differs between all databases, whatever their receiver IDs.
"""

from __future__ import annotations

import hashlib
import re

#: A request that has passed more servers is refused: nobody arranges so many.
MAX_PASSED = 8

_MARK = re.compile("[0-9a-f]{32}")


def build_mark(database_uuid: str) -> str:
    """Return the mark of the server with this database.

    >>> is_mark(build_mark("c0ffee")), build_mark("c0ffee") == build_mark("tea")
    (True, False)
    """
    text = f"spar server {database_uuid}"
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def is_mark(value: object) -> bool:
    """Return whether a value is the mark of some server.

    >>> is_mark("spar.example"), is_mark(7)
    (False, False)
    """
    return isinstance(value, str) and bool(_MARK.fullmatch(value))


def add_mark(passed: tuple[str, ...], mark: str) -> tuple[str, ...]:
    """Return the marks of a request that the server with ``mark`` sends on.

    >>> add_mark(("a",), "b"), add_mark(("a",), "a")
    (('a', 'b'), ('a',))
    """
    return passed if mark in passed else (*passed, mark)
