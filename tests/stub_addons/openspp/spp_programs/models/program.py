from odoo import fields, models


class SppProgram(models.Model):
    _name = "spp.program"
    _description = "Program"
    _inherit = ["mail.thread"]

    MANAGER_PAYMENT = 7

    name = fields.Char(required=True)
    target_type = fields.Selection(
        [("group", "Group"), ("individual", "Individual")], default="group"
    )
    payment_manager_ids = fields.Many2many("spp.program.payment.manager")
    program_membership_ids = fields.One2many("spp.program.membership", "program_id")
    cycle_ids = fields.One2many("spp.cycle", "program_id")

    def get_manager(self, kind):
        if kind != self.MANAGER_PAYMENT:
            raise NotImplementedError
        return self.payment_manager_ids[:1].manager_ref_id


class SppProgramMembership(models.Model):
    _name = "spp.program.membership"
    _description = "Program membership"

    partner_id = fields.Many2one("res.partner", required=True)
    program_id = fields.Many2one("spp.program", required=True)
    state = fields.Selection([("draft", "Draft"), ("enrolled", "Enrolled")])
