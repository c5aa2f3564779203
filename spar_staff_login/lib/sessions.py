"""The end of staff sessions, and the time after which they ask again."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

#: In a session: when its user logged in. Odoo's own time is that of its key, which is
#: renewed every three hours.
LOGGED_IN_AT = "spar_logged_in_at"
#: In a session: when its user was last active.
SEEN_AT = "spar_seen_at"
#: Seconds during which activity is not stored again: a session is a file.
NOTED_EVERY = 60
#: Minutes without activity after which a screen of staff is locked. Activity is stored
#: once a minute: a shorter time would lock people out who are active.
LEAST_MINUTES, MOST_MINUTES = 2, 30


def read_idle_minutes(text: str | None) -> int:
    """Return the minutes in a setting that may shorten the time; the longest if off.

    >>> [read_idle_minutes(text) for text in ("5", "0", "", None, "soon", "-5")]
    [5, 30, 30, 30, 30, 30]
    >>> [read_idle_minutes(text) for text in ("1", "90", " 10 ")]
    [2, 30, 10]
    """
    number = (text or "").strip()
    if not (number.isascii() and number.isdecimal()) or not int(number):
        return MOST_MINUTES
    return min(max(int(number), LEAST_MINUTES), MOST_MINUTES)


def is_over(session: MutableMapping[str, Any], now: float, seconds: float) -> bool:
    """Return whether a session has reached its maximum age; note a new one's start."""
    began = session.get(LOGGED_IN_AT)
    if began is None:
        began = session[LOGGED_IN_AT] = session.get("create_time", now)
    return bool(now - began >= seconds)


def is_idle(session: MutableMapping[str, Any], now: float, seconds: float) -> bool:
    """Return whether a session was idle for too long."""
    seen = session.get(SEEN_AT, session.get("create_time", now))
    return bool(now - seen >= seconds)


def note_seen(session: MutableMapping[str, Any], now: float) -> bool:
    """Store the time of activity; return whether that changed the session."""
    if now - session.get(SEEN_AT, 0) < NOTED_EVERY:
        return False
    session[SEEN_AT] = now
    return True


def begin(session: MutableMapping[str, Any]) -> None:
    """Forget the times of the previous login."""
    session.pop(LOGGED_IN_AT, None)
    session.pop(SEEN_AT, None)
