"""When two messages are the same one, sent again."""

from __future__ import annotations

from ..jose.canonical import canonicalise as sort_members
from .wire_json import JsonObject

#: What changes from one sending to the next.
_CHANGING = "message_ts"


def canonicalise(document: JsonObject) -> bytes:
    """Header without its time, and message, in one form whatever their writing.

    >>> one = {"header": {"message_ts": "1", "a": 1}, "message": {"b": "c"}}
    >>> two = {"message": {"b": "c"}, "signature": "x", "header": {"a": 1}}
    >>> canonicalise(one) == canonicalise(two)
    True
    """
    header = document["header"]
    told = {
        "header": {k: v for k, v in header.items() if k != _CHANGING},
        "message": document.get("message"),
    }
    return sort_members(told)
