from odoo import api, models


class SparOwnerProof(models.Model):
    """Owners confirm their changes under the name by which others address us."""

    _inherit = "spar.owner.proof"

    @api.model
    def _get_receiver_id(self):
        own = self.env["spar.participant"]._get_receiver_id()
        return own or super()._get_receiver_id()
