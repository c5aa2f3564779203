"""The envelope of OpenG2P 2.x around the items of G2P Connect (openg2p-spar.md 1.7).

Its addresses are objects of named parts; the directory knows which strategy writes them
as a text.
"""

from __future__ import annotations

from .exceptions import MalformedMessage
from .headers import MAX_IDENTIFIER, read_text, read_typed
from .timestamps import MAX_LENGTH as MAX_TIMESTAMP
from .timestamps import format_timestamp, now
from .wire_json import JsonObject

#: OpenG2P's name of a part -> the directory's.
_PARTS = {
    "account_number": "account_number",
    "bank_code": "bank_code",
    "bank_name": "bank_name",
    "branch_code": "branch_code",
    "branch_name": "branch_name",
    "mobile_number": "phone_number",
    "email_address": "email_address",
    "wallet_provider_code": "wallet_code",
    "wallet_provider_name": "wallet_name",
}

#: Kind of address -> OpenG2P's word for it, and the strategies that write it: OpenG2P's
#: own, and the directory's where a name is lacking.
_KINDS = {
    "bank_account": ("BANK", (21, 1)),
    "mobile_wallet": ("MOBILE_WALLET", (23, 11)),
    "email_wallet": ("EMAIL_WALLET", (22, 12)),
}
_STRATEGIES = {
    "BANK": _KINDS["bank_account"][1],
    "BANK_ACCOUNT": _KINDS["bank_account"][1],
    "MOBILE_WALLET": _KINDS["mobile_wallet"][1],
    "EMAIL_WALLET": _KINDS["email_wallet"][1],
}


def is_request(document: object) -> bool:
    """Return whether ``document`` is in this envelope."""
    return isinstance(document, dict) and "request_header" in document


def from_wire(document: JsonObject, operation: str) -> JsonObject:
    """Return the message in G2P Connect's envelope; raises MalformedMessage."""
    header = read_typed(document, "request_header", dict, "an object")
    body = read_typed(document, "request_body", dict, "an object")
    payload = read_typed(body, "request_body.request_payload", dict, "an object")
    name, path = f"{operation}_request", "request_body.request_payload"
    items = read_typed(payload, f"{path}.{name}", list, "a list")
    path = "request_header"
    return {
        "header": {
            "message_id": read_text(header, f"{path}.request_id", MAX_IDENTIFIER),
            "message_ts": read_text(
                header, f"{path}.request_timestamp", MAX_TIMESTAMP, empty=True
            ),
            "action": operation,
            "sender_id": read_text(
                header, f"{path}.sender_app_mnemonic", MAX_IDENTIFIER, empty=True
            ),
            "total_count": len(items),
            **_get_meta(header),
        },
        "message": {"transaction_id": payload.get("transaction_id"), name: items},
    }


def to_wire(request_id: str, answer: JsonObject, operation: str) -> JsonObject:
    """Return ``answer``, a message of G2P Connect, in this envelope."""
    header, message = answer["header"], answer.get("message") or {}
    failed = header["status"] == "rjct"
    response_header = {"request_id": request_id, "response_status": "SUCCESS"}
    if failed:
        response_header["response_status"] = "ERROR"
        response_header["response_error_code"] = header.get("status_reason_code", "")
        response_header["response_error_message"] = header.get(
            "status_reason_message", ""
        )
    name = f"{operation}_response"
    payload = {
        "transaction_id": message.get("transaction_id"),
        "correlation_id": message.get("correlation_id"),
        name: message.get(name, []),
    }
    return {
        "response_header": {
            **response_header,
            "response_timestamp": format_timestamp(now()),
        },
        "response_body": {"response_payload": payload},
    }


# === THE OTHER DIRECTION: REQUESTS OF OURS === #


