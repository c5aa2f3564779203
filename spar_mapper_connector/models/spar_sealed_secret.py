from uuid import uuid4

from odoo import api, fields, models
from odoo.tools import SQL


class SparSealedSecret(models.AbstractModel):
    """The sealed secret that authenticates us at another server: one for each owner.

    Each secret has a name of its own, which the seal of the owner's settings covers: an
    earlier secret that was put back by SQL is not used. A model that inherits this one
    has the field ``_owner_column`` with a unique index, and also inherits
    ``spar.sealed.storage`` itself, which lists its direct heirs.
    """

    _name = "spar.sealed.secret"
    _description = "Secret for another server"
    _inherit = ["spar.sealed.storage"]

    _owner_column = ""

    uuid = fields.Char(required=True, readonly=True)

    @api.model
    def _store(self, owner_id: int, secret: str) -> None:
        """Store ``secret`` in place of the previous one."""
        uuid = str(uuid4())
        self.env.cr.execute(
            SQL(
                """INSERT INTO %(table)s (%(owner)s, uuid, sealed)
                   VALUES (%(owner_id)s, %(uuid)s, %(sealed)s)
                   ON CONFLICT (%(owner)s) DO UPDATE
                      SET uuid = excluded.uuid, sealed = excluded.sealed""",
                table=SQL.identifier(self._table),
                owner=SQL.identifier(self._owner_column),
                owner_id=owner_id,
                uuid=uuid,
                sealed=self._seal_value(secret, owner_id, uuid),
            )
        )

    @api.model
    def _get(self, owner_id: int) -> str:
        """Return the secret in clear, "" where there is none.

        Raises CalledFromExpression, KeyringUnavailable, KeyringMismatch or SealBroken.
        """
        rows = self.env.execute_query(
            SQL(
                "SELECT uuid, sealed FROM %s WHERE %s = %s",
                SQL.identifier(self._table),
                SQL.identifier(self._owner_column),
                owner_id,
            )
        )
        if not rows:
            return ""
        uuid, sealed = rows[0]
        return self._unseal_value(sealed, owner_id, uuid)

    @api.model
    def _find_owners(self, owner_ids: list[int]) -> set[int]:
        """Return which of these owners have a secret."""
        owner = SQL.identifier(self._owner_column)
        query = SQL(
            "SELECT %s FROM %s WHERE %s = ANY(%s)",
            owner,
            SQL.identifier(self._table),
            owner,
            list(owner_ids),
        )
        return {owner_id for (owner_id,) in self.env.execute_query(query)}
