from odoo import models

from .auth_oauth_provider import LOGIN_PAGE_PATH


class IrUiView(models.Model):
    _inherit = "ir.ui.view"

    def _get_login_links(self, values):
        """Link the login page of staff to that of beneficiaries, where there is one."""
        links = super()._get_login_links(values)
        if not values.get("spar_is_offered"):
            return links
        if self.env["ir.http"]._is_on_staff_host():
            return links
        return [(LOGIN_PAGE_PATH, self.env._("My financial address")), *links]
