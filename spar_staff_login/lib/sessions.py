"""When a staff session is over, and when it asks again."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

#: In a session: when its user logged in. Odoo's own time is when its key was made,
#: which it makes anew every three hours.
LOGGED_IN_AT = "spar_logged_in_at"
#: In a session: when its user last did something.
SEEN_AT = "spar_seen_at"
#: Seconds in which it is not written down again: a session is a file.
NOTED_EVERY = 60


def is_over(session: MutableMapping[str, Any], now: float, seconds: float) -> bool:
    """Return whether a session lasted long enough; note its beginning if it is new."""
    began = session.get(LOGGED_IN_AT)
    if began is None:
        began = session[LOGGED_IN_AT] = session.get("create_time", now)
    return bool(now - began >= seconds)


def is_idle(session: MutableMapping[str, Any], now: float, seconds: float) -> bool:
    """Return whether nothing was done in a session for too long."""
    seen = session.get(SEEN_AT, session.get("create_time", now))
    return bool(now - seen >= seconds)


def note_seen(session: MutableMapping[str, Any], now: float) -> bool:
    """Write down that something is done; return whether that changed the session."""
    if now - session.get(SEEN_AT, 0) < NOTED_EVERY:
        return False
    session[SEEN_AT] = now
    return True


def begin(session: MutableMapping[str, Any]) -> None:
    """Forget the times of the login before."""
    session.pop(LOGGED_IN_AT, None)
    session.pop(SEEN_AT, None)
