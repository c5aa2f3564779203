"""How an ID is displayed: never in full."""

from __future__ import annotations

from odoo.addons.spar_fa_directory.lib.fa_mask import looks_like_code, mask


def mask_id(canonical: str) -> str:
    """Return ``canonical`` with its value masked; type and provider stay readable.

    At most four characters of the value are shown, and at most a quarter of them.
    Anything in the position of a type or a provider that looks like a number is masked
    too.

    >>> mask_id("token:1234567890@nationalid")
    'token:••••••••90@nationalid'
    >>> mask_id("4711-0815-2342")
    '•••••••••••342'
    >>> mask_id("1234567890:x@nationalid")
    '••••••••90:•@nationalid'
    """
    left, at, provider = canonical.rpartition("@")
    if not at:
        left, provider = canonical, ""
    kind, colon, value = left.partition(":")
    if not colon:
        kind, value = "", left
    return f"{_mask_word(kind)}{colon}{mask(value)}{at}{_mask_word(provider)}"


def _mask_word(word: str) -> str:
    return word if not word or looks_like_code(word) else mask(word)
