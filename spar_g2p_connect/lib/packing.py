"""Documents as they are kept: JSON, made small before it is sealed.

Sealed text cannot be made smaller any more, and a batch's answer repeats itself.
"""

from __future__ import annotations

import json
import zlib

# A sealed value is a text; this coding gives each byte one character.
_BYTES = "latin-1"
_FAST = 1


def pack(document: object) -> str:
    """``document`` as a text to be sealed.

    >>> unpack(pack({"header": {"message_id": "1"}}))
    {'header': {'message_id': '1'}}
    """
    text = json.dumps(document, separators=(",", ":"), ensure_ascii=False)
    return zlib.compress(text.encode(), _FAST).decode(_BYTES)


def unpack(text: str) -> object:
    """The document in ``text``."""
    return json.loads(zlib.decompress(text.encode(_BYTES)))
