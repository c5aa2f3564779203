"""The comparison of messages: whether one is another one, sent again."""

from __future__ import annotations

from ..jose.canonical import canonicalise as sort_members
from .wire_json import JsonObject

#: The member that changes from one sending to the next.
_CHANGING = "message_ts"


def canonicalise(document: JsonObject) -> bytes:
    """Return the header without its time, and the message, in one canonical form.

    >>> one = {"header": {"message_ts": "1", "a": 1}, "message": {"b": "c"}}
    >>> two = {"message": {"b": "c"}, "signature": "x", "header": {"a": 1}}
    >>> canonicalise(one) == canonicalise(two)
    True
    """
    header = document["header"]
    compared = {
        "header": {k: v for k, v in header.items() if k != _CHANGING},
        "message": document.get("message"),
    }
    return sort_members(compared)
