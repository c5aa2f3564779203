from odoo import api, fields, models


class G2pPhoneNumber(models.Model):
    _name = "g2p.phone.number"
    _description = "Phone number"
    _order = "id desc"
    _rec_name = "phone_no"

    partner_id = fields.Many2one("res.partner", required=True, index=True)
    phone_no = fields.Char(required=True)
    phone_sanitized = fields.Char(compute="_compute_phone_sanitized", store=True)
    disabled = fields.Datetime()

    @api.depends("phone_no")
    def _compute_phone_sanitized(self):
        for row in self:
            row.phone_sanitized = (row.phone_no or "").replace(" ", "")
