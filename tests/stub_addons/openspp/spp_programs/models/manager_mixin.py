from odoo import api, fields, models
from odoo.tools.safe_eval import safe_eval


class SppManagerMixin(models.AbstractModel):
    _name = "spp.manager.mixin"
    _description = "Manager"

    manager_id = fields.Integer()
    manager_ref_id = fields.Reference(
        selection="_selection_manager_ref_id", required=True
    )

    @api.model
    def _selection_manager_ref_id(self):
        return []


class SppBaseProgramsManager(models.AbstractModel):
    _name = "spp.base.programs.manager"
    _description = "Base of managers"

    def _safe_eval(self, string, locals_dict=None):
        return safe_eval(string, locals_dict or {})


class SppManagerSourceMixin(models.AbstractModel):
    _name = "spp.manager.source.mixin"
    _description = "Source of managers"

    def get_manager_view_id(self):
        domain = [("model", "=", self._name), ("type", "=", "form")]
        return self.env["ir.ui.view"].search(domain, limit=1).id
