from odoo import api, models
from odoo.exceptions import ValidationError

from ...expressions import is_loading
from .ir_ui_view import FRAME

#: Models whose records Odoo and SPAR look up by their names.
_NAMED = ("res.groups", "res.users")
#: The beginning of what is no addon: external IDs of an import or an export.
_NO_ADDON = "__"


class IrModelData(models.Model):
    """External IDs of SPAR, and of every addon's groups, which only addons define.

    A role is looked up by its name, and so is what belongs to SPAR: a menu or label
    without its external ID would be anybody's.
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
        """Refuse it, unless the record was deleted: Odoo deletes its name after it."""
        self.filtered(lambda name: name._has_record())._check_names()

    def _has_record(self) -> bool:
        model = self.env.get(self.model)
        return model is not None and bool(model.sudo().browse(self.res_id).exists())

    def _check_names(self) -> None:
        """Raise ValidationError if such a name is created or changed at run time."""
        if not is_loading(self.env) and any(map(self._is_closed, self)):
            raise ValidationError(
                self.env._(
                    "You cannot change the external IDs of SPAR, of groups and users "
                    "or of Odoo's templates here. Only addons define them."
                )
            )

    @api.model
    def _is_closed(self, record) -> bool:
        addon = record.module or ""
        if addon.startswith("spar_"):
            return True
        if record.model == "ir.ui.view":
            return f"{addon}." == FRAME
        return record.model in _NAMED and not addon.startswith(_NO_ADDON)
