"""Documents as they are stored: JSON, compressed before it is sealed.

Sealed text can no longer be compressed, and the answer to a batch is repetitive.
"""

from __future__ import annotations

import json
import zlib

# A sealed value is a text; this encoding maps each byte to one character.
_BYTES = "latin-1"
_FAST = 1


def pack(document: object) -> str:
    """Return ``document`` as a text to be sealed.

    >>> unpack(pack({"header": {"message_id": "1"}}))
    {'header': {'message_id': '1'}}
    """
    text = json.dumps(document, separators=(",", ":"), ensure_ascii=False)
    return zlib.compress(text.encode(), _FAST).decode(_BYTES)


def unpack(text: str) -> object:
    """Return the document in ``text``."""
    return json.loads(zlib.decompress(text.encode(_BYTES)))
