from odoo import fields, models


class SparMoveLeft(models.Model):
    """An address that a move leaves where it is, and why."""

    _name = "spar.move.left"
    _description = "Address that is not moved"
    _inherit = ["spar.left.address"]

    move_id = fields.Many2one(
        "spar.move", required=True, readonly=True, index=True, ondelete="cascade"
    )
