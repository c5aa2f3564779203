from odoo import models

from ..const import SERVICE_USER


class ResUsers(models.Model):
    """The account of the REST server, in whose name participants' calls are made."""

    _inherit = "res.users"

    def _is_service_account(self):
        """Return True for this account, too, whatever groups somebody took from it."""
        service_id = self.env["ir.model.data"]._xmlid_to_res_id(
            SERVICE_USER, raise_if_not_found=False
        )
        return self.id == service_id or super()._is_service_account()
