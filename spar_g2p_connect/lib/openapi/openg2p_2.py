"""JSON schemas of the OpenG2P 2.x envelope, which is served on the same paths.

It is recognised by ``request_header`` (openg2p-spar.md 1.7); participants whose profile
allows it are answered in it.
"""

from __future__ import annotations

from odoo.addons.spar_mapper_connector.lib.g2p_connect.headers import (
    MAX_IDENTIFIER,
    OPERATIONS,
)

from .schemas import Schema, build_list, build_object, get_schema_name, one_of, text

PREFIX = "OpenG2p2"

#: An address in parts; which parts it has depends on its kind.
_ADDRESS = build_object(strategy_id={"type": "integer"}, fa_type=text())


def _build_request(operation: str) -> Schema:
    item = build_object(
        reference_id=text(), timestamp=text(), id=text(), fa=_ADDRESS, scope=text()
    )
    payload = build_object(
        (f"{operation}_request",),
        transaction_id={**text(), "nullable": True},
        **{f"{operation}_request": build_list(item)},
    )
    header = build_object(
        ("request_id", "request_timestamp", "sender_app_mnemonic"),
        request_id=text(MAX_IDENTIFIER, minLength=1),
        request_timestamp=text(),
        sender_app_mnemonic=text(),
    )
    body = build_object(("request_payload",), request_payload=payload)
    members = {"request_header": header, "request_body": body}
    return build_object(tuple(members), **members)


#: Every item of an answer has these members; others are those of G2P Connect.
_ANSWERED = build_object(
    ("status",),
    reference_id=text(),
    timestamp=text(),
    status=text(),
    status_reason_code=text(),
    status_reason_message=text(),
    id=text(),
)


def _build_response(operation: str) -> Schema:
    payload = build_object(
        (f"{operation}_response",),
        transaction_id={**text(), "nullable": True},
        correlation_id={**text(), "nullable": True},
        **{f"{operation}_response": build_list(_ANSWERED)},
    )
    header = build_object(
        ("request_id", "response_status", "response_timestamp"),
        request_id=text(),
        response_status=one_of("SUCCESS", "ERROR"),
        response_error_code=text(),
        response_error_message=text(),
        response_timestamp=text(),
    )
    body = build_object(("response_payload",), response_payload=payload)
    members = {"response_header": header, "response_body": body}
    return build_object(tuple(members), **members)


def build_schemas() -> dict[str, Schema]:
    """Return the schemas of each operation's request and answer in this envelope."""
    schemas = {}
    for operation in OPERATIONS:
        word = get_schema_name(operation, "")
        schemas[f"{PREFIX}{word}Request"] = _build_request(operation)
        schemas[f"{PREFIX}{word}Response"] = _build_response(operation)
    return schemas
