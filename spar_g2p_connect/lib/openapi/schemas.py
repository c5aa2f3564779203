"""The documents that are received and sent, as JSON schemas."""

from __future__ import annotations

from typing import Any

from odoo.addons.spar_mapper_connector.lib.contract import Operation, Reference
from odoo.addons.spar_mapper_connector.lib.g2p_connect import acks, codes, items
from odoo.addons.spar_mapper_connector.lib.g2p_connect.envelope import (
    MAX_TRANSACTION_ID,
)
from odoo.addons.spar_mapper_connector.lib.g2p_connect.headers import (
    ACTIONS,
    MAX_IDENTIFIER,
    MAX_MESSAGE,
    OPERATIONS,
    VERSION,
)
from odoo.addons.spar_mapper_connector.lib.g2p_connect.transactions import (
    MAX_REFERENCES,
)

#: An object of JSON schema or OpenAPI: the type of a member depends on its name.
Schema = dict[str, Any]

#: Values of ``header.status`` and of an item's ``status``.
STATUSES = ("rcvd", "pdng", "succ", "rjct")


def text(maximum: int = 0, **more: object) -> Schema:
    return {"type": "string", **({"maxLength": maximum} if maximum else {}), **more}


def timestamp() -> Schema:
    return {"type": "string", "format": "date-time"}


def one_of(*allowed: str) -> Schema:
    return {"type": "string", "enum": sorted(allowed)}


def ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def build_object(required: tuple[str, ...] = (), /, **members: Schema) -> Schema:
    """Return an object schema with these members; others are allowed."""
    schema: Schema = {"type": "object", "properties": members}
    return {**schema, "required": sorted(required)} if required else schema


def build_list(item: Schema, **more: object) -> Schema:
    return {"type": "array", "items": item, **more}


def get_schema_name(operation: str, kind: str) -> str:
    """Return the schema's name, for example ``LinkRequest``."""
    return f"{operation.replace('-', ' ').title().replace(' ', '')}{kind}"


# === HEADERS === #


def build_request_header(action: str) -> Schema:
    """Return the header of a request with ``action``."""
    return build_object(
        ("message_id", "message_ts", "action", "sender_id", "total_count"),
        version=text(default=VERSION),
        message_id=text(MAX_IDENTIFIER, minLength=1),
        message_ts=timestamp(),
        action=one_of(action),
        sender_id=text(MAX_IDENTIFIER),
        sender_uri=text(2048),
        receiver_id=text(MAX_IDENTIFIER),
        total_count={"type": "integer"},
        is_msg_encrypted={"type": "boolean", "enum": [False]},
        meta={},
    )


def build_response_header(*actions: str) -> Schema:
    """Return the header of an answer with one of ``actions``."""
    return build_object(
        ("message_id", "message_ts", "action", "status"),
        version=text(),
        message_id=text(),
        message_ts=timestamp(),
        action=one_of(*actions),
        status=one_of(*STATUSES),
        status_reason_code=text(),
        status_reason_message=text(MAX_MESSAGE),
        total_count={"type": "integer"},
        completed_count={"type": "integer"},
        sender_id=text(),
        receiver_id=text(),
        is_msg_encrypted={"type": "boolean"},
    )


# === ITEMS === #


def _build_request_item(operation: Operation) -> Schema:
    """Return the schema of an item of a request.

    Lengths and required members are those that the reader itself checks.
    """
    members = {
        member.name: text(member.maximum) for member in items.get_members(operation)
    }
    required = [m.name for m in items.get_members(operation) if m.required]
    if operation is Operation.RESOLVE:
        members["scope"] = one_of("yes_no", "details")
    elif operation is not Operation.UNLINK:
        members["additional_info"] = build_list(ref("Attribute"))
    return build_object(
        ("timestamp", *required),
        **members,
        timestamp=timestamp(),
        locale=text(pattern="^[a-z]{2,3}$"),
    )


