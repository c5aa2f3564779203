"""The end of a request's body (RFC 9112, 6)."""

from __future__ import annotations

from collections.abc import Container


def is_ambiguous(headers: Container[str]) -> bool:
    """Return whether the headers state the end of the body twice.

    A proxy could follow one of them and we the other, and the bytes in between would be
    another client's request.

    >>> is_ambiguous({"Content-Length": "5", "Transfer-Encoding": "chunked"})
    True
    >>> is_ambiguous({"Content-Length": "5"}), is_ambiguous({})
    (False, False)
    """
    return "Content-Length" in headers and "Transfer-Encoding" in headers
