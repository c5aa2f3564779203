"""Detection of sealed values in a text that is kept in clear."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from odoo.addons.spar_mapper_connector.lib.id_spelling import write_ascii_digits

#: Shorter values occur in any text by chance.
SHORTEST = 4

_BETWEEN = re.compile(r"[\W_]+")
_DIGIT = re.compile(r"\d")
_DIGITS = re.compile(rf"\d{{{SHORTEST}}}")


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

    >>> mentions("lost card 1234-5678 / 9 0", ["1234567890"])
    True
    >>> mentions("writes from Ada @ example.org.", ["ada@example.org"])
    False
    >>> mentions("writes from Ada@example.org.", ["ada@example.org"])
    True
    >>> mentions("came with a new passbook", ["1234567890", "abc"])
    False
    """
    secrets = set(secrets)
    return not find_guesses(text, secrets).isdisjoint(map(_squeeze, secrets))


def find_guesses(text: str, secrets: Iterable[str]) -> set[str]:
    """Return all in ``text`` that looks like one of ``secrets``, right or wrong.

    Nothing else in it is compared with them, so a text tests this many values at most.
    What looks like a value has letters and digits at the same places; a value
    without digits is looked for in whole words only.

    >>> sorted(find_guesses("1234-5678-9, or 4711 on 30/11/2026", ["55556666"]))
    ['12345678', '23456789', '30112026']
    >>> sorted(find_guesses("paid to a bank in Lindow", ["amara@", "5555666677"]))
    []
    >>> sorted(find_guesses("Binta or amara, I think", ["Chike"]))
    ['amara', 'binta', 'think']
    """
    squeezed, words = _squeeze(text), set(map(_squeeze, text.split()))
    shape = _get_shape(squeezed)
    guesses: set[str] = set()
    for wanted in {_get_shape(_squeeze(secret)) for secret in secrets}:
        if len(wanted) < SHORTEST:
            continue
        if not _DIGIT.search(wanted):
            guesses |= {word for word in words if _get_shape(word) == wanted}
            continue
        start = shape.find(wanted)
        while start >= 0:
            guesses.add(squeezed[start : start + len(wanted)])
            start = shape.find(wanted, start + 1)
    return guesses


def has_number(text: str) -> bool:
    """Return whether ``text`` contains what may be an ID or an account.

    >>> has_number("card 1 2 - 3 4"), has_number("A-123"), has_number("3 days, room 12")
    (True, True, False)
    """
    words = map(_squeeze, text.split())
    is_code = any(len(word) >= SHORTEST and _DIGIT.search(word) for word in words)
    return is_code or bool(_DIGITS.search(_squeeze(text)))


def _squeeze(text: str) -> str:
    """Return the letters and digits of ``text``, in one spelling."""
    spelled = unicodedata.normalize("NFKC", write_ascii_digits(text)).casefold()
    return _BETWEEN.sub("", spelled)


def _get_shape(squeezed: str) -> str:
    """Return ``squeezed`` with each digit as 0 and anything else as a."""
    return "".join("0" if character.isdecimal() else "a" for character in squeezed)
