from odoo import api, http, models, tools
from odoo.exceptions import ValidationError

#: The first part of paths that are never redirected, besides those of Odoo's screens.
_PROTECTED = "spar"


class WebsiteRewrite(models.Model):
    _inherit = "website.rewrite"

    @api.constrains("url_from", "url_to", "redirect_type", "active")
    def _check_protected_paths(self):
        """Raise ValidationError where anything but a website's page would move away.

        A copy of such a page could ask people for their login, and a page that is gone
        stops staff. The paths are those of all routes that are not a website's.
        """
        protected = self._list_protected()
        for rewrite in self:
            path = (rewrite.url_from or "").strip().lstrip("/").lower()
            if path.partition("/")[0] in protected:
                raise ValidationError(
                    self.env._(
                        "You cannot redirect /%(path)s because it belongs to SPAR, to "
                        "the login or to Odoo's own screens.",
                        path=path,
                    )
                )

    @api.model
    def _list_protected(self) -> set[str]:
        addons = {
            *self.env.registry._init_modules,
            *tools.config["server_wide_modules"],
        }
        rules = http._generate_routing_rules(sorted(addons), nodb_only=False)
        firsts = {
            url.split("/")[1].lower()
            for url, endpoint in rules
            if not endpoint.routing.get("website")
        }
        return {first for first in firsts if first and "<" not in first} | {_PROTECTED}
