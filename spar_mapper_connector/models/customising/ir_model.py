from odoo import api, models


class IrModel(models.Model):
    _name = "ir.model"
    _inherit = ["ir.model", "spar.shipped.record"]

    def _list_external_ids(self):
        """Return those of our models: a model that we extend has one of ours, too."""
        ours = self.filtered(lambda model: model.model.startswith("spar."))
        return super(IrModel, ours)._list_external_ids()


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
