from odoo import fields, models


class SparHeldCycle(models.AbstractModel):
    """A cycle of another registry, with the payments of it that are held back."""

    _name = "spar.held.cycle"
    _description = "Cycle with payments that are held back"

    spar_held_count = fields.Integer(
        compute="_compute_spar_held_count",
        string="Held back",
        groups="spar_registry.group_programme_user",
    )

    def _compute_spar_held_count(self):
        counts = self.env["spar.held.payment"]._count_open(self)
        for cycle in self:
            cycle.spar_held_count = counts.get(cycle.id, 0)

    def action_open_spar_held(self):
        """Show the people whose payments are held back."""
        self.ensure_one()
        return self.env["spar.held.payment"]._open_list(self)
