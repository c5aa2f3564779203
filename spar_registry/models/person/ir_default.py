from odoo import api, models

#: What says to which household people belong.
_HOUSEHOLD = ("child_ids", "parent_id")


class IrDefault(models.Model):
    _inherit = "ir.default"

    @api.model
    def _decides_who_is_paid(self, model, field):
        is_household = model == "res.partner" and field in _HOUSEHOLD
        return is_household or super()._decides_who_is_paid(model, field)
