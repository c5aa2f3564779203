"""The bytes that are signed of a JSON document, however it was written down."""

from __future__ import annotations

import json

_encode = json.JSONEncoder(
    sort_keys=True,
    separators=(",", ":"),
    ensure_ascii=False,
    allow_nan=False,
    check_circular=False,
).encode


def canonicalise(document: object) -> bytes:
    """``document`` with sorted members, no white space, in UTF-8.

    Equal to RFC 8785 (JCS) but for numbers with a fraction or an exponent, which are
    written as Python writes them (1.0, 1e-07), and for names of members beyond the
    Basic Multilingual Plane: who signs such values does better to send them as texts.
    ValueError for NaN and infinities, UnicodeEncodeError (a ValueError) for half a
    surrogate pair.

    >>> canonicalise({"b": [1, True, None], "a": "\u00e9 \\u2028"}).decode()
    '{"a":"é \\u2028","b":[1,true,null]}'
    >>> canonicalise({"b": 1, "a": 2}) == canonicalise({"a": 2, "b": 1})
    True
    """
    return _encode(document).encode()
