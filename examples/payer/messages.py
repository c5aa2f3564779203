"""The messages that a payer writes."""

import uuid
from datetime import datetime, timezone


def get_timestamp() -> str:
    """Return the present time as RFC 3339 requires."""
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds")


def build_items(values: list[dict], timestamp: str = "") -> list[dict]:
    """Return the items of a message: each of ``values``, numbered and dated.

    >>> build_items([{"id": "token:1@nationalId"}], "2026-01-01T00:00:00Z")
    [{'reference_id': '1', 'timestamp': '2026-01-01T00:00:00Z', \
'id': 'token:1@nationalId'}]
    """
    timestamp = timestamp or get_timestamp()
    return [
        {"reference_id": str(number), "timestamp": timestamp, **value}
        for number, value in enumerate(values, start=1)
    ]


def build_message(action: str, items: list[dict], /, **header: object) -> dict:
    """Return a G2P Connect message with ``items``.

    :param header: further members of the header, such as ``sender_id``; they replace
        those that are set here
    """
    return {
        "header": {
            "version": "1.0.0",
            "message_id": str(uuid.uuid4()),
            "message_ts": get_timestamp(),
            "action": action,
            "total_count": len(items),
            **header,
        },
        "message": {
            "transaction_id": str(uuid.uuid4()),
            f"{action}_request": items,
        },
    }


def build_acknowledgement(correlation_id: str) -> dict:
    """Return the answer to a callback; without it the callback is sent again."""
    return {
        "message": {
            "ack_status": "ACK",
            "timestamp": get_timestamp(),
            "correlation_id": correlation_id,
        }
    }
