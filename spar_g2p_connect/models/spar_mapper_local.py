from odoo import api, models
from odoo.tools import SQL

from odoo.addons.spar_mapper_connector.exceptions import SealBroken
from odoo.addons.spar_mapper_connector.lib.contract import (
    CallContext,
    Capability,
    Reference,
    TransactionReference,
    TransactionStatus,
)
from odoo.addons.spar_mapper_connector.lib.g2p_connect.transactions import (
    build_received_items,
)

from ..lib.bindings import MessageBinding
from .message.spar_message import BOUND

#: A status covers at most this many messages of a transaction: the newest.
MAX_MESSAGES = 50


class SparMapperLocal(models.AbstractModel):
    """The status of earlier messages, answered in the addon that stores them."""

    _inherit = "spar.mapper.local"

    def _capabilities(self):
        return super()._capabilities() | {Capability.TRANSACTION_STATUS}

    @api.model
    def _is_active_caller(self, actor: str) -> bool:
        """Refuse a participant that was disabled since, or may no longer propose."""
        prefix, _colon, sender_id = actor.partition(":")
        if prefix != "participant":
            return super()._is_active_caller(actor)
        found_sudo = self.env["spar.participant"].sudo()
        found_sudo = found_sudo.search(
            [("sender_id", "=", sender_id), ("state", "=", "active")]
        )
        return bool(found_sudo._filter_true().filtered("may_propose"))

    @api.model
    def _transaction_status(
        self, call: CallContext, reference: TransactionReference
    ) -> TransactionStatus | None:
        """Implement the contract; report messages of one transaction together."""
        self._check_channel()
        keyring = self.env["spar.keyring"]._open()
        rows = self._find_messages(keyring, call, reference)
        items = [
            item
            for row in rows
            for item in self._get_items(keyring, reference.operation, row)
        ]
        if reference.reference is Reference.REFERENCES:
            wanted = set(reference.values)
            items = [item for item in items if item.get("reference_id") in wanted]
            rows = rows if items else []
        if not rows:
            return None
        return TransactionStatus(
            operation=reference.operation,
            transaction_id=self._get_transaction_id(keyring, rows[-1]),
            correlation_id=rows[-1]["correlation_id"],
            is_done=all(row["state"] == "done" for row in rows),
            items=tuple(items),
        )

    @api.model
    def _find_messages(self, keyring, call, reference) -> list[dict]:
        """Return the caller's own messages that ``reference`` names, oldest first."""
        sender = call.actor.removeprefix("participant:")
        rows = self.env.execute_query_dict(
            SQL(
                """SELECT m.id, m.state, m.sealed_request, m.sealed_answer, %s
                     FROM spar_message m
                     JOIN spar_participant p ON p.id = m.participant_id
                    WHERE p.sender_id = %s AND m.action = %s
                      AND m.state IN ('waiting', 'done') AND %s
                    ORDER BY m.id DESC LIMIT %s""",
                BOUND,
                sender,
                reference.operation.value,
                self._build_condition(keyring, sender, reference),
                MAX_MESSAGES,
            )
        )
        return rows[::-1]

    @api.model
    def _build_condition(self, keyring, sender: str, reference) -> SQL:
        messages, values = self.env["spar.message"], reference.values
        if reference.reference is Reference.CORRELATION:
            return SQL("m.correlation_id = %s", values[0])
        if reference.reference is Reference.TRANSACTION:
            mark = messages._build_transaction_mark(keyring, sender, values[0])
            return SQL("m.transaction_mark = %s", mark)
        marks = messages._build_reference_marks(keyring, sender, values)
        return SQL("m.reference_marks && %s::bigint[]", marks)

    @api.model
    def _get_items(self, keyring, operation, row: dict) -> list[dict]:
        """Return the answers to a message's items, or that they were received."""
        document = self._open_message(keyring, row)
        message = document.get("message") or {}
        if row["state"] == "done":
            items = message.get(f"{operation.value}_response", [])
            messages = self.env["spar.message"]
            return messages._finish_items(keyring, row, operation.value, items)
        wires = message.get(f"{operation.value}_request", [])
        return build_received_items(operation, wires)

    @api.model
    def _get_transaction_id(self, keyring, row: dict) -> str:
        """Return the ID in the answer, or what is kept of a rejected request.

        The answer to a message that was rejected as a whole does not contain it.
        """
        for open_message in (self._open_answer, self._open_request):
            message = open_message(keyring, row).get("message")
            if message:
                return message["transaction_id"]
        return ""

    @api.model
    def _open_message(self, keyring, row: dict) -> dict:
        is_done = row["state"] == "done"
        return (self._open_answer if is_done else self._open_request)(keyring, row)

    @api.model
    def _open_answer(self, keyring, row: dict) -> dict:
        return self._open(keyring, row, "sealed_answer")

    @api.model
    def _open_request(self, keyring, row: dict) -> dict:
        """Return the request, or ``{}`` where it can no longer be unsealed.

        Its turn will then report the problem.
        """
        try:
            document = self._open(keyring, row, "sealed_request")
        except SealBroken:
            return {}
        return document if isinstance(document, dict) else {}

    @api.model
    def _open(self, keyring, row: dict, column: str) -> dict:
        sealed = row[column]
        if not sealed:
            return {}
        binding = MessageBinding(*(row[name] for name in MessageBinding._fields))
        context = binding.build_context(row["state"])
        return self.env["spar.message"]._unseal(keyring, context, sealed)
