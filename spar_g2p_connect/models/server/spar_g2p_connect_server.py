from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial

from odoo import api, models
from odoo.exceptions import ConcurrencyError
from odoo.tools.gc import disabling_gc

from odoo.addons.spar_mapper_connector.lib.contract import Operation
from odoo.addons.spar_mapper_connector.lib.g2p_connect import openg2p_2, wire_json
from odoo.addons.spar_mapper_connector.lib.g2p_connect.acks import (
    build_ack,
    build_err,
    build_nack,
)
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
from odoo.addons.spar_mapper_connector.lib.g2p_connect.transactions import StatusRequest

from ...exceptions import (
    Busy,
    ForeignSenderUri,
    OperationNotGranted,
    ProtocolError,
    RequestRefused,
)
from ...lib.batch import Answered, Batch
from ...lib.caller import Caller
from ...lib.exchange import ASYNC, SYNC, Exchange, NoCallback, choose_callback


class SparG2pConnectServer(models.AbstractModel):
    """The processing of one message of a participant, from its bytes to its answer.

    The caller has already been authenticated (``spar.g2p.connect.authentication``).
    The steps follow in this order, each in a method of this file:

    1. ``_serve``: parse the body, check the signature and the right to the operation;
    2. ``_serve_document``: read the header, check sender and receiver;
    3. ``_answer``: return the stored answer of a repeated message; check that a new one
       is fresh;
    4. ``_answer_now`` for a synchronous message: count it, call the mappers elsewhere
       that its items need (``spar.g2p.connect.backends``), store it if it changes
       something, and answer its items (``spar.g2p.connect.answers``);
       ``_accept`` for an asynchronous one: count it, store it and acknowledge it.

    What follows for an asynchronous message:

    5. ``spar_message_worker.py``: a worker takes the message when its turn comes, and
       calls ``_answer_queued`` here, which answers its items;
    6. the same worker stores the answer and queues its callback (``spar.callback``) in
       one transaction;
    7. ``spar_callback_worker.py``: another worker signs and sends the callback.
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
        with self._recording(caller, action, mode) as record, disabling_gc():
            document = self._parse(caller, raw)
            authentication = self.env["spar.g2p.connect.authentication"]
            authentication._check_signature(caller, document, raw)
            self._check_right(caller, action)
            if openg2p_2.is_request(document) and caller.profile.speaks_openg2p_2:
                return self._serve_openg2p_2(caller, action, document, record)
            return self._serve_document(caller, action, document, mode, record)

    @api.model
    def _serve_openg2p_2(self, caller, action, document: dict, record: dict) -> dict:
        """Return the answer to a message in the envelope of OpenG2P 2.x.

        It is always synchronous; only its envelope and its addresses differ.
        """
        record["mode"] = SYNC
        converter = self.env["spar.g2p.connect.openg2p"]
        inner = converter._read_message(action, document)
        answer = self._serve_document(caller, action, inner, SYNC, record)
        return converter._write_answer(action, inner, answer)

    @api.model
    def _serve_document(self, caller, action, document, mode, record: dict) -> dict:
        header = RequestHeader.from_wire(document, caller.profile)
        record["message_id"] = header.message_id
        caller.check_sender(header)
        caller.check_receiver(header)
        exchange = self._build_exchange(caller, action, header, document, mode)
        try:
            return self._answer(exchange)
        except RejectedMessage as error:
            self._record_refusal(record, error)
            return self._reject(exchange, error)

    @api.model
    def _build_exchange(self, caller, action, header, document, mode) -> Exchange:
        return Exchange(caller, action, header, document, mode)

    @api.model
    def _answer(self, exchange: Exchange) -> dict:
        """Return the stored answer of a repeated message, or process a new one.

        Raises RejectedMessage where the message is rejected as a whole.
        """
        exchange.header.check(exchange.action, exchange.caller.profile)
        stored = self.env["spar.message"]._find_answer(exchange)
        if stored is not None:
            self._count_call(exchange.caller)
            return stored
        exchange.header.check_freshness(exchange.caller.profile)
        if exchange.mode == ASYNC:
            return self._accept(exchange)
        return self._answer_now(exchange)

    # === SYNCHRONOUS MESSAGES === #

    @api.model
    def _answer_now(self, exchange: Exchange) -> dict:
        answers = self._get_answers()
        if exchange.action == STATUS:
            self._count_call(exchange.caller)
            return answers._answer_status(exchange)
        message = self._read_message(exchange)
        self._count_items(exchange, message)
        batch = answers._begin(exchange, message)
        self._ask_elsewhere(batch, partial(self._outside_transaction, exchange))
        if not exchange.is_stored:
            return answers._finish(batch).document
        messages = self.env["spar.message"]
        stored = messages._store(exchange)
        if stored is None:
            return self._find_concurrent_answer(exchange)
        answered = answers._finish(batch, stored.correlation_id)
        messages._save_answer(stored, answered.document)
        self.env["spar.message.change"]._add(stored.row_id, answered.waiting)
        return answered.document

    @api.model
    def _ask_elsewhere(
        self, batch: Batch, outside: Callable[[], AbstractContextManager]
    ) -> None:
        """Call the mappers elsewhere, before this message is stored.

        :param outside: returns a context in which no transaction is open: a slow mapper
            then delays nobody else
        """
        if batch.elsewhere:
            with outside():
                self.env["spar.g2p.connect.backends"]._ask_elsewhere(batch)

    @contextmanager
    def _outside_transaction(self, exchange: Exchange) -> Iterator[None]:
        """End the transaction, in which nothing was written yet, and begin another.

        Meanwhile the message ID is reserved by a lock of the connection, which the new
        transaction takes over. Raises Busy where another request with it is under way.
        """
        messages = self.env["spar.message"]
        self.env.cr.commit()  # pylint: disable=invalid-commit
        if not messages._try_to_reserve(exchange):
            raise Busy()
        try:
            if messages._find_answer(exchange) is not None:
                raise ConcurrencyError("the message was answered in the meantime")
            yield
            self.env.cr.commit()  # pylint: disable=invalid-commit
            messages._keep_reserved(exchange)
        except BaseException:
            # After an error of the database, nothing can be released before that.
            self.env.cr.rollback()
            raise
        finally:
            messages._end_reservation(exchange)

    @api.model
    def _find_concurrent_answer(self, exchange: Exchange) -> dict:
        """Return the answer to the same message that was sent concurrently and won."""
        answer = self.env["spar.message"]._find_answer(exchange)
        if answer is None:
            raise ConcurrencyError("a message vanished while it was sent again")
        return answer

    # === ASYNCHRONOUS MESSAGES === #

    @api.model
    def _accept(self, exchange: Exchange) -> dict:
        """Store the message and acknowledge it; raises NoCallback.

        The acknowledgement becomes visible only with the commit: an ACK is given only
        for what is stored.
        """
        if exchange.action == STATUS:
            self._check_status(exchange)
            self._count_call(exchange.caller)
        else:
            self._count_items(exchange, self._read_message(exchange))
        callback = self._choose_callback(exchange)
        if not callback:
            raise NoCallback()
        messages = self.env["spar.message"]
        stored = messages._store(exchange, callback)
        if stored is None:
            return self._find_concurrent_answer(exchange)
        messages._wake_workers()
        return build_ack(stored.correlation_id)

    @api.model
    def _check_status(self, exchange: Exchange) -> None:
        caller = exchange.caller
        request = StatusRequest.from_wire(
            exchange.document, exchange.header, caller.profile
        )
        caller.check_operation(request.requested.operation)

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
    def _answer_queued(
        self,
        exchange: Exchange,
        correlation_id: str,
        outside: Callable[[], AbstractContextManager],
    ) -> Answered:
        """Return the answer to an accepted message whose turn has come.

        It is answered by what its sender may do now, which may be less than when the
        message was accepted.

        :param outside: see ``_ask_elsewhere``
        """
        header, profile = exchange.header, exchange.caller.profile
        answers = self._get_answers()
        try:
            self._check_right(exchange.caller, exchange.action)
            if exchange.action == STATUS:
                return Answered(answers._answer_status(exchange))
            message = self._read_message(exchange)
            batch = answers._begin(exchange, message)
            self._ask_elsewhere(batch, outside)
            return answers._finish(batch, correlation_id)
        except OperationNotGranted as error:
            code, text = "rjct.action.not_supported", error.description
            refusal = RejectedMessage(code, text, "header.action")
        except RejectedMessage as error:
            refusal = error
        rejection = build_rejection(header, exchange.action, profile, refusal)
        return Answered(rejection)

    # === STEPS === #

    @api.model
    def _get_answers(self) -> models.AbstractModel:
        """Return the model that answers the items of a message."""
        return self.env["spar.g2p.connect.answers"]

    @api.model
    def _parse(self, caller: Caller, raw: bytes) -> object:
        return wire_json.parse(raw) if caller.document is None else caller.document

    @api.model
    def _check_right(self, caller: Caller, action: str) -> None:
        """Raise OperationNotGranted where the caller may not call ``action``.

        A transaction status may be requested here by any caller; the right to the
        operation that it asks about is checked when the status is read.
        """
        if action != STATUS:
            caller.check_operation(Operation(action))

    @api.model
    def _read_message(self, exchange: Exchange) -> RequestMessage:
        return RequestMessage.from_wire(
            exchange.document,
            exchange.header,
            exchange.caller.profile,
            exchange.caller.max_items,
        )

    @api.model
    def _count_call(self, caller: Caller) -> None:
        """Count a call without items; raises PaceReached."""
        self.env["spar.participant.usage"]._count(caller, None, 0)

    @api.model
    def _count_items(self, exchange: Exchange, message: RequestMessage) -> None:
        """Count a call with its items; raises PaceReached or DailyLimitReached."""
        usage = self.env["spar.participant.usage"]
        usage._count(exchange.caller, exchange.operation, len(message.items))

    # === REFUSALS === #

    @api.model
    def _reject(self, exchange: Exchange, error: RejectedMessage) -> dict:
        """Return the answer to a message that was read but is rejected as a whole."""
        if exchange.mode == SYNC:
            profile = exchange.caller.profile
            return build_rejection(exchange.header, exchange.action, profile, error)
        if isinstance(error, NoCallback):
            return build_nack(error.text)
        return build_err(error.code, error.text)

    @contextmanager
    def _recording(self, caller: Caller, action: str, mode: str) -> Iterator[dict]:
        """Record the error with which a message is refused, and raise it again.

        The block adds the ``message_id`` once it has been read.
        """
        record = {"caller": caller, "action": action, "mode": mode, "message_id": ""}
        try:
            yield record
        except MalformedMessage as error:
            refused = RequestRefused(caller.profile.malformed_code, error.text)
            self._record_refusal(record, refused)
            raise refused from None
        except (WireError, ProtocolError) as error:
            self._record_refusal(record, error)
            raise

    @api.model
    def _record_refusal(self, record: dict, error: Exception) -> None:
        self.env["spar.message"]._record_refusal(**record, error=error)
