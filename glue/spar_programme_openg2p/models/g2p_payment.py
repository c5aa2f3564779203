from odoo import models


class G2pPayment(models.Model):
    """OpenG2P's payments; those to financial addresses hold no account number."""

    _name = "g2p.payment"
    _inherit = ["spar.payment.row", "g2p.payment"]

    _spar_managers_field = "payment_managers"
