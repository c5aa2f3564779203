"""How long a beneficiary's login lasts in a browser."""

from __future__ import annotations

import secrets

from odoo.addons.spar_mapper_connector.lib.pages.browser import SECRET, Session

LOGIN = "spar_login"
#: The visit that a person allowed on the mapper's page, the one that was begun, and the
#: page that they wanted.
VISIT, PENDING_VISIT, WANTED = "spar_visit", "spar_visit_begun", "spar_wanted"
IDLE_SECONDS = 15 * 60
MAX_SECONDS = 60 * 60
#: The precision of "last seen" in seconds: a session is written at most this often.
SEEN_STEP = 15


def begin_login(session: Session, provider_id: int, now: float) -> None:
    """Record that a beneficiary is now logged in, and replace the secret."""
    session[SECRET] = secrets.token_urlsafe(32)
    session[LOGIN] = {"began": int(now), "seen": int(now), "provider": provider_id}


def is_over(session: Session, now: float) -> bool:
    """Return whether a beneficiary's login has expired.

    >>> session = {}
    >>> begin_login(session, 1, 1000)
    >>> is_over(session, 1000 + 15 * 60), is_over(session, 1001 + 15 * 60)
    (False, True)
    >>> is_over({}, 1000)
    False
    """
    login: dict[str, int] | None = session.get(LOGIN)
    if not login:
        return False
    idle, whole = now - login["seen"], now - login["began"]
    return idle > IDLE_SECONDS or whole > MAX_SECONDS


def note_seen(session: Session, now: float) -> None:
    """Record that the person has just been active; it is written in steps.

    >>> session = {}
    >>> begin_login(session, 1, 1000)
    >>> note_seen(session, 1010), session["spar_login"]["seen"]
    (None, 1000)
    >>> note_seen(session, 1020), session["spar_login"]["seen"]
    (None, 1020)
    """
    login = session.get(LOGIN)
    if login and now - login["seen"] >= SEEN_STEP:
        session[LOGIN] = {**login, "seen": int(now)}
