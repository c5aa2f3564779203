"""Addresses that are the same account at most providers, although written otherwise.

At most banks the number alone is the account: the branch only says where it was opened,
and leading zeros only fill it up. Addresses that differ in these remain different ones
(``fa_form.py``); who asks whether several people have one account compares them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from .fa_form import build_key, is_free_text

#: Accounts of more digits than this are not filled up.
_LONGEST = 24
#: As many keys are compared at most, but for the shortest spelling of each branch.
_MOST_KEYS = 20_000


class _Parts(NamedTuple):
    """What a key consists of; ``provider`` is empty for one that is not known."""

    kind: str
    provider: str
    written: str
    branch: str
    texts: tuple[tuple[str, str], ...]


def get_account(key: str) -> str:
    """Return the key of the account without its branch and leading zeros.

    >>> one, other = (
    ...     build_key("account", "BANK", "", branch, {"number": number})
    ...     for branch, number in (("BR01", "4711"), ("BR02", "0004711"))
    ... )
    >>> one == other, get_account(one) == get_account(other)
    (False, True)
    >>> third = build_key("account", "OTHER", "", "BR01", {"number": "4711"})
    >>> get_account(third) == get_account(one), get_account("free text")
    (False, 'free text')
    """
    if is_free_text(key):
        return key
    parts = _split(key)
    texts = {name: _strip(text) for name, text in parts.texts}
    return build_key(*parts._replace(branch="")[:4], texts)


def list_alike(key: str, branches: Iterable[str]) -> list[str]:
    """Return the keys of all addresses that may be the account of ``key``.

    :param branches: the codes of the branches of its provider

    >>> key = build_key("account", "BANK", "", "BR01", {"number": "0047"})
    >>> alike = list_alike(key, ["BR01", "br02"])
    >>> alike[0] == key, len(alike) == len(set(alike))
    (True, True)
    >>> build_key("account", "BANK", "", "BR02", {"number": "000047"}) in alike
    True
    >>> list_alike("free text", ["BR01"])
    ['free text']
    """
    if is_free_text(key):
        return [key]
    parts = _split(key)
    if not parts.provider:
        return [key]
    codes = [code.upper() for code in branches] if parts.branch else []
    places = list(dict.fromkeys([parts.branch, *codes]))
    spellings = _list_spellings(parts.texts, max(2, _MOST_KEYS // len(places)))
    keys = (
        build_key(*parts._replace(branch=branch)[:4], texts)
        for branch in places
        for texts in spellings
    )
    return list(dict.fromkeys([key, *keys]))


def _list_spellings(
    texts: tuple[tuple[str, str], ...], most: int
) -> list[dict[str, str]]:
    """Return the texts as they are, and with fewer or more leading zeros.

    Only a number that stands alone is filled up.
    """
    spellings = [dict(texts), {name: _strip(text) for name, text in texts}]
    if len(texts) == 1 and _is_number(texts[0][1]):
        ((name, text),) = texts
        bare = _strip(text)
        widths = range(len(bare) + 1, _LONGEST + 1)
        spellings += [{name: bare.zfill(width)} for width in widths]
    return spellings[:most]


def _strip(text: str) -> str:
    return text.lstrip("0") or "0" if _is_number(text) else text


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal()


def _split(key: str) -> _Parts:
    """Return what :func:`build_key` has put together."""
    pieces, place = [], 1
    while place < len(key):
        colon = key.index(":", place)
        end = colon + 1 + int(key[place:colon])
        pieces.append(key[colon + 1 : end])
        place = end
    kind, provider, written, branch, *texts = pieces
    return _Parts(
        kind,
        provider,
        written,
        branch,
        tuple(zip(texts[::2], texts[1::2], strict=True)),
    )
