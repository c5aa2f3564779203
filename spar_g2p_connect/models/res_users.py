from odoo import models
from odoo.exceptions import AccessDenied


class ResUsers(models.Model):
    """The account of the REST server, in whose name participants' calls are made."""

    _inherit = "res.users"

    def _check_credentials(self, credential, env):
        """Raise AccessDenied for this account, whatever password somebody gave it."""
        service = self.env.ref(
            "spar_g2p_connect.user_service", raise_if_not_found=False
        )
        if service and self == service:
            raise AccessDenied()
        return super()._check_credentials(credential, env)
