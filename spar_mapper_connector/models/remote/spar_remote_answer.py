import json
from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

from ...exceptions import RemoteAnswerUnusable, ServiceUnavailable
from ...lib.g2p_connect import wire_json
from ...lib.g2p_connect.acks import build_ack, build_err
from ...lib.g2p_connect.exceptions import MalformedMessage
from ...lib.g2p_connect.headers import OPERATIONS, get_callback_action
from ...lib.g2p_connect.held import is_undecided
from ...lib.g2p_connect.wire_json import JsonObject

#: How long an answer is kept: what it was about can be asked about until then.
KEPT = timedelta(days=30)

#: What a callback is answered that is not one of ours, whatever is wrong with it.
_REFUSED = ("err.signature.invalid", "signature: is not valid")


class SparRemoteAnswer(models.Model):
    """The answer to an asynchronous message of ours, which arrives by callback.

    A row is made before the message is sent, in a transaction of its own: the answer
    may arrive while the sender's transaction is open. It is named by the message's
    transaction ID, which is random. The first answer counts, and is followed only by
    that to changes which were waiting in it; it is kept sealed.
    """

    _name = "spar.remote.answer"
    _description = "Answer of another mapper"
    _inherit = ["spar.sealed.storage"]
    _log_access = False
    _seal_purpose = "remote answer"
    _seal_prefix = ("spar.remote.answer",)
    _seal_context_columns = ("backend_id", "transaction_id")

    backend_id = fields.Many2one(
        "spar.mapper.backend", required=True, readonly=True, ondelete="cascade"
    )
    transaction_id = fields.Char(required=True, readonly=True)
    operation = fields.Char(required=True, readonly=True)
    since = fields.Datetime(string="Sent", required=True, readonly=True)

    _transaction_uniq = models.UniqueIndex(
        "(backend_id, transaction_id)", "A transaction has one answer."
    )
    _since = models.Index("(since)")

    # === SENDING === #

    @api.model
    def _expect(self, backend_id: int, operation: str, transaction_id: str) -> None:
        """Let the answer to a message arrive that is about to be sent."""
        with self.env.registry.cursor() as cr:
            cr.execute(
                SQL(
                    """INSERT INTO spar_remote_answer
                              (backend_id, transaction_id, operation, since)
                       VALUES (%s, %s, %s, now() AT TIME ZONE 'UTC')
                           ON CONFLICT DO NOTHING""",
                    backend_id,
                    transaction_id,
                    operation,
                )
            )

    @api.model
    def _fetch(self, backend_id: int, transaction_id: str) -> JsonObject | None:
        """Return the answer to a message, None while there is none.

        It is read in a transaction of its own: the caller's began before it arrived.
        """
        with self.env.registry.cursor() as cr:
            cr.execute(
                SQL(
                    """SELECT sealed FROM spar_remote_answer
                        WHERE backend_id = %s AND transaction_id = %s""",
                    backend_id,
                    transaction_id,
                )
            )
            row = cr.fetchone()
        if not row or row[0] is None:
            return None
        text = self._unseal_value(row[0], backend_id, transaction_id)
        return json.loads(text)

    # === RECEIVING === #

    @api.model
    def _receive(
        self, backend_id: int, action: str, raw: bytes, http_signature: str
    ) -> tuple[int, JsonObject]:
        """Return the HTTP status and the acknowledgement for a callback.

        Unknown backends, transactions and signatures are answered alike.

        :param backend_id: the backend in the callback's URL
        """
        try:
            backends = self.env["spar.mapper.backend"]
            backend_sudo = backends._find_by_callback(backend_id)
            if backend_sudo and self._accept(
                backend_sudo, action, wire_json.parse(raw), raw, http_signature
            ):
                return 200, build_ack("")
        except (MalformedMessage, RemoteAnswerUnusable):
            return 401, build_err(*_REFUSED)
        except ServiceUnavailable:
            return 503, build_err("err.service.unavailable", "try again later")
        return 401, build_err(*_REFUSED)

    @api.model
    def _accept(
        self, backend_sudo, action: str, document: object, raw: bytes, signature: str
    ) -> bool:
        """Store the answer that a callback brings; return whether it was expected.

        Raises RemoteAnswerUnusable for one that is not proved.
        """
        message = document.get("message") if isinstance(document, dict) else None
        transaction_id = (
            message.get("transaction_id") if isinstance(message, dict) else None
        )
        operations = {get_callback_action(name): name for name in OPERATIONS}
        if not isinstance(transaction_id, str) or action not in operations:
            return False
        exchange = backend_sudo._open_exchange()
        exchange.verify(document, raw, signature)
        if not _is_between(document, backend_sudo.receiver_id, backend_sudo.sender_id):
            return False
        operation = operations[action]
        row_id = self._lock_expected(backend_sudo.id, operation, transaction_id)
        if not row_id:
            return False
        answer = self.browse(row_id)
        earlier = answer._read_sealed()
        if earlier is None or is_undecided(json.loads(earlier), operation):
            answer._write_sealed(json.dumps(document))
        return True

    @api.model
    def _lock_expected(
        self, backend_id: int, operation: str, transaction_id: str
    ) -> int | None:
        rows = self.env.execute_query(
            SQL(
                """SELECT id FROM spar_remote_answer
                    WHERE backend_id = %s AND operation = %s AND transaction_id = %s
                      FOR UPDATE""",
                backend_id,
                operation,
                transaction_id,
            )
        )
        return rows[0][0] if rows else None

    # === CLEANING UP === #

    @api.autovacuum
    def _gc_answers(self) -> None:
        """Delete what nobody asks about any more."""
        self.env.cr.execute(
            SQL(
                "DELETE FROM spar_remote_answer WHERE since < %s",
                fields.Datetime.now() - KEPT,
            )
        )


def _is_between(document: JsonObject, sender: str, receiver: str) -> bool:
    """Return whether a document is from one side, and for the other, if it names them.

    :param sender: the mapper's name, or "" if none was agreed
    :param receiver: our name there
    """
    header = document.get("header")
    if not isinstance(header, dict):
        return False
    is_from = not sender or header.get("sender_id") in (None, "", sender)
    return is_from and header.get("receiver_id") in (None, "", receiver or "")
