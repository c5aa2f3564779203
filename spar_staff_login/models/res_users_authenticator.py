import secrets

from odoo import api, models
from odoo.tools import SQL

from odoo.addons.spar_mapper_connector.models.spar_sealed_storage import add_columns

#: The prefix in core's column of a sealed secret; a name of the secret follows.
_SEALED = "sealed:"


class ResUsers(models.Model):
    """The secrets of authenticator apps are sealed.

    Core stores them in clear: with a copy of the database, anyone can compute the
    digits. A new secret has a new name, which is part of the session's token, as the
    secret was.
    """

    _name = "res.users"
    _inherit = ["res.users", "spar.sealed.storage"]
    _sealed_columns = ("totp_sealed",)
    _seal_purpose = "authenticator"
    _seal_context_columns = ("id", "totp_secret")

    def init(self):
        result = super().init()
        # Core's own `init` does not call its parent.
        add_columns(self.env.cr, self._table, self._sealed_columns)
        return result

    def _build_seal_context(self, user_id: int, name: str | None) -> bytes:
        return super()._build_seal_context(user_id, name or "")

    @api.depends("totp_secret")
    def _compute_totp_enabled(self):
        """Compute whether there is a secret: that is public, unlike the secret."""
        query = SQL(
            "SELECT id FROM res_users WHERE id = ANY(%s) AND totp_secret IS NOT NULL",
            self._origin.ids,
        )
        enabled = {user_id for (user_id,) in self.env.execute_query(query)}
        for user in self:
            user.totp_enabled = user._origin.id in enabled

    def _compute_totp_secret(self):
        query = SQL(
            """SELECT id, totp_secret, totp_sealed FROM res_users WHERE id = ANY(%s)""",
            self._origin.ids,
        )
        kept = {row[0]: row[1:] for row in self.env.execute_query(query)}
        for user in self:
            name, sealed = kept.get(user._origin.id, (None, None))
            user.totp_secret = user._origin._open_totp_secret(name, sealed)

    def _open_totp_secret(self, name: str | None, sealed) -> str | None:
        """Return the secret; one that was stored before there were keys is in clear."""
        if not (name or "").startswith(_SEALED):
            return name
        return self._unseal_value(sealed or b"", self.id, name)

    def _inverse_token(self):
        result = super()._inverse_token()
        self._seal_totp_secrets()
        return result

    def _seal_totp_secrets(self) -> None:
        """Seal those secrets of these users that are in clear."""
        if not self.env["spar.settings.seal"].sudo()._is_needed():
            return
        query = SQL(
            """SELECT id, totp_secret FROM res_users
                WHERE id = ANY(%s) AND totp_secret IS NOT NULL
                  AND NOT starts_with(totp_secret, %s)""",
            self.ids,
            _SEALED,
        )
        rows = self.env.execute_query(query)
        for user_id, secret in rows:
            name = _SEALED + secrets.token_hex(8)
            self.env.cr.execute(
                SQL(
                    "UPDATE res_users SET totp_secret = %s, totp_sealed = %s "
                    "WHERE id = %s",
                    name,
                    self._seal_value(secret, user_id, name),
                    user_id,
                )
            )
        if rows:
            self.invalidate_recordset(["totp_secret"])

    @api.model
    def _seal_each(self):
        """Seal secrets from before there were keys, together with the accounts."""
        everybody = self.sudo().with_context(active_test=False)
        everybody.search([("totp_enabled", "=", True)])._seal_totp_secrets()
        return super()._seal_each()

    def action_totp_enable_wizard(self):
        """Open our own page: core's dialog stores a new secret in a table, in clear."""
        self.ensure_one()
        if self == self.env.user and self._has_spar_role() and not self.totp_enabled:
            return {
                "type": "ir.actions.act_url",
                "url": "/web/second-factor",
                "target": "self",
            }
        return super().action_totp_enable_wizard()
