from odoo import models

from .spar_group_log import SPAR_GROUPS


class IrUiMenu(models.Model):
    _inherit = "ir.ui.menu"

    def _load_menus_blacklist(self):
        """Show the first steps only to users who have no role in SPAR yet."""
        hidden = super()._load_menus_blacklist()
        roles = (f"spar_fa_directory.group_{name}" for name in SPAR_GROUPS)
        if any(self.env.user.has_group(role) for role in roles):
            first_steps = self.env.ref("spar_fa_directory.menu_first_steps", False)
            hidden = [*hidden, *(first_steps.ids if first_steps else ())]
        return hidden
