"""Items whose change was pending: their answers once it is decided."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from uuid import uuid4

from .codes import Answer, marked, rejected
from .readings import UNDECIDED
from .wire_json import JsonObject

#: The end of a pending change -> the outcome of its item.
_ENDS = {
    "applied": Answer("succ"),
    "refused": rejected("rjct.other.error", marked._("The change was refused.")),
    "cancelled": rejected("rjct.other.error", marked._("The change was withdrawn.")),
    "expired": rejected(
        "rjct.other.error", marked._("The change was not approved in time.")
    ),
    "stale": rejected(
        "rjct.unknown.retry",
        marked._("The address of this ID has changed in the meantime."),
    ),
}


def read_end(item: JsonObject) -> str:
    """Return the end of a change whose item another mapper gives; "" while it waits.

    A rejection without one of our texts is a refusal.

    >>> read_end({"status": "pdng"}), read_end({"status": "succ"})
    ('', 'applied')
    >>> text = "The change was withdrawn."
    >>> read_end({"status": "rjct", "status_reason_message": text})
    'cancelled'
    >>> read_end({"status": "rjct"}), read_end({"status": "surprise"})
    ('refused', 'unknown')
    """
    status, text = item.get("status"), item.get("status_reason_message")
    if status in UNDECIDED:
        return ""
    if status == "succ" and not item.get("status_reason_code"):
        return "applied"
    if status != "rjct":
        return "unknown"
    ends = {answer.text: end for end, answer in _ENDS.items() if answer.text}
    return ends.get(text, "refused") if isinstance(text, str) else "refused"


def finish_items(
    items: list[JsonObject], get_end: Callable[[str], str]
) -> list[JsonObject]:
    """Return ``items`` of an answer with the results of those that were pending.

    ``get_end`` returns the end of an ID's change, "" for one that is still pending.

    >>> waiting = {"id": "a", "status": "pdng", "status_reason_message": "waits"}
    >>> finish_items([waiting], {"a": "applied"}.get)
    [{'id': 'a', 'status': 'succ'}]
    >>> finish_items([waiting], {"a": "refused"}.get)[0]["status_reason_message"]
    'The change was refused.'
    """
    return [
        _finish(item, get_end(item.get("id", ""))) if _waits(item) else item
        for item in items
    ]


def _waits(item: JsonObject) -> bool:
    return bool(item["status"] == "pdng")


def _finish(item: JsonObject, end: str | None) -> JsonObject:
    answer = _ENDS.get(end or "")
    if answer is None:
        return item
    reasons = ("status", "status_reason_code", "status_reason_message")
    values = dict(zip(reasons, answer[:3], strict=True))
    kept = {name: value for name, value in item.items() if name not in reasons}
    return {**kept, **{name: value for name, value in values.items() if value}}


def get_waiting(items: Iterable[JsonObject]) -> list[str]:
    """Return the IDs, as received, of those ``items`` of an answer that are not final.

    >>> get_waiting([{"id": "a", "status": "pdng"}, {"id": "b", "status": "succ"}])
    ['a']
    """
    return [item["id"] for item in items if _waits(item) and "id" in item]


def get_items(answer: object, operation: str) -> list[JsonObject]:
    """Return the items of ``answer``, whatever else is in it.

    There are none if the message was refused as a whole.

    >>> get_items({"message": {"link_response": [{"status": "succ"}, 7]}}, "link")
    [{'status': 'succ'}]
    >>> get_items([], "link"), get_items({"message": {"link_response": 7}}, "link")
    ([], [])
    """
    message = answer.get("message") if isinstance(answer, dict) else None
    found = message.get(f"{operation}_response") if isinstance(message, dict) else None
    return [i for i in found if isinstance(i, dict)] if isinstance(found, list) else []


def is_undecided(answer: object, operation: str) -> bool:
    """Return whether another mapper's answer leaves something open.

    >>> is_undecided({"message": {"link_response": [{"status": "pdng"}]}}, "link")
    True
    """
    items = get_items(answer, operation)
    return any(item.get("status") in UNDECIDED for item in items)


def finish_at(items: list[JsonObject], ends: Mapping[int, str]) -> list[JsonObject]:
    """Return ``items`` of an answer with the results of some that were pending.

    :param ends: how the change of the item at a position ended

    >>> waiting = {"id": "a", "status": "pdng"}
    >>> [item["status"] for item in finish_at([waiting, waiting], {1: "applied"})]
    ['pdng', 'succ']
    """
    return [
        _finish(item, ends.get(place)) if _waits(item) else item
        for place, item in enumerate(items)
    ]


def finish_answer(
    answer: JsonObject, operation: str, items: list[JsonObject]
) -> JsonObject:
    """Return ``answer`` as it is now: another message, with an ID of its own.

    :param items: its items with their final state
    """
    name = f"{operation}_response"
    statuses = [item["status"] for item in items]
    all_rejected = set(statuses) == {"rjct"}
    header = {
        **answer["header"],
        "message_id": str(uuid4()),
        "status": "rjct" if all_rejected else "succ",
        "completed_count": len(items) - statuses.count("pdng"),
    }
    return {**answer, "header": header, "message": {**answer["message"], name: items}}
