from odoo import api, models
from odoo.exceptions import ValidationError

from ...expressions import is_at_run_time

#: The bundles that only websites load.
WEBSITES = (
    "web.assets_frontend",
    "web.assets_frontend_lazy",
    "web.assets_frontend_minimal",
)
#: The beginning of bundles of style variables: a website's theme changes its own.
_VARIABLES = "web._assets_"


class IrAsset(models.Model):
    _inherit = "ir.asset"

    @api.constrains("bundle", "path", "directive", "target", "active")
    def _check_not_staffs(self):
        """Raise ValidationError if the browsers of staff would load a script."""
        if not is_at_run_time(self.env):
            return
        for asset in self:
            if asset.bundle not in WEBSITES and not asset._is_of_theme():
                raise ValidationError(
                    self.env._(
                        "You cannot add a script to %(bundle)s here: staff's screens "
                        "load it, so it could act as any member of staff. Ship it in "
                        "an addon.",
                        bundle=asset.bundle,
                    )
                )

    def _is_of_theme(self) -> bool:
        """Return whether a website's theme sets its variables."""
        return bool(
            (self.bundle or "").startswith(_VARIABLES)
            and self.directive == "replace"
            and (self.path or "").endswith(".scss")
            and (self.target or "").startswith("/website/")
        )
