from odoo import models


class G2pCycle(models.Model):
    """OpenG2P's cycles, with the payments of them that are held back."""

    _name = "g2p.cycle"
    _inherit = ["g2p.cycle", "spar.held.cycle"]
