from odoo import api, models

from ..exceptions import NotLoggedIn


class SparPageVisitor(models.AbstractModel):
    """The beneficiary who is logged in, for pages of other addons."""

    _inherit = "spar.page.visitor"

    @api.model
    def _get_own_id(self):
        try:
            return self.env["spar.beneficiary"]._get_current().id_value
        except NotLoggedIn:
            return super()._get_own_id()
