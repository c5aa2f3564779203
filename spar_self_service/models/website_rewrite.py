from odoo import api, models
from odoo.exceptions import ValidationError

#: Pages that nobody is led away from: the beneficiaries' and the logins.
_OURS = ("/spar", "/web")


class WebsiteRewrite(models.Model):
    _inherit = "website.rewrite"

    @api.constrains("url_from", "url_to", "redirect_type", "active")
    def _check_not_ours(self):
        """Raise ValidationError where a page of the registry would lead elsewhere.

        A copy of it could ask people for their login.
        """
        for rewrite in self:
            path = "/" + (rewrite.url_from or "").strip().lstrip("/").lower()
            if any(path == ours or path.startswith(f"{ours}/") for ours in _OURS):
                raise ValidationError(
                    self.env._(
                        "%(path)s belongs to SPAR or to the login: it cannot lead to "
                        "another page.",
                        path=path,
                    )
                )
