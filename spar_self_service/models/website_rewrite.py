from odoo import api, models
from odoo.exceptions import ValidationError

from odoo.addons.spar_staff_login.lib import hosts

from ..lib.routes import adds_placeholder

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

    @api.constrains("url_from", "url_to", "redirect_type")
    def _check_placeholders(self):
        """Raise ValidationError for a placeholder that the moved route does not have.

        Its domain is Python, which Odoo evaluates as it lists the website's pages.
        """
        if self._filter_with_code():
            raise ValidationError(
                self.env._(
                    '"URL to" can only contain the parameters, written <…>, that "URL '
                    'from" contains. Remove the others.'
                )
            )

    def _filter_with_code(self):
        return self.filtered(
            lambda rewrite: (
                rewrite.redirect_type == _MOVING
                and adds_placeholder(rewrite.url_to or "", [rewrite.url_from or ""])
            )
        )

    @api.model
    def _find_foreign_code(self) -> list[int]:
        """Return the ids of rows from before this was refused, or of SQL."""
        rewrites_sudo = self.sudo().with_context(active_test=False)
        moving = rewrites_sudo.search([("redirect_type", "=", _MOVING)], order="id")
        return moving._filter_with_code().ids
