from odoo import api, models
from odoo.exceptions import ValidationError

from odoo.addons.spar_fa_directory.models.spar_group_log import CODE_GROUPS

from .ir_ui_view import FRAME


class IrModelData(models.Model):
    """External IDs of roles, and of groups that reach code, which only addons define.

    A role is looked up by its name.
    """

    _inherit = "ir.model.data"

    @api.model_create_multi
    def create(self, vals_list):
        records = super().create(vals_list)
        records._check_names()
        return records

    def write(self, vals):
        self._check_names()
        result = super().write(vals)
        self._check_names()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_not_ours(self):
        self._check_names()

    def _check_names(self) -> None:
        """Raise ValidationError if such a name is created or changed at run time."""
        if self.env.registry.ready and any(map(self._is_closed, self)):
            raise ValidationError(
                self.env._(
                    "You cannot change the external IDs of SPAR's roles, of the groups "
                    "it watches or of Odoo's templates here. Only addons define them."
                )
            )

    @api.model
    def _is_closed(self, record) -> bool:
        if record.model == "ir.ui.view":
            return f"{record.module}." == FRAME
        if record.model != "res.groups":
            return False
        is_ours = (record.module or "").startswith("spar_")
        return is_ours or f"{record.module}.{record.name}" in CODE_GROUPS
