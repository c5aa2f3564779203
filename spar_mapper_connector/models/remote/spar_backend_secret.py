from uuid import uuid4

from odoo import api, fields, models
from odoo.tools import SQL


class SparBackendSecret(models.Model):
    """The sealed secret that authenticates us at another mapper.

    A new secret is a new row with a name of its own: the backend's seal covers the
    name, so that an earlier secret that was put back by SQL is not used.
    """

    _name = "spar.backend.secret"
    _description = "Secret for another mapper"
    _inherit = ["spar.sealed.storage"]
    _log_access = False
    _seal_purpose = "backend secret"
    _seal_prefix = ("spar.backend.secret",)
    _seal_context_columns = ("backend_id", "uuid")

    backend_id = fields.Many2one(
        "spar.mapper.backend", required=True, readonly=True, ondelete="cascade"
    )
    uuid = fields.Char(required=True, readonly=True)

    _backend_uniq = models.UniqueIndex("(backend_id)", "A backend has one secret.")

    @api.model
    def _store(self, backend_id: int, secret: str) -> None:
        """Store ``secret`` in place of the previous one."""
        uuid = str(uuid4())
        sealed = self._seal_value(secret, backend_id, uuid)
        self.env.cr.execute(
            SQL(
                """INSERT INTO spar_backend_secret (backend_id, uuid, sealed)
                   VALUES (%s, %s, %s)
                   ON CONFLICT (backend_id) DO UPDATE
                      SET uuid = excluded.uuid, sealed = excluded.sealed""",
                backend_id,
                uuid,
                sealed,
            )
        )

    @api.model
    def _get(self, backend_id: int) -> str:
        """Return the secret in clear, "" where there is none.

        Raises CalledFromExpression, KeyringUnavailable, KeyringMismatch or SealBroken.
        """
        rows = self.env.execute_query(
            SQL(
                "SELECT uuid, sealed FROM spar_backend_secret WHERE backend_id = %s",
                backend_id,
            )
        )
        if not rows:
            return ""
        uuid, sealed = rows[0]
        return self._unseal_value(sealed, backend_id, uuid)

    @api.model
    def _find_owners(self, backend_ids: list[int]) -> set[int]:
        """Return which of these backends have a secret."""
        query = SQL(
            "SELECT backend_id FROM spar_backend_secret WHERE backend_id = ANY(%s)",
            list(backend_ids),
        )
        return {backend_id for (backend_id,) in self.env.execute_query(query)}
