from collections.abc import Callable
from typing import NamedTuple

from odoo import api, models

from odoo.addons.spar_mapper_connector.exceptions import (
    NoSuchEvent,
    NoSuchNotice,
    NotSupported,
    OwnerLoginRefused,
    ProposalRefused,
    SealBroken,
)
from odoo.addons.spar_mapper_connector.lib.confirmation import (
    Confirmation,
    ConfirmationState,
)
from odoo.addons.spar_mapper_connector.lib.contract import (
    CallContext,
    Capability,
    Operation,
    Outcome,
    PaymentState,
    Result,
    Standing,
)
from odoo.addons.spar_mapper_connector.lib.g2p_connect.items import Item
from odoo.addons.spar_mapper_connector.lib.mapper_calls import MAPPER_CALLS
from odoo.addons.spar_mapper_connector.lib.spar_wire.messages import (
    AnswerItem,
    ExtensionMessage,
    RequestItem,
    build_answer,
)
from odoo.addons.spar_mapper_connector.lib.spar_wire.records import (
    Abilities,
    AddressAt,
    History,
    StandingRequest,
    WaitingChanges,
)

from ...lib.batch import Answered
from ...lib.disclosure import refuse_item
from ...lib.extension import (
    ExtensionBatch,
    ExtensionExchange,
    build_call,
    disclose_periods,
    disclose_result,
    refuse_unreadable,
)

#: Operations that the mapper carries out for the participant itself. Only owners lock.
_REQUESTED = MAPPER_CALLS.keys() - {Operation.LOCK, Operation.UNLOCK}
_UNKNOWN = (Outcome.NOT_LINKED, Outcome.FORBIDDEN)
#: Errors of one item: the answer names the code of each.
_ITEM_ERRORS = (
    NoSuchEvent,
    NoSuchNotice,
    SealBroken,
    NotSupported,
    ProposalRefused,
    OwnerLoginRefused,
)
#: Of them, those that a guess ends with.
_GUESSED = (NoSuchEvent, NoSuchNotice, OwnerLoginRefused)
#: What a portal may ask by its right alone: no page of this database does.
_FOR_PORTALS = frozenset({Capability.OWN_ADDRESS, Capability.VISIT})


class ItemAnswer(NamedTuple):
    """The answer to one item, and whether its ID or event is unknown to the caller."""

    answer: AnswerItem
    is_unknown: bool = False


