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

from ..lib.caller import Caller
from ..lib.disclosure import disclose, get_refusal
from ..lib.exchange import Exchange
from ..lib.locales import choose_language

#: The answers for an unknown ID, and for one that this caller may not see.
_UNKNOWN = (Outcome.NOT_LINKED, Outcome.FORBIDDEN)


class SparG2pConnectServer(models.AbstractModel):
    """The answer to an accepted message, now or when its turn comes."""

    # pylint: disable=consider-merging-classes-inherited
    _inherit = "spar.g2p.connect.server"

    @api.model
    def _answer_items(
        self, exchange: Exchange, message: RequestMessage, correlation_id: str = ""
    ) -> dict:
        """Call the mapper for each item, and answer what may be disclosed."""
        caller, profile = exchange.caller, exchange.caller.profile
        items = read_items(exchange.operation, message.items, profile)
        self._refuse_items(caller, items)
        asking = [item for item in items if item.request]
        results = self._ask_mapper(exchange, asking)
        told = [
            disclose(caller.rights, item, result)
            for item, result in zip(asking, results, strict=True)
        ]
        self._count_not_found(caller, told)
        self._write_addresses(caller, told)
        timestamp, translate = format_timestamp(now()), self._get_translate()
        wires = build_items(items, told, timestamp, profile, translate)
        return build_answer(
            exchange.header, profile, message.transaction_id, wires, correlation_id
        )

    @api.model
    def _count_not_found(self, caller: Caller, told: list[Result]) -> None:
        """Charge for IDs that are not found, and equally for results not disclosed.

        The charge is by what is disclosed, not by what was found: otherwise, what is
        left of its limits, which a participant may read, would reveal the difference.
        """
        unknown = sum(result.outcome in _UNKNOWN for result in told)
        if unknown:
            self.env["spar.participant.usage"]._count_not_found(caller, unknown)

    @api.model
    def _refuse_items(self, caller: Caller, items: list[Item]) -> None:
        """Refuse the items that this caller may not have looked up."""
        for item in items:
            problem = item.request and get_refusal(caller.rights, item)
            if problem:
                answer = find_answer(item.operation, Outcome.FORBIDDEN, problem)
                item.refuse(answer)

    @api.model
    def _answer_status(self, exchange: Exchange) -> dict:
        """Return the status of an earlier transaction of this caller.

        Raises OperationNotGranted where the caller may not currently call the operation
        that it asks about.
        """
        caller, header = exchange.caller, exchange.header
        request = StatusRequest.from_wire(exchange.document, header, caller.profile)
        caller.check_operation(request.asked.operation)
        call = caller.build_call(header)
        status = self._get_mapper()._transaction_status(call, request.asked)
        return build_status_answer(header, caller.profile, request, status)

    # === THE MAPPER === #

    @api.model
    def _get_mapper(self) -> models.AbstractModel:
        """Return the mapper to call: the store of this database."""
        return self.env["spar.mapper.local"]

    @api.model
    def _ask_mapper(self, exchange: Exchange, items: list[Item]) -> list[Result]:
        if not items:
            return []
        ask = getattr(self._get_mapper(), f"_{exchange.operation.value}_fa")
        call = exchange.caller.build_call(exchange.header)
        return ask(call, [item.request for item in items])

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
