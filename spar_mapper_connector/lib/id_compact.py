"""The value of an ID as its type's check writes it."""

from __future__ import annotations

import importlib
from collections.abc import Callable

from odoo.addons.spar_fa_directory.lib import fa_checks

Compact = Callable[[str, str], str]


def make_compact(check: str, value: str, parameter: str) -> str:
    """Return ``value`` without what its check ignores; raises InvalidPart.

    >>> make_compact("stdnum", "2341 2341 2346", "in_.aadhaar")
    '234123412346'
    >>> make_compact("luhn", "7992 7398 713", "")
    '79927398713'
    """
    run: Callable[..., object] = fa_checks.run_check
    found = run(check, value, parameter)
    # A check that returns its own form of the value takes precedence.
    if isinstance(found, str):
        return found
    return _COMPACT.get(check, _keep)(value, parameter)


def _keep(value: str, parameter: str) -> str:
    return value


def _compact_stdnum(value: str, parameter: str) -> str:
    return str(importlib.import_module(f"stdnum.{parameter}").compact(value))


def _compact_luhn(value: str, parameter: str) -> str:
    return value.replace(" ", "")


_COMPACT: dict[str, Compact] = {"stdnum": _compact_stdnum, "luhn": _compact_luhn}
