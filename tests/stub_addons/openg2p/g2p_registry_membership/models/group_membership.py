from odoo import api, fields, models


class G2pGroupMembership(models.Model):
    _name = "g2p.group.membership"
    _description = "Group membership"
    _order = "id desc"

    group = fields.Many2one("res.partner", required=True)
    individual = fields.Many2one("res.partner", required=True)
    kind = fields.Many2many("g2p.group.membership.kind")
    start_date = fields.Datetime(default=lambda self: fields.Datetime.now())
    ended_date = fields.Datetime()
    is_ended = fields.Boolean(compute="_compute_is_ended", store=True)

    @api.depends("ended_date")
    def _compute_is_ended(self):
        now = fields.Datetime.now()
        for row in self:
            row.is_ended = bool(row.ended_date and row.ended_date <= now)


class G2pGroupMembershipKind(models.Model):
    _name = "g2p.group.membership.kind"
    _description = "Group membership kind"

    name = fields.Char()
    is_unique = fields.Boolean()


class ResPartner(models.Model):
    _inherit = "res.partner"

    group_membership_ids = fields.One2many("g2p.group.membership", "group")
    individual_membership_ids = fields.One2many("g2p.group.membership", "individual")
