"""A mapper's results as items on the wire, and the results in items of others."""

from __future__ import annotations

from collections.abc import Callable

from ..contract import (
    NO_DETAILS,
    Details,
    Operation,
    Outcome,
    ProviderInfo,
    ResolveRequest,
    Result,
)
from .codes import REPLACED, Answer, find_answer, rephrase
from .items import Item, WireRequest, is_pair
from .profiles import Profile
from .readings import Reading, read_codes
from .wire_json import JsonObject

#: ``(text, locale) -> text`` in the language of the locale, or unchanged.
Translate = Callable[[str, str], str]


def build_items(
    items: list[Item],
    results: list[Result],
    timestamp: str,
    profile: Profile,
    translate: Translate,
) -> list[JsonObject]:
    """Return the answers to ``items``; each item with a request has one result.

    Everything in a result is shown: remove first what the caller may not see.
    """
    left = iter(results)
    return [
        _build_item(
            item, next(left) if item.request else None, timestamp, profile, translate
        )
        for item in items
    ]


def _build_item(
    item: Item,
    result: Result | None,
    timestamp: str,
    profile: Profile,
    translate: Translate,
) -> JsonObject:
    answer = _find_answer(item, result, profile.answers)
    wire: JsonObject = {
        "reference_id": item.reference_id,
        "timestamp": timestamp,
        "status": answer.status,
    }
    if answer.code:
        wire["status_reason_code"] = answer.code
    if answer.text:
        text = translate(answer.text, item.locale)
        wire["status_reason_message"] = text % answer.values if answer.values else text
    if item.id_value is not None:
        wire["id"] = item.id_value
    if item.fa is not None:
        wire["fa"] = item.fa
    _COMPLETE[item.operation](wire, result, profile)
    wire["locale"] = item.locale
    return wire


def _find_answer(item: Item, result: Result | None, table: str) -> Answer:
    if item.problem:
        return rephrase(item.problem, table)
    if result is None:
        raise ValueError("an item that asks something needs a result")
    answer = find_answer(
        item.operation, result.outcome, result.problem, item.lookup, table
    )
    values = result.problem_values
    return answer._replace(values=values) if values else answer


def _complete_nothing(
    wire: JsonObject, result: Result | None, profile: Profile
) -> None:
    """Leave a link or unlink as it is: request and outcome are the whole answer."""


def _complete_update(wire: JsonObject, result: Result | None, profile: Profile) -> None:
    # The published schema requires it, whatever the outcome (A3).
    wire.setdefault("fa", "")


def _complete_resolve(
    wire: JsonObject, result: Result | None, profile: Profile
) -> None:
    if result is None:
        return
    if result.outcome is Outcome.SUSPENDED:
        # No payment shall be made to an address only because an answer contains it.
        wire.pop("fa", None)
    elif result.outcome is Outcome.FOUND:
        if result.problem in REPLACED:
            # As above: the address in the request is not where the money goes.
            wire.pop("fa", None)
        if result.id_value is not None:
            wire.setdefault("id", result.id_value)
        if result.fa is not None:
            wire.setdefault("fa", result.fa)
        _complete_details(wire, result, profile)


def _complete_details(wire: JsonObject, result: Result, profile: Profile) -> None:
    if result.provider:
        wire["account_provider_info"] = {
            "name": result.provider.name,
            "code": result.provider.code,
            "subcode": result.provider.branch_code,
        }
    shown = [
        attribute
        for attribute in result.details.additional_info
        if is_pair(attribute) or not profile.attributes_are_pairs
    ]
    if shown:
        wire["additional_info"] = shown


_COMPLETE = {
    Operation.LINK: _complete_nothing,
    Operation.UPDATE: _complete_update,
    Operation.UNLINK: _complete_nothing,
    Operation.RESOLVE: _complete_resolve,
}


# === READING === #


def read_result(
    operation: Operation, request: WireRequest, wire: JsonObject, table: str
) -> Result:
    """Return the result of ``request`` that an item of another mapper gives.

    The ID is that of the request, the address that of a change. A resolve has the
    address of the item where one was found; the item may also repeat the request.

    >>> from ..contract import LinkRequest
    >>> request = LinkRequest("token:1@id", "account:1")
    >>> read_result(Operation.LINK, request, {"status": "succ"}, "g2p-connect").fa
    'account:1'
    """
    words = (wire.get(f"status{part}") for part in ("", "_reason_code"))
    status, code = (word if isinstance(word, str) else "" for word in words)
    text = wire.get("status_reason_message")
    text = text if isinstance(text, str) else ""
    reading = read_codes(operation, status, code, text[:_MAX_TEXT], table)
    if isinstance(request, ResolveRequest):
        return _read_found(request, wire, reading)
    result = Result(reading.outcome, request.id_value, request.fa)
    result.problem, result.problem_values = reading.problem, reading.values
    if reading.problem in _SAME:
        result.same_fa = _SAME[reading.problem]
    return result


_MAX_TEXT = 999
_SAME = {"same_fa": True, "other_fa": False}


def _read_found(request: ResolveRequest, wire: JsonObject, reading: Reading) -> Result:
    result = Result(reading.outcome, request.id_value, problem=reading.problem)
    result.problem_values = reading.values
    if reading.outcome is not Outcome.FOUND:
        return result
    found = wire.get("id"), wire.get("fa")
    id_value, fa = (value if isinstance(value, str) else None for value in found)
    result.id_value, result.fa = request.id_value or id_value, fa or None
    if request.id_value is not None and request.fa is not None:
        result.same_fa = True
    result.provider = _read_provider(wire.get("account_provider_info"))
    result.details = _read_details(wire.get("additional_info"))
    return result


def _read_provider(wire: object) -> ProviderInfo | None:
    if not isinstance(wire, dict):
        return None
    values = (wire.get(name) for name in ("name", "code", "subcode"))
    texts = [value if isinstance(value, str) else "" for value in values]
    return ProviderInfo(*texts) if texts[0] or texts[1] else None


def _read_details(wire: object) -> Details:
    if not isinstance(wire, list) or not wire:
        return NO_DETAILS
    return Details(additional_info=tuple(wire))
