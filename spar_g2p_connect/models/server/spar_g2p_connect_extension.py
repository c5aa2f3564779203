from odoo import api, models

from odoo.addons.spar_mapper_connector.lib.spar_wire.messages import (
    ExtensionMessage,
    read_message,
)
from odoo.addons.spar_mapper_connector.lib.spar_wire.operations import find_by_action

from ...lib.caller import Caller
from ...lib.exchange import SYNC
from ...lib.extension import ExtensionExchange, check_reason, speak_strictly


class SparG2pConnectExtension(models.AbstractModel):
    """The processing of one message of another SPAR, beyond G2P Connect.

    The steps, their order and their refusals are those of ``spar.g2p.connect.server``;
    only the right, the message and its answers are other ones. A message is answered
    synchronously.
    """

    _name = "spar.g2p.connect.extension"
    _description = "Server of other SPARs"
    _inherit = ["spar.g2p.connect.server"]

    @api.model
    def _serve(self, caller: Caller, action: str, raw: bytes, mode: str = SYNC) -> dict:
        return super()._serve(speak_strictly(caller), action, raw, SYNC)

    @api.model
    def _check_right(self, caller: Caller, action: str) -> None:
        caller.check_capability(find_by_action(action).needs)

    @api.model
    def _build_exchange(self, caller, action, header, document, mode):
        return ExtensionExchange(caller, action, header, document, mode)

    @api.model
    def _read_message(self, exchange: ExtensionExchange) -> ExtensionMessage:
        message = read_message(
            exchange.document,
            exchange.header,
            exchange.wire_operation,
            exchange.caller.max_items,
        )
        check_reason(message)
        return message

    @api.model
    def _count_items(
        self, exchange: ExtensionExchange, message: ExtensionMessage
    ) -> None:
        usage = self.env["spar.participant.usage"]
        column = usage._get_extension_column(exchange.wire_operation.name)
        usage._count_in(exchange.caller, column, len(message.items))

    @api.model
    def _get_answers(self) -> models.AbstractModel:
        return self.env["spar.g2p.connect.extension.answers"]
