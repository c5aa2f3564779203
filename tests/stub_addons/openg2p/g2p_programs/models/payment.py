from uuid import uuid4

from odoo import fields, models


class G2pPayment(models.Model):
    _name = "g2p.payment"
    _description = "Payment"
    _order = "id desc"

    name = fields.Char(default=lambda self: str(uuid4()), readonly=True)
    entitlement_id = fields.Many2one("g2p.entitlement", required=True)
    cycle_id = fields.Many2one("g2p.cycle", readonly=True)
    program_id = fields.Many2one(related="cycle_id.program_id")
    partner_id = fields.Many2one(related="entitlement_id.partner_id")
    batch_id = fields.Many2one("g2p.payment.batch")
    state = fields.Selection(
        [("issued", "Issued"), ("sent", "Sent"), ("reconciled", "Reconciled")],
        required=True,
        default="issued",
    )
    status = fields.Selection([("paid", "Paid"), ("failed", "Failed")])
    account_number = fields.Char()
    amount_issued = fields.Monetary(required=True, currency_field="currency_id")
    payment_fee = fields.Monetary(currency_field="currency_id")
    # Of the programme's journal.
    currency_id = fields.Many2one(
        "res.currency", default=lambda self: self.env.company.currency_id
    )


class G2pPaymentBatch(models.Model):
    _name = "g2p.payment.batch"
    _description = "Payment batch"
    _order = "id desc"

    name = fields.Char(default=lambda self: str(uuid4()), readonly=True)
    cycle_id = fields.Many2one("g2p.cycle", readonly=True)
    program_id = fields.Many2one(related="cycle_id.program_id")
    batch_has_started = fields.Boolean()
    payment_ids = fields.Many2many("g2p.payment")
    stats_datetime = fields.Datetime()
    tag_id = fields.Many2one("g2p.payment.batch.tag")

    def send_payment(self):
        program = self.program_id
        return program.get_manager(program.MANAGER_PAYMENT).send_payments(self)


class G2pPaymentBatchTag(models.Model):
    _name = "g2p.payment.batch.tag"
    _description = "Payment batch tag"

    name = fields.Char()
    order = fields.Integer()
    domain = fields.Text(default="[]")
    max_batch_size = fields.Integer(default=500)
