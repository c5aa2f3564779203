from odoo import fields, models


class SparOpeng2pPaymentManager(models.Model):
    """OpenG2P's payments, to the addresses that a mapper has for people."""

    _name = "spar.openg2p.payment.manager"
    _description = "SPAR payments"
    _inherit = ["spar.payment.manager", "g2p.program.payment.manager.default"]

    _spar_started_field = "batch_has_started"

    # The default one names the table of this relation after itself.
    batch_tag_ids = fields.Many2many(
        "g2p.payment.batch.tag",
        "spar_openg2p_payment_manager_tag_rel",
        "manager_id",
        "tag_id",
        string="Batch Tags",
    )
