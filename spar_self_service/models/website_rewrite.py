from odoo import api, models
from odoo.exceptions import ValidationError

#: Paths that are never redirected: the beneficiaries' pages and the logins.
_PROTECTED_PATHS = ("/spar", "/web")


class WebsiteRewrite(models.Model):
    _inherit = "website.rewrite"

    @api.constrains("url_from", "url_to", "redirect_type", "active")
    def _check_protected_paths(self):
        """Raise ValidationError where a page of the registry would redirect elsewhere.

        A copy of it could ask people for their login.
        """
        for rewrite in self:
            path = "/" + (rewrite.url_from or "").strip().lstrip("/").lower()
            if any(
                path == ours or path.startswith(f"{ours}/") for ours in _PROTECTED_PATHS
            ):
                raise ValidationError(
                    self.env._(
                        "%(path)s belongs to SPAR or to the login: it cannot redirect "
                        "to another page.",
                        path=path,
                    )
                )