def _build_response_item(operation: Operation) -> Schema:
    members = {
        "reference_id": text(),
        "timestamp": timestamp(),
        "status": one_of(*STATUSES),
        "status_reason_code": one_of(*list_codes(operation)),
        "status_reason_message": text(MAX_MESSAGE),
        "id": text(),
        "fa": text(),
        "locale": text(),
    }
    if operation is Operation.RESOLVE:
        members["account_provider_info"] = build_object(
            name=text(), code=text(), subcode=text()
        )
        members["additional_info"] = build_list({})
    return build_object(("reference_id", "timestamp", "status"), **members)


def list_codes(operation: Operation) -> frozenset[str]:
    """Return every reason code with which an item of ``operation`` can be answered."""
    members = {member.code for member in items.get_members(operation)}
    return codes.list_codes(operation) | members | items.OTHER_CODES


# === MESSAGES === #


def _build_messages(operation: Operation) -> dict[str, Schema]:
    name, word = operation.value, get_schema_name(operation.value, "")
    request = build_object(
        ("transaction_id", f"{name}_request"),
        transaction_id=text(MAX_TRANSACTION_ID, minLength=1),
        **{f"{name}_request": build_list(ref(f"{word}RequestItem"))},
    )
    response = build_object(
        transaction_id=text(),
        correlation_id=text(),
        **{f"{name}_response": build_list(ref(f"{word}ResponseItem"))},
    )
    return {
        f"{word}RequestItem": _build_request_item(operation),
        f"{word}ResponseItem": _build_response_item(operation),
        f"{word}Request": build_envelope(build_request_header(name), request),
        f"{word}Response": build_envelope(ref("ResponseHeader"), response, False),
    }


def build_envelope(
    header: Schema, message: Schema, wants_message: bool = True
) -> Schema:
    """Return the schema of a message, with its signature."""
    required = ("header", "message") if wants_message else ("header",)
    return build_object(required, signature=text(), header=header, message=message)


def _build_status_request() -> Schema:
    return build_object(
        ("reference_id", "txn_type", "attribute_type", "attribute_value"),
        reference_id=text(MAX_IDENTIFIER, minLength=1),
        txn_type=one_of(*OPERATIONS),
        attribute_type=one_of(*(reference.value for reference in Reference)),
        attribute_value={
            "anyOf": [
                text(MAX_IDENTIFIER),
                build_list(text(MAX_IDENTIFIER), minItems=1, maxItems=MAX_REFERENCES),
            ]
        },
        locale=text(),
    )


def _build_status() -> dict[str, Schema]:
    message = build_object(
        ("transaction_id", "txnstatus_request"),
        transaction_id=text(MAX_TRANSACTION_ID, minLength=1),
        txnstatus_request=_build_status_request(),
    )
    status = build_object(
        reference_id=text(), txn_type=text(), txn_status={"type": "object"}
    )
    response = build_object(
        transaction_id=text(), correlation_id=text(), txnstatus_response=status
    )
    header = build_request_header("txn-status")
    return {
        "TxnStatusRequest": build_envelope(header, message),
        "TxnStatusResponse": build_envelope(ref("ResponseHeader"), response, False),
    }


def _build_shared() -> dict[str, Schema]:
    error = build_object(("code", "message"), code=text(), message=text(MAX_MESSAGE))
    ack = build_object(
        ("ack_status", "timestamp", "correlation_id"),
        ack_status=one_of(acks.ACK, acks.NACK, acks.ERR),
        timestamp=timestamp(),
        correlation_id=text(),
        error=error,
    )
    return {
        "Attribute": build_object(("name", "value"), name=text(), value={}),
        "ResponseHeader": build_response_header(*ACTIONS),
        "Acknowledgement": build_object(("message",), message=ack),
        "Error": build_object(("errors",), errors=build_list(error, minItems=1)),
    }


def build_schemas() -> dict[str, Schema]:
    """Return every schema by its name."""
    messages = [_build_messages(Operation(name)) for name in OPERATIONS]
    schemas = {**_build_shared(), **_build_status()}
    for more in messages:
        schemas |= more
    return schemas
