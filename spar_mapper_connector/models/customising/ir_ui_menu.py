from odoo import models


class IrUiMenu(models.Model):
    _name = "ir.ui.menu"
    _inherit = ["ir.ui.menu", "spar.shipped.record"]

    def _list_external_ids(self):
        """Return those of the menus above, too: nothing is added below ours."""
        paths = "/".join(menu.parent_path or "" for menu in self).split("/")
        above = self.browse({int(part) for part in paths if part})
        return super(IrUiMenu, self | above)._list_external_ids()
