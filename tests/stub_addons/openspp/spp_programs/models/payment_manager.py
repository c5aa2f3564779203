from odoo import Command, api, fields, models


class SppProgramPaymentManager(models.Model):
    _name = "spp.program.payment.manager"
    _description = "Payment manager"
    _inherit = ["spp.manager.mixin"]

    program_id = fields.Many2one("spp.program", ondelete="cascade")

    @api.model
    def _selection_manager_ref_id(self):
        return [("spp.program.payment.manager.default", "Default")]


class SppBaseProgramPaymentManager(models.AbstractModel):
    _name = "spp.base.program.payment.manager"
    _description = "Base of payment managers"
    _inherit = ["spp.base.programs.manager"]

    name = fields.Char(required=True)
    program_id = fields.Many2one("spp.program", required=True)


class SppProgramPaymentManagerDefault(models.Model):
    """It prepares a payment for each entitlement, with the first bank account."""

    _name = "spp.program.payment.manager.default"
    _description = "Default payment manager"
    _inherit = ["spp.base.program.payment.manager", "spp.manager.source.mixin"]

    create_batch = fields.Boolean(default=True)
    batch_tag_ids = fields.Many2many(
        "spp.payment.batch.tag", "spp_pay_batch_tag_pay_manager_def"
    )

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            if vals.get("create_batch", True) and not vals.get("batch_tag_ids"):
                tag = self.env["spp.payment.batch.tag"].create({"name": "Default"})
                vals["batch_tag_ids"] = [Command.link(tag.id)]
        return super().create(vals_list)

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
        payments, batches = self.env["spp.payment"], self.env["spp.payment.batch"]
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
