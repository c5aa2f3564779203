from collections.abc import Iterator
from contextlib import contextmanager

from odoo import api, models
from odoo.exceptions import ConcurrencyError
from odoo.tools.gc import disabling_gc

from odoo.addons.spar_mapper_connector.lib.contract import Operation
from odoo.addons.spar_mapper_connector.lib.g2p_connect import openg2p_2, wire_json
from odoo.addons.spar_mapper_connector.lib.g2p_connect.acks import build_err, build_nack
from odoo.addons.spar_mapper_connector.lib.g2p_connect.envelope import (
    RequestMessage,
    build_rejection,
)
from odoo.addons.spar_mapper_connector.lib.g2p_connect.exceptions import (
    MalformedMessage,
    RejectedMessage,
    WireError,
)
from odoo.addons.spar_mapper_connector.lib.g2p_connect.headers import (
    STATUS,
    RequestHeader,
)

from ..exceptions import ProtocolError, RequestRefused
from ..lib.caller import Caller
from ..lib.exchange import ASYNC, SYNC, Exchange, NoCallback


class SparG2pConnectServer(models.AbstractModel):
    """The processing of one message of a participant, from its bytes to its answer.

    The order is the design's (section 7): the caller has already been authenticated;
    then its rights are checked, then whether the message is a repeat, and only for a
    new one whether it is fresh.
    """

    _name = "spar.g2p.connect.server"
    _description = "G2P Connect server"

    @api.model
    def _serve(self, caller: Caller, action: str, raw: bytes, mode: str = SYNC) -> dict:
        """Return the answer to the message in ``raw``, which was posted for ``action``.

        Raises WireError for what cannot be read, a ProtocolError for what is not
        allowed, and whatever the mapper raises for a whole call.
        """
        # A message allocates many objects but no cycles: see SparMapperLocal._change.
        with self._noting(caller, action, mode) as noted, disabling_gc():
            document = self._parse(caller, raw)
            self.env["spar.participant"]._prove(caller, document, raw)
            self._check_right(caller, action)
            if openg2p_2.is_request(document) and caller.profile.speaks_openg2p_2:
                return self._serve_openg2p_2(caller, action, document, noted)
            return self._serve_document(caller, action, document, mode, noted)

    @api.model
    def _serve_document(self, caller, action, document, mode, noted: dict) -> dict:
        header = RequestHeader.from_wire(document, caller.profile)
        noted["message_id"] = header.message_id
        caller.check_sender(header)
        caller.check_receiver(header)
        exchange = Exchange(caller, action, header, document, mode)
        try:
            return self._answer(exchange)
        except RejectedMessage as error:
            self._note(noted, error)
            return self._reject(exchange, error)

    @api.model
    def _answer(self, exchange: Exchange) -> dict:
        """Return the stored answer of a repeated message, or process a new one.

        Raises RejectedMessage where the message is rejected as a whole.
        """
        exchange.header.check(exchange.action, exchange.caller.profile)
        known = self.env["spar.message"]._find_answer(exchange)
        if known is not None:
            self.env["spar.participant.usage"]._count(exchange.caller, None, 0)
            return known
        exchange.header.check_freshness(exchange.caller.profile)
        answer = self._accept if exchange.mode == ASYNC else self._answer_at_once
        return answer(exchange)

    @api.model
    def _answer_at_once(self, exchange: Exchange) -> dict:
        if exchange.action == STATUS:
            self.env["spar.participant.usage"]._count(exchange.caller, None, 0)
            return self._answer_status(exchange)
        message = self._read_message(exchange)
        self._count(exchange, message)
        if not exchange.is_kept:
            return self._answer_items(exchange, message)
        messages = self.env["spar.message"]
        kept = messages._keep(exchange)
        if kept is None:
            return self._find_winner(exchange)
        answer = self._answer_items(exchange, message, kept.correlation_id)
        messages._save_answer(kept, answer)
        return answer

    @api.model
    def _find_winner(self, exchange: Exchange) -> dict:
        """Return the answer to the same message that was sent concurrently and won."""
        answer = self.env["spar.message"]._find_answer(exchange)
        if answer is None:
            raise ConcurrencyError("a message vanished while it was sent again")
        return answer

    @api.model
    def _reject(self, exchange: Exchange, error: RejectedMessage) -> dict:
        """Return the answer to a message that was read but is rejected as a whole."""
        if exchange.mode == SYNC:
            profile = exchange.caller.profile
            return build_rejection(exchange.header, exchange.action, profile, error)
        if isinstance(error, NoCallback):
            return build_nack(error.text)
        return build_err(error.code, error.text)

    # === READING === #

    @api.model
    def _check_right(self, caller: Caller, action: str) -> None:
        """Raise OperationNotGranted where the caller may not call ``action``.

        A transaction status may be requested here by any caller; the right to the
        operation that it asks about is checked when the status is read.
        """
        if action != STATUS:
            caller.check_operation(Operation(action))

    @api.model
    def _parse(self, caller: Caller, raw: bytes) -> object:
        return wire_json.parse(raw) if caller.document is None else caller.document

    @api.model
    def _read_message(self, exchange: Exchange) -> RequestMessage:
        return RequestMessage.from_wire(
            exchange.document,
            exchange.header,
            exchange.caller.profile,
            exchange.caller.max_items,
        )

    @api.model
    def _count(self, exchange: Exchange, message: RequestMessage) -> None:
        usage = self.env["spar.participant.usage"]
        usage._count(exchange.caller, exchange.operation, len(message.items))

    # === REFUSALS === #

    @contextmanager
    def _noting(self, caller: Caller, action: str, mode: str) -> Iterator[dict]:
        """Record the error with which a message is refused, and raise it again.

        The block adds the ``message_id`` once it has been read.
        """
        noted = {"caller": caller, "action": action, "mode": mode, "message_id": ""}
        try:
            yield noted
        except MalformedMessage as error:
            refused = RequestRefused(caller.profile.malformed_code, error.text)
            self._note(noted, refused)
            raise refused from None
        except (WireError, ProtocolError) as error:
            self._note(noted, error)
            raise

    @api.model
    def _note(self, noted: dict, error: Exception) -> None:
        self.env["spar.message"]._note_refusal(**noted, error=error)
