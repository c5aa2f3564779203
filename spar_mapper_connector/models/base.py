from odoo import api, models

from ..expressions import refuse_expressions
from ..server.expression_names import read_names

#: Rules of optional addons: model -> the path to the models beside which they run.
_BESIDE = {"base.automation": "model_id.model"}


class Base(models.AbstractModel):
    """A guard on every model: no expression writes the registry's records."""

    _inherit = "base"

    @api.model_create_multi
    def create(self, vals_list):
        self._refuse_expressions()
        records = super().create(vals_list)
        records._refuse_beside_ours()
        return records

    def write(self, vals):
        self._refuse_expressions()
        result = super().write(vals)
        self._refuse_beside_ours()
        return result

    def unlink(self):
        self._refuse_expressions()
        return super().unlink()

    @api.model
    def _refuse_expressions(self) -> None:
        """Raise CalledFromExpression if an expression would write one of our models."""
        if self._name.startswith("spar."):
            refuse_expressions()

    def _refuse_beside_ours(self) -> None:
        """Raise ValidationError if these records would run beside ours."""
        if path := _BESIDE.get(self._name):
            closed = self.env["spar.closed.customising"]
            closed._check_closed_models(set(filter(None, self.mapped(path))))


class SparExpressionNames(models.AbstractModel):
    """Names that no expression may contain, collected once all models are loaded."""

    _name = "spar.expression.names"
    _description = "Names that are closed to expressions"

    def _register_hook(self):
        result = super()._register_hook()
        read_names(self.env.registry._init_modules)
        return result
