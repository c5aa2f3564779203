import json
from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

from ...exceptions import RemoteAnswerUnusable, ServiceUnavailable
from ...lib.g2p_connect import wire_json
from ...lib.g2p_connect.acks import build_ack, build_err
from ...lib.g2p_connect.exceptions import MalformedMessage
from ...lib.g2p_connect.headers import (
    OPERATIONS,
    ResponseHeader,
    get_callback_action,
)
from ...lib.g2p_connect.held import get_items, is_undecided
from ...lib.g2p_connect.wire_json import JsonObject
from ...lib.remote.messages import Asked, is_addressed, names_asked

#: How long an answer is kept: what it was about can be asked about until then.
KEPT = timedelta(days=30)

#: What a callback is answered that is not one of ours, whatever is wrong with it.
_REFUSED = ("err.signature.invalid", "signature: is not valid")


class SparRemoteAnswer(models.Model):
    """The answer to an asynchronous message of ours, which arrives by callback.

    A row is made before the message is sent, in a transaction of its own: the answer
    may arrive while the sender's transaction is open. It is named by the message's
    transaction ID, which is random, and has the IDs that were sent: an answer that
    names others is refused. The first answer counts, and is followed only by that to
    changes which were waiting in it. All of it is kept sealed, as JSON: ``asked``, and
    the ``answer`` once it is there.
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
    def _expect(
        self, backend_id: int, operation: str, transaction_id: str, asked: Asked
    ) -> None:
        """Let the answer to a message arrive that is about to be sent.

        Raises KeyringUnavailable or KeyringMismatch: then nothing is sent.
        """
        text = json.dumps({"asked": asked})
        sealed = self._seal_value(text, backend_id, transaction_id)
        with self.env.registry.cursor() as cr:
            cr.execute(
                SQL(
                    """INSERT INTO spar_remote_answer
                              (backend_id, transaction_id, operation, since, sealed)
                       VALUES (%s, %s, %s, now() AT TIME ZONE 'UTC', %s)
                           ON CONFLICT DO NOTHING""",
                    backend_id,
                    transaction_id,
                    operation,
                    sealed,
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
        return _read(self._unseal_value(row[0], backend_id, transaction_id))[1]

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

        Raises MalformedMessage, or RemoteAnswerUnusable for one that is not proved.
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
        operation = operations[action]
        if not self._is_addressed(backend_sudo, operation, document):
            return False
        row_id = self._lock_expected(backend_sudo.id, operation, transaction_id)
        return bool(row_id) and self.browse(row_id)._keep(operation, document)

    @api.model
    def _is_addressed(self, backend_sudo, operation: str, document: object) -> bool:
        """Return whether a callback names its sender, us, and what it answers."""
        profile = backend_sudo._get_dialect().profile
        if profile.speaks_openg2p_2:
            return True
        header = ResponseHeader.from_wire(document, profile)
        return is_addressed(header, operation, backend_sudo._get_parties(), profile)

    def _keep(self, operation: str, document: JsonObject) -> bool:
        """Store an answer, unless one did; return whether it is about what was sent."""
        asked, earlier = _read(self._read_sealed())
        if not names_asked(get_items(document, operation), asked):
            return False
        if earlier is None or is_undecided(earlier, operation):
            self._write_sealed(json.dumps({"asked": asked, "answer": document}))
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


def _read(text: str | None) -> tuple[Asked, JsonObject | None]:
    """Return what was sent, and the answer to it, None while there is none.

    Rows from before 19.0.1.8.0 have the answer alone, or nothing.
    """
    if text is None:
        return {}, None
    found = json.loads(text)
    if "asked" not in found:
        return {}, found
    return found["asked"], found.get("answer")
