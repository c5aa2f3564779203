import logging
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from odoo import api, models

from odoo.addons.spar_mapper.store.identifying import get_outcome, read_ids
from odoo.addons.spar_mapper.store.reading import (
    RequestReader,
    get_address_problem,
    read_requested,
)
from odoo.addons.spar_mapper_connector.exceptions import (
    InvalidIdentifier,
    MapperError,
    NotSupported,
    ServiceUnavailable,
)
from odoo.addons.spar_mapper_connector.lib.contract import (
    CallContext,
    Capability,
    Operation,
    Outcome,
    ResolveRequest,
    Result,
)
from odoo.addons.spar_mapper_connector.lib.id_rules import CardCheck
from odoo.addons.spar_mapper_connector.lib.mapper_calls import MAPPER_CALLS
from odoo.addons.spar_mapper_connector.lib.routes import Routes
from odoo.addons.spar_mapper_connector.transactions import is_passing

from ...lib.batch import Batch
from ...lib.error_texts import describe_error
from ...lib.parts import (
    BackendPart,
    believe,
    build_retries,
    is_by_address,
    keep_own,
    split_requests,
)
from ...lib.resting import Resting, is_failure

_logger = logging.getLogger(__name__)

#: After this time no further backend is asked for a message: its items are answered
#: *try again*. A participant waits for the others, and a worker is occupied.
MAX_SECONDS = 25.0

#: Operations that change an address which another provider may have stored.
_REPLACING = (Operation.UPDATE, Operation.UNLINK)

#: Backends of this process that did not answer.
RESTING = Resting()


