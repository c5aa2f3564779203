from collections.abc import Callable
from functools import partial

from odoo import api, models
from odoo.tools.translate import code_translations

from odoo.addons.spar_mapper_connector.lib.contract import Operation, Outcome, Result
from odoo.addons.spar_mapper_connector.lib.g2p_connect.answers import build_items
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

from ...lib.caller import Caller
from ...lib.disclosure import disclose, refuse_items
from ...lib.exchange import Exchange
from ...lib.locales import choose_language

#: The answers for an unknown ID, and for one that this caller may not see.
_UNKNOWN = (Outcome.NOT_LINKED, Outcome.FORBIDDEN)

#: Operation -> the call of the mapper that executes it.
_MAPPER_CALLS: dict[Operation, Callable] = {
    Operation.LINK: lambda mapper, call, items: mapper._link_fa(call, items),
    Operation.UPDATE: lambda mapper, call, items: mapper._update_fa(call, items),
    Operation.UNLINK: lambda mapper, call, items: mapper._unlink_fa(call, items),
    Operation.RESOLVE: lambda mapper, call, items: mapper._resolve_fa(call, items),
}


class SparG2pConnectAnswers(models.AbstractModel):
    """The answer to an accepted message, whether it is given at once or in its turn."""

    _name = "spar.g2p.connect.answers"
    _description = "Answers to messages"

    @api.model
    def _answer_items(
        self, exchange: Exchange, message: RequestMessage, correlation_id: str = ""
    ) -> dict:
        """Call the mapper once for all items, and answer what may be disclosed."""
        caller, profile = exchange.caller, exchange.caller.profile
        items = read_items(exchange.operation, message.items, profile)
        refuse_items(caller.rights, caller.id_type_ids, items, self._find_type)
        readable = [item for item in items if item.request]
        results = self._call_mapper(exchange, readable)
        disclosed = [
            disclose(caller.rights, item, result)
            for item, result in zip(readable, results, strict=True)
        ]
        self._count_not_found(caller, disclosed)
        self._write_addresses(caller, disclosed)
        timestamp, translate = format_timestamp(now()), self._get_translate()
        wires = build_items(items, disclosed, timestamp, profile, translate)
        return build_answer(
            exchange.header, profile, message.transaction_id, wires, correlation_id
        )

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
        status = self._get_mapper()._transaction_status(call, request.requested)
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

    # === THE MAPPER === #

    @api.model
    def _get_mapper(self) -> models.AbstractModel:
        """Return the mapper to call: the store of this database."""
        return self.env["spar.mapper.local"]

    @api.model
    def _call_mapper(self, exchange: Exchange, items: list[Item]) -> list[Result]:
        if not items:
            return []
        call = exchange.caller.build_call(exchange.header)
        requests = [item.request for item in items]
        return _MAPPER_CALLS[exchange.operation](self._get_mapper(), call, requests)

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
