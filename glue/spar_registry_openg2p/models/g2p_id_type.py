from odoo import models


class G2pIdType(models.Model):
    """OpenG2P's ID types; each may name one of SPAR."""

    _name = "g2p.id.type"
    _inherit = ["spar.id.source.type", "g2p.id.type"]
