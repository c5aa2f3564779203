"""What another SPAR sends and receives: schemas taken from the codec itself."""

from __future__ import annotations

from odoo.addons.spar_mapper_connector.lib.g2p_connect.envelope import (
    MAX_TRANSACTION_ID,
)
from odoo.addons.spar_mapper_connector.lib.g2p_connect.headers import MAX_IDENTIFIER
from odoo.addons.spar_mapper_connector.lib.spar_wire.calls import CALL
from odoo.addons.spar_mapper_connector.lib.spar_wire.operations import (
    OPERATIONS,
    WireOperation,
)

from .schemas import (
    Schema,
    build_envelope,
    build_list,
    build_object,
    build_request_header,
    build_response_header,
    text,
)

_PREFIX = "Spar"


def get_name(operation: WireOperation, kind: str) -> str:
    """Return the name of a schema.

    >>> get_name(OPERATIONS["address-at"], "Request")
    'SparAddressAtRequest'
    """
    word = operation.name.replace("-", " ").title().replace(" ", "")
    return f"{_PREFIX}{word}{kind}"


def build_schemas() -> dict[str, Schema]:
    """Return every schema by its name."""
    schemas: dict[str, Schema] = {f"{_PREFIX}Call": CALL.schema}
    for operation in OPERATIONS.values():
        schemas[get_name(operation, "Request")] = _build_request(operation)
        schemas[get_name(operation, "Response")] = _build_response(operation)
    return schemas


def _build_request(operation: WireOperation) -> Schema:
    item = build_object(
        ("reference_id", "request"),
        reference_id=text(MAX_IDENTIFIER, minLength=1),
        request=operation.request.schema,
    )
    most = {"maxItems": 1} if operation.has_one_item else {}
    message = build_object(
        ("transaction_id", "requests"),
        transaction_id=text(MAX_TRANSACTION_ID, minLength=1),
        call={"$ref": f"#/components/schemas/{_PREFIX}Call"},
        requests=build_list(item, minItems=1, **most),
    )
    return build_envelope(build_request_header(operation.action), message)


def _build_response(operation: WireOperation) -> Schema:
    item = build_object(
        ("reference_id",),
        reference_id=text(),
        answer=operation.answer.schema,
        error=text(),
    )
    message = build_object(
        transaction_id=text(), correlation_id=text(), answers=build_list(item)
    )
    header = build_response_header(f"on-{operation.action}")
    return build_envelope(header, message, False)
