"""Queries about an earlier transaction (g2p-connect.md 3.5)."""

from __future__ import annotations

from dataclasses import dataclass

from ..contract import Operation, Reference, TransactionReference, TransactionStatus
from .envelope import MAX_TRANSACTION_ID
from .exceptions import EncryptionNotSupported, MalformedMessage, RejectedMessage
from .headers import (
    MAX_IDENTIFIER,
    OPERATIONS,
    STATUS,
    RequestHeader,
    ResponseHeader,
    read_text,
    read_typed,
)
from .profiles import Profile
from .readings import UNDECIDED
from .timestamps import format_timestamp, now
from .wire_json import JsonObject

MAX_REFERENCES = 1000
_PATH = "message.txnstatus_request"


@dataclass(frozen=True)
class StatusRequest:
    """A query about an earlier transaction."""

    transaction_id: str
    reference_id: str
    requested: TransactionReference

    @classmethod
    def from_wire(
        cls, document: JsonObject, header: RequestHeader, profile: Profile
    ) -> StatusRequest:
        """Return the query under ``header``; raises MalformedMessage."""
        wire = read_typed(document, "message", dict, "an object")
        encrypted = header.is_msg_encrypted and not profile.ignores_encryption_flag
        if encrypted or "ciphertext" in wire:
            raise EncryptionNotSupported("encryption is not configured", "message")
        request = read_typed(wire, _PATH, dict, "an object")
        return cls(
            read_text(wire, "message.transaction_id", MAX_TRANSACTION_ID),
            read_text(request, f"{_PATH}.reference_id", MAX_IDENTIFIER),
            TransactionReference(
                Operation(_read_word(request, "txn_type", OPERATIONS)),
                reference := Reference(
                    _read_word(request, "attribute_type", [r.value for r in Reference])
                ),
                _read_values(request, reference),
            ),
        )


def build_status_request(
    header: RequestHeader,
    transaction_id: str,
    reference_id: str,
    requested: TransactionReference,
) -> JsonObject:
    """Return the query about an earlier transaction, as it is sent.

    >>> from .profiles import STRICT
    >>> header = RequestHeader("m", "now", STATUS, "us", 1)
    >>> requested = TransactionReference(
    ...     Operation.LINK, Reference.TRANSACTION, ("t",))
    >>> wire = build_status_request(header, "t2", "r", requested)
    >>> read = StatusRequest.from_wire(wire, header, STRICT)
    >>> read.requested == requested
    True
    """
    is_list = requested.reference is Reference.REFERENCES
    return {
        "header": header.to_wire(),
        "message": {
            "transaction_id": transaction_id,
            "txnstatus_request": {
                "reference_id": reference_id,
                "txn_type": requested.operation.value,
                "attribute_type": requested.reference.value,
                "attribute_value": (
                    list(requested.values) if is_list else requested.values[0]
                ),
            },
        },
    }


def read_status_answer(
    document: object, operation: Operation, profile: Profile
) -> TransactionStatus | None:
    """Return the status in the answer ``document``, None for an unknown transaction.

    Raises MalformedMessage, or RejectedMessage where the query was not answered.
    """
    header = ResponseHeader.from_wire(document, profile)
    if header.status == "rjct":
        if header.status_reason_code:
            raise RejectedMessage(header.status_reason_code, "the query was rejected")
        return None
    wire = read_typed(document, "message", dict, "an object")  # type: ignore[arg-type]
    answer = read_typed(wire, "message.txnstatus_response", dict, "an object")
    path = "message.txnstatus_response.txn_status"
    status = read_typed(answer, path, dict, "an object")
    items = status.get(f"{operation.value}_response")
    if not isinstance(items, list):
        raise MalformedMessage("must be a list", f"{path}.{operation.value}_response")
    items = [item for item in items if isinstance(item, dict)]
    return TransactionStatus(
        operation=operation,
        transaction_id=read_text(status, f"{path}.transaction_id", MAX_TRANSACTION_ID),
        correlation_id=read_text(
            status, f"{path}.correlation_id", MAX_TRANSACTION_ID, required=False
        ),
        is_done=not any(item.get("status") in UNDECIDED for item in items),
        items=tuple(items),
    )


def _read_word(
    request: JsonObject, name: str, words: tuple[str, ...] | list[str]
) -> str:
    word = read_text(request, f"{_PATH}.{name}", MAX_IDENTIFIER)
    if word not in words:
        raise MalformedMessage(f"must be one of {', '.join(words)}", f"{_PATH}.{name}")
    return word


def _read_values(request: JsonObject, reference: Reference) -> tuple[str, ...]:
    """Return one text, or for reference IDs a list (a single one is accepted, too)."""
    path = f"{_PATH}.attribute_value"
    value = request.get("attribute_value")
    if reference is not Reference.REFERENCES or isinstance(value, str):
        return (read_text(request, path, MAX_IDENTIFIER),)
    if not isinstance(value, list) or not value:
        raise MalformedMessage("must be an array of reference IDs", path)
    if len(value) > MAX_REFERENCES:
        raise MalformedMessage(
            f"must have at most {MAX_REFERENCES} reference IDs", path
        )
    member = {"attribute_value": None}
    return tuple(
        read_text({**member, "attribute_value": each}, path, MAX_IDENTIFIER)
        for each in value
    )


def build_status_answer(
    header: RequestHeader,
    profile: Profile,
    request: StatusRequest,
    status: TransactionStatus | None,
) -> JsonObject:
    """Return the answer to ``request``; ``status`` is None for an unknown transaction.

    Unknown are also transactions of other participants. The specification has no reason
    code for that: the header's text states it.
    """
    if status is None:
        answered = ResponseHeader.answering(
            header,
            STATUS,
            profile,
            status="rjct",
            status_reason_message="no such transaction of this participant is known",
        )
        wire: JsonObject = {"header": answered.to_wire()}
        return wire | ({"message": {}} if profile.always_sends_message else {})
    answered = ResponseHeader.answering(
        header, STATUS, profile, status="succ", total_count=1, completed_count=1
    )
    return {"header": answered.to_wire(), "message": _build_message(request, status)}


def _build_message(request: StatusRequest, status: TransactionStatus) -> JsonObject:
    operation = status.operation.value
    return {
        "transaction_id": request.transaction_id,
        "correlation_id": status.correlation_id,
        "txnstatus_response": {
            "reference_id": request.reference_id,
            "txn_type": f"on-{operation}",
            "txn_status": {
                "transaction_id": status.transaction_id,
                "correlation_id": status.correlation_id,
                f"{operation}_response": [dict(item) for item in status.items],
            },
        },
    }


def build_received_items(operation: Operation, wires: list[object]) -> list[JsonObject]:
    """Return the answers to the items of a message that is still queued.

    >>> (item,) = build_received_items(Operation.LINK, [{"reference_id": "1"}])
    >>> item["status"], item["reference_id"]
    ('rcvd', '1')
    """
    timestamp = format_timestamp(now())
    return [
        {
            "reference_id": _get_text(wire, "reference_id"),
            "timestamp": timestamp,
            "status": "rcvd",
            # The published schema requires it of an update, whatever the outcome (A3).
            **({"fa": _get_text(wire, "fa")} if operation is Operation.UPDATE else {}),
        }
        for wire in wires
    ]


def _get_text(wire: object, name: str) -> str:
    value = wire.get(name) if isinstance(wire, dict) else None
    return value if isinstance(value, str) else ""
