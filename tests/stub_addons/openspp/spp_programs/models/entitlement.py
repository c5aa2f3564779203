from odoo import fields, models


class SppEntitlement(models.Model):
    _name = "spp.entitlement"
    _description = "Entitlement"
    _order = "partner_id asc, id desc"

    partner_id = fields.Many2one("res.partner", required=True)
    cycle_id = fields.Many2one("spp.cycle", required=True)
    program_id = fields.Many2one(related="cycle_id.program_id")
    currency_id = fields.Many2one(
        "res.currency", default=lambda self: self.env.company.currency_id
    )
    initial_amount = fields.Monetary(required=True, currency_field="currency_id")
    transfer_fee = fields.Monetary(currency_field="currency_id")
    state = fields.Selection(
        [
            ("draft", "Draft"),
            ("pending_validation", "Pending Approval"),
            ("approved", "Approved"),
            ("rejected2", "Rejected: Beneficiary account does not exist"),
        ],
        default="draft",
    )
    payment_ids = fields.One2many("spp.payment", "entitlement_id")
