from odoo import api, models
from odoo.exceptions import ValidationError

from ...expressions import is_loading
from ...server.our_fields import is_our_field


class IrDefault(models.Model):
    _name = "ir.default"
    _inherit = ["ir.default", "spar.closed.customising"]

    def _get_closed_models(self):
        return set(self.mapped("field_id.model"))

    @api.constrains("field_id", "json_value")
    def _check_not_ours(self):
        self._check_closed()
        if is_loading(self.env):
            return
        for field in self.field_id:
            model = self.env.get(field.model)
            known = model._fields.get(field.name) if model is not None else None
            if known is not None and is_our_field(known):
                raise ValidationError(
                    self.env._(
                        "You cannot set a default for %(field)s here because it "
                        "decides about people's payments.",
                        field=field.field_description,
                    )
                )
