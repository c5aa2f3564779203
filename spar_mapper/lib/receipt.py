"""The reference on a receipt: short, spoken in digits, and safe against a slip.

It names an event by its row, so it says nothing about a person. Two check digits
(ISO 7064, MOD 97-10) find any single wrong digit and any two that were exchanged.
"""

from __future__ import annotations

import re

from .spellings import squeeze

_REFERENCE = re.compile(r"R([0-9]{4,20})")
_MODULUS = 97


def write_receipt_number(event_id: int) -> str:
    """Return the reference of the receipt for an event.

    >>> write_receipt_number(7), write_receipt_number(123456)
    ('R 0777', 'R 1234 5676')
    """
    check = _MODULUS + 1 - event_id * 100 % _MODULUS
    digits = f"{event_id}{check:02d}"
    digits = digits.zfill(-(-len(digits) // 4) * 4)
    groups = [digits[start : start + 4] for start in range(0, len(digits), 4)]
    return " ".join(("R", *groups))


def read_receipt_number(text: str) -> int | None:
    """Return the event that a typed or spoken reference names, or None.

    >>> read_receipt_number("r 1234-5676"), read_receipt_number("R12345676")
    (123456, 123456)
    >>> read_receipt_number("R 1234 5677"), read_receipt_number("12345676")
    (None, None)
    """
    found = _REFERENCE.fullmatch(squeeze(text).upper())
    if not found or int(found[1]) % _MODULUS != 1:
        return None
    return int(found[1][:-2])


def is_mistyped_receipt(text: str) -> bool:
    """Return whether ``text`` is written as the reference of a receipt, with a slip.

    >>> list(map(is_mistyped_receipt, ("R 1234 5677", "r1234567", "R 1234 5676")))
    [True, True, False]
    >>> list(map(is_mistyped_receipt, ("12345677", "R", "Rosa 12", "")))
    [False, False, False, False]
    """
    found = _REFERENCE.fullmatch(squeeze(text).upper())
    return found is not None and int(found[1]) % _MODULUS != 1
