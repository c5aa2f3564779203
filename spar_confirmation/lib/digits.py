"""Three digits that stand inside what a person confirms, and that they type.

Whoever types them has had that part of the page in sight, and nobody else can tell them
which digits to type: they follow from a secret.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from odoo.addons.spar_mapper_connector.lib.pages.lines import AddressLine

COUNT = 3
#: How many wrong answers end a page.
MAX_WRONG = 5
#: How many characters on either side are never in another row than the digits.
BESIDE = 4
#: The longest answer that is read: three digits, with spaces and marks around them.
_MAX_TYPED = 20
#: Categories of characters that people and keyboards put around digits.
_AROUND = ("Zs", "Cc", "Cf")


@dataclass(frozen=True)
class MarkedText:
    """A text with digits in the middle of it, which are no part of it.

    ``start`` and ``end`` are far from the digits; ``before`` and ``after`` stand beside
    them in the same row.
    """

    start: str
    before: str
    digits: str
    after: str
    end: str


def mark(text: str, seed: bytes, wrong: int) -> MarkedText:
    """Return a text with the digits for the next answer.

    :param seed: a secret of this page
    :param wrong: how many wrong answers were given on it

    >>> mark("2222 0000 2222", b"secret", 0)
    MarkedText(start='', before='2222', digits='182', after='0000', end=' 2222')
    >>> mark("2222 0000 2222", b"secret", 1).digits
    '671'
    >>> mark("ada@example.org", b"secret", 0)
    MarkedText(start='ada', before='@exa', digits='278', after='mple', end='.org')
    """
    first, second = split(text)
    before = first.rpartition(" ")[2][-BESIDE:]
    after = second.partition(" ")[0][:BESIDE]
    return MarkedText(
        first.removesuffix(before),
        before,
        _choose(seed, wrong, first, second),
        after,
        second.removeprefix(after),
    )


def split(text: str) -> tuple[str, str]:
    """Return the two halves of a text: at the space nearest to its middle, if any.

    >>> split("2222 0000 2222"), split("12"), split("1"), split("")
    (('2222', '0000 2222'), ('1', '2'), ('', '1'), ('', ''))
    >>> split("Remove my account")
    ('Remove my', 'account')

    A letter keeps its accents and vowel signs:

    >>> [len(half) for half in split("कि" * 3)]
    [2, 4]
    """
    middle = len(text) / 2
    spaces = [at for at, char in enumerate(text) if char == " "]
    if spaces:
        at = min(spaces, key=lambda place: abs(place + 0.5 - middle))
        return text[:at], text[at + 1 :]
    at = len(text) // 2
    while at and unicodedata.category(text[at]).startswith("M"):
        at -= 1
    return text[:at], text[at:]


def _choose(seed: bytes, wrong: int, before: str, after: str) -> str:
    """Return digits that differ from the digits beside them and from earlier ones.

    >>> chosen = [_choose(b"secret", wrong, "12", "34") for wrong in range(810)]
    >>> len(set(chosen)), {each[0] for each in chosen} & {"2"}
    (810, set())
    >>> {each[-1] for each in chosen} & {"3"}
    set()
    """
    beside = (_read_digit(before[-1:]), _read_digit(after[:1]))
    every = [f"{number:0{COUNT}}" for number in range(10**COUNT)]
    allowed = [each for each in every if each[0] != beside[0] and each[-1] != beside[1]]
    # A secret order of them all: no two answers on one page are the same.
    allowed.sort(key=lambda each: hashlib.sha256(seed + each.encode()).digest())
    return allowed[wrong % len(allowed)]


def read(typed: str) -> str:
    """Return what was typed in ASCII digits, in whatever script; "" for anything else.

    >>> read("471"), read(" 4 71 "), read("٤٧١"), read("४७१"), read("４７１")
    ('471', '471', '471', '471', '471')
    >>> read("47"), read("4781"), read("4a1"), read("⁴⁷¹"), read("-47"), read("4" * 99)
    ('', '', '', '', '', '')
    """
    if len(typed) > _MAX_TYPED:
        return ""
    chars = [char for char in typed if unicodedata.category(char) not in _AROUND]
    read_digits = "".join(map(_read_digit, chars))
    return read_digits if len(read_digits) == len(chars) == COUNT else ""


def _read_digit(char: str) -> str:
    """Return the ASCII digit of a character, "" if it is no digit."""
    value = unicodedata.decimal(char, None) if char else None
    return "" if value is None else str(value)


def find_number(lines: Sequence[AddressLine]) -> int:
    """Return which line of an address tells it from others: its longest number.

    >>> bank, branch = AddressLine("Bank", "Harbour Bank of Tavoria"), AddressLine(
    ...     "Branch", "BR01", is_number=True
    ... )
    >>> number = AddressLine("Account number", "12 34", is_number=True)
    >>> find_number([bank, number, branch]), find_number([bank])
    (1, 0)
    """
    return max(
        range(len(lines)),
        key=lambda place: (lines[place].is_number, len(lines[place].text)),
    )
