from odoo import api, models
from odoo.exceptions import ValidationError

from ...expressions import get_person, is_on_command_line


class IrUiViewCustom(models.Model):
    """Boards: people arrange their own."""

    _inherit = "ir.ui.view.custom"

    @api.constrains("user_id", "arch", "ref_id")
    def _check_own(self):
        """Raise ValidationError if somebody arranges the board of another user."""
        for custom in self:
            if custom.user_id.id != get_person(self.env) and not is_on_command_line():
                raise ValidationError(
                    self.env._("You can arrange your own dashboards only.")
                )
