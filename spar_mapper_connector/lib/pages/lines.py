"""An address line by line, and its numbers in groups."""

from __future__ import annotations

from dataclasses import dataclass

GROUP = 4


@dataclass(frozen=True)
class AddressLine:
    """One line of an address: a label and its value.

    ``heard`` is what a screen reader says for a masked value. ``is_number`` means that
    the value is written from left to right in every language.
    """

    label: str
    text: str
    heard: str = ""
    is_number: bool = False
    is_masked: bool = False


def in_groups(text: str) -> str:
    """Return a number in groups of four, for the eye; anything else unchanged.

    >>> in_groups("123456789")
    '1234 5678 9'
    >>> in_groups("ada@example.org")
    'ada@example.org'
    >>> in_groups("+63 917 1234567")
    '+63 917 1234567'
    """
    if not (text.isascii() and text.isalnum()):
        return text
    return " ".join(text[i : i + GROUP] for i in range(0, len(text), GROUP))
