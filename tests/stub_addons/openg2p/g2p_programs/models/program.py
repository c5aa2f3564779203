from odoo import fields, models


class G2pProgram(models.Model):
    _name = "g2p.program"
    _description = "Program"
    _inherit = ["mail.thread"]

    MANAGER_PAYMENT = 7

    name = fields.Char(required=True)
    target_type = fields.Selection(
        [("group", "Group"), ("individual", "Individual")], default="group"
    )
    payment_managers = fields.Many2many("g2p.program.payment.manager")
    program_membership_ids = fields.One2many("g2p.program_membership", "program_id")
    cycle_ids = fields.One2many("g2p.cycle", "program_id")

    def get_manager(self, kind):
        if kind != self.MANAGER_PAYMENT:
            raise NotImplementedError
        return self.payment_managers[:1].manager_ref_id


class G2pProgramMembership(models.Model):
    _name = "g2p.program_membership"
    _description = "Program membership"

    partner_id = fields.Many2one("res.partner", required=True)
    program_id = fields.Many2one("g2p.program", required=True)
    state = fields.Selection([("draft", "Draft"), ("enrolled", "Enrolled")])
