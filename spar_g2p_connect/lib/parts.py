"""The requests of a message by backend: split, believed and joined again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from odoo.addons.spar_mapper_connector.lib.contract import Operation, Outcome, Result
from odoo.addons.spar_mapper_connector.lib.g2p_connect.codes import (
    BY_BOTH,
    BY_FA,
    BY_ID,
    find_answer,
)
from odoo.addons.spar_mapper_connector.lib.g2p_connect.items import WireRequest
from odoo.addons.spar_mapper_connector.lib.matching import match_results
from odoo.addons.spar_mapper_connector.lib.routes import Routes

#: A text that a mapper elsewhere gives may have as many characters as ours.
_MAX_ID, _MAX_FA = 255, 1000

#: Returns the type of an ID, None if it has none.
FindType = Callable[[str], int | None]

#: A resolve of an address found somebody.
_HITS = frozenset({Outcome.FOUND, Outcome.SUSPENDED})
#: A resolve of an address found nobody, as far as may be disclosed.
_NOBODY = frozenset({Outcome.NOT_LINKED, Outcome.FORBIDDEN, Outcome.INVALID_FA})


@dataclass(slots=True)
class Part:
    """The requests of a message that one backend answers.

    :param positions: where each of them stands among the requests of the message
    :param mapper: what is called for the backend: see ``spar.mapper``
    """

    backend: int
    positions: list[int] = field(default_factory=list)
    requests: list[WireRequest] = field(default_factory=list)
    mapper: Any = field(default=None, repr=False)

    def add(self, position: int, request: WireRequest) -> None:
        self.positions.append(position)
        self.requests.append(request)

    def keep(self, indexes: Sequence[int]) -> Part:
        """Return the part of this one with the requests at ``indexes``."""
        return Part(
            self.backend,
            [self.positions[index] for index in indexes],
            [self.requests[index] for index in indexes],
            self.mapper,
        )


def is_by_address(request: WireRequest) -> bool:
    """Return whether a request names an address and no ID: any backend may have it."""
    return request.id_value is None


def split_requests(
    requests: Sequence[WireRequest],
    routes: Routes,
    find_type: FindType,
    allowed: frozenset[int] | None = None,
) -> list[Part]:
    """Return the parts of a message: each request is in the part of its backend.

    A request by address is in the part of every backend that may have an ID for it.

    :param allowed: the types of the IDs that the caller may receive, None for all

    >>> from odoo.addons.spar_mapper_connector.lib.contract import ResolveRequest as R
    >>> routes = Routes(1, {7: 1, 8: 2}, {})
    >>> types = {"a": 7, "b": 8, "?": None}
    >>> parts = split_requests([R("b"), R("?"), R(fa="x"), R("a")], routes, types.get)
    >>> [(part.backend, part.positions) for part in parts]
    [(1, [1, 2, 3]), (2, [0, 2])]
    >>> parts = split_requests([R(fa="x")], routes, types.get, frozenset({8}))
    >>> [(part.backend, part.positions) for part in parts]
    [(2, [0])]
    """
    parts = {backend: Part(backend) for backend in routes.backends}
    asked_by_address = [
        part
        for backend, part in parts.items()
        if allowed is None or routes.get_types(backend) & allowed
    ]
    for position, request in enumerate(requests):
        if request.id_value is None:
            for part in asked_by_address:
                part.add(position, request)
            continue
        backend = routes.get(find_type(request.id_value))
        if backend is not None:
            parts[backend].add(position, request)
    return [part for part in parts.values() if part.positions]


# === BELIEVING === #


def build_retries(requests: Sequence[WireRequest]) -> list[Result]:
    """Return the results of a backend that did not answer."""
    return [Result(Outcome.RETRY, request.id_value) for request in requests]


def believe(
    operation: Operation, requests: Sequence[WireRequest], results: list[Result]
) -> list[Result]:
    """Return one result for each request of a mapper elsewhere.

    What it answered is believed only as far as it is certain which request it answers,
    and that the operation can have this outcome; otherwise the result is RETRY, never a
    success. A mapper elsewhere knows this registry as its one caller, not our
    participants, so none of them is the origin of what it has.

    >>> from odoo.addons.spar_mapper_connector.lib.contract import LinkRequest
    >>> asked = [LinkRequest("1", "fa"), LinkRequest("2", "fa")]
    >>> given = [Result(Outcome.LINKED, "2"), Result(Outcome.FOUND, "1")]
    >>> [each.outcome.value for each in believe(Operation.LINK, asked, given)]
    ['retry', 'linked']
    """
    matched = _match(requests, results)
    return [
        _believe_one(operation, request, result)
        for request, result in zip(requests, matched, strict=True)
    ]


def _match(
    requests: Sequence[WireRequest], results: list[Result]
) -> list[Result | None]:
    """Return the result of each request, None where none is certain.

    Results for addresses alone name no ID that was requested: their order counts.
    """
    named = [index for index, each in enumerate(requests) if not is_by_address(each)]
    is_whole = len(results) == len(requests)
    matched: list[Result | None] = list(results) if is_whole else [None] * len(requests)
    candidates = [results[index] for index in named] if is_whole else results
    ids = [requests[index].id_value or "" for index in named]
    for index, result in zip(named, match_results(ids, candidates), strict=True):
        matched[index] = result
    return matched


def _believe_one(
    operation: Operation, request: WireRequest, result: Result | None
) -> Result:
    if result is None:
        return Result(Outcome.RETRY, request.id_value)
    believed = replace(result, is_origin=False)
    if believed.outcome is Outcome.ALREADY_LINKED:
        # Only `disclose` says which of the two it is, and to whom.
        if believed.same_fa is None and believed.problem in ("same_fa", "other_fa"):
            believed.same_fa = believed.problem == "same_fa"
        believed.problem = ""
    if not (_is_answer(operation, request, believed) and _has_texts(believed)):
        return Result(Outcome.RETRY, request.id_value)
    return believed


def _is_answer(operation: Operation, request: WireRequest, result: Result) -> bool:
    """Return whether the operation can have this outcome.

    A problem whose text has placeholders that the result does not fill is removed.
    """
    lookup = ""
    if operation is Operation.RESOLVE:
        lookup = BY_FA if is_by_address(request) else BY_BOTH if request.fa else BY_ID
        if result.outcome is Outcome.HELD and result.problem != "contested":
            return False
    try:
        answer = find_answer(operation, result.outcome, result.problem, lookup)
    except KeyError:
        return False
    try:
        answer.text % (result.problem_values or {})
    except (KeyError, TypeError, ValueError):
        result.problem, result.problem_values = "", None
    return True


def _has_texts(result: Result) -> bool:
    """Return whether ID and address in a result have the form that ours have."""
    pairs = ((result.id_value, _MAX_ID), (result.fa, _MAX_FA))
    return all(
        text is None or (len(text) <= maximum and text.isprintable())
        for text, maximum in pairs
    )


# === JOINING === #


def keep_own(
    results: Sequence[Result],
    requests: Sequence[WireRequest],
    is_own: Callable[[Result], bool],
) -> list[Result]:
    """Return ``results`` without owners that a backend may not name.

    A backend may know an address for an ID of a type that another backend is called
    for, or that the caller may not receive: the address is then as good as unknown.

    :param is_own: whether the caller may receive the owner in a result
    """
    return [
        result
        if not is_by_address(request) or result.outcome not in _HITS or is_own(result)
        else Result(Outcome.NOT_LINKED, fa=request.fa)
        for request, result in zip(requests, results, strict=True)
    ]


def join(found: Sequence[Result]) -> Result:
    """Return the one result of a request that several backends were asked.

    It is certain only if all of them answered. An address that several have belongs to
    several IDs.

    >>> def show(*outcomes):
    ...     joined = join([Result(Outcome(each), "id") for each in outcomes])
    ...     return joined.outcome.value, joined.id_value, joined.problem
    >>> show("not_linked", "found")
    ('found', 'id', '')
    >>> show("found", "not_linked", "suspended")
    ('found', None, 'several_ids')
    >>> show("found", "retry")[0], show("not_linked", "forbidden")[0]
    ('retry', 'not_linked')
    >>> show()
    ('forbidden', None, 'not_by_fa')
    """
    if not found:
        return Result(Outcome.FORBIDDEN, problem="not_by_fa")
    if len(found) == 1:
        return found[0]
    unclear = [each for each in found if each.outcome not in _HITS | _NOBODY]
    retries = [each for each in unclear if each.outcome is Outcome.RETRY]
    if unclear:
        return (retries or unclear)[0]
    hits = [each for each in found if each.outcome in _HITS]
    if len(hits) > 1:
        first = min(hits, key=lambda each: each.outcome is not Outcome.FOUND)
        return replace(first, id_value=None, problem="several_ids")
    return (hits or found)[0]
