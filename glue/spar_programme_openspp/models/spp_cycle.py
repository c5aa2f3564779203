from odoo import models


class SppCycle(models.Model):
    """OpenSPP's cycles, with the payments of them that are held back."""

    _name = "spp.cycle"
    _inherit = ["spp.cycle", "spar.held.cycle"]
