"""The readings of what staff type or scan into one box, to find a person."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .spellings import squeeze

#: The start of a uuid, as screens show it: 8 of its digits, or all of them.
_REFERENCE = re.compile(r"(?:[0-9a-f]{8}|[0-9a-f]{32})")
#: More words than this are no number with the name of a bank.
MAX_WORDS = 12


def split_bank(text: str) -> Iterator[tuple[str, str]]:
    """Yield each way to read ``text`` as an account number and its bank.

    A number contains a digit; the bank comes before or after it.

    >>> list(split_bank("1234 5678 HARBOUR"))
    [('1234', '5678 HARBOUR'), ('5678 HARBOUR', '1234'), ('1234 5678', 'HARBOUR')]
    >>> list(split_bank("Harbour Bank, 99-1"))
    [('99-1', 'Harbour Bank')]
    >>> list(split_bank("12345678"))
    []
    """
    words = [word for word in re.split(r"[\s,;]+", text.strip()) if word]
    if len(words) > MAX_WORDS:
        return
    for cut in range(1, len(words)):
        first, second = " ".join(words[:cut]), " ".join(words[cut:])
        if _has_digit(words[0]):
            yield first, second
        if _has_digit(words[cut]):
            yield second, first


def _has_digit(word: str) -> bool:
    return any(character.isdecimal() for character in word)


def read_reference(text: str) -> str:
    """Return the reference that ``text`` may be, or "".

    >>> read_reference(" 1A2B 3C4D "), read_reference("1a2b3c4")
    ('1a2b3c4d', '')
    """
    plain = squeeze(text).lower()
    return plain if _REFERENCE.fullmatch(plain) else ""


#: The first year that may be one of birth.
_FIRST_YEAR = 1880


def read_year(text: str, this_year: int) -> int | None:
    """Return the year of birth that a text is, or None; in the digits of any script.

    >>> read_year("1980", 2026), read_year("١٩٨٠", 2026)
    (1980, 1980)
    >>> [read_year(text, 2026) for text in ("", "80", "2027", "1780", "1.5", "MCM")]
    [None, None, None, None, None, None]
    """
    year = int(text) if text.isdecimal() else 0
    return year if _FIRST_YEAR <= year <= this_year else None
