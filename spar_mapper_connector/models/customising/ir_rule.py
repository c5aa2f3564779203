from odoo import api, models


class IrRule(models.Model):
    _name = "ir.rule"
    _inherit = ["ir.rule", "spar.sealed.customising"]
    _sealed_fields = (
        "model_id",
        "domain_force",
        "active",
        "groups",
        "perm_read",
        "perm_write",
        "perm_create",
        "perm_unlink",
    )

    @api.constrains(
        "model_id",
        "domain_force",
        "active",
        "groups",
        "name",
        "perm_read",
        "perm_write",
        "perm_create",
        "perm_unlink",
    )
    def _check_not_ours(self):
        self._check_closed()
