from odoo import fields, models


class ResPartner(models.Model):
    _inherit = "res.partner"

    family_name = fields.Char()
    given_name = fields.Char()
    addl_name = fields.Char()
    birthdate = fields.Date()
