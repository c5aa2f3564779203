from odoo import api, models


class IrDefault(models.Model):
    _name = "ir.default"
    _inherit = ["ir.default", "spar.closed.customising"]

    def _get_closed_models(self):
        return set(self.mapped("field_id.model"))

    @api.constrains("field_id", "json_value")
    def _check_not_ours(self):
        self._check_closed()
