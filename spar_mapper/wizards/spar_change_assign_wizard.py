from odoo import fields, models

from ..models.change.spar_deputy import SUPERVISOR


class SparChangeAssignWizard(models.TransientModel):
    """The assignment of waiting changes to another supervisor."""

    _name = "spar.change.assign.wizard"
    _description = "Assign waiting changes"

    _spar_given = frozenset({"change_ids"})

    user_id = fields.Many2one(
        "res.users",
        string="Supervisor",
        required=True,
        domain=lambda self: self._get_user_domain(),
    )
    change_ids = fields.Json(string="Changes", readonly=True)

    def _get_user_domain(self):
        group = self.env.ref(SUPERVISOR, raise_if_not_found=False)
        return [("all_group_ids", "in", group.ids if group else [])]

    def action_assign(self):
        """Assign the changes, and notify the user of it."""
        self.ensure_one()
        changes = self.env["spar.change"].browse(self.change_ids or []).exists()
        self.env["spar.change.assignment"]._reassign(changes, self.user_id)
        text = self.env._("Assigned to %(name)s.", name=self.user_id.name)
        return self.env["spar.staff.answers"]._notify(text)
