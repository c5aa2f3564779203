from odoo import api, fields, models


class SppGroupMembership(models.Model):
    _name = "spp.group.membership"
    _description = "Group membership"
    _order = "id desc"

    group = fields.Many2one("res.partner", required=True, index=True)
    individual = fields.Many2one("res.partner", required=True, index=True)
    membership_type_ids = fields.Many2many("spp.vocabulary.code")
    start_date = fields.Datetime(default=lambda self: fields.Datetime.now())
    ended_date = fields.Datetime()
    is_ended = fields.Boolean(compute="_compute_is_ended", store=True)
    active = fields.Boolean(default=True)

    @api.depends("ended_date")
    def _compute_is_ended(self):
        now = fields.Datetime.now()
        for row in self:
            row.is_ended = bool(row.ended_date and row.ended_date <= now)
