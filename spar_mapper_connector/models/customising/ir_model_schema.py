from odoo import api, models
from odoo.exceptions import ValidationError

from ...expressions import is_at_run_time


class SparAddonsSchema(models.AbstractModel):
    """Notes of which addon needs a constraint, an index or a table.

    Deleting such a note drops the constraint at once; uninstalling an addon drops the
    tables that notes with its name list. Odoo writes them by SQL as it loads addons.
    """

    _name = "spar.addons.schema"
    _description = "Parts of the database's schema that only addons define"

    @api.model_create_multi
    def create(self, vals_list):
        self._check_loading()
        return super().create(vals_list)

    def write(self, vals):
        self._check_loading()
        return super().write(vals)

    def unlink(self):
        if self:
            self._check_loading()
        return super().unlink()

    def _update_field_translations(self, *args, **kwargs):
        self._check_loading()
        return super()._update_field_translations(*args, **kwargs)

    @api.model
    def _check_loading(self) -> None:
        """Raise ValidationError at run time."""
        if is_at_run_time(self.env):
            raise ValidationError(
                self.env._(
                    "You cannot change the constraints and tables of the database here "
                    "because they protect what is stored. Only addons define them."
                )
            )


class IrModelConstraint(models.Model):
    _name = "ir.model.constraint"
    _inherit = ["spar.addons.schema", "ir.model.constraint"]


class IrModelRelation(models.Model):
    _name = "ir.model.relation"
    _inherit = ["spar.addons.schema", "ir.model.relation"]
