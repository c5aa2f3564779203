"""The browser: a secret of its session, and how long a login lasts in it."""

from __future__ import annotations

import secrets
from collections.abc import MutableMapping
from typing import Any

from ..exceptions import TooManyAttempts

SECRET, LOGIN, BEGUN = "spar_browser", "spar_login", "spar_begun"
IDLE_SECONDS = 15 * 60
LONGEST_SECONDS = 60 * 60
#: So often, in so many seconds, one browser may be sent to the ID provider: each time
#: we ask the provider something, and a worker of ours waits for it.
MOST_BEGUN, BEGUN_SECONDS = 12, 10 * 60
#: How exact "last seen" is: a session is written once in this time.
SEEN_STEP = 15

#: A session holds what anybody puts there.
Session = MutableMapping[str, Any]


def get_browser_secret(session: Session) -> str:
    """The secret that tells this browser from others; made where it has none."""
    if not session.get(SECRET):
        session[SECRET] = secrets.token_urlsafe(32)
    secret: str = session[SECRET]
    return secret


def begin_attempt(session: Session, now: float) -> str:
    """Note that this browser is to be sent to the ID provider, and give its secret.

    Raises TooManyAttempts, before anybody was asked anything.

    >>> session = {}
    >>> secrets = {begin_attempt(session, 1000 + n) for n in range(MOST_BEGUN)}
    >>> len(secrets)
    1
    >>> begin_attempt(session, 1100)
    Traceback (most recent call last):
    ...
    odoo.addons.spar_self_service.exceptions.TooManyAttempts
    >>> begin_attempt(session, 1000 + BEGUN_SECONDS) in secrets
    True
    """
    begun = [at for at in session.get(BEGUN, ()) if now - at < BEGUN_SECONDS]
    if len(begun) >= MOST_BEGUN:
        raise TooManyAttempts()
    session[BEGUN] = [*begun, int(now)]
    return get_browser_secret(session)


def begin_login(session: Session, provider_id: int, now: float) -> None:
    """Note that a beneficiary is logged in from now on; the secret is another one."""
    session[SECRET] = secrets.token_urlsafe(32)
    session[LOGIN] = {"began": int(now), "seen": int(now), "provider": provider_id}


def is_over(session: Session, now: float) -> bool:
    """Whether a beneficiary's login has lasted long enough.

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
    return idle > IDLE_SECONDS or whole > LONGEST_SECONDS


def note_seen(session: Session, now: float) -> None:
    """The person did something just now; written in steps.

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