def write_request(document: JsonObject, operation: str) -> JsonObject:
    """Return ``document``, a request of G2P Connect, in this envelope.

    >>> header = {"message_id": "m", "message_ts": "now", "sender_id": "us", "meta": 1}
    >>> inner = {"header": header, "message": {"transaction_id": "t",
    ...     "link_request": [{"fa": {}}]}}
    >>> from_wire(write_request(inner, "link"), "link")["message"]["link_request"]
    [{'fa': {}}]
    >>> from_wire(write_request(inner, "link"), "link")["header"]["meta"]
    1
    """
    header = document["header"]
    return {
        "request_header": {
            "request_id": header["message_id"],
            "request_timestamp": header["message_ts"],
            "sender_app_mnemonic": header["sender_id"],
            "sender_app_url": header.get("sender_uri", ""),
            **_get_meta(header),
        },
        "request_body": {"request_payload": document["message"]},
    }


def _get_meta(header: JsonObject) -> JsonObject:
    """Return the member that G2P Connect has for additional data, if there is one."""
    return {"meta": header["meta"]} if "meta" in header else {}


def read_answer(document: object, operation: str) -> JsonObject:
    """Return the answer ``document`` in G2P Connect's envelope.

    Its header's message ID is that of the request. Raises MalformedMessage.

    >>> answer = {"header": {"status": "succ"}, "message": {"link_response": []}}
    >>> read_answer(to_wire("m", answer, "link"), "link")["header"]["status"]
    'succ'
    """
    if not isinstance(document, dict):
        raise MalformedMessage("the message must be an object")
    header = read_typed(document, "response_header", dict, "an object")
    path = "response_header"
    status = read_text(header, f"{path}.response_status", MAX_IDENTIFIER)
    read = {
        "message_id": read_text(header, f"{path}.request_id", MAX_IDENTIFIER),
        "message_ts": format_timestamp(now()),
        "action": operation,
        "status": "succ" if status == "SUCCESS" else "rjct",
    }
    code = header.get("response_error_code")
    if code and isinstance(code, str):
        read["status_reason_code"] = code
    body = document.get("response_body")
    payload = body.get("response_payload") if isinstance(body, dict) else None
    return {"header": read, "message": payload if isinstance(payload, dict) else {}}


# === ADDRESSES === #


def read_parts(fa: JsonObject) -> tuple[tuple[int, ...], dict[str, str]]:
    """Return ``(strategies to try, parts)`` of an address that is an object.

    >>> read_parts({"strategy_id": 5, "fa_type": "BANK", "account_number": "1"})
    ((5, 21, 1), {'account_number': '1'})
    """
    strategy = fa.get("strategy_id")
    named = (strategy,) if type(strategy) is int else ()
    kind = fa.get("fa_type")
    others = _STRATEGIES.get(kind, ()) if isinstance(kind, str) else ()
    parts = {
        ours: part
        for theirs, ours in _PARTS.items()
        if isinstance(part := fa.get(theirs), str) and part
    }
    return tuple(dict.fromkeys((*named, *others))), parts


def write_parts(strategy: int, kind: str, parts: dict[str, str]) -> JsonObject:
    """Return the object for an address; empty if OpenG2P has no word for its kind.

    >>> write_parts(11, "mobile_wallet", {"phone_number": "1", "wallet_code": "W"})
    {'strategy_id': 11, 'fa_type': 'MOBILE_WALLET', 'mobile_number': '1', \
'wallet_provider_code': 'W'}
    """
    if kind not in _KINDS:
        return {}
    named = {theirs: parts[ours] for theirs, ours in _PARTS.items() if parts.get(ours)}
    return {"strategy_id": strategy, "fa_type": _KINDS[kind][0], **named}


def check_addresses(items: list[object], operation: str) -> None:
    """Raise MalformedMessage if an address to be stored is not an object.

    OpenG2P 2.x refuses such a message as a whole, and so does this envelope.
    """
    if operation not in ("link", "update"):
        return
    path = f"request_body.request_payload.{operation}_request"
    for number, item in enumerate(items):
        if isinstance(item, dict) and not isinstance(item.get("fa"), dict):
            raise MalformedMessage("must be an object", f"{path}[{number}].fa")
