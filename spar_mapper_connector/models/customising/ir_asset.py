from odoo import api, models
from odoo.exceptions import ValidationError

from ...expressions import is_on_command_line

#: Bundles of scripts that only websites load.
_WEBSITES = ("web.assets_frontend", "website.")
_STYLES = (".css", ".scss")


class IrAsset(models.Model):
    _inherit = "ir.asset"

    @api.constrains("bundle", "path", "directive", "target", "active")
    def _check_not_staffs(self):
        """Raise ValidationError if the browsers of staff would load a script."""
        if not self.env.registry.ready or is_on_command_line():
            return
        for asset in self:
            is_style = (asset.path or "").lower().endswith(_STYLES)
            if not is_style and not (asset.bundle or "").startswith(_WEBSITES):
                raise ValidationError(
                    self.env._(
                        "You cannot add a script to %(bundle)s here: staff's screens "
                        "load it, so it could act as any member of staff. Ship it in "
                        "an addon.",
                        bundle=asset.bundle,
                    )
                )
