"""The browser: a secret of its session, and how often it may go to the ID provider."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import MutableMapping
from typing import Any

from ..oidc.exceptions import TooManyAttempts

SECRET, BEGUN = "spar_browser", "spar_begun"
#: How many times in how many seconds one browser may be sent to the ID provider: each
#: time we send the provider a request, and one of our workers waits for the answer.
MAX_BEGUN, BEGUN_SECONDS = 12, 10 * 60

#: A session may contain values of any type.
Session = MutableMapping[str, Any]


def get_browser_secret(session: Session) -> str:
    """Return the secret that identifies this browser, creating it where missing."""
    if not session.get(SECRET):
        session[SECRET] = secrets.token_urlsafe(32)
    secret: str = session[SECRET]
    return secret


def digest_secret(secret: str) -> bytes:
    """Return the digest of a random secret of 256 bits, which needs no key."""
    return hashlib.sha256(secret.encode()).digest()


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
