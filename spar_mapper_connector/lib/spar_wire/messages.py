"""Messages between two SPARs: G2P Connect's header over records of the contract."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from ..g2p_connect.envelope import MAX_TRANSACTION_ID, check_count
from ..g2p_connect.exceptions import (
    EncryptionNotSupported,
    MalformedMessage,
    RejectedMessage,
)
from ..g2p_connect.headers import (
    MAX_IDENTIFIER,
    RequestHeader,
    ResponseHeader,
    read_text,
    read_typed,
)
from ..g2p_connect.parties import Parties
from ..g2p_connect.profiles import STRICT
from ..g2p_connect.wire_json import JsonObject
from .calls import CALL, RemoteCall
from .operations import WireOperation

_ITEMS = "message.requests"


# === REQUESTS === #


@dataclass(frozen=True)
class RequestItem:
    """One item: its request, or the member for which it cannot be read.

    ``member`` is the name of that member without its path, "" for a readable item.
    """

    reference_id: str
    request: Any = None
    member: str = ""


@dataclass(frozen=True)
class ExtensionMessage:
    """The message under a header: in whose name, and its items."""

    transaction_id: str
    call: RemoteCall
    items: tuple[RequestItem, ...]


def build_message(
    operation: WireOperation,
    parties: Parties,
    call: RemoteCall,
    requests: Sequence[Any],
    message_id: str = "",
) -> JsonObject:
    """Return the message that asks for ``requests``; its items are numbered.

    >>> from .operations import OPERATIONS
    >>> from .records import IdRequest
    >>> history = OPERATIONS["history"]
    >>> me = Parties("registry.example")
    >>> message = build_message(history, me, RemoteCall(), [IdRequest("token:1@id")])
    >>> message["message"]["requests"]
    [{'reference_id': '0', 'request': {'id': 'token:1@id'}}]
    """
    header = parties.build_header(
        message_id or str(uuid4()), operation.action, len(requests)
    )
    return {
        "header": header.to_wire(),
        "message": {
            "transaction_id": str(uuid4()),
            "call": CALL.write(call),
            "requests": [
                {"reference_id": str(number), "request": operation.request.write(each)}
                for number, each in enumerate(requests)
            ],
        },
    }


def read_message(
    document: JsonObject,
    header: RequestHeader,
    operation: WireOperation,
    max_items: int,
) -> ExtensionMessage:
    """Return the message under ``header``.

    A bad item is an item of its own with a problem. Raises MalformedMessage,
    EncryptionNotSupported or RejectedMessage for what concerns the whole message.
    """
    wire = read_typed(document, "message", dict, "an object")
    if header.is_msg_encrypted or "ciphertext" in wire:
        raise EncryptionNotSupported("encryption is not configured", "message")
    wires = read_typed(wire, _ITEMS, list, "a list")
    if not wires:
        raise MalformedMessage("must not be empty", _ITEMS)
    limit = 1 if operation.has_one_item else max_items
    check_count(header, len(wires), STRICT, limit)
    items = tuple(_read_item(operation, each, i) for i, each in enumerate(wires))
    _check_references(items)
    call = CALL.read(wire.get("call", {}), "message.call")
    transaction_id = read_text(wire, "message.transaction_id", MAX_TRANSACTION_ID)
    return ExtensionMessage(transaction_id, call, items)


def _read_item(operation: WireOperation, wire: object, number: int) -> RequestItem:
    """Return an item; its answer could not be matched without a reference ID.

    Raises MalformedMessage where it has none.
    """
    path = f"{_ITEMS}[{number}]"
    if not isinstance(wire, dict):
        raise MalformedMessage("must be an object", path)
    reference_id = read_text(wire, f"{path}.reference_id", MAX_IDENTIFIER)
    try:
        request = operation.request.read(wire.get("request"), f"{path}.request")
    except MalformedMessage as error:
        member = error.member.removeprefix(f"{path}.request").lstrip(".")
        return RequestItem(reference_id, member=member or "request")
    return RequestItem(reference_id, request)


def _check_references(items: Sequence[RequestItem]) -> None:
    if len({item.reference_id for item in items}) < len(items):
        raise MalformedMessage("a reference_id occurs twice", _ITEMS)


# === ANSWERS === #


@dataclass(frozen=True)
class AnswerItem:
    """The answer to one item, or the word of the error that answers it."""

    reference_id: str
    answer: Any = field(default=None)
    error: str = ""


def build_answer(
    request: RequestHeader,
    operation: WireOperation,
    transaction_id: str,
    answers: Sequence[AnswerItem],
    correlation_id: str = "",
) -> JsonObject:
    """Return the message that answers ``request``, with one answer for each item."""
    failed = sum(bool(each.error) for each in answers)
    header = ResponseHeader.answering(
        request,
        operation.action,
        STRICT,
        status="succ",
        total_count=len(answers),
        completed_count=len(answers) - failed,
    )
    return {
        "header": header.to_wire(),
        "message": {
            "transaction_id": transaction_id,
            "correlation_id": correlation_id or str(uuid4()),
            "answers": [_write_answer(operation, each) for each in answers],
        },
    }


def _write_answer(operation: WireOperation, item: AnswerItem) -> JsonObject:
    if item.error:
        return {"reference_id": item.reference_id, "error": item.error}
    answer = operation.answer.write(item.answer)
    return {"reference_id": item.reference_id, "answer": answer}


def read_answer(
    document: object, operation: WireOperation, request: JsonObject
) -> list[AnswerItem | None]:
    """Return the answers to the items of ``request``, our message, in their order.

    An item has None where it has no answer that is certain: none at all, several, or
    one that cannot be read. Answers to other items are ignored. Raises MalformedMessage
    for what is no answer to this message, and RejectedMessage where it was rejected as
    a whole.
    """
    header = ResponseHeader.from_wire(document)
    if header.action != f"on-{operation.action}":
        raise MalformedMessage("is not that of the answer", "header.action")
    _check_parties(header, request["header"])
    if header.status != "succ":
        code = header.status_reason_code or header.status
        raise RejectedMessage(code, "the message was rejected as a whole")
    assert isinstance(document, dict)  # ``from_wire`` has read its header
    wire = read_typed(document, "message", dict, "an object")
    # An earlier answer is properly signed, too.
    if wire.get("transaction_id") != request["message"]["transaction_id"]:
        raise MalformedMessage("is that of another message", "message.transaction_id")
    count = len(request["message"]["requests"])
    found = read_typed(wire, "message.answers", list, "a list")
    wires = [each for each in found if isinstance(each, dict)]
    seen = Counter(_get_reference(each) for each in wires)
    read = {
        _get_reference(each): _read_answer(operation, each)
        for each in wires
        if seen[_get_reference(each)] == 1
    }
    return [read.get(str(number)) for number in range(count)]


def _check_parties(header: ResponseHeader, sent: JsonObject) -> None:
    """Raise MalformedMessage for an answer from, or for, somebody else."""
    if header.receiver_id not in ("", sent["sender_id"]):
        raise MalformedMessage("is not us", "header.receiver_id")
    asked = sent.get("receiver_id", "")
    if asked and header.sender_id not in ("", asked):
        raise MalformedMessage("is not whom we asked", "header.sender_id")


def _get_reference(wire: JsonObject) -> str:
    value = wire.get("reference_id")
    return value if isinstance(value, str) else ""


def _read_answer(operation: WireOperation, wire: JsonObject) -> AnswerItem | None:
    reference_id, error = _get_reference(wire), wire.get("error")
    if isinstance(error, str) and error:
        return AnswerItem(reference_id, error=error)
    try:
        answer = operation.answer.read(wire.get("answer"), "answer")
    except MalformedMessage:
        return None
    return AnswerItem(reference_id, answer)
