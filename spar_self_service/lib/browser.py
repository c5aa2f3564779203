"""The browser: a secret of its session, and how long a login lasts in it."""

from __future__ import annotations

import secrets
from collections.abc import MutableMapping
from typing import Any

from odoo.addons.spar_mapper_connector.lib.oidc.exceptions import TooManyAttempts

SECRET, LOGIN, BEGUN = "spar_browser", "spar_login", "spar_begun"
IDLE_SECONDS = 15 * 60
MAX_SECONDS = 60 * 60
#: How many times in how many seconds one browser may be sent to the ID provider: each
#: time we send the provider a request, and one of our workers waits for the answer.
MAX_BEGUN, BEGUN_SECONDS = 12, 10 * 60
#: The precision of "last seen" in seconds: a session is written at most this often.
SEEN_STEP = 15

#: A session may contain values of any type.
Session = MutableMapping[str, Any]


def get_browser_secret(session: Session) -> str:
    """Return the secret that identifies this browser, creating it where missing."""
    if not session.get(SECRET):
        session[SECRET] = secrets.token_urlsafe(32)
    secret: str = session[SECRET]
    return secret


def begin_attempt(session: Session, now: float) -> str:
    """Record that this browser is to be sent to the ID provider; return its secret.

    Raises TooManyAttempts, before any request is sent.

    >>> session = {}
    >>> secrets = {begin_attempt(session, 1000 + n) for n in range(MAX_BEGUN)}
    >>> len(secrets)
    1
    >>> begin_attempt(session, 1100)
    Traceback (most recent call last):
    ...
    odoo.addons.spar_mapper_connector.lib.oidc.exceptions.TooManyAttempts
    >>> begin_attempt(session, 1000 + BEGUN_SECONDS) in secrets
    True
    """
    begun = [at for at in session.get(BEGUN, ()) if now - at < BEGUN_SECONDS]
    if len(begun) >= MAX_BEGUN:
        raise TooManyAttempts()
    session[BEGUN] = [*begun, int(now)]
    return get_browser_secret(session)


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
