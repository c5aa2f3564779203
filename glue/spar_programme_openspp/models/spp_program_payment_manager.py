from odoo import api, models

OURS = "spar.openspp.payment.manager"


class SppProgramPaymentManager(models.Model):
    """The list of OpenSPP's ways of paying, with ours."""

    _inherit = "spp.program.payment.manager"

    @api.model
    def _selection_manager_ref_id(self):
        ours = (OURS, self.env._("Financial addresses (SPAR)"))
        others = super()._selection_manager_ref_id()
        return [*(one for one in others if one[0] != OURS), ours]
