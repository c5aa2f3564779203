from odoo import api, models
from odoo.exceptions import ValidationError
from odoo.tools import file_path

from ...expressions import is_at_run_time
from ...lib.bundles import WEBSITES, is_of_websites

#: The name of the parameter that leaves out what no addon ships.
_ONLY_SHIPPED = "spar_only_shipped"
#: The fields that say what is loaded.
_WHAT = {"bundle", "path", "directive", "target"}
#: The beginning of bundles of style variables: a website's theme changes its own.
_VARIABLES = "web._assets_"


class IrAsset(models.Model):
    """What pages load: staff's screens load what addons ship, and nothing else.

    A theme of a website changes variables that both share; a rule among them could hide
    what staff compare, or exchange two buttons.
    """

    _inherit = "ir.asset"

    @api.model
    def _get_asset_paths(self, bundle, assets_params):
        """Leave out what does not come with an addon, but for a page of a website.

        Other pages load bundles of websites, too, such as the one that offers to
        install an app, and staff open them.
        """
        is_for_website = bool(assets_params.get("website_id"))
        if not (is_for_website and is_of_websites(bundle)):
            assets_params = {**assets_params, _ONLY_SHIPPED: True}
        return super()._get_asset_paths(bundle, assets_params)

    @api.model
    def _get_related_assets(self, domain, **params):
        is_only_shipped = params.pop(_ONLY_SHIPPED, False)
        assets = super()._get_related_assets(domain, **params)
        if not is_only_shipped:
            return assets
        missing = assets.filtered(lambda asset: asset._leaves_out_missing())
        return assets & (assets._filter_shipped() | missing)

    def _filter_shipped(self):
        """Return those that an addon named; nobody else can."""
        names = self.sudo()._get_external_ids()
        return self.filtered(
            lambda asset: any(not name.startswith("__") for name in names[asset.id])
        )

    def _leaves_out_missing(self) -> bool:
        """Return whether this only leaves out a file that is not on the server."""
        if self.directive != "remove":
            return False
        try:
            file_path((self.path or "").lstrip("/"))
        except (FileNotFoundError, ValueError):
            return True
        return False

    def write(self, vals):
        """Refuse to change what an addon ships, where it is not for a website only."""
        if is_at_run_time(self.env) and _WHAT & vals.keys():
            shipped = self._filter_shipped()
            if shipped.filtered(lambda asset: asset.bundle not in WEBSITES):
                shipped._refuse_script()
        return super().write(vals)

    @api.constrains("bundle", "path", "directive", "target", "active")
    def _check_not_staffs(self):
        """Raise ValidationError if the browsers of staff would load a script."""
        if not is_at_run_time(self.env):
            return
        for asset in self:
            if asset.bundle not in WEBSITES and not asset._is_of_theme():
                asset._refuse_script()

    def _refuse_script(self) -> None:
        raise ValidationError(
            self.env._(
                "You cannot add a script to %(bundle)s here: staff's screens load it, "
                "so it could act as any member of staff. Ship it in an addon.",
                bundle=self[:1].bundle,
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
