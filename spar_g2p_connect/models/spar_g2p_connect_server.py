from functools import partial

from odoo import api, models
from odoo.tools.translate import code_translations

from odoo.addons.spar_mapper_connector.lib.contract import Operation, Outcome, Result
from odoo.addons.spar_mapper_connector.lib.g2p_connect import wire_json
from odoo.addons.spar_mapper_connector.lib.g2p_connect.answers import build_items
from odoo.addons.spar_mapper_connector.lib.g2p_connect.codes import find_answer
from odoo.addons.spar_mapper_connector.lib.g2p_connect.envelope import (
    RequestMessage,
    build_answer,
    build_rejection,
)
from odoo.addons.spar_mapper_connector.lib.g2p_connect.exceptions import RejectedMessage
from odoo.addons.spar_mapper_connector.lib.g2p_connect.headers import RequestHeader
from odoo.addons.spar_mapper_connector.lib.g2p_connect.items import Item, read_items
from odoo.addons.spar_mapper_connector.lib.g2p_connect.timestamps import (
    format_timestamp,
    now,
)

from ..lib.caller import Caller
from ..lib.disclosure import disclose, get_refusal
from ..lib.locales import choose_language


class SparG2pConnectServer(models.AbstractModel):
    """One message of a participant: read, asked of the mapper, answered."""

    _name = "spar.g2p.connect.server"
    _description = "G2P Connect server"

    @api.model
    def _answer(self, caller: Caller, operation: Operation, raw: bytes) -> dict:
        """The answer to the message in ``raw``, which came for ``operation``.

        Raises WireError for what cannot be read, ForeignSender, DailyLimitReached, and
        whatever the mapper raises for a whole call.
        """
        document = wire_json.parse(raw)
        header = RequestHeader.from_wire(document, caller.profile)
        caller.check_sender(header)
        try:
            header.check(operation.value, caller.profile)
            message = RequestMessage.from_wire(
                document, header, caller.profile, caller.max_items
            )
        except RejectedMessage as error:
            return build_rejection(header, operation.value, caller.profile, error)
        items = self._answer_items(caller, operation, header, message.items)
        return build_answer(header, caller.profile, message.transaction_id, items)

    @api.model
    def _answer_items(
        self, caller: Caller, operation: Operation, header: RequestHeader, wires: list
    ) -> list[dict]:
        usage = self.env["spar.participant.usage"]
        usage._count(caller, operation, len(wires))
        items = read_items(operation, wires, caller.profile)
        self._refuse_items(caller, items)
        asking = [item for item in items if item.request]
        results = self._ask_mapper(caller, operation, header, asking)
        not_found = sum(result.outcome is Outcome.NOT_LINKED for result in results)
        if not_found:
            usage._count_not_found(caller, not_found)
        told = [
            disclose(caller.rights, item, result)
            for item, result in zip(asking, results, strict=True)
        ]
        timestamp, translate = format_timestamp(now()), self._get_translate()
        return build_items(items, told, timestamp, caller.profile, translate)

    @api.model
    def _refuse_items(self, caller: Caller, items: list[Item]) -> None:
        """End the items that this caller may not have looked up."""
        for item in items:
            problem = item.request and get_refusal(caller.rights, item)
            if problem:
                answer = find_answer(item.operation, Outcome.FORBIDDEN, problem)
                item.refuse(answer)

    # === THE MAPPER === #

    @api.model
    def _get_mapper(self) -> models.AbstractModel:
        """The mapper that is asked: the store of this database."""
        return self.env["spar.mapper.local"]

    @api.model
    def _ask_mapper(
        self,
        caller: Caller,
        operation: Operation,
        header: RequestHeader,
        items: list[Item],
    ) -> list[Result]:
        if not items:
            return []
        ask = getattr(self._get_mapper(), f"_{operation.value}_fa")
        return ask(caller.build_call(header), [item.request for item in items])

    # === TEXTS === #

    @api.model
    def _get_translate(self):
        """``(text, locale) -> text``: the codec's texts in the sender's language."""
        installed = [code for code, _name in self.env["res.lang"].get_installed()]
        return partial(_translate, installed)


def _translate(installed: list[str], text: str, locale: str) -> str:
    language = choose_language(locale, installed)
    if not language:
        return text
    texts = code_translations.get_python_translations("spar_mapper_connector", language)
    return texts.get(text, text)
