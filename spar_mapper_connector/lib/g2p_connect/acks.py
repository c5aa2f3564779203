"""The immediate answer to an asynchronous message (g2p-connect.md 4.2, 4.3)."""

from __future__ import annotations

from uuid import uuid4

from .exceptions import MalformedMessage
from .timestamps import format_timestamp, now
from .wire_json import JsonObject

ACK, NACK, ERR = "ACK", "NACK", "ERR"

MAX_TEXT = 999

#: A header's reason -> the ack's, where the ack has one of its own (A32).
_ERRORS = {"rjct.version.invalid": "err.version.not_supported"}


def build_ack(correlation_id: str) -> JsonObject:
    """Return the ack for a message that was stored; its answer comes by callback."""
    return _build(ACK, correlation_id)


def build_nack(text: str) -> JsonObject:
    """Return the ack for a message that was understood but will not be processed."""
    return _build(NACK, "", "err.sender_uri.invalid", text)


def build_err(code: str, text: str) -> JsonObject:
    """Return the ack for a message that is not accepted.

    The ack has no codes for the reasons of a header: the text begins with them.

    >>> build_err("rjct.message_id.duplicate", "x")["message"]["error"]
    {'code': 'err.request.bad', 'message': 'rjct.message_id.duplicate: x'}
    """
    if code.startswith("err."):
        return _build(ERR, "", code, text)
    error = _ERRORS.get(code, "err.request.bad")
    return _build(ERR, "", error, f"{code}: {text}")


def _build(
    status: str, correlation_id: str, code: str = "", text: str = ""
) -> JsonObject:
    message: JsonObject = {
        "ack_status": status,
        "timestamp": format_timestamp(now()),
        # Required even if it will never be used in a request.
        "correlation_id": correlation_id or str(uuid4()),
    }
    if code:
        message["error"] = {"code": code, "message": text[:MAX_TEXT]}
    return {"message": message}


def is_acknowledged(document: object) -> bool:
    """Return whether ``document``, the answer to a callback, acknowledges it.

    >>> is_acknowledged(build_ack("c")), is_acknowledged(build_err("err.x", "no"))
    (True, False)
    >>> is_acknowledged({"message": "OK"}), is_acknowledged(None)
    (False, False)
    """
    message = document.get("message") if isinstance(document, dict) else None
    return isinstance(message, dict) and message.get("ack_status") == ACK


def read_ack(document: object) -> str:
    """Return why a message was not acknowledged, "" if it was.

    Raises MalformedMessage for what is no acknowledgement.

    >>> read_ack(build_ack("c")), read_ack(build_err("err.x", "no"))
    ('', 'err.x')
    """
    message = document.get("message") if isinstance(document, dict) else None
    status = message.get("ack_status") if isinstance(message, dict) else None
    if not isinstance(message, dict) or status not in (ACK, NACK, ERR):
        raise MalformedMessage("is not an acknowledgement", "message.ack_status")
    if status == ACK:
        return ""
    error = message.get("error")
    code = error.get("code") if isinstance(error, dict) else None
    return code if isinstance(code, str) and code else "err.request.bad"