class SparG2pConnectExtensionAnswers(models.AbstractModel):
    """The answers to the items of another SPAR's message."""

    _name = "spar.g2p.connect.extension.answers"
    _description = "Answers to other SPARs"

    @api.model
    def _begin(
        self, exchange: ExtensionExchange, message: ExtensionMessage
    ) -> ExtensionBatch:
        """Return the items of a message; none of them is passed on to another mapper.

        An ID whose type names a mapper elsewhere is answered with *not supported*, so
        that no message can go round between two SPARs.
        """
        return ExtensionBatch(exchange, message)

    @api.model
    def _finish(self, batch: ExtensionBatch, correlation_id: str = "") -> Answered:
        """Answer each item, with what may be disclosed to this caller."""
        exchange, message = batch.exchange, batch.message
        answer = self._get_handlers()[exchange.wire_operation.name]
        answered = answer(exchange, message)
        unknown = sum(each.is_unknown for each in answered)
        if unknown:
            usage = self.env["spar.participant.usage"]
            usage._count_not_found(exchange.caller, unknown)
        document = build_answer(
            exchange.header,
            exchange.wire_operation,
            message.transaction_id,
            [each.answer for each in answered],
            correlation_id,
        )
        return Answered(document)

    @api.model
    def _get_handlers(self) -> dict[str, Callable]:
        """Return operation -> its method, which takes the exchange and the message."""
        return {
            "capabilities": self._answer_capabilities,
            **{each.value: self._answer_requests for each in _REQUESTED},
            "standing": self._answer_standing,
            "change-status": self._answer_change_status,
            "history": self._answer_history,
            "address-at": self._answer_address_at,
            "waiting-changes": self._answer_waiting_changes,
            "object": self._answer_object,
            "notice": self._answer_notice,
            "object-to-notice": self._answer_object_to_notice,
            "own-address": self._answer_own_address,
            "lock": self._answer_lock,
            "propose": self._answer_propose,
            "confirmation": self._answer_confirmation,
            "end-visit": self._answer_end_visit,
        }

    @api.model
    def _get_mapper(self) -> models.AbstractModel:
        """Return the mapper to call: the store of this database."""
        return self.env["spar.mapper.local"]

    # === WHAT THE CALLER MAY ASK === #

    @api.model
    def _answer_capabilities(self, exchange, message) -> list[ItemAnswer]:
        rights = exchange.caller.rights
        able = self._get_mapper()._capabilities() | _FOR_PORTALS
        capabilities = rights.get_capabilities() & able
        abilities = Abilities(
            capabilities, rights.sees_details, exchange.caller.max_items
        )
        return [_answer(item, abilities) for item in message.items]

    # === CHANGES AND RESOLVING === #

    @api.model
    def _answer_requests(self, exchange, message) -> list[ItemAnswer]:
        """Call the mapper once for all items that may be looked up."""
        caller = exchange.caller
        operation = Operation(exchange.wire_operation.name)
        items = [_read_item(operation, caller, each) for each in message.items]
        results = [
            self._refuse(caller, item, received)
            for item, received in zip(items, message.items, strict=True)
        ]
        wanted = [i for i, result in enumerate(results) if result is None]
        if wanted:
            call = self._build_call(exchange, message)
            requests = [message.items[i].request for i in wanted]
            found = MAPPER_CALLS[operation](self._get_mapper(), call, requests)
            for i, result in zip(wanted, found, strict=True):
                results[i] = disclose_result(caller.rights, items[i], result)
        self.env["spar.g2p.connect.answers"]._write_addresses(caller, results)
        return [
            _answer(item, result, result.outcome in _UNKNOWN)
            for item, result in zip(message.items, results, strict=True)
        ]

    @api.model
    def _refuse(self, caller, item: Item, received: RequestItem) -> Result | None:
        if received.member:
            return refuse_unreadable(received.member)
        refusal = refuse_item(caller.rights, caller.id_type_ids, item, self._find_type)
        if refusal or self._is_here(item.id_value):
            return refusal
        return Result(Outcome.FORBIDDEN, problem=NotSupported.code)

    @api.model
    def _is_here(self, id_value: str | None) -> bool:
        """Return whether the store of this database has the IDs of this type.

        Without an ID, return whether it has any. A text that is no ID is the default
        backend's: the store says what is wrong with it.
        """
        backends = self.env["spar.g2p.connect.backends"]
        routes = backends._get_routes()
        here = backends._list_here(routes)
        if not id_value or routes.only is not None:
            return bool(here)
        return routes.get(backends._build_find_type()(id_value)) in here

    @api.model
    def _build_call(self, exchange, message) -> CallContext:
        """Return the context of a call, limited to the ID types that are here.

        An address may still be stored for an ID whose type names another mapper now.
        """
        call = build_call(exchange, message.call)
        backends = self.env["spar.g2p.connect.backends"]
        routes = backends._get_routes()
        if routes.only is not None:
            return call
        return backends._limit_types(call, backends._list_here(routes))

    @api.model
    def _find_type(self, id_value: str) -> int:
        return self.env["spar.g2p.connect.answers"]._find_type(id_value)

    # === STANDING, CHANGES THAT WAIT === #

    @api.model
    def _answer_standing(self, exchange, message) -> list[ItemAnswer]:
        """Call the mapper once for each purpose."""
        call = build_call(exchange, message.call)
        found: dict[int, Standing] = {}
        by_purpose: dict[str, list[int]] = {}
        for i, item in enumerate(message.items):
            if not self._may_name(exchange, item):
                found[i] = _refuse_standing(item, PaymentState.INVALID_ID)
            elif not self._is_here(item.request.id_value):
                found[i] = _refuse_standing(item, PaymentState.UNKNOWN)
            else:
                by_purpose.setdefault(item.request.purpose, []).append(i)
        for purpose, places in by_purpose.items():
            ids = [message.items[i].request.id_value for i in places]
            standings = self._get_mapper()._standing(call, ids, purpose)
            found.update(zip(places, standings, strict=True))
        return [
            _answer(item, found[i], found[i].state is PaymentState.NOT_LINKED)
            for i, item in enumerate(message.items)
        ]

    @api.model
    def _answer_change_status(self, exchange, message) -> list[ItemAnswer]:
        call = build_call(exchange, message.call)
        references = [
            item.request.reference if item.request else "" for item in message.items
        ]
        found = self._get_mapper()._change_status(call, references)
        return [
            _answer(item, status)
            for item, status in zip(message.items, found, strict=True)
        ]

    # === THE PAST === #

    @api.model
    def _answer_history(self, exchange, message) -> list[ItemAnswer]:
        def read(call, request):
            periods = self._get_mapper()._history(call, request.id_value)
            sender_id = exchange.caller.sender_id
            return History(disclose_periods(sender_id, periods)), not periods

        return self._answer_each(exchange, message, read, History())

    @api.model
    def _answer_address_at(self, exchange, message) -> list[ItemAnswer]:
        def read(call, request):
            mapper = self._get_mapper()
            asked = (request.id_value, request.moment, request.purpose)
            period = mapper._address_at(call, *asked)
            shown = disclose_periods(exchange.caller.sender_id, _list(period))
            return AddressAt(*shown), period is None

        return self._answer_each(exchange, message, read, AddressAt())

    @api.model
    def _answer_waiting_changes(self, exchange, message) -> list[ItemAnswer]:
        def read(call, request):
            changes = self._get_mapper()._waiting_changes(call, request.id_value)
            return WaitingChanges(tuple(changes)), False

        return self._answer_each(exchange, message, read, WaitingChanges())

    # === OBJECTIONS === #

    @api.model
    def _answer_object(self, exchange, message) -> list[ItemAnswer]:
        def freeze(call, request):
            return self._get_mapper()._object_to(call, request), False

        return self._answer_each(exchange, message, freeze, NoSuchEvent.code)

    @api.model
    def _answer_notice(self, exchange, message) -> list[ItemAnswer]:
        def read(call, request):
            return self._get_mapper()._read_notice(request.token), False

        return self._answer_each(exchange, message, read, NoSuchNotice.code)

    @api.model
    def _answer_object_to_notice(self, exchange, message) -> list[ItemAnswer]:
        def freeze(call, request):
            return self._get_mapper()._object_to_notice(call, request.token), False

        return self._answer_each(exchange, message, freeze, NoSuchNotice.code)

    # === PORTALS === #

    @api.model
    def _answer_own_address(self, exchange, message) -> list[ItemAnswer]:
        def read(call, request):
            owners = self.env["spar.g2p.connect.own.address"]
            return owners._read(self._get_mapper(), call, request), False

        return self._answer_each(exchange, message, read, OwnerLoginRefused.code)

    @api.model
    def _answer_lock(self, exchange, message) -> list[ItemAnswer]:
        def lock(call, request):
            owners = self.env["spar.g2p.connect.own.address"]
            return owners._lock(self._get_mapper(), call, request), False

        return self._answer_each(exchange, message, lock, OwnerLoginRefused.code)

    # === CONFIRMATION === #

    @api.model
    def _answer_propose(self, exchange, message) -> list[ItemAnswer]:
        def propose(call, request):
            return self._get_mapper()._propose(call, request), False

        return self._answer_each(exchange, message, propose, ProposalRefused.code)

    @api.model
    def _answer_confirmation(self, exchange, message) -> list[ItemAnswer]:
        def read(call, request):
            found = self._get_mapper()._get_confirmation(call, request.reference)
            return found, found.state is ConfirmationState.UNKNOWN

        nothing = Confirmation(ConfirmationState.UNKNOWN)
        return self._answer_each(exchange, message, read, nothing)

    @api.model
    def _answer_end_visit(self, exchange, message) -> list[ItemAnswer]:
        ended = Confirmation(ConfirmationState.UNKNOWN)

        def end(call, request):
            self._get_mapper()._end_visit(call, request.reference)
            return ended, False

        return self._answer_each(exchange, message, end, ended)

    # === SINGLE ITEMS === #

    @api.model
    def _answer_each(
        self,
        exchange: ExtensionExchange,
        message: ExtensionMessage,
        act: Callable,
        nothing,
    ) -> list[ItemAnswer]:
        """Call ``act`` for each item, with the call and the request.

        It returns the answer, and whether what was asked for is unknown. ``nothing`` is
        the answer to an ID that the caller may not name, or the word of its error: the
        same as for one that is unknown.
        """
        call = build_call(exchange, message.call)
        return [
            self._answer_one(call, item, act)
            if self._may_name(exchange, item)
            else _answer(item, nothing, is_unknown=True)
            for item in message.items
        ]

    @api.model
    def _answer_one(self, call, item: RequestItem, act: Callable) -> ItemAnswer:
        if not self._is_here(_get_id(item)):
            return _answer(item, NotSupported.code)
        try:
            with self.env.cr.savepoint():
                return _answer(item, *act(call, item.request))
        except _ITEM_ERRORS as error:
            return _answer(item, error.code, isinstance(error, _GUESSED))

    @api.model
    def _may_name(self, exchange: ExtensionExchange, item: RequestItem) -> bool:
        if item.request is None:
            return False
        requested = Item(Operation.LINK, id_value=_get_id(item))
        caller = exchange.caller
        return not refuse_item(
            caller.rights, caller.id_type_ids, requested, self._find_type
        )


def _answer(item: RequestItem, answer, is_unknown: bool = False) -> ItemAnswer:
    """Return what answers ``item``: a record, or the word of an error."""
    if isinstance(answer, str):
        return ItemAnswer(AnswerItem(item.reference_id, error=answer), is_unknown)
    return ItemAnswer(AnswerItem(item.reference_id, answer), is_unknown)


def _get_id(item: RequestItem) -> str | None:
    """Return the ID that an item is about, "" if it names none."""
    return getattr(item.request, "id_value", "")


def _refuse_standing(item: RequestItem, state: PaymentState) -> Standing:
    """Return the standing of an ID that the store is not asked about."""
    request = item.request or StandingRequest("")
    return Standing(request.id_value, request.purpose, state)


def _read_item(operation: Operation, caller, received: RequestItem) -> Item:
    """Return the item as the rules of disclosure know it.

    A caller that may see details always asks for them.
    """
    request = received.request
    return Item(
        operation,
        received.reference_id,
        getattr(request, "id_value", None),
        getattr(request, "fa", None),
        wants_details=caller.rights.sees_details,
        request=request,
    )


def _list(one) -> list:
    return [] if one is None else [one]
