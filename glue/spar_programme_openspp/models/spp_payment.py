from odoo import models


class SppPayment(models.Model):
    """OpenSPP's payments; those to financial addresses hold no account number."""

    _name = "spp.payment"
    _inherit = ["spar.payment.row", "spp.payment"]

    _spar_managers_field = "payment_manager_ids"
