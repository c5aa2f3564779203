from odoo import api, models

from odoo.addons.spar_mapper_connector.lib.g2p_connect.acks import build_ack
from odoo.addons.spar_mapper_connector.lib.g2p_connect.envelope import build_rejection
from odoo.addons.spar_mapper_connector.lib.g2p_connect.exceptions import RejectedMessage
from odoo.addons.spar_mapper_connector.lib.g2p_connect.headers import STATUS
from odoo.addons.spar_mapper_connector.lib.g2p_connect.transactions import StatusRequest

from ..exceptions import ForeignSenderUri, OperationNotGranted
from ..lib.exchange import Exchange, NoCallback, choose_callback


class SparG2pConnectServer(models.AbstractModel):
    """Asynchronous messages: accepted now, answered when their turn comes."""

    # pylint: disable=consider-merging-classes-inherited
    _inherit = "spar.g2p.connect.server"

    @api.model
    def _accept(self, exchange: Exchange) -> dict:
        """Store the message and acknowledge it; raises NoCallback.

        The acknowledgement becomes visible only with the commit: an ACK is given only
        for what is stored.
        """
        if exchange.action == STATUS:
            self._check_status(exchange)
            self.env["spar.participant.usage"]._count(exchange.caller, None, 0)
        else:
            self._count(exchange, self._read_message(exchange))
        callback = self._choose_callback(exchange)
        if not callback:
            raise NoCallback()
        messages = self.env["spar.message"]
        kept = messages._keep(exchange, callback)
        if kept is None:
            return self._find_winner(exchange)
        messages._wake_workers()
        return build_ack(kept.correlation_id)

    @api.model
    def _check_status(self, exchange: Exchange) -> None:
        caller = exchange.caller
        request = StatusRequest.from_wire(
            exchange.document, exchange.header, caller.profile
        )
        caller.check_operation(request.asked.operation)

    @api.model
    def _choose_callback(self, exchange: Exchange) -> str:
        """Return where the answer goes, "" for nowhere; raises ForeignSenderUri."""
        registered = exchange.caller.callback
        try:
            return choose_callback(registered, exchange.header.sender_uri)
        except ForeignSenderUri:
            if exchange.caller.profile.checks_parties:
                raise
            return registered

    @api.model
    def _answer_kept(self, exchange: Exchange, correlation_id: str) -> dict:
        """Return the answer to a message whose turn has come.

        It is answered by what its sender may do now, which may be less than when the
        message was accepted.
        """
        header, profile = exchange.header, exchange.caller.profile
        try:
            self._check_right(exchange.caller, exchange.action)
            if exchange.action == STATUS:
                return self._answer_status(exchange)
            message = self._read_message(exchange)
            return self._answer_items(exchange, message, correlation_id)
        except OperationNotGranted as error:
            code, text = "rjct.action.not_supported", error.description
            refusal = RejectedMessage(code, text, "header.action")
        except RejectedMessage as error:
            refusal = error
        return build_rejection(header, exchange.action, profile, refusal)
