"""A mapper elsewhere, for tests: one model with a store for each backend."""

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

EVERYTHING = frozenset(
    {
        Capability.LINK,
        Capability.UPDATE,
        Capability.UNLINK,
        Capability.RESOLVE,
        Capability.RESOLVE_BY_FA,
        Capability.CHANGE_STATUS,
        Capability.VERSIONS,
    }
)


@dataclass
class ElsewhereStore:
    """What one backend has, and how it behaves."""

    fas: dict[str, str] = field(default_factory=dict)
    capabilities: frozenset = EVERYTHING
    failing: Exception | None = None
    #: IDs whose changes wait
    holding: set[str] = field(default_factory=set)
    states: dict[str, ChangeState] = field(default_factory=dict)
    #: changes the results that it gives
    spoil: Callable[[list], list] = list
    #: called while it is asked
    on_call: Callable[[str, object], None] = lambda _word, _env: None
    calls: list[tuple] = field(default_factory=list)

    def list_ids(self, word: str) -> list:
        """Return the IDs of each call of one kind."""
        return [
            [request.id_value for request in requests]
            for called, _call, requests in self.calls
            if called == word
        ]


class Elsewhere(models.AbstractModel):
    _name = "spar.mapper.elsewhere"
    _description = "Mapper elsewhere"
    _inherit = ["spar.mapper"]

    stores: dict[int, ElsewhereStore] = {}

    @property
    def store(self) -> ElsewhereStore:
        return self.stores[self._get_backend().id]

    def _capabilities(self):
        return self.store.capabilities

    def _answer(self, word, call, requests, answer_one):
        store = self.store
        store.calls.append((word, call, list(requests)))
        store.on_call(word, self.env)
        if store.failing:
            raise store.failing
        return store.spoil([answer_one(store, request) for request in requests])

    def _link_fa(self, call, requests):
        return self._answer("link", call, requests, _link)

    def _update_fa(self, call, requests):
        return self._answer("update", call, requests, _update)

    def _unlink_fa(self, call, requests):
        return self._answer("unlink", call, requests, _unlink)

    def _resolve_fa(self, call, requests):
        return self._answer("resolve", call, requests, _resolve)

    def _change_status(self, call, references):
        self.store.calls.append(("status", call, list(references)))
        if self.store.failing:
            raise self.store.failing
        states = self.store.states
        return [
            ChangeStatus(each, states.get(each, ChangeState.UNKNOWN))
            for each in references
        ]


def _hold(store, request):
    reference = f"change-of-{request.id_value}"
    store.states[reference] = ChangeState.WAITING
    return Result(Outcome.HELD, request.id_value, reference=reference)


def _link(store, request):
    if request.id_value in store.holding:
        return _hold(store, request)
    if request.id_value in store.fas:
        same = store.fas[request.id_value] == request.fa
        # As the codec reads it from another server: in words, and as the origin.
        problem = "same_fa" if same else "other_fa"
        return Result(
            Outcome.ALREADY_LINKED, request.id_value, problem=problem, is_origin=True
        )
    store.fas[request.id_value] = request.fa
    return Result(Outcome.LINKED, request.id_value, request.fa)


def _update(store, request):
    if request.id_value in store.holding:
        return _hold(store, request)
    if request.id_value not in store.fas:
        return Result(Outcome.NOT_LINKED, request.id_value)
    store.fas[request.id_value] = request.fa
    return Result(Outcome.UPDATED, request.id_value, request.fa)


def _unlink(store, request):
    known = store.fas.get(request.id_value)
    if known is None:
        return Result(Outcome.NOT_LINKED, request.id_value)
    if request.fa not in (None, known):
        return Result(Outcome.FA_MISMATCH, request.id_value, is_origin=True)
    del store.fas[request.id_value]
    return Result(Outcome.UNLINKED, request.id_value)


def _resolve(store, request):
    if request.id_value is None:
        found = [key for key, fa in store.fas.items() if fa == request.fa]
        if not found:
            return Result(Outcome.NOT_LINKED, fa=request.fa)
        several = len(found) > 1
        return Result(
            Outcome.FOUND,
            None if several else found[0],
            request.fa,
            problem="several_ids" if several else "",
        )
    known = store.fas.get(request.id_value)
    if known is None:
        return Result(Outcome.NOT_LINKED, request.id_value)
    if request.fa not in (None, known):
        return Result(Outcome.FA_MISMATCH, request.id_value, is_origin=True)
    return Result(Outcome.FOUND, request.id_value, known, is_origin=True, version=3)
