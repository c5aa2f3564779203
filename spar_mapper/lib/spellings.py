"""Spellings of a number on a card or a form, for finding, never for storing."""

from __future__ import annotations

import re
import unicodedata

_GAPS = re.compile(r"[\s./\-]+")


def squeeze(text: str) -> str:
    """Return ``text`` without gaps and invisible characters, its digits in ASCII.

    >>> squeeze("2007 760-620"), squeeze("٢٠٠٧"), squeeze("１２３４")
    ('2007760620', '2007', '1234')
    """
    seen = [c for c in text if unicodedata.category(c) != "Cf"]
    digits = [str(unicodedata.decimal(c)) if c.isdecimal() else c for c in seen]
    return _GAPS.sub("", unicodedata.normalize("NFKC", "".join(digits)))


def spell_number(number: str) -> list[str]:
    """Return the spellings in which ``number`` may have been stored.

    >>> spell_number("12-34 ab")
    ['12-34 ab', '1234ab', '1234AB']
    >>> spell_number("+91 98")
    ['+91 98', '+9198', '9198', '009198']
    """
    plain = squeeze(number.replace("(", "").replace(")", ""))
    forms = [number, plain, plain.upper(), plain.lower()]
    digits = plain.removeprefix("+")
    if digits.isdecimal():
        digits = digits.removeprefix("00") if plain.startswith("00") else digits
        forms += [digits, f"+{digits}", f"00{digits}"] if _is_phone(plain) else []
    return list(dict.fromkeys(forms))


def _is_phone(plain: str) -> bool:
    return plain.startswith(("+", "00"))
