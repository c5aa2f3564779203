from odoo import fields, models


class SppCycle(models.Model):
    _name = "spp.cycle"
    _description = "Cycle"
    _inherit = ["mail.thread"]

    name = fields.Char(required=True)
    program_id = fields.Many2one("spp.program", required=True)
    start_date = fields.Date(required=True)
    end_date = fields.Date(required=True)
    is_locked = fields.Boolean()
    cycle_membership_ids = fields.One2many("spp.cycle.membership", "cycle_id")
    entitlement_ids = fields.One2many("spp.entitlement", "cycle_id")
    payment_batch_ids = fields.One2many("spp.payment.batch", "cycle_id")

    def prepare_payment(self):
        program = self.program_id
        return program.get_manager(program.MANAGER_PAYMENT).prepare_payments(self)

    def send_payment(self):
        manager = self.program_id.get_manager(self.program_id.MANAGER_PAYMENT)
        return manager.send_payments(self.payment_batch_ids)


class SppCycleMembership(models.Model):
    _name = "spp.cycle.membership"
    _description = "Cycle membership"

    partner_id = fields.Many2one("res.partner", required=True, index=True)
    cycle_id = fields.Many2one("spp.cycle", required=True, index=True)
    state = fields.Selection([("draft", "Draft"), ("enrolled", "Enrolled")])
