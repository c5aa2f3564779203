from odoo import fields, models


class ResPartner(models.Model):
    _inherit = "res.partner"

    is_registrant = fields.Boolean(index=True)
    is_group = fields.Boolean(index=True)
    disabled = fields.Datetime()
    disabled_reason = fields.Text()
    disabled_by = fields.Many2one("res.users")
    family_name = fields.Char()
    given_name = fields.Char()
    addl_name = fields.Char()
    birthdate = fields.Date()
    reg_ids = fields.One2many("spp.registry.id", "partner_id")
    phone_number_ids = fields.One2many("spp.phone.number", "partner_id")
    group_membership_ids = fields.One2many("spp.group.membership", "group")
    individual_membership_ids = fields.One2many("spp.group.membership", "individual")
