from uuid import uuid4

from odoo import api, fields, models
from odoo.tools import SQL

from odoo.addons.spar_mapper_connector.lib.keyring import OpenKeyring, bind

SEAL = "callback secret"


class SparCallbackSecret(models.Model):
    """The sealed secret that authenticates us at a participant's callback URL."""

    _name = "spar.callback.secret"
    _description = "Secret for a callback URL"
    _inherit = ["spar.sealed.storage"]
    _log_access = False

    participant_id = fields.Many2one(
        "spar.participant", required=True, readonly=True, ondelete="cascade"
    )
    uuid = fields.Char(required=True, readonly=True)

    _participant_uniq = models.UniqueIndex(
        "(participant_id)", "A participant has one callback secret."
    )

    def _get_seal_contexts(self, keyring: OpenKeyring, row_ids: list[int]) -> dict:
        rows = self.env.execute_query(
            SQL(
                "SELECT id, participant_id, uuid FROM spar_callback_secret"
                " WHERE id = ANY(%s)",
                row_ids,
            )
        )
        return {row_id: (SEAL, self._build_context(*rest)) for row_id, *rest in rows}

    @api.model
    def _build_context(self, participant_id: int, uuid: str) -> bytes:
        return bind("spar.callback.secret", participant_id, uuid)

    @api.model
    def _store(self, participant_id: int, secret: str) -> None:
        """Store ``secret`` in place of the previous one; "" deletes it."""
        self.env.cr.execute(
            SQL(
                "DELETE FROM spar_callback_secret WHERE participant_id = %s",
                participant_id,
            )
        )
        if not secret:
            return
        keyring, uuid = self.env["spar.keyring"]._open(for_write=True), str(uuid4())
        sealed = keyring.seal(SEAL, secret, self._build_context(participant_id, uuid))
        self.env.cr.execute(
            SQL(
                """INSERT INTO spar_callback_secret (participant_id, uuid, sealed)
                   VALUES (%s, %s, %s)""",
                participant_id,
                uuid,
                sealed,
            )
        )

    @api.model
    def _get(self, participant_id: int) -> str:
        """Return the secret in clear; "" where there is none. Raises SealBroken."""
        rows = self.env.execute_query(
            SQL(
                """SELECT uuid, sealed FROM spar_callback_secret
                    WHERE participant_id = %s""",
                participant_id,
            )
        )
        if not rows:
            return ""
        uuid, sealed = rows[0]
        keyring = self.env["spar.keyring"]._open()
        context = self._build_context(participant_id, uuid)
        return keyring.unseal(SEAL, bytes(sealed), context)
