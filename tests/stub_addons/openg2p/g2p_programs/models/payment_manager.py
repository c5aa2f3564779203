from odoo import Command, api, fields, models


class G2pProgramPaymentManager(models.Model):
    _name = "g2p.program.payment.manager"
    _description = "Payment manager"
    _inherit = ["g2p.manager.mixin"]

    program_id = fields.Many2one("g2p.program", ondelete="cascade")

    @api.model
    def _selection_manager_ref_id(self):
        return [("g2p.program.payment.manager.default", "Default")]


class G2pBaseProgramPaymentManager(models.AbstractModel):
    _name = "g2p.base.program.payment.manager"
    _description = "Base of payment managers"
    _inherit = ["base.programs.manager"]

    name = fields.Char(required=True)
    program_id = fields.Many2one("g2p.program", required=True)


class G2pProgramPaymentManagerDefault(models.Model):
    """It prepares a payment for each entitlement, with the first bank account."""

    _name = "g2p.program.payment.manager.default"
    _description = "Default payment manager"
    _inherit = ["g2p.base.program.payment.manager", "g2p.manager.source.mixin"]

    create_batch = fields.Boolean()
    batch_tag_ids = fields.Many2many(
        "g2p.payment.batch.tag", "g2p_pay_batch_tag_pay_manager_def"
    )

    @api.onchange("create_batch")
    def on_change_create_batch(self):
        if self.create_batch:
            tag = self.env["g2p.payment.batch.tag"].create({"name": "Default"})
            self.batch_tag_ids = [Command.link(tag.id)]

    def prepare_payments(self, cycle, entitlements=None):
        entitlements = entitlements or cycle.entitlement_ids
        approved = entitlements.filtered(lambda one: one.state == "approved")
        payments, _batches = self._prepare_payments(cycle, approved)
        message = f"{len(payments)} prepared" if payments else "None prepared"
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {"message": message, "type": "success"},
        }

    def _prepare_payments(self, cycle, entitlements):
        payments, batches = self.env["g2p.payment"], self.env["g2p.payment.batch"]
        left = entitlements.filtered(
            lambda one: all(payment.status == "failed" for payment in one.payment_ids)
        )
        for tag in self.batch_tag_ids:
            tagged = left & left.search(self._safe_eval(tag.domain))
            left -= tagged
            made = payments.create([self._build_payment(one) for one in tagged])
            for start in range(0, len(made), tag.max_batch_size):
                part = made[start : start + tag.max_batch_size]
                batch = batches.create({"cycle_id": cycle.id, "tag_id": tag.id})
                batch.payment_ids = [Command.set(part.ids)]
                part.batch_id = batch
                batches |= batch
            payments |= made
        return payments, batches

    def _build_payment(self, entitlement):
        banks = entitlement.partner_id.bank_ids
        return {
            "entitlement_id": entitlement.id,
            "cycle_id": entitlement.cycle_id.id,
            "amount_issued": entitlement.initial_amount,
            "account_number": banks[:1].acc_number,
        }

    def send_payments(self, batches):
        return self._send_payments(batches)

    def _send_payments(self, batches):
        return None
