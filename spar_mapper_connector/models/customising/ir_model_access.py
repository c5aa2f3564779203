from odoo import api, models


class IrModelAccess(models.Model):
    _name = "ir.model.access"
    _inherit = ["ir.model.access", "spar.sealed.customising"]
    _sealed_fields = (
        "model_id",
        "group_id",
        "active",
        "perm_read",
        "perm_write",
        "perm_create",
        "perm_unlink",
    )

    @api.constrains(
        "model_id",
        "group_id",
        "active",
        "name",
        "perm_read",
        "perm_write",
        "perm_create",
        "perm_unlink",
    )
    def _check_not_ours(self):
        self._check_closed()
