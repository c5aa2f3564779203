from odoo import api, models


class IrModel(models.Model):
    _name = "ir.model"
    _inherit = ["ir.model", "spar.shipped.record"]


class IrModelFields(models.Model):
    _name = "ir.model.fields"
    _inherit = ["ir.model.fields", "spar.closed.customising", "spar.shipped.record"]

    def _get_closed_models(self):
        added = self.filtered(lambda field: field.state == "manual")
        return {*added.mapped("model"), *filter(None, added.mapped("relation"))}

    @api.constrains("model_id", "model", "relation", "state", "related", "compute")
    def _check_not_ours(self):
        self._check_closed()


class IrModelFieldsSelection(models.Model):
    _name = "ir.model.fields.selection"
    _inherit = ["ir.model.fields.selection", "spar.shipped.record"]
