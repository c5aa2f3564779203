"""Cleaning of what people type."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

#: Names that would clash with Python's own arguments.
RESERVED = frozenset(("self", "args", "kwargs"))


def keep_plain(parameters: Mapping[str, object]) -> dict[str, str | int]:
    """Return the texts and numbers of a request's parameters: no files, no NUL.

    >>> keep_plain({"period": "a\\0b", "seq": 1, "self": "1", "version": b"file"})
    {'period': 'ab', 'seq': 1}
    """
    return {
        key: value.replace("\0", "") if isinstance(value, str) else value
        for key, value in parameters.items()
        if key not in RESERVED and isinstance(value, str | int)
    }


def clean(text: str) -> str:
    """Return ``text`` without invisible characters, its digits as addresses hold them.

    Digits of any script become plain ones: an Arabic or Hindi keyboard writes its own.

    >>> clean(" ١٢٣ ४५६ \\u200f")
    '123 456'
    """
    shown = "".join(_plain(character) for character in text)
    return " ".join(shown.split())


def _plain(character: str) -> str:
    if unicodedata.category(character) == "Cf":
        return ""
    if unicodedata.category(character) == "Nd":
        return str(unicodedata.decimal(character))
    return character


def compact(text: str) -> str:
    """Return ``text`` without the gaps that people leave between groups.

    >>> compact("1234 5678")
    '12345678'
    """
    return "".join(text.split())
