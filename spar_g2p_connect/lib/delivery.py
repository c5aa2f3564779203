"""Sending a callback and judging the answer.

There is no database access here: this runs in threads, so that a slow target delays
only its own callbacks.
"""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass, field
from math import isfinite
from urllib.parse import urlencode

from odoo.addons.spar_mapper_connector.exceptions import OutgoingError
from odoo.addons.spar_mapper_connector.lib import outgoing
from odoo.addons.spar_mapper_connector.lib.g2p_connect.acks import is_acknowledged

TIMEOUT = 10.0
TOKEN_TIMEOUT = 5.0
#: An acknowledgement is short; anything longer is not one.
MAX_ANSWER = 64 * 1024
#: What may follow ``Bearer`` in a header (RFC 6750 2.1), and nothing else.
_TOKEN = re.compile(r"[\x21-\x7e]{1,4096}")

#: A new token is requested this many seconds before the old one expires.
_MARGIN = 30


class NoToken(Exception):
    """The target's token endpoint gave no token; ``str()`` gives the problem's code."""


@dataclass(frozen=True)
class CallbackCredentials:
    """The credentials for a callback's target.

    There are none, a fixed bearer token, or a client ID and secret for the target's
    token endpoint (RFC 6749 4.4).
    """

    kind: str = "none"
    secret: str = field(default="", repr=False)
    token_url: str = ""
    client_id: str = ""
    scope: str = ""


@dataclass(frozen=True)
class Delivery:
    """A callback that is ready to be sent."""

    row_id: int
    participant_id: int
    url: str
    body: bytes = field(repr=False)
    credentials: CallbackCredentials = CallbackCredentials()
    needs_ack: bool = True
    headers: tuple[tuple[str, str], ...] = ()


class CallbackTokens:
    """Access tokens for callback targets, kept in memory while they are valid.

    >>> tokens = CallbackTokens()
    >>> tokens.get_headers(CallbackCredentials())
    {}
    >>> tokens.get_headers(CallbackCredentials("static", "s"))
    {'Authorization': 'Bearer s'}
    """

    def __init__(self) -> None:
        self._kept: dict[CallbackCredentials, tuple[str, float]] = {}

    def get_headers(self, credentials: CallbackCredentials) -> dict[str, str]:
        """Return the headers that authenticate; raises NoToken or OutgoingError."""
        if credentials.kind == "none":
            return {}
        if credentials.kind == "static":
            return {"Authorization": f"Bearer {credentials.secret}"}
        token, end = self._kept.get(credentials, ("", 0.0))
        if not token or time.monotonic() > end:
            token, seconds = _fetch_token(credentials)
            end = time.monotonic() + max(0.0, seconds - _MARGIN)
            self._kept[credentials] = (token, end)
        return {"Authorization": f"Bearer {token}"}

    def forget(self, credentials: CallbackCredentials) -> None:
        """Drop a token that the target did not accept."""
        self._kept.pop(credentials, None)


def _fetch_token(credentials: CallbackCredentials) -> tuple[str, float]:
    """Return ``(token, seconds it is valid)`` from the target's token endpoint."""
    form = {
        "grant_type": "client_credentials",
        "client_id": credentials.client_id,
        "client_secret": credentials.secret,
        **({"scope": credentials.scope} if credentials.scope else {}),
    }
    answer = outgoing.send(
        "POST",
        credentials.token_url,
        headers={"Content-Type": "application/x-www-form-urlencoded"},
        body=urlencode(form).encode(),
        timeout=TOKEN_TIMEOUT,
        max_bytes=MAX_ANSWER,
    )
    document = _parse(answer.body) if answer.status == 200 else None
    if not isinstance(document, dict):
        raise NoToken(f"token_http_{answer.status}")
    token = document.get("access_token")
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        raise NoToken("token_missing")
    return token, _read_seconds(document.get("expires_in"))


def _read_seconds(value: object) -> float:
    """Return the lifetime of a token in seconds.

    ``expires_in`` is a text in G2P Connect, a number in RFC 6749.

    >>> _read_seconds("300"), _read_seconds(60), _read_seconds(None)
    (300.0, 60.0, 0.0)
    >>> _read_seconds(10**400), _read_seconds("inf")
    (0.0, 0.0)
    """
    try:
        seconds = float(value) if isinstance(value, str | int | float) else 0.0
    except (ValueError, OverflowError):
        return 0.0
    return seconds if isfinite(seconds) else 0.0


def send(delivery: Delivery, tokens: CallbackTokens) -> str:
    """Send a callback; return "" when it has arrived, else the problem's code."""
    try:
        headers = tokens.get_headers(delivery.credentials)
        answer = outgoing.send(
            "POST",
            delivery.url,
            headers={
                **dict(delivery.headers),
                **headers,
                "Content-Type": "application/json",
            },
            body=delivery.body,
            timeout=TIMEOUT,
            max_bytes=MAX_ANSWER,
        )
    except NoToken as error:
        return str(error)
    except OutgoingError as error:
        return error.code
    if answer.status == 401:
        tokens.forget(delivery.credentials)
    return find_problem(answer.status, answer.body, delivery.needs_ack)


def find_problem(status: int, body: bytes, needs_ack: bool) -> str:
    """Return what an answer means for a callback: "" for arrived, else the problem.

    An empty body counts as an acknowledgement; an unrelated page that answers 200 to
    everything does not.

    >>> find_problem(200, b'{"message": {"ack_status": "ACK"}}', True)
    ''
    >>> find_problem(200, b"<html>", True), find_problem(302, b"", True)
    ('no_acknowledgement', 'redirected')
    >>> find_problem(204, b"", True), find_problem(500, b"", False)
    ('', 'http_500')
    >>> find_problem(200, b'{"message": {"ack_status": "NACK"}}', True)
    'not_accepted'
    """
    if 300 <= status < 400:
        return "redirected"
    if not 200 <= status < 300:
        return f"http_{status}"
    document = _parse(body) if body else None
    if not needs_ack or not body or is_acknowledged(document):
        return ""
    message = document.get("message") if isinstance(document, dict) else None
    is_ack = isinstance(message, dict) and "ack_status" in message
    return "not_accepted" if is_ack else "no_acknowledgement"


def _parse(body: bytes) -> object:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
