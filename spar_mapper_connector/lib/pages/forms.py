"""What a browser sends in a form."""

from __future__ import annotations


def get_number(text: str | None) -> int:
    """Return a whole number from a form; 0 for anything else.

    >>> get_number("12"), get_number("x"), get_number(None), get_number("9" * 30)
    (12, 0, 0, 0)
    """
    return int(text) if text and text.isdecimal() and len(text) < 10 else 0
