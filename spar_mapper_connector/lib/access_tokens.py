"""Access tokens of others' token endpoints (RFC 6749 4.4), kept while valid."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from math import isfinite
from threading import Lock
from urllib.parse import urlencode
from uuid import uuid4

from . import outgoing

TIMEOUT = 5.0
_MAX_ANSWER = 64 * 1024
#: What may follow ``Bearer`` in a header (RFC 6750 2.1), and nothing else.
_TOKEN = re.compile(r"[\x21-\x7e]{1,4096}")
#: A new token is requested this many seconds before the old one expires.
_MARGIN = 30
_MAX_KEPT = 1024

#: The grant's proof of who asks, where it is an assertion (RFC 7523 2.2).
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
#: How long an assertion is valid: what eSignet and Keycloak accept at most.
_ASSERTION_LIFE = 60

NONE, STATIC, SECRET, ASSERTION = "none", "static", "oauth2", "private_key_jwt"

#: ``claims -> the signed token``.
SignClaims = Callable[[dict[str, object]], str]


class NoToken(Exception):
    """The token endpoint gave no token; ``str()`` gives the problem's code.

    ``answered_at`` is the header Date of its answer.
    """

    def __init__(self, code: str, answered_at: str = ""):
        super().__init__(code)
        self.answered_at = answered_at


@dataclass(frozen=True)
class RemoteCredentials:
    """How to authenticate at another server.

    ``kind`` is not at all, by a fixed bearer token, or by a token of its token endpoint
    that a secret or a signed assertion obtains. ``audience`` is whom the assertion is
    for, by default the token endpoint.
    """

    kind: str = NONE
    secret: str = field(default="", repr=False)
    token_url: str = ""
    client_id: str = ""
    scope: str = ""
    audience: str = ""


class AccessTokens:
    """Access tokens by credentials, kept in memory while they are valid.

    >>> tokens = AccessTokens()
    >>> tokens.get_headers(RemoteCredentials())
    {}
    >>> tokens.get_headers(RemoteCredentials("static", "s"))
    {'Authorization': 'Bearer s'}
    """

    def __init__(self) -> None:
        self._kept: dict[RemoteCredentials, tuple[str, float]] = {}
        self._lock = Lock()

    def get_headers(
        self,
        credentials: RemoteCredentials,
        sign: SignClaims | None = None,
        timeout: float = TIMEOUT,
    ) -> dict[str, str]:
        """Return the headers that authenticate; raises NoToken or OutgoingError.

        :param sign: signs an assertion, for credentials of that kind
        """
        if credentials.kind == NONE:
            return {}
        if credentials.kind == STATIC:
            return {"Authorization": f"Bearer {credentials.secret}"}
        token, end = self._kept.get(credentials, ("", 0.0))
        if not token or time.monotonic() > end:
            token, seconds = _fetch_token(credentials, sign, timeout)
            end = time.monotonic() + max(0.0, seconds - _MARGIN)
            self._keep(credentials, token, end)
        return {"Authorization": f"Bearer {token}"}

    def forget(self, credentials: RemoteCredentials) -> None:
        """Drop a token that was not accepted."""
        self._kept.pop(credentials, None)

    def _keep(self, credentials: RemoteCredentials, token: str, end: float) -> None:
        with self._lock:
            self._kept.pop(credentials, None)
            while len(self._kept) >= _MAX_KEPT:
                self._kept.pop(next(iter(self._kept)))
            self._kept[credentials] = (token, end)


def _fetch_token(
    credentials: RemoteCredentials, sign: SignClaims | None, timeout: float
) -> tuple[str, float]:
    """Return ``(token, seconds it is valid)`` from the token endpoint."""
    form = {
        "grant_type": "client_credentials",
        "client_id": credentials.client_id,
        **_build_proof(credentials, sign),
        **({"scope": credentials.scope} if credentials.scope else {}),
    }
    answer = outgoing.send(
        "POST",
        credentials.token_url,
        headers={"Content-Type": "application/x-www-form-urlencoded"},
        body=urlencode(form).encode(),
        timeout=timeout,
        max_bytes=_MAX_ANSWER,
    )
    document = parse_json(answer.body) if answer.status == 200 else None
    if not isinstance(document, dict):
        raise NoToken(f"token_http_{answer.status}", answer.headers.get("date", ""))
    token = document.get("access_token")
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        raise NoToken("token_missing")
    return token, read_seconds(document.get("expires_in"))


def _build_proof(
    credentials: RemoteCredentials, sign: SignClaims | None
) -> dict[str, str]:
    if credentials.kind != ASSERTION:
        return {"client_secret": credentials.secret}
    if sign is None:
        raise NoToken("token_unsigned")
    return {
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": sign(build_assertion(credentials)),
    }


def build_assertion(credentials: RemoteCredentials) -> dict[str, object]:
    """Return the claims of a new assertion (RFC 7523 3), each used once.

    >>> claims = build_assertion(RemoteCredentials(ASSERTION, "", "https://t", "me"))
    >>> claims["iss"], claims["sub"], claims["aud"], claims["exp"] - claims["iat"]
    ('me', 'me', 'https://t', 60)
    """
    now = int(time.time())
    return {
        "iss": credentials.client_id,
        "sub": credentials.client_id,
        "aud": credentials.audience or credentials.token_url,
        "jti": str(uuid4()),
        "iat": now,
        "exp": now + _ASSERTION_LIFE,
    }


def read_seconds(value: object) -> float:
    """Return the lifetime of a token in seconds.

    ``expires_in`` is a text in G2P Connect, a number in RFC 6749.

    >>> read_seconds("300"), read_seconds(60), read_seconds(None)
    (300.0, 60.0, 0.0)
    >>> read_seconds(10**400), read_seconds("inf")
    (0.0, 0.0)
    """
    try:
        seconds = float(value) if isinstance(value, str | int | float) else 0.0
    except (ValueError, OverflowError):
        return 0.0
    return seconds if isfinite(seconds) else 0.0


def parse_json(body: bytes) -> object:
    """Return the document in ``body``, None for anything that is not JSON."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
