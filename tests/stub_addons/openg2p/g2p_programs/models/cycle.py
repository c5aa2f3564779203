from odoo import fields, models


class G2pCycle(models.Model):
    _name = "g2p.cycle"
    _description = "Cycle"
    _inherit = ["mail.thread"]

    name = fields.Char(required=True)
    program_id = fields.Many2one("g2p.program", required=True)
    start_date = fields.Date(required=True)
    end_date = fields.Date(required=True)
    locked = fields.Boolean()
    cycle_membership_ids = fields.One2many("g2p.cycle.membership", "cycle_id")
    entitlement_ids = fields.One2many("g2p.entitlement", "cycle_id")
    payment_batch_ids = fields.One2many("g2p.payment.batch", "cycle_id")

    def prepare_payment(self):
        program = self.program_id
        return program.get_manager(program.MANAGER_PAYMENT).prepare_payments(self)

    def send_payment(self):
        manager = self.program_id.get_manager(self.program_id.MANAGER_PAYMENT)
        return manager.send_payments(self.payment_batch_ids)


class G2pCycleMembership(models.Model):
    _name = "g2p.cycle.membership"
    _description = "Cycle membership"

    partner_id = fields.Many2one("res.partner", required=True, index=True)
    cycle_id = fields.Many2one("g2p.cycle", required=True, index=True)
    state = fields.Selection([("draft", "Draft"), ("enrolled", "Enrolled")])
