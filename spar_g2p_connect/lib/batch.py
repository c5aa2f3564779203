"""The items of one message on their way through the backends."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from odoo.addons.spar_mapper_connector.lib.contract import (
    CallContext,
    Operation,
    Outcome,
    Result,
)
from odoo.addons.spar_mapper_connector.lib.g2p_connect.items import Item, WireRequest

from .exchange import Exchange
from .parts import BackendPart, join


@dataclass(frozen=True)
class WaitingElsewhere:
    """An item whose change waits at a mapper elsewhere.

    :param position: its place among the items of the message
    :param reference: what the mapper calls the change
    """

    position: int
    backend: int
    reference: str


@dataclass
class Batch:
    """The items of a message, and the results that backends have given so far.

    :param items: all items, in their order; those that are refused have no request
    :param transaction_id: what the sender calls the transaction
    :param here: the parts whose backends are part of this transaction
    :param elsewhere: the parts whose backends are called while no transaction is open
    :param has_returned: whether the message passed through this server before
    """

    exchange: Exchange
    transaction_id: str
    items: list[Item]
    call: CallContext
    here: list[BackendPart] = field(default_factory=list)
    elsewhere: list[BackendPart] = field(default_factory=list)
    has_returned: bool = False
    readable: list[Item] = field(init=False)
    _found: dict[int, list[Result]] = field(init=False)
    _sources: dict[int, int] = field(init=False)

    def __post_init__(self) -> None:
        self.readable = [item for item in self.items if item.request]
        self._found, self._sources = defaultdict(list), {}

    @property
    def operation(self) -> Operation:
        operation = self.exchange.operation
        if operation is None:
            raise ValueError("a query about a transaction has no items")
        return operation

    @property
    def requests(self) -> list[WireRequest]:
        return [item.request for item in self.readable if item.request]

    def note(
        self, backend: int, positions: Iterable[int], results: Iterable[Result]
    ) -> None:
        """Note the results that a backend gave for the requests at ``positions``."""
        for position, result in zip(positions, results, strict=True):
            self._found[position].append(result)
            self._sources[position] = backend

    def join_results(self) -> list[Result]:
        """Return one result for each request, in their order."""
        return [join(self._found[place]) for place in range(len(self.readable))]

    def list_waiting(self, results: list[Result]) -> list[WaitingElsewhere]:
        """Return the items whose changes wait at mappers elsewhere.

        :param results: the results of the requests, in their order
        """
        elsewhere = {part.backend for part in self.elsewhere}
        if not elsewhere:
            return []
        places = [place for place, item in enumerate(self.items) if item.request]
        return [
            WaitingElsewhere(places[position], source, results[position].reference)
            for position, source in self._sources.items()
            if source in elsewhere
            and results[position].outcome is Outcome.HELD
            and results[position].reference
        ]


@dataclass(frozen=True)
class Answered:
    """The answer to a message, and its changes that wait elsewhere."""

    document: dict[str, object]
    waiting: list[WaitingElsewhere] = field(default_factory=list)
