"""A mapper for tests, which can answer wrongly in every way that a remote one can."""

from collections.abc import Callable
from dataclasses import dataclass, field

from odoo import models

from odoo.addons.spar_mapper_connector.lib.contract import (
    Capability,
    ChangeState,
    ChangeStatus,
    Outcome,
    Result,
)


def _answer_as_is(results):
    return results


#: Ways to answer wrongly, by name: from right results to those that are given.
WRONG_ANSWERS: dict[str, Callable[[list], list]] = {
    "half": lambda results: results[: len(results) // 2],
    "reversed": lambda results: results[::-1],
    "other IDs": lambda results: [
        Result(Outcome.LINKED, f"token:{number}@nationalId")
        for number, _result in enumerate(results)
    ],
    "twice": lambda results: [each for one in results for each in (one, one)],
    "nothing": lambda results: [],
}


@dataclass
class Place:
    fa: str
    version: int
    origin: str


@dataclass
class StandInStore:
    """The stand-in's content and configured answers, new for each test."""

    places: dict[str, Place] = field(default_factory=dict)
    calls: list[tuple] = field(default_factory=list)
    capabilities: frozenset = frozenset(Capability)
    outcomes: dict[str, Result] = field(default_factory=dict)
    failing: Exception | None = None
    fails_after_effect: bool = False
    distort: Callable[[list], list] = _answer_as_is
    changes: dict[str, ChangeState] = field(default_factory=dict)
    stopped: set[str] = field(default_factory=set)

    def set(self, id_value: str, fa: str, origin: str = "registry") -> None:
        before = self.places.get(id_value)
        version = before.version + 1 if before else 1
        self.places[id_value] = Place(fa, version, origin)

    def get_fa(self, id_value: str) -> str | None:
        place = self.places.get(id_value)
        return place.fa if place else None


class StandIn(models.AbstractModel):
    _name = "spar.mapper.stand.in"
    _description = "Stand-in of the tests"
    _inherit = ["spar.mapper"]

    store = StandInStore()

    def _capabilities(self):
        return self.store.capabilities

    def _answer(self, word, call, requests, build):
        store = self.store
        store.calls.append((word, call, [request.id_value for request in requests]))
        if store.failing and word != "resolve" and not store.fails_after_effect:
            raise store.failing
        results = [build(request) for request in requests]
        if store.failing and word != "resolve":
            raise store.failing
        return store.distort(results)

    def _resolve_fa(self, call, requests):
        def build(request):
            place = self.store.places.get(request.id_value)
            if place is None:
                return Result(Outcome.NOT_LINKED, request.id_value)
            if request.id_value in self.store.stopped:
                return Result(Outcome.SUSPENDED, request.id_value)
            return Result(
                Outcome.FOUND, request.id_value, place.fa, version=place.version
            )

        return self._answer("resolve", call, requests, build)

    def _link_fa(self, call, requests):
        return self._answer("link", call, requests, self._change(Outcome.LINKED))

    def _update_fa(self, call, requests):
        return self._answer("update", call, requests, self._change(Outcome.UPDATED))

    def _change(self, outcome):
        def build(request):
            configured = self.store.outcomes.get(request.id_value)
            if configured is not None:
                return configured
            self.store.set(request.id_value, request.fa)
            return Result(outcome, request.id_value, request.fa)

        return build

    def _unlink_fa(self, call, requests):
        def build(request):
            self.store.places.pop(request.id_value, None)
            return Result(Outcome.UNLINKED, request.id_value)

        return self._answer("unlink", call, requests, build)

    def _suspend_fa(self, call, requests):
        def build(request):
            self.store.stopped.add(request.id_value)
            return Result(Outcome.SUSPENDED, request.id_value)

        return self._answer("suspend", call, requests, self._stop(build))

    def _resume_fa(self, call, requests):
        def build(request):
            self.store.stopped.discard(request.id_value)
            return Result(Outcome.RESUMED, request.id_value)

        return self._answer("resume", call, requests, self._stop(build))

    def _stop(self, build):
        """Return ``build`` for IDs that have an address, and no configured answer."""

        def build_known(request):
            configured = self.store.outcomes.get(request.id_value)
            if configured is not None:
                return configured
            if request.id_value not in self.store.places:
                return Result(Outcome.NOT_LINKED, request.id_value)
            return build(request)

        return build_known

    def _change_status(self, call, references):
        return [
            ChangeStatus(one, self.store.changes.get(one, ChangeState.UNKNOWN))
            for one in references
        ]

    def _history(self, call, id_value):
        return []


class SecondStandIn(models.AbstractModel):
    """Another mapper, with a content of its own."""

    _name = "spar.mapper.second.stand.in"
    _description = "Second stand-in of the tests"
    _inherit = ["spar.mapper.stand.in"]

    store = StandInStore()
