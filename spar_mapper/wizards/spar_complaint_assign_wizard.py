from odoo import fields, models

from ..fields import BigMany2one
from ..models.change.spar_change import SUPERVISOR
from ..models.change.spar_complaint import OFFICER


class SparComplaintAssignWizard(models.TransientModel):
    """A supervisor's choice of who answers a complaint."""

    _name = "spar.complaint.assign.wizard"
    _description = "Make somebody responsible for a complaint"

    complaint_id = BigMany2one(
        "spar.complaint", string="Open complaint", required=True, readonly=True
    )
    user_id = fields.Many2one(
        "res.users",
        string="Responsible",
        required=True,
        domain=lambda self: self._get_user_domain(),
    )

    def _get_user_domain(self):
        groups = [
            self.env.ref(name, raise_if_not_found=False)
            for name in (OFFICER, SUPERVISOR)
        ]
        return [("all_group_ids", "in", [group.id for group in groups if group])]

    def action_assign(self):
        """Make the user responsible for the complaint."""
        self.ensure_one()
        self.complaint_id._hand_to(self.user_id)
        text = self.env._(
            "%(name)s is responsible for this complaint.", name=self.user_id.name
        )
        return self.env["spar.staff.answers"]._notify(text)
