from typing import NamedTuple
from uuid import uuid4

from odoo import api, models
from odoo.tools import SQL

from odoo.addons.spar_mapper_connector.lib.g2p_connect.acks import build_ack
from odoo.addons.spar_mapper_connector.lib.g2p_connect.sameness import canonicalise
from odoo.addons.spar_mapper_connector.lib.keyring import OpenKeyring, bind

from ..lib.exchange import SYNC, DuplicateMessage, Exchange
from ..lib.packing import pack, unpack
from .spar_message import SEAL

# The size of a ``bigint``, in which reference marks are stored.
_MARK_BYTES = 8


class Known(NamedTuple):
    """The stored data of a message that was received before."""

    row_id: int
    uuid: str
    action: str
    mode: str
    correlation_id: str
    digest: bytes
    sealed_answer: bytes | None


class Kept(NamedTuple):
    """A stored message: its row, the context of its seal, and its correlation ID."""

    row_id: int
    uuid: str
    correlation_id: str


class SparMessage(models.Model):
    """Storing a message before it is processed, and recognising a repeat.

    The statements in this file run at READ COMMITTED: a request that sends the same
    message at the same time waits in ``_keep`` for the first one to end, and then finds
    its answer.
    """

    _inherit = "spar.message"  # pylint: disable=consider-merging-classes-inherited

    # === REPEATED MESSAGES === #

    @api.model
    def _find_answer(self, exchange: Exchange) -> dict | None:
        """Return the previous answer to this very message; None for a new one.

        Raises DuplicateMessage where its ID was used for another message.
        """
        if not exchange.claims_id:
            return None
        known = self._find_known(exchange)
        if known is None:
            return None
        keyring = self.env["spar.keyring"]._open()
        same_way = (known.action, known.mode) == (exchange.action, exchange.mode)
        if not (same_way and known.digest == self._build_digest(keyring, exchange)):
            raise DuplicateMessage()
        if known.mode == SYNC:
            return self._unseal(keyring, known.uuid, known.sealed_answer)
        return build_ack(known.correlation_id)

    @api.model
    def _find_known(self, exchange: Exchange) -> Known | None:
        rows = self.env.execute_query(
            SQL(
                """SELECT id, uuid, action, mode, correlation_id, request_digest,
                          sealed_answer
                     FROM spar_message
                    WHERE participant_id = %s AND message_id = %s AND claims_id""",
                exchange.caller.participant_id,
                exchange.header.message_id,
            )
        )
        if not rows:
            return None
        *told, digest, sealed = rows[0]
        return Known(*told, bytes(digest), sealed)

    # === STORING === #

    @api.model
    def _keep(self, exchange: Exchange, callback: str = "") -> Kept | None:
        """Store the message, which also reserves its ID.

        Returns None where another request has just stored a message with this ID:
        ``_find_answer`` finds it then. A message that is answered synchronously is
        stored without its body; its answer is saved before the row becomes visible.
        """
        keyring = self.env["spar.keyring"]._open(for_write=True)
        uuid, is_sync = str(uuid4()), exchange.mode == SYNC
        request = None if is_sync else exchange.document
        values = {
            "participant_id": exchange.caller.participant_id,
            "uuid": uuid,
            "message_id": exchange.header.message_id,
            "claims_id": exchange.claims_id,
            "action": exchange.action,
            "mode": exchange.mode,
            "state": "done" if is_sync else "waiting",
            "correlation_id": str(uuid4()),
            "item_count": len(exchange.wires),
            "callback": callback or None,
            "attempts": 0,
            "request_digest": self._build_digest(keyring, exchange),
            "transaction_mark": self._mark_transaction(keyring, exchange),
            "reference_marks": self._mark_references(keyring, exchange),
            "sealed_request": request and self._seal(keyring, uuid, request),
        }
        row_id = self._insert_message(values)
        return Kept(row_id, uuid, values["correlation_id"]) if row_id else None

    @api.model
    def _insert_message(self, values: dict) -> int | None:
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
    def _save_answer(self, kept: Kept, answer: dict) -> None:
        """Save the sealed answer of the message, which is then done."""
        keyring = self.env["spar.keyring"]._open(for_write=True)
        self.env.cr.execute(
            SQL(
                """UPDATE spar_message
                      SET sealed_answer = %s, state = 'done', next_try = NULL,
                          reason_code = %s, reason = %s,
                          answered_at = clock_timestamp() AT TIME ZONE 'UTC'
                    WHERE id = %s""",
                self._seal(keyring, kept.uuid, answer),
                answer["header"].get("status_reason_code"),
                answer["header"].get("status_reason_message"),
                kept.row_id,
            )
        )

    # === MARKS AND SEALS === #

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
        return [
            self._build_reference_mark(keyring, sender, text)
            for text in exchange.reference_ids
        ]

    @api.model
    def _build_reference_mark(self, keyring, sender: str, text: str) -> int:
        """Return an integer for fast index look-ups; hits are compared afterwards."""
        mac = keyring.mac("message reference", bind(sender, text))
        return int.from_bytes(mac[:_MARK_BYTES], signed=True, byteorder="big")

    @api.model
    def _seal(self, keyring: OpenKeyring, uuid: str, document: dict) -> bytes:
        return keyring.seal(SEAL, pack(document), self._build_context(uuid))

    @api.model
    def _unseal(self, keyring: OpenKeyring, uuid: str, sealed: bytes) -> dict:
        context = self._build_context(uuid)
        return unpack(keyring.unseal(SEAL, bytes(sealed), context))
