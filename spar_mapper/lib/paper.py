"""Forms on paper that were filled in while the registry could not be reached."""

from __future__ import annotations

import re
from datetime import date, timedelta

from .spellings import squeeze

#: The code of why a change waits: the account was changed after the form was filled in.
NEWER_THAN_PAPER = "newer_than_paper"
#: A number of a form: letters, digits and separators.
_NUMBER = re.compile(r"\w[\w ./-]{0,19}")
#: The most digits of one. An ID or an account has more: the number is kept in clear.
_MAX_DIGITS = 7


def get_number_problem(number: str) -> str:
    """Return what is wrong with the number of a form, as a code, or "".

    >>> get_number_problem("N-0042"), get_number_problem("")
    ('', 'missing')
    >>> get_number_problem("<b>"), get_number_problem("12345678")
    ('format', 'digits')
    """
    if not number:
        return "missing"
    if not _NUMBER.fullmatch(number):
        return "format"
    digits = sum(character.isdigit() for character in number)
    return "digits" if digits > _MAX_DIGITS else ""


def get_date_problem(day: date | None, today: date, days: int) -> str:
    """Return what is wrong with the day of a form, as a code, or "".

    >>> today = date(2026, 3, 10)
    >>> get_date_problem(None, today, 5), get_date_problem(date(2026, 3, 11), today, 5)
    ('missing', 'future')
    >>> get_date_problem(date(2026, 3, 4), today, 5)
    'old'
    >>> get_date_problem(date(2026, 3, 5), today, 5), get_date_problem(today, today, 5)
    ('', '')
    """
    if day is None:
        return "missing"
    if day > today:
        return "future"
    return "old" if day < today - timedelta(days=days) else ""


def build_number_key(number: str) -> str:
    """Return the form of a number in which it is compared.

    >>> build_number_key("n 0042"), build_number_key("N-0042")
    ('N0042', 'N0042')
    """
    return squeeze(number).upper()