class SparG2pConnectBackends(models.AbstractModel):
    """The backends that answer the items of a message.

    Each item goes to the backend that its ID type names, and the results are put
    together in the order of the items. A backend that shares the transaction (the store
    of this database) is called within it. Every other one may be slow: it is called
    first, while no transaction is open, and its failure concerns its own items only.

    A mapper elsewhere knows this registry and not our participants. So what depends on
    the participant is checked here, before (``_examine``) and after (``believe``).
    """

    _name = "spar.g2p.connect.backends"
    _description = "Backends behind the REST server"

    # === WHO IS ASKED === #

    @api.model
    def _split(self, batch: Batch) -> None:
        """Divide the requests of a message among the backends."""
        routes = self._get_routes()
        if not batch.readable:
            return
        if routes.only is not None:
            requests = batch.requests
            parts = [BackendPart(routes.only, list(range(len(requests))), requests)]
        else:
            find_type, allowed = self._build_find_type(), batch.call.id_type_ids
            parts = split_requests(batch.requests, routes, find_type, allowed)
        for part in parts:
            part.mapper = self._get_mapper(routes, part.backend)
            if part.mapper._shares_transaction:
                batch.here.append(part)
            else:
                batch.elsewhere.append(self._examine(batch, part))

    @api.model
    def _get_routes(self) -> Routes:
        """Return which backend is called for which IDs; raises ServiceUnavailable."""
        routes = self.env["spar.mapper.backend"]._get_routes()
        if routes.default is None:
            raise ServiceUnavailable("no mapper backend is the default")
        return routes

    @api.model
    def _get_mapper(self, routes: Routes, backend: int) -> models.AbstractModel:
        """Return the mapper that is bound to a backend in use."""
        return self.env[routes.models[backend]].browse(backend)

    @api.model
    def _build_find_type(self) -> Callable[[str], int | None]:
        """Return a function that returns the type of an ID, None if it has none."""
        read = self.env["spar.id.type"]._build_reader()

        def find_type(text: str) -> int | None:
            try:
                return read(text, CardCheck.NONE).type_id
            except InvalidIdentifier as error:
                return error.type_id

        return find_type

    # === THE STORE OF THIS DATABASE === #

    @api.model
    def _ask_here(self, batch: Batch) -> list[Result]:
        """Call the backends that share the transaction; return all results, joined.

        Where no other backend is concerned, whatever the mapper raises is raised.
        """
        if not batch.elsewhere and len(batch.here) == 1:
            (part,) = batch.here
            if len(part.positions) == len(batch.readable):
                return self._call(batch, part, batch.call)
        for part in batch.here:
            batch.note(part.backend, part.positions, self._try_here(batch, part))
        return batch.join_results()

    @api.model
    def _try_here(self, batch: Batch, part: BackendPart) -> list[Result]:
        """Return the results of a backend, *try again* for each if it cannot work."""
        call = self._limit_types(batch.call, [part.backend])
        try:
            with self.env.cr.savepoint():
                return self._call(batch, part, call)
        except Exception as error:
            # Elsewhere, changes of this message were made: it must not run again.
            if not (isinstance(error, MapperError) or is_passing(error)):
                raise
            _log_failure(part.backend, error)
            return build_retries(part.requests)

    @api.model
    def _list_here(self, routes: Routes) -> list[int]:
        """Return the backends that share the transaction."""
        return [
            backend
            for backend in routes.backends
            if self._get_mapper(routes, backend)._shares_transaction
        ]

    @api.model
    def _limit_types(self, call: CallContext, backends: list[int]) -> CallContext:
        """Return ``call``, limited to the ID types whose IDs are those backends'."""
        found = map(self._get_routes().get_types, backends)
        types, allowed = frozenset().union(*found), call.id_type_ids
        return replace(call, id_type_ids=types if allowed is None else types & allowed)

    @api.model
    def _call(self, batch: Batch, part: BackendPart, call: CallContext) -> list[Result]:
        return MAPPER_CALLS[batch.operation](part.mapper, call, part.requests)

    # === BEFORE A MAPPER ELSEWHERE IS ASKED === #

    @api.model
    def _examine(self, batch: Batch, part: BackendPart) -> BackendPart:
        """Return the part of ``part`` that may be sent; note the answers to the rest.

        The rules for IDs and addresses, and the participant's own providers, hold
        whichever mapper stores them.
        """
        if batch.operation is Operation.RESOLVE:
            refusals = self._refuse_queries(part.requests)
        else:
            refusals = self._refuse_changes(batch.call, part.requests)
        refused = [index for index, each in enumerate(refusals) if each]
        batch.note(
            part.backend,
            (part.positions[index] for index in refused),
            (refusals[index] for index in refused),
        )
        return part.keep([i for i, each in enumerate(refusals) if not each])

    @api.model
    def _refuse_changes(self, call: CallContext, requests: list) -> list:
        directory = self.env["spar.mapper.local"]._get_directory()
        addresses = read_requested(directory, call, requests)
        reader = RequestReader(call, directory, addresses)
        identify = partial(read_ids, self.env["spar.id.type"]._build_reader())
        return [refusal for _id, refusal in reader.read_all(requests, identify)]

    @api.model
    def _refuse_queries(self, requests: list) -> list:
        read = self.env["spar.id.type"]._build_reader()
        found = read_ids(read, [request.id_value for request in requests])
        return [
            _refuse_query(request, identified)
            for request, identified in zip(requests, found, strict=True)
        ]

    # === MAPPERS ELSEWHERE === #

    @api.model
    def _ask_elsewhere(self, batch: Batch) -> None:
        """Call the mappers elsewhere, and note their results.

        It is called while no transaction is open. What a mapper raises concerns its own
        items. Raises ServiceUnavailable if a change could not be stored afterwards.
        """
        if batch.exchange.is_stored:
            self.env["spar.keyring"]._open(for_write=True)
        end = time.monotonic() + MAX_SECONDS
        for part in batch.elsewhere:
            if part.requests:
                self._try_elsewhere(batch, part, end)

    @api.model
    def _try_elsewhere(self, batch: Batch, part: BackendPart, end: float) -> None:
        resting = (self.env.cr.dbname, part.backend)
        if RESTING.includes(resting) or time.monotonic() > end:
            batch.note(part.backend, part.positions, build_retries(part.requests))
            return
        began = time.monotonic()
        try:
            asked, results = self._ask_mapper(batch, part)
            failed = is_failure(results, time.monotonic() - began)
        except NotSupported:
            asked, failed = part, False
            results = [
                Result(Outcome.FORBIDDEN, each.id_value, problem="not_supported")
                for each in part.requests
            ]
        except Exception as error:
            # Code of any mapper: a fault of it must not spoil the others' items.
            self.env.cr.rollback()
            _log_failure(part.backend, error)
            asked, failed = part, True
            results = build_retries(part.requests)
        if failed:
            RESTING.begin(resting)
        else:
            RESTING.end(resting)
        batch.note(part.backend, asked.positions, results)

    @api.model
    def _ask_mapper(
        self, batch: Batch, part: BackendPart
    ) -> tuple[BackendPart, list[Result]]:
        """Return which requests a mapper was asked, and its results.

        A request by address is left out if the mapper cannot be asked so.
        """
        mapper_sudo = part.mapper.sudo()
        asked = self._choose(batch, part, mapper_sudo._capabilities())
        send = partial(self._send, mapper_sudo, batch.call)
        is_bound = batch.call.provider_ids is not None
        if is_bound and batch.operation in _REPLACING:
            return asked, self._send_own(batch, asked.requests, send)
        results = send(batch.operation, asked.requests)
        is_own = partial(self._is_own, self._build_find_type(), batch, part.backend)
        return asked, keep_own(results, asked.requests, is_own)

    @api.model
    def _choose(
        self, batch: Batch, part: BackendPart, capabilities: frozenset
    ) -> BackendPart:
        """Return the part of ``part`` that a mapper can be asked; raises NotSupported.

        A request by address is one that any mapper may answer, and none has to.
        """
        by_address = Capability.RESOLVE_BY_FA in capabilities
        chosen = part.keep(
            [
                index
                for index, request in enumerate(part.requests)
                if by_address or not is_by_address(request)
            ]
        )
        needed = Capability(batch.operation.value)
        if needed not in capabilities and not all(map(is_by_address, chosen.requests)):
            raise NotSupported(needed)
        return chosen

    @api.model
    def _send(
        self, mapper_sudo, call: CallContext, operation: Operation, requests: list
    ) -> list[Result]:
        """Return what can be believed of a mapper's results."""
        if not requests:
            return []
        # What was read to prepare this began a transaction.
        self.env.cr.commit()  # pylint: disable=invalid-commit
        results = MAPPER_CALLS[operation](mapper_sudo, call, requests)
        return believe(operation, requests, results)

    # === PARTICIPANTS WITH PROVIDERS OF THEIR OWN === #

    @api.model
    def _send_own(self, batch: Batch, requests: list, send: Callable) -> list[Result]:
        """Return the results of changes to addresses at the caller's own providers.

        Changes of other addresses are refused.
        """
        checked, refusals = self._find_foreign(batch, requests, send)
        own = [
            request
            for request, refusal in zip(checked, refusals, strict=True)
            if refusal is None
        ]
        given = iter(send(batch.operation, own))
        return [refusal or next(given) for refusal in refusals]

    @api.model
    def _find_foreign(
        self, batch: Batch, requests: list, send: Callable
    ) -> tuple[list, list[Result | None]]:
        """Return the changes, based on what is in force, and the refusal of each.

        Addresses that are at somebody else's providers are not changed. (The store lets
        a second person decide.)
        """
        queries = [ResolveRequest(each.id_value) for each in requests]
        found = send(Operation.RESOLVE, queries)
        strategies = self.env["spar.fa.strategy"]
        addresses = strategies._read_addresses([each.fa or "" for each in found])
        checked, refusals = [], []
        for request, current, address in zip(requests, found, addresses, strict=True):
            is_own = address.provider_id in batch.call.provider_ids
            refusals.append(_refuse_foreign(current, is_own))
            checked.append(replace(request, expected_version=current.version))
        return checked, refusals

    # === OWNERS OF AN ADDRESS === #

    @api.model
    def _is_own(
        self, find_type: Callable, batch: Batch, backend: int, result: Result
    ) -> bool:
        """Return whether the caller may receive the owner that a backend found."""
        allowed = batch.call.id_type_ids
        if not result.id_value:
            return allowed is None
        type_id = find_type(result.id_value)
        is_there = self._get_routes().get(type_id) == backend
        return is_there and (allowed is None or type_id in allowed)


def _refuse_query(request, identified) -> Result | None:
    """Return the answer to a query that no mapper has to be asked, or None."""
    if isinstance(identified, InvalidIdentifier):
        outcome = get_outcome(identified)
        return Result(outcome, request.id_value, problem=identified.code)
    problem = get_address_problem(request.fa)
    if problem:
        return Result(Outcome.INVALID_FA, request.id_value, problem=problem)
    return None


def _refuse_foreign(current: Result, is_own: bool) -> Result | None:
    """Return the refusal of a change, by what is in force, or None.

    It looks like that of an ID which is not linked.
    """
    if current.outcome is Outcome.RETRY:
        return current
    if current.outcome is Outcome.NOT_LINKED or is_own:
        return None
    return Result(Outcome.FORBIDDEN, current.id_value)


def _log_failure(backend: int, error: Exception) -> None:
    known = isinstance(error, MapperError) or is_passing(error)
    text = type(error).__name__ if known else describe_error(error)
    _logger.warning("mapper backend %s does not answer: %s", backend, text)
