"""Somebody who acts or collects for a person: what is recorded, and until when."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from odoo.addons.spar_mapper_connector.lib.keyring import OpenKeyring, bind

from .chain import commit_to
from .transitions import (
    REPRESENTATIVE_APPROVED,
    REPRESENTATIVE_ENDED,
    REPRESENTATIVE_EVENTS,
    REPRESENTATIVE_PROPOSED,
    REPRESENTATIVE_REFUSED,
)

__all__ = ["REPRESENTATIVE_EVENTS", "STATE_AFTER"]

#: The state after each event that changes it.
STATE_AFTER = {
    REPRESENTATIVE_PROPOSED: "waiting",
    REPRESENTATIVE_APPROVED: "active",
    REPRESENTATIVE_REFUSED: "refused",
    REPRESENTATIVE_ENDED: "ended",
}
#: The purpose of the seals. It must never change.
REPRESENTATIVE = "representative"
#: Days before the expiry from which staff are reminded.
REMIND_DAYS = 30


def build_reference(uuid: str) -> str:
    """Return the reference by which an event names the representative.

    >>> build_reference("a1")
    'representative:a1'
    """
    return f"{REPRESENTATIVE}:{uuid}"


def commit_to_representative(
    keyring: OpenKeyring, subject: str, values: Sequence[str]
) -> bytes:
    """Return the commitment of an event to all that is recorded after it.

    ``subject`` is the UUID of the person who is represented.
    """
    return commit_to(keyring, bind(REPRESENTATIVE, subject, *values).decode())


def get_standing(state: str, until: date, today: date) -> str:
    """Return the state as people see it: an active one expires after its last day.

    >>> day = date(2026, 3, 1)
    >>> get_standing("active", day, day), get_standing("active", day, date(2026, 3, 2))
    ('active', 'expired')
    >>> get_standing("waiting", day, date(2026, 3, 2))
    'waiting'
    """
    return "expired" if state == "active" and today > until else state


def is_last_day_possible(until: date, today: date, years: int) -> bool:
    """Return whether somebody may be recorded until that day.

    >>> today = date(2024, 2, 29)
    >>> is_last_day_possible(today, today, 1)
    False
    >>> is_last_day_possible(date(2025, 3, 1), today, 1)
    True
    >>> is_last_day_possible(date(2025, 3, 2), today, 1)
    False
    """
    leap_day = (today.month, today.day) == (2, 29)
    later = today + timedelta(days=1) if leap_day else today
    return today < until <= later.replace(year=later.year + years)
