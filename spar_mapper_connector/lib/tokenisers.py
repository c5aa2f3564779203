"""The registry of tokenisers: an ID that people know becomes the one stored key.

A tokeniser is a function ``(value, parameter) -> token``. To add one, add a decorated
function; an ID type names it by its code.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable

Tokeniser = Callable[[str, str], str]

_TOKENISERS: dict[str, tuple[str, Tokeniser]] = {}


def tokeniser(code: str, label: str) -> Callable[[Tokeniser], Tokeniser]:
    """Register the decorated function under ``code``; ``label`` is shown to people."""

    def register(function: Tokeniser) -> Tokeniser:
        _TOKENISERS[code] = (label, function)
        return function

    return register


def get_tokeniser(code: str) -> Tokeniser:
    """Return the function registered under ``code``; KeyError when there is none."""
    return _TOKENISERS[code][1]


def selection() -> list[tuple[str, str]]:
    """Return ``(code, label)`` of every tokeniser, in the order of registration."""
    return [(code, label) for code, (label, _function) in _TOKENISERS.items()]


@tokeniser("none", "None: the value is the key")
def keep_value(value: str, parameter: str) -> str:
    """Return the value itself.

    >>> keep_value("4711", "")
    '4711'
    """
    return value


@tokeniser("openg2p-sha3-256", "OpenG2P: SHA3-256 of the value and the partner ID")
def openg2p_sha3_256(value: str, parameter: str) -> str:
    """Return the SHA3-256 of value and partner ID, in base64url without padding.

    Source: OpenG2P's bulk scripts (the token of ``token:{token}@nationalId``).

    >>> openg2p_sha3_256("1234567890", "spar")
    '3CUkFAVnskFmGt8yUeqyNgu1H6gn_QfYTLgGSdwZPek'
    """
    digest = hashlib.sha3_256((value + parameter).encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
