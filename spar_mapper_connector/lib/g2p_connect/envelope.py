"""The message under a header: requests and answers, each read and built."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import uuid4

from .exceptions import EncryptionNotSupported, MalformedMessage, RejectedMessage
from .headers import RequestHeader, ResponseHeader, read_text, read_typed
from .profiles import Profile
from .wire_json import JsonObject

MAX_TRANSACTION_ID = 99


@dataclass(frozen=True)
class RequestMessage:
    """The message under a header: a business transaction and its items."""

    transaction_id: str
    items: list[object]

    @classmethod
    def from_wire(
        cls,
        document: JsonObject,
        header: RequestHeader,
        profile: Profile,
        max_items: int,
    ) -> RequestMessage:
        """Return the message under ``header``, whose action is one of OPERATIONS.

        Raises MalformedMessage, EncryptionNotSupported, or RejectedMessage where the
        number of items is not permitted.
        """
        wire = read_typed(document, "message", dict, "an object")
        encrypted = header.is_msg_encrypted and not profile.ignores_encryption_flag
        if encrypted or "ciphertext" in wire:
            raise EncryptionNotSupported("encryption is not configured", "message")
        path = f"message.{header.action}_request"
        items = read_typed(wire, path, list, "a list")
        if profile.needs_items and not items:
            raise MalformedMessage("must not be empty", path)
        check_count(header, len(items), profile, max_items)
        transaction_id = read_text(wire, "message.transaction_id", MAX_TRANSACTION_ID)
        return cls(transaction_id, items)


def check_count(
    header: RequestHeader, count: int, profile: Profile, limit: int
) -> None:
    """Raise RejectedMessage unless a message may have ``count`` items."""
    if count > limit:
        raise RejectedMessage(
            "rjct.total_count.limit_exceeded",
            f"a message may hold at most {limit} items",
            "header.total_count",
        )
    if profile.counts_must_match and header.total_count != count:
        raise RejectedMessage(
            "rjct.total_count.invalid",
            "must be the number of items",
            "header.total_count",
        )


def build_request(
    header: RequestHeader, transaction_id: str, items: list[JsonObject]
) -> JsonObject:
    """Return the message with ``items`` under ``header``, as it is sent.

    >>> header = RequestHeader("m", "now", "link", "us", 0)
    >>> build_request(header, "t", [])["message"]
    {'transaction_id': 't', 'link_request': []}
    """
    return {
        "header": header.to_wire(),
        "message": {
            "transaction_id": transaction_id,
            f"{header.action}_request": items,
        },
    }


@dataclass(frozen=True)
class AnswerMessage:
    """An answer: its header, the transaction that it names, and its items."""

    header: ResponseHeader
    transaction_id: str
    items: list[JsonObject]

    @classmethod
    def from_wire(
        cls, document: object, operation: str, profile: Profile
    ) -> AnswerMessage:
        """Return the answer to a message of ``operation``; raises MalformedMessage.

        Raises RejectedMessage where the message was rejected as a whole.
        """
        header = ResponseHeader.from_wire(document, profile)
        if not isinstance(document, dict):
            raise MalformedMessage("the message must be an object")
        message = document.get("message")
        items = (
            message.get(f"{operation}_response") if isinstance(message, dict) else None
        )
        if not items and header.status == "rjct":
            code = header.status_reason_code or "rjct.unknown.retry"
            raise RejectedMessage(code, "the message was rejected", "header.status")
        if not isinstance(message, dict) or not isinstance(items, list):
            raise MalformedMessage("must be a list", f"message.{operation}_response")
        transaction_id = message.get("transaction_id")
        return cls(
            header,
            transaction_id if isinstance(transaction_id, str) else "",
            [item for item in items if isinstance(item, dict)],
        )


def build_answer(
    request: RequestHeader,
    profile: Profile,
    transaction_id: str,
    items: list[JsonObject],
    correlation_id: str = "",
) -> JsonObject:
    """Return the answer to ``request`` with ``items``, one for each of its own.

    The whole message is rejected only if every item is (A29); pending items do not
    count as completed (A30).
    """
    statuses = [item["status"] for item in items]
    reports_failures = profile.header_tells_failures
    rejected = reports_failures and statuses.count("rjct") == len(statuses)
    open_statuses = ("pdng",) if reports_failures else ("pdng", "rjct")
    operation = request.action
    header = ResponseHeader.answering(
        request,
        operation,
        profile,
        status="rjct" if rejected else "succ",
        status_reason_code="rjct.errors.too_many" if rejected else "",
        status_reason_message="every item was rejected" if rejected else "",
        total_count=len(items),
        completed_count=len(items) - sum(map(statuses.count, open_statuses)),
    )
    return {
        "header": header.to_wire(),
        "message": {
            "transaction_id": transaction_id,
            "correlation_id": correlation_id or str(uuid4()),
            f"{operation}_response": items,
        },
    }


def build_rejection(
    request: RequestHeader, operation: str, profile: Profile, error: RejectedMessage
) -> JsonObject:
    """Return the message that answers a ``request`` that was rejected as a whole."""
    header = ResponseHeader.answering(
        request,
        operation,
        profile,
        status="rjct",
        status_reason_code=error.code,
        status_reason_message=error.text,
    )
    wire: JsonObject = {"header": header.to_wire()}
    if profile.always_sends_message:
        wire["message"] = {}
    return wire
