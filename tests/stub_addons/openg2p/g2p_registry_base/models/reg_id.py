from odoo import fields, models


class G2pRegId(models.Model):
    _name = "g2p.reg.id"
    _description = "Registrant ID"
    _order = "id desc"

    partner_id = fields.Many2one("res.partner", required=True)
    id_type = fields.Many2one("g2p.id.type", required=True)
    value = fields.Char(size=100)
    expiry_date = fields.Date()
    status = fields.Selection([("invalid", "Invalid"), ("valid", "Valid")])
    description = fields.Char()


class G2pIdType(models.Model):
    _name = "g2p.id.type"
    _description = "ID type"
    _order = "name ASC"

    name = fields.Char()
    id_validation = fields.Char()
