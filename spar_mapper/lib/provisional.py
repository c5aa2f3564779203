"""The reference of a person without an ID card: random, spoken in digits, checked.

The number says nothing about a person. The two check digits (ISO 7064, MOD 97-10) are
those of the letter and the number together, as python-stdnum reads them, so that the
check of the ID type finds any single wrong digit and any two that were exchanged.
"""

from __future__ import annotations

import re
import secrets

from .spellings import squeeze

#: The code of the ID type. Its IDs exist only where the registry has issued them.
PROVISIONAL = "provisional"
#: Why a change of somebody without an ID card waits, whatever the rules.
WHY_PROVISIONAL = "provisional"
_LETTER = "P"
_LEAST, _COUNT = 10**9, 9 * 10**9
_MODULUS = 97
_VALUE = re.compile(rf"(?i)\b{_LETTER}([0-9]{{10}})[0-9]{{2}}\b")


def draw_number() -> int:
    """Return a random number of ten digits."""
    return _LEAST + secrets.randbelow(_COUNT)


def write_provisional_reference(number: int) -> str:
    """Return the reference with ``number``, as it is printed and spoken.

    >>> write_provisional_reference(1234567890)
    'P 1234 5678 9006'
    """
    # A letter counts as its place in the alphabet, after nine: P is 25.
    check = _MODULUS + 1 - int(f"{int(_LETTER, 36)}{number}00") % _MODULUS
    digits = f"{number}{check:02d}"
    groups = [digits[start : start + 4] for start in range(0, len(digits), 4)]
    return " ".join((_LETTER, *groups))


def write_provisional_value(number: int) -> str:
    """Return the same as the value of an ID, without gaps.

    >>> write_provisional_value(1234567890)
    'P123456789006'
    """
    return squeeze(write_provisional_reference(number))


def read_provisional_number(identifier: str) -> int:
    """Return the number in an ID of the type, whose check digits were checked.

    >>> read_provisional_number("provisional:p123456789006@sparregistry")
    1234567890
    """
    found = _VALUE.search(identifier)
    if not found:
        raise ValueError("this is no provisional reference")
    return int(found[1])
