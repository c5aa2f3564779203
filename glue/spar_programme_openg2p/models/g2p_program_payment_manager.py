from odoo import api, models

OURS = "spar.openg2p.payment.manager"


class G2pProgramPaymentManager(models.Model):
    """The list of OpenG2P's ways of paying, with ours."""

    _inherit = "g2p.program.payment.manager"

    @api.model
    def _selection_manager_ref_id(self):
        ours = (OURS, self.env._("Financial addresses (SPAR)"))
        others = super()._selection_manager_ref_id()
        return [*(one for one in others if one[0] != OURS), ours]
