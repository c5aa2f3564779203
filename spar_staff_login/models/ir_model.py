from odoo import api, models
from odoo.tools import SQL

_TEXTS = ("char", "html", "text")


class IrModelFields(models.Model):
    """Custom fields: one that once copied secrets keeps them, whatever it is now."""

    _inherit = "ir.model.fields"

    @api.model
    def _find_foreign(self):
        return sorted({*super()._find_foreign(), *self._find_copies_of_secrets()})

    @api.model
    def _find_copies_of_secrets(self) -> list[int]:
        """Return the ids of custom fields that hold an authenticator's secret."""
        secrets = self.env["res.users"]._list_totp_secrets()
        if not secrets:
            return []
        added = self.sudo().search(
            [("state", "=", "manual"), ("store", "=", True), ("ttype", "in", _TEXTS)],
            order="id",
        )
        self.env.flush_all()
        return [field.id for field in added if field._holds_one_of(secrets)]

    def _holds_one_of(self, texts: list[str]) -> bool:
        """Return whether a stored field has one of these texts as its value."""
        model = self.env.get(self.model)
        if model is None or not model._auto or self.name not in model._fields:
            return False
        column = SQL.identifier(self.name)
        query = SQL(
            "SELECT EXISTS (SELECT FROM %s WHERE %s::text = ANY(%s))",
            SQL.identifier(model._table),
            column,
            texts,
        )
        return bool(self.env.execute_query(query)[0][0])
