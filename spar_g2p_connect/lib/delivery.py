"""Sending a callback and judging the answer.

There is no database access here: this runs in threads, so that a slow target delays
only its own callbacks.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from odoo.addons.spar_mapper_connector.exceptions import OutgoingError
from odoo.addons.spar_mapper_connector.lib import outgoing
from odoo.addons.spar_mapper_connector.lib.access_tokens import (
    AccessTokens,
    NoToken,
    RemoteCredentials,
    parse_json,
)
from odoo.addons.spar_mapper_connector.lib.g2p_connect.acks import is_acknowledged

TIMEOUT = 10.0
#: An acknowledgement is short; anything longer is not one.
MAX_ANSWER = 64 * 1024


@dataclass(frozen=True)
class Delivery:
    """A callback that is ready to be sent."""

    row_id: int
    participant_id: int
    url: str
    body: bytes = field(repr=False)
    credentials: RemoteCredentials = RemoteCredentials()
    needs_ack: bool = True
    headers: tuple[tuple[str, str], ...] = ()


def send(delivery: Delivery, tokens: AccessTokens) -> str:
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
    document = parse_json(body) if body else None
    if not needs_ack or not body or is_acknowledged(document):
        return ""
    message = document.get("message") if isinstance(document, dict) else None
    is_ack = isinstance(message, dict) and "ack_status" in message
    return "not_accepted" if is_ack else "no_acknowledgement"
