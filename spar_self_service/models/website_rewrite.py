from odoo import api, models
from odoo.exceptions import ValidationError

from odoo.addons.spar_staff_login.lib import hosts

#: Serves a page under another path, where the others only lead there.
_MOVING = "308"


class WebsiteRewrite(models.Model):
    _inherit = "website.rewrite"

    @api.constrains("url_from", "url_to", "redirect_type", "active")
    def _check_protected_paths(self):
        """Raise ValidationError where a page of ours or of staff would move away.

        A copy of such a page could ask people for their login, and a page that is gone
        stops staff. Nor does another page move to one of these paths.
        """
        for rewrite in self:
            moved = [rewrite.url_from]
            if rewrite.redirect_type == _MOVING:
                moved.append(rewrite.url_to)
            for path in filter(hosts.is_protected, filter(None, moved)):
                raise ValidationError(
                    self.env._(
                        "You cannot redirect /%(path)s because it belongs to SPAR, to "
                        "the login or to Odoo's own screens.",
                        path=path.strip().lstrip("/").lower(),
                    )
                )
