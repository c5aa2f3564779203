"""Where a request's body ends (RFC 9112, 6)."""

from __future__ import annotations

from collections.abc import Container


def is_ambiguous(headers: Container[str]) -> bool:
    """Whether the headers say twice where the body ends: a proxy could believe the one
    and we the other, and what is between them would be somebody else's request.

    >>> is_ambiguous({"Content-Length": "5", "Transfer-Encoding": "chunked"})
    True
    >>> is_ambiguous({"Content-Length": "5"}), is_ambiguous({})
    (False, False)
    """
    return "Content-Length" in headers and "Transfer-Encoding" in headers
