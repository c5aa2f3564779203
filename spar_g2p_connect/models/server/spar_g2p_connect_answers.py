import logging
from functools import partial

from odoo import api, models
from odoo.tools.translate import code_translations

from odoo.addons.spar_mapper_connector.lib.contract import Outcome, Result
from odoo.addons.spar_mapper_connector.lib.g2p_connect.answers import build_items
from odoo.addons.spar_mapper_connector.lib.g2p_connect.codes import find_answer
from odoo.addons.spar_mapper_connector.lib.g2p_connect.envelope import (
    RequestMessage,
    build_answer,
)
from odoo.addons.spar_mapper_connector.lib.g2p_connect.items import Item, read_items
from odoo.addons.spar_mapper_connector.lib.g2p_connect.timestamps import (
    format_timestamp,
    now,
)
from odoo.addons.spar_mapper_connector.lib.g2p_connect.transactions import (
    StatusRequest,
    build_status_answer,
)

from ...lib.batch import Answered, Batch
from ...lib.caller import Caller
from ...lib.disclosure import disclose, refuse_items
from ...lib.exchange import Exchange
from ...lib.locales import choose_language

_logger = logging.getLogger(__name__)

#: The answers for an unknown ID, and for one that this caller may not see.
_UNKNOWN = (Outcome.NOT_LINKED, Outcome.FORBIDDEN)


class SparG2pConnectAnswers(models.AbstractModel):
    """The answer to an accepted message, whether it is given at once or in its turn.

    ``_begin`` reads the items and finds the backends that answer them. Then the server
    calls those elsewhere, while no transaction is open. ``_finish`` calls the others,
    and builds the answer.
    """

    _name = "spar.g2p.connect.answers"
    _description = "Answers to messages"

    @api.model
    def _begin(self, exchange: Exchange, message: RequestMessage) -> Batch:
        """Return the items of a message, divided among the backends."""
        caller = exchange.caller
        items = read_items(exchange.operation, message.items, caller.profile)
        refuse_items(caller.rights, caller.id_type_ids, items, self._find_type)
        has_returned = self._has_returned(exchange)
        if has_returned:
            self._refuse_returned(items)
        call = caller.build_call(exchange.header)
        batch = Batch(exchange, message.transaction_id, items, call)
        batch.has_returned = has_returned
        if not has_returned:
            self.env["spar.g2p.connect.backends"]._split(batch)
        return batch

    @api.model
    def _finish(self, batch: Batch, correlation_id: str = "") -> Answered:
        """Call the backends of this transaction; answer what may be disclosed."""
        exchange, caller = batch.exchange, batch.exchange.caller
        results = self._get_results(batch)
        waiting = batch.list_waiting(results)
        disclosed = [
            disclose(caller.rights, item, result)
            for item, result in zip(batch.readable, results, strict=True)
        ]
        if not batch.has_returned:
            self._count_not_found(caller, disclosed)
        self._write_addresses(caller, disclosed)
        profile, translate = caller.profile, self._get_translate()
        timestamp = format_timestamp(now())
        wires = build_items(batch.items, disclosed, timestamp, profile, translate)
        answer = build_answer(
            exchange.header, profile, batch.transaction_id, wires, correlation_id
        )
        return Answered(answer, waiting)

    @api.model
    def _get_results(self, batch: Batch) -> list[Result]:
        if not batch.readable:
            return []
        if batch.has_returned:
            return [Result(Outcome.NOT_LINKED) for _item in batch.readable]
        return self.env["spar.g2p.connect.backends"]._ask_here(batch)

    @api.model
    def _answer_status(self, exchange: Exchange) -> dict:
        """Return the status of an earlier transaction of this caller.

        Raises OperationNotGranted where the caller may not currently call the operation
        that it asks about.
        """
        caller, header = exchange.caller, exchange.header
        request = StatusRequest.from_wire(exchange.document, header, caller.profile)
        caller.check_operation(request.requested.operation)
        call = caller.build_call(header)
        # Messages are this database's, whichever backends answered their items.
        messages = self.env["spar.mapper.local"]
        status = messages._transaction_status(call, request.requested)
        return build_status_answer(header, caller.profile, request, status)

    # === ITEMS === #

    @api.model
    def _find_type(self, id_value: str) -> int:
        """Return the type of an ID; raises InvalidIdentifier."""
        return self.env["spar.id.type"]._identify(id_value).type_id

    @api.model
    def _count_not_found(self, caller: Caller, disclosed: list[Result]) -> None:
        """Charge for IDs that are not found, and equally for results not disclosed.

        The charge is by what is disclosed, not by what was found: otherwise, what is
        left of its limits, which a participant may read, would reveal the difference.
        """
        unknown = sum(result.outcome in _UNKNOWN for result in disclosed)
        if unknown:
            self.env["spar.participant.usage"]._count_not_found(caller, unknown)

    @api.model
    def _write_addresses(self, caller: Caller, disclosed: list[Result]) -> None:
        """Write the disclosed addresses in the strategy that ``caller`` reads.

        An address that cannot be written in it stays as it was given: a payer that
        supports only another kind of address should still see that there is one.
        """
        found = [result for result in disclosed if result.fa]
        if not (caller.strategy_number and found):
            return
        strategies = self.env["spar.fa.strategy"]
        addresses = strategies._read_addresses([result.fa for result in found])
        written = strategies._write_addresses(addresses, caller.strategy_number)
        for result, text in zip(found, written, strict=True):
            result.fa = text or result.fa

    # === REQUESTS THAT COME BACK === #

    @api.model
    def _has_returned(self, exchange: Exchange) -> bool:
        """Return whether a message has passed through this server before."""
        passed = exchange.header.passed
        if not passed:
            return False
        return self.env["spar.mapper.backend"]._get_own_mark() in passed

    @api.model
    def _refuse_returned(self, items: list[Item]) -> None:
        """Refuse the items of a message that has passed through this server before.

        A request by address is not refused: this server has been asked for it already,
        so it has nothing to add, and the other one answers what it has.
        """
        _logger.warning("a message came back: mapper backends refer to each other")
        for item in items:
            if item.request and item.request.id_value is not None:
                problem = find_answer(item.operation, Outcome.FORBIDDEN, "returned")
                item.refuse(problem)

    # === TEXTS === #

    @api.model
    def _get_translate(self):
        """Return ``(text, locale) -> text``, which translates the codec's texts."""
        installed = [code for code, _name in self.env["res.lang"].get_installed()]
        return partial(_translate, installed)


def _translate(installed: list[str], text: str, locale: str) -> str:
    language = choose_language(locale, installed)
    if not language:
        return text
    texts = code_translations.get_python_translations("spar_mapper_connector", language)
    return texts.get(text, text)
