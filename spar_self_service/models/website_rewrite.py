from odoo import api, models
from odoo.exceptions import ValidationError

from odoo.addons.spar_staff_login.lib import hosts

from ..lib.paths import OUR_PATH

#: Other paths that staff's screens call.
_SCREEN_PATHS = (
    "/auth_oauth",
    "/auth_totp",
    "/base_import",
    "/bus",
    "/discuss",
    "/doc",
    "/html_editor",
    "/mail",
    "/report",
    "/websocket",
)


#: The first parts of paths that are never redirected: the beneficiaries' pages, logins,
#: and what staff's screens call.
_PROTECTED = {
    path.split("/")[1]
    for path in (OUR_PATH, *hosts.STAFF_PATHS, *hosts.UPLOADED_PATHS, *_SCREEN_PATHS)
}


class WebsiteRewrite(models.Model):
    _inherit = "website.rewrite"

    @api.constrains("url_from", "url_to", "redirect_type", "active")
    def _check_protected_paths(self):
        """Raise ValidationError where a page of ours or of staff would move away.

        A copy of such a page could ask people for their login, and a page that is gone
        stops staff.
        """
        for rewrite in self:
            path = (rewrite.url_from or "").strip().lstrip("/").lower()
            if path.partition("/")[0] in _PROTECTED:
                raise ValidationError(
                    self.env._(
                        "You cannot redirect /%(path)s because it belongs to SPAR, to "
                        "the login or to Odoo's own screens.",
                        path=path,
                    )
                )
