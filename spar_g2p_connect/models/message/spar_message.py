from collections.abc import Iterable
from hashlib import sha256
from typing import NamedTuple
from uuid import uuid4

from odoo import api, fields, models
from odoo.tools import SQL
from odoo.tools.sql import create_index

from odoo.addons.spar_mapper_connector.lib.g2p_connect.acks import build_ack
from odoo.addons.spar_mapper_connector.lib.g2p_connect.headers import (
    ACTIONS,
    MAX_IDENTIFIER,
    MAX_MESSAGE,
)
from odoo.addons.spar_mapper_connector.lib.g2p_connect.sameness import canonicalise
from odoo.addons.spar_mapper_connector.lib.keyring import OpenKeyring, bind
from odoo.addons.spar_mapper_connector.lib.spar_wire.operations import (
    ACTIONS as EXTENSION_ACTIONS,
)

from ...exceptions import TooMany
from ...lib.bindings import DONE, WAITING, MessageBinding
from ...lib.caller import Caller
from ...lib.error_texts import get_text
from ...lib.exchange import SYNC, DuplicateMessage, Exchange
from ...lib.packing import pack, unpack

#: For how many days messages are stored. The minimum ensures that a message ID is
#: recognised for longer than any profile accepts a message as new.
RETENTION_PARAMETER = "spar_g2p_connect.message_retention_days"
DEFAULT_RETENTION, MIN_RETENTION = 90, 2

_STORED_ACTIONS = ACTIONS | EXTENSION_ACTIONS
_VACUUM_BATCH = 5000
#: The class of the advisory locks by which message IDs are reserved.
_RESERVED = int.from_bytes(b"sprm", "big")
SEAL = "message"

#: The problem in the alarm about a row whose sealed column cannot be decrypted.
DOES_NOT_OPEN = "the sealed value cannot be decrypted: the row was altered"

#: The bound columns of ``spar_message m``, in the order of MessageBinding.
BOUND = SQL(", ").join(SQL.identifier("m", name) for name in MessageBinding._fields)

# The size of a ``bigint``, in which reference marks are stored.
_MARK_BYTES = 8


class EarlierMessage(NamedTuple):
    """The stored data of a message that was received before."""

    binding: MessageBinding
    state: str
    digest: bytes
    sealed_answer: bytes | None


class StoredMessage(NamedTuple):
    """A stored message: its row, and what its seals bind."""

    row_id: int
    binding: MessageBinding

    @property
    def correlation_id(self) -> str:
        return self.binding.correlation_id


