"""Detection of sealed values in a text that is kept in clear."""

from __future__ import annotations

import re
from collections.abc import Iterable

#: Shorter values occur in any text by chance.
SHORTEST = 4

#: Digits with the separators allowed between them, and adjoining letters.
_NUMBER = re.compile(r"\w*\d(?:[\s./\-]?\w*\d)*\w*")
_BETWEEN = re.compile(r"[\s./\-_]+")


def extract_secrets(*texts: str | None) -> set[str]:
    """Return the values inside IDs and addresses, whole and in parts.

    >>> sorted(extract_secrets("token:1234567890@nationalid", None))
    ['1234567890', 'token:1234567890@nationalid']
    >>> sorted(extract_secrets("account:12 34 56@BR01.DEMO"))
    ['12 34 56', 'account:12 34 56@BR01.DEMO']
    """
    secrets = set()
    for text in filter(None, texts):
        left, at, _provider = text.rpartition("@")
        _kind, _colon, value = (left if at else text).rpartition(":")
        secrets |= {text, value}
    return {secret for secret in secrets if secret}


def mentions(text: str, secrets: Iterable[str]) -> bool:
    """Return whether ``text`` contains one of ``secrets``, however it is written.

    >>> mentions("lost card 1234-5678 90", ["1234567890"])
    True
    >>> mentions("came with a new passbook", ["1234567890", "abc"])
    False
    """
    squeezed = _squeeze(text)
    found = (_squeeze(secret) for secret in secrets)
    return any(len(s) >= SHORTEST and s in squeezed for s in found)


def count_numbers(text: str) -> int:
    """Return how many numbers ``text`` contains that may be an ID or an account.

    >>> count_numbers("card 1234-5678 90, then 4711"), count_numbers("3 days, room 12")
    (2, 0)
    """
    return sum(len(_squeeze(run)) >= SHORTEST for run in _NUMBER.findall(text))


def _squeeze(text: str) -> str:
    return _BETWEEN.sub("", text).casefold()
