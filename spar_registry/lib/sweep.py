"""What the sweep finds when it compares a confirmed account with what resolves."""

from __future__ import annotations

from enum import Enum

from odoo.addons.spar_mapper_connector.lib.contract import Outcome

from .outbox import Seen


class SweepResult(str, Enum):
    """The result of comparing one account."""

    SAME = "same"
    DRIFT = "drift"
    UNKNOWN = "unknown"  # the mapper did not say what is in force


def compare(confirmed: bytes | None, seen: Seen | None) -> SweepResult:
    """Return what was found for an account.

    :param confirmed: the digest of the address that was confirmed, b"" for a removal;
        None if it was made with a key that is no longer in use
    :param seen: what is in force, None without an answer that is certain

    >>> compare(b"old", Seen(Outcome.FOUND, b"old")).value
    'same'
    >>> compare(b"old", Seen(Outcome.FOUND, b"new")).value
    'drift'
    >>> compare(b"old", Seen(Outcome.NOT_LINKED)).value
    'drift'
    >>> compare(b"", Seen(Outcome.NOT_LINKED)).value
    'same'

    What is not disclosed is never an address that differs:

    >>> compare(b"old", Seen(Outcome.SUSPENDED)).value, compare(b"old", None).value
    ('unknown', 'unknown')
    """
    in_force = _get_key(seen)
    if confirmed is None or in_force is None:
        return SweepResult.UNKNOWN
    return SweepResult.SAME if confirmed == in_force else SweepResult.DRIFT


def _get_key(seen: Seen | None) -> bytes | None:
    """Return the digest of the address in force, b"" for none; None if unknown."""
    if seen is None:
        return None
    if seen.outcome is Outcome.NOT_LINKED:
        return b""
    return seen.key if seen.outcome is Outcome.FOUND else None
