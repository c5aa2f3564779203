from odoo import api, models
from odoo.tools import SQL

from odoo.addons.spar_mapper_connector.lib.g2p_connect.headers import (
    ACTIONS,
    MAX_IDENTIFIER,
    MAX_MESSAGE,
)

from ..exceptions import TooMany
from ..lib.caller import Caller


class SparMessage(models.Model):
    """The record of a refused message and its reason, but never of its content."""

    _inherit = "spar.message"  # pylint: disable=consider-merging-classes-inherited

    @api.model
    def _note_refusal(
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
            with usage._apart() as counters:
                counters._add(caller.participant_id, "refused", 1)
            return
        with usage._apart() as counters:
            pace = self.env["spar.participant.pace"].with_env(counters.env)
            pace._charge_call(caller)
            counters._add(caller.participant_id, "refused", 1)
            values = self._build_refusal(caller, action, mode, error, message_id)
            self.with_env(counters.env)._insert_refusal(values)

    @api.model
    def _build_refusal(self, caller, action, mode, error, message_id: str) -> dict:
        text = getattr(error, "text", "") or getattr(error, "description", "")
        return {
            "participant_id": caller.participant_id,
            "message_id": message_id[:MAX_IDENTIFIER] or None,
            "claims_id": False,
            "action": action if action in ACTIONS else "other",
            "mode": mode,
            "state": "refused",
            "reason_code": getattr(error, "word", None) or error.code,
            "reason": text[:MAX_MESSAGE],
            "item_count": 0,
        }

    def _insert_refusal(self, values: dict) -> None:
        self.env.cr.execute(
            SQL(
                """INSERT INTO spar_message (%s, received_at)
                   VALUES (%s, clock_timestamp() AT TIME ZONE 'UTC')""",
                SQL(", ").join(map(SQL.identifier, values)),
                SQL(", ").join(SQL("%s", value) for value in values.values()),
            )
        )
