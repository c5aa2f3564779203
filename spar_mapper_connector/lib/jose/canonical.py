"""The bytes of a JSON document that are signed, whatever its formatting."""

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
    """Return ``document`` with sorted members, without white space, in UTF-8.

    Equal to RFC 8785 (JCS) except for numbers with a fraction or an exponent, which are
    written as Python writes them (1.0, 1e-07), and for names of members beyond the
    Basic Multilingual Plane: senders of such values should send them as texts. Raises
    ValueError for NaN and infinities, UnicodeEncodeError (a ValueError) for half a
    surrogate pair.

    >>> canonicalise({"b": [1, True, None], "a": "\u00e9 \\u2028"}).decode()
    '{"a":"é \\u2028","b":[1,true,null]}'
    >>> canonicalise({"b": 1, "a": 2}) == canonicalise({"a": 2, "b": 1})
    True
    """
    return _encode(document).encode()
