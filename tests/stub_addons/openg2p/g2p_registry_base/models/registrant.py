from odoo import fields, models


class ResPartner(models.Model):
    _inherit = "res.partner"

    is_registrant = fields.Boolean()
    is_group = fields.Boolean()
    disabled = fields.Datetime()
    disabled_reason = fields.Text()
    disabled_by = fields.Many2one("res.users")
    reg_ids = fields.One2many("g2p.reg.id", "partner_id")
    phone_number_ids = fields.One2many("g2p.phone.number", "partner_id")
