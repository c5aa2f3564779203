"""Masked values in words: what a person reads on a screen or a receipt.

The form in which an ID or an address travels is for programs. Here its kind, provider
and branch have their names, and of each value no more is shown than by its mask.
"""

from collections.abc import Iterable
from typing import NamedTuple

from .fa_mask import DOT, mask


class Wording(NamedTuple):
    """Texts with gaps, in the reader's language: one for each choice of known facts."""

    alone: str
    at_provider: str
    at_branch: str


def write_masked(
    wording: Wording,
    kind: str,
    values: Iterable[str],
    provider: str = "",
    branch: str = "",
) -> str:
    """Return values in words, each masked; they are given in clear.

    >>> wording = Wording("%(kind)s %(values)s", "%(kind)s %(values)s at %(provider)s",
    ...  "%(kind)s %(values)s at %(provider)s, %(branch)s")
    >>> write_masked(wording, "National ID", ["2007760620"])
    'National ID ••20'
    >>> write_masked(wording, "Mobile wallet", ["255700123456"], "Lindow")
    'Mobile wallet ••456 at Lindow'
    """
    text = wording.alone
    if provider:
        text = wording.at_branch if branch else wording.at_provider
    return text % {
        "kind": kind,
        "values": ", ".join(map(_shorten, values)),
        "provider": provider,
        "branch": branch,
    }


def _shorten(value: str) -> str:
    """Return the mask of ``value`` with two dots, whatever its length."""
    return DOT * 2 + mask(value).lstrip(DOT)
