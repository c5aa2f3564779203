from odoo import api, models
from odoo.exceptions import UserError

from ...lib.provisional import PROVISIONAL


class SparIdType(models.Model):
    """The type of the references that only the registry issues."""

    _inherit = "spar.id.type"

    def write(self, vals):
        """Refuse to rename the code: the type would lose what protects its IDs."""
        if vals.get("code", PROVISIONAL) != PROVISIONAL:
            if PROVISIONAL in self.mapped("code"):
                raise UserError(
                    self.env._(
                        "Code: the type of provisional references keeps its code. To "
                        "stop issuing them, archive the type."
                    )
                )
        return super().write(vals)

    @api.model
    def _get_provisional_type_id(self) -> int:
        """Return the type of provisional references, archived or not; 0 if none."""
        versions = self.env["spar.row.versions"]
        return versions._reuse(self, "_find_provisional_type", self._name)

    @api.model
    def _find_provisional_type(self) -> int:
        self._check_settings()
        types_sudo = self.sudo().with_context(active_test=False)
        return types_sudo.search([("code", "=", PROVISIONAL)], limit=1).id or 0
