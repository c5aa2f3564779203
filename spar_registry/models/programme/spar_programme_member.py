from odoo import fields, models


class SparProgrammeMember(models.Model):
    """Somebody who gets benefits of a programme."""

    _name = "spar.programme.member"
    _description = "Member of a programme"
    _inherit = ["spar.of.person"]
    _rec_name = "partner_id"

    programme_id = fields.Many2one(
        "spar.programme", required=True, index=True, ondelete="cascade"
    )
    partner_id = fields.Many2one(
        "res.partner", string="Person", required=True, index=True, ondelete="restrict"
    )
    recipient_id = fields.Many2one(
        "res.partner",
        ondelete="restrict",
        help="Who receives the benefits, where the programme names a recipient for "
        "each member.",
    )
    active = fields.Boolean(default=True)

    _member_uniq = models.UniqueIndex(
        "(programme_id, partner_id)",
        "This person is already a member of the programme.",
    )
