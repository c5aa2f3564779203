from odoo import fields, models


class SparOpensppPaymentManager(models.Model):
    """OpenSPP's payments, to the addresses that a mapper has for people."""

    _name = "spar.openspp.payment.manager"
    _description = "SPAR payments"
    _inherit = ["spar.payment.manager", "spp.program.payment.manager.default"]

    _spar_started_field = "has_batch_started"

    # The default one names the table of this relation after itself.
    batch_tag_ids = fields.Many2many(
        "spp.payment.batch.tag",
        "spar_openspp_payment_manager_tag_rel",
        "manager_id",
        "tag_id",
        string="Batch Tags",
    )