class SparMessage(models.Model):
    """A message of a participant, stored once with its answer.

    Messages are stored when they change something or wait for their turn; of a refused
    message, only the fact and the reason are stored, never its content. Bodies are
    sealed in columns that the ORM does not know; values by which messages are looked up
    (transaction, items' references) are stored as keyed marks.

    The seals bind the plain columns that decide what a message does and for whom, and
    its state (``lib/bindings.py``). The request is erased with the answer, so that
    nothing is left that could run again. Of a request that was rejected as a whole the
    transaction's ID is kept, because its answer does not contain it.

    A message is stored before it is processed. The statements in this file run at READ
    COMMITTED: a request that sends the same message at the same time waits in
    ``_store`` for the first one to end, and then finds its answer.
    """

    _name = "spar.message"
    _description = "Message of a participant"
    _inherit = ["spar.sealed.storage"]
    _order = "id desc"
    _rec_name = "message_id"
    _log_access = False

    _sealed_columns = ("sealed_request", "sealed_answer")
    _digest_columns = ("request_digest", "transaction_mark")

    participant_id = fields.Many2one(
        "spar.participant", required=True, readonly=True, ondelete="restrict"
    )
    uuid = fields.Char(readonly=True)
    message_id = fields.Char(string="Message ID", readonly=True)
    claims_id = fields.Boolean(
        readonly=True, help="No other message may have its message ID."
    )
    action = fields.Selection(
        [
            ("link", "Link"),
            ("update", "Update"),
            ("unlink", "Unlink"),
            ("resolve", "Resolve"),
            ("txn-status", "Status"),
            # Of another SPAR.
            ("spar-capabilities", "Capabilities (SPAR)"),
            ("spar-link", "Link (SPAR)"),
            ("spar-update", "Update (SPAR)"),
            ("spar-unlink", "Unlink (SPAR)"),
            ("spar-suspend", "Suspend"),
            ("spar-resume", "Resume"),
            ("spar-resolve", "Resolve (SPAR)"),
            ("spar-standing", "Payment readiness"),
            ("spar-change-status", "Status of changes"),
            ("spar-history", "History"),
            ("spar-address-at", "Address at a moment"),
            ("spar-waiting-changes", "Waiting changes"),
            ("spar-own-address", "Own address"),
            ("spar-lock", "Lock"),
            ("spar-propose", "Proposal"),
            ("spar-confirmation", "State of a proposal"),
            ("spar-end-visit", "End of a visit"),
            ("spar-object", "Objection"),
            ("spar-notice", "Notice"),
            ("spar-object-to-notice", "Objection to a notice"),
            ("other", "Other"),
        ],
        required=True,
        readonly=True,
    )
    mode = fields.Selection(
        [("sync", "Synchronous"), ("async", "Asynchronous")],
        required=True,
        readonly=True,
    )
    state = fields.Selection(
        [("waiting", "Waiting"), ("done", "Answered"), ("refused", "Refused")],
        required=True,
        readonly=True,
    )
    reason_code = fields.Char(
        string="Code", readonly=True, help="The protocol's code for the refusal."
    )
    reason = fields.Char(readonly=True)
    correlation_id = fields.Char(string="Correlation ID", readonly=True)
    item_count = fields.Integer(string="Items", readonly=True)
    callback = fields.Char(string="Callback URL", readonly=True)
    received_at = fields.Datetime(string="Received", required=True, readonly=True)
    answered_at = fields.Datetime(string="Answered", readonly=True)
    attempts = fields.Integer(
        readonly=True,
        help="Attempts that began and did not finish. After a few, the message is "
        "given up.",
    )
    next_try = fields.Datetime(string="Next attempt", readonly=True)
    callback_ids = fields.One2many(
        "spar.callback", "message_id", string="Callbacks", readonly=True
    )
    change_ids = fields.One2many(
        "spar.message.change", "message_id", string="Changes elsewhere", readonly=True
    )
    callback_state = fields.Selection(
        related="callback_ids.state", string="Callback", readonly=True
    )

    _claimed_uniq = models.UniqueIndex(
        "(participant_id, message_id) WHERE claims_id",
        "Another message has this message ID.",
    )
    _waiting = models.Index("(participant_id, id) WHERE state = 'waiting'")
    _correlation = models.Index("(correlation_id) WHERE correlation_id IS NOT NULL")
    _received = models.Index("(received_at)")

    def init(self) -> None:
        result = super().init()
        cr = self.env.cr
        cr.execute(
            """ALTER TABLE spar_message
                 ADD COLUMN IF NOT EXISTS reference_marks bigint[],
                 ADD COLUMN IF NOT EXISTS waiting_ids bigint[]"""
        )
        name = "spar_message_transaction_mark_index"
        create_index(cr, name, self._table, ["participant_id", "transaction_mark"])
        name = "spar_message_reference_marks_index"
        create_index(cr, name, self._table, ["reference_marks"], method="gin")
        name = "spar_message_waiting_ids_index"
        create_index(cr, name, self._table, ["waiting_ids"], method="gin")
        return result

    # === REPEATED MESSAGES === #

    @api.model
    def _find_answer(self, exchange: Exchange) -> dict | None:
        """Return the previous answer to this very message; None for a new one.

        Raises DuplicateMessage where its ID was used for another message.
        """
        if not exchange.claims_id:
            return None
        earlier = self._find_earlier(exchange)
        if earlier is None:
            return None
        keyring = self.env["spar.keyring"]._open()
        stored = earlier.binding
        same_way = (stored.action, stored.mode) == (exchange.action, exchange.mode)
        if not (same_way and earlier.digest == self._build_digest(keyring, exchange)):
            raise DuplicateMessage()
        if stored.mode == SYNC:
            context = stored.build_context(earlier.state)
            return self._unseal(keyring, context, earlier.sealed_answer)
        return build_ack(stored.correlation_id)

    @api.model
    def _find_earlier(self, exchange: Exchange) -> EarlierMessage | None:
        rows = self.env.execute_query(
            SQL(
                """SELECT state, request_digest, sealed_answer, %s
                     FROM spar_message m
                    WHERE participant_id = %s AND message_id = %s AND claims_id""",
                BOUND,
                exchange.caller.participant_id,
                exchange.header.message_id,
            )
        )
        if not rows:
            return None
        state, digest, sealed, *values = rows[0]
        return EarlierMessage(MessageBinding(*values), state, bytes(digest), sealed)

    # === RESERVING === #
    # A message with items elsewhere has effects before it is stored. By these advisory
    # locks, no other message with its ID is processed at the same time.

    @api.model
    def _try_to_reserve(self, exchange: Exchange) -> bool:
        """Lock the message's ID for this connection; return whether that succeeded."""
        return self._call_lock("pg_try_advisory_lock", exchange) is not False

    @api.model
    def _keep_reserved(self, exchange: Exchange) -> None:
        """Lock the message's ID, which this connection has locked, until the commit."""
        self._call_lock("pg_advisory_xact_lock", exchange)

    @api.model
    def _end_reservation(self, exchange: Exchange) -> None:
        self._call_lock("pg_advisory_unlock", exchange)

    @api.model
    def _call_lock(self, function: str, exchange: Exchange):
        """Call a function for the lock of a message's ID, if it has to be unique."""
        if not exchange.claims_id:
            return None
        caller, header = exchange.caller, exchange.header
        text = f"{caller.participant_id} {header.message_id}"
        digest = sha256(text.encode()).digest()
        number = int.from_bytes(digest[:4], byteorder="big", signed=True)
        query = SQL("SELECT %s(%s, %s)", SQL.identifier(function), _RESERVED, number)
        return self.env.execute_query(query)[0][0]

    # === STORING === #

    @api.model
    def _store(self, exchange: Exchange, callback: str = "") -> StoredMessage | None:
        """Store the message, which also reserves its ID.

        Returns None where another request has just stored a message with this ID:
        ``_find_answer`` finds it then. A message that is answered synchronously is
        stored without its body; its answer is saved before the row becomes visible.
        """
        keyring = self.env["spar.keyring"]._open(for_write=True)
        binding = MessageBinding(
            uuid=str(uuid4()),
            participant_id=exchange.caller.participant_id,
            action=exchange.action,
            mode=exchange.mode,
            message_id=exchange.header.message_id,
            correlation_id=str(uuid4()),
            callback=callback or None,
        )
        is_sync = exchange.mode == SYNC
        values = {
            **binding._asdict(),
            "claims_id": exchange.claims_id,
            "state": DONE if is_sync else WAITING,
            "item_count": len(exchange.wires),
            "attempts": 0,
            "request_digest": self._build_digest(keyring, exchange),
            "transaction_mark": self._mark_transaction(keyring, exchange),
            "reference_marks": self._mark_references(keyring, exchange),
        }
        if not is_sync:
            context = binding.build_context(WAITING)
            values["sealed_request"] = self._seal(keyring, context, exchange.document)
        row_id = self._insert_message(values)
        return StoredMessage(row_id, binding) if row_id else None

    @api.model
    def _insert_message(self, values: dict) -> int | None:
        """Insert a row and return its ID, None where its message ID is taken."""
        rows = self.env.execute_query(
            SQL(
                """INSERT INTO spar_message (%s, received_at)
                   VALUES (%s, clock_timestamp() AT TIME ZONE 'UTC')
                       ON CONFLICT (participant_id, message_id) WHERE claims_id
                       DO NOTHING
                RETURNING id""",
                SQL(", ").join(map(SQL.identifier, values)),
                SQL(", ").join(SQL("%s", value) for value in values.values()),
            )
        )
        return rows[0][0] if rows else None

    @api.model
    def _save_answer(
        self, stored: StoredMessage, answer: dict, transaction_id: str = ""
    ) -> None:
        """Save the sealed answer of the message, which is then done.

        Its request is erased, but for ``transaction_id`` where the answer, a rejection,
        does not contain it.
        """
        is_rejected = transaction_id and not answer.get("message")
        rest = self._build_rest(transaction_id) if is_rejected else None
        keyring = self.env["spar.keyring"]._open(for_write=True)
        context = stored.binding.build_context(DONE)
        self.env.cr.execute(
            SQL(
                """UPDATE spar_message
                      SET sealed_answer = %s, sealed_request = %s,
                          state = 'done', next_try = NULL,
                          reason_code = %s, reason = %s,
                          answered_at = clock_timestamp() AT TIME ZONE 'UTC'
                    WHERE id = %s""",
                self._seal(keyring, context, answer),
                rest and self._seal(keyring, context, rest),
                answer["header"].get("status_reason_code"),
                answer["header"].get("status_reason_message"),
                stored.row_id,
            )
        )

    # === REFUSALS === #

    @api.model
    def _record_refusal(
        self, caller: Caller, action: str, mode: str, error, message_id: str = ""
    ) -> None:
        """Record that a message of ``caller`` was refused with ``error``.

        ``error`` has a ``word`` or ``code`` of the protocol and a text without values.
        The refusal counts as a call, so that no caller fills the table: raises
        PaceReached. It is recorded in a transaction of its own, because the request's
        is rolled back or writes nothing.
        """
        usage = self.env["spar.participant.usage"]
        if isinstance(error, TooMany):
            with usage._own_transaction() as counters:
                counters._add(caller.participant_id, "refused", 1)
            return
        with usage._own_transaction() as counters:
            pace = self.env["spar.participant.pace"].with_env(counters.env)
            pace._charge_call(caller)
            counters._add(caller.participant_id, "refused", 1)
            values = self._build_refusal(caller, action, mode, error, message_id)
            self.with_env(counters.env)._insert_message(values)

    @api.model
    def _build_refusal(self, caller, action, mode, error, message_id: str) -> dict:
        return {
            "participant_id": caller.participant_id,
            "message_id": message_id[:MAX_IDENTIFIER] or None,
            "claims_id": False,
            "action": action if action in _STORED_ACTIONS else "other",
            "mode": mode,
            "state": "refused",
            "reason_code": getattr(error, "word", None) or error.code,
            "reason": get_text(error)[:MAX_MESSAGE],
            "item_count": 0,
        }

    # === MARKS === #

    @api.model
    def _build_digest(self, keyring: OpenKeyring, exchange: Exchange) -> bytes:
        """Return the MAC that identifies a repeat of a message (design, section 7)."""
        return keyring.mac("message sameness", canonicalise(exchange.document))

    @api.model
    def _mark_transaction(self, keyring: OpenKeyring, exchange: Exchange) -> bytes:
        sender = exchange.caller.sender_id
        return self._build_transaction_mark(keyring, sender, exchange.transaction_id)

    @api.model
    def _build_transaction_mark(self, keyring, sender: str, text: str) -> bytes:
        return keyring.mac("message transaction", bind(sender, text))

    @api.model
    def _mark_references(self, keyring: OpenKeyring, exchange: Exchange) -> list[int]:
        sender = exchange.caller.sender_id
        return self._build_reference_marks(keyring, sender, exchange.reference_ids)

    @api.model
    def _build_reference_marks(
        self, keyring: OpenKeyring, sender: str, texts: Iterable[str]
    ) -> list[int]:
        """Return integers for fast index look-ups; hits are compared afterwards."""
        # As bind() writes sender and text; the sender is bound once.
        begin = bind(sender).decode()
        macs = [
            keyring.mac("message reference", f"{begin}{len(text)}:{text}".encode())
            for text in texts
        ]
        return [int.from_bytes(mac[:_MARK_BYTES], "big", signed=True) for mac in macs]

    # === SEALING === #

    def _get_seal_contexts(self, keyring: OpenKeyring, row_ids: list[int]) -> dict:
        rows = self.env.execute_query(
            SQL(
                "SELECT id, state, %s FROM spar_message m WHERE id = ANY(%s)",
                BOUND,
                row_ids,
            )
        )
        return {
            row_id: (SEAL, MessageBinding(*values).build_context(state))
            for row_id, state, *values in rows
        }

    @api.model
    def _seal(self, keyring: OpenKeyring, context: bytes, document: dict) -> bytes:
        return keyring.seal(SEAL, pack(document), context)

    @api.model
    def _unseal(self, keyring: OpenKeyring, context: bytes, sealed: bytes) -> dict:
        """Return the document in ``sealed``; raises SealBroken."""
        return unpack(keyring.unseal(SEAL, bytes(sealed or b""), context))

    @api.model
    def _build_rest(self, transaction_id: str) -> dict:
        """Return what is kept of a request that was rejected as a whole."""
        return {"message": {"transaction_id": transaction_id}}

    # === RETENTION === #

    @api.model
    def _get_retention(self) -> int:
        """Return for how many days a message is stored."""
        parameters_sudo = self.env["ir.config_parameter"].sudo()
        value = parameters_sudo.get_param(RETENTION_PARAMETER, "")
        days = int(value) if value.isdecimal() else DEFAULT_RETENTION
        return max(MIN_RETENTION, days)

    @api.autovacuum
    def _gc_messages(self) -> tuple[int, bool]:
        """Delete messages past their retention, except those that still wait."""
        deleted = self.env.execute_query(
            SQL(
                """DELETE FROM spar_message WHERE id IN (
                    SELECT id FROM spar_message m
                     WHERE received_at <
                           now() AT TIME ZONE 'UTC' - %s * interval '1 day'
                       AND state != 'waiting'
                       AND NOT EXISTS (SELECT FROM spar_callback c
                                        WHERE c.message_id = m.id
                                          AND c.state = 'waiting')
                     ORDER BY received_at LIMIT %s) RETURNING id""",
                self._get_retention(),
                _VACUUM_BATCH,
            )
        )
        self.env.invalidate_all()
        return len(deleted), len(deleted) == _VACUUM_BATCH
