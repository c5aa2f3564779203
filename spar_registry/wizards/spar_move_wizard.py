from odoo import api, fields, models
from odoo.exceptions import UserError

from odoo.addons.spar_fa_directory.lib.fa_mask import mask

from ..lib.identity import RegistryIdentity


class SparMoveWizard(models.TransientModel):
    """The two steps of moving an address to a new ID: one proposes, another approves.

    Nothing that it shows is stored.
    """

    _name = "spar.move.wizard"
    _description = "Move an address to a new ID"
    _inherit = ["spar.of.person"]
    _person_field = "task_id.partner_id"

    task_id = fields.Many2one("spar.registry.task", readonly=True)
    partner_id = fields.Many2one(related="task_id.partner_id")
    programme_id = fields.Many2one(related="task_id.programme_id")
    state = fields.Selection(related="task_id.state")
    proposed_by = fields.Many2one(related="task_id.proposed_by")
    proposed_at = fields.Datetime(related="task_id.proposed_at")
    can_approve = fields.Boolean(compute="_compute_can_approve", string="Can approve")
    problem = fields.Char(compute="_compute_ids", string="Not possible")
    old_id = fields.Char(compute="_compute_ids", string="Old ID")
    new_id = fields.Char(compute="_compute_ids", string="New ID")
    old_address = fields.Char(compute="_compute_ids", string="Address of the old ID")
    new_address = fields.Char(compute="_compute_ids", string="Address of the new ID")

    @api.model
    def _open_for(self, task):
        """Return the action that opens the form of a task."""
        wizard = self.create({"task_id": task.id})
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Move the address to the new ID"),
            "res_model": self._name,
            "res_id": wizard.id,
            "view_mode": "form",
            "target": "new",
        }

    @api.depends("task_id", "state")
    def _compute_can_approve(self):
        is_manager = self.env.user.has_group("spar_registry.group_programme_manager")
        for wizard in self:
            is_proposer = wizard.proposed_by == self.env.user
            is_waiting = wizard.state == "proposed"
            wizard.can_approve = is_manager and is_waiting and not is_proposer

    @api.depends("task_id")
    def _compute_ids(self):
        """Show the IDs and their addresses, masked; what is wrong is said in words."""
        moves = self.env["spar.identity.move"]
        for wizard in self:
            wizard.old_id = wizard.new_id = False
            wizard.old_address = wizard.new_address = wizard.problem = False
            try:
                ids = moves._get_ids(wizard.task_id)
                wizard.old_id = wizard._mask_id(ids.old)
                wizard.new_id = wizard._mask_id(ids.new)
                wizard.old_address = wizard._show_address(ids.old)
                wizard.new_address = wizard._show_address(ids.new)
            except UserError as error:
                wizard.problem = str(error)

    def _mask_id(self, identity: RegistryIdentity) -> str:
        id_type = self.env["spar.id.type"].browse(identity.type_id)
        value = mask(self.env["spar.id.type"]._get_clean_value(identity.id_value))
        return f"{id_type.name}: {value}"

    def _show_address(self, identity: RegistryIdentity) -> str:
        """Return the address in force for an ID, masked; raises UserError."""
        result = self.env["spar.identity.move"]._resolve(self.task_id, identity)
        if not result.fa:
            return self.env._("None")
        (text,) = self.env["spar.masked.words"]._write_addresses([result.fa])
        return text

    def action_propose(self):
        """Propose the move to a second person."""
        self.env["spar.identity.move"]._propose(self.task_id)
        return self._notify(self.env._("Proposed. A programme manager approves it."))

    def action_approve(self):
        """Approve the move that somebody else proposed."""
        self.env["spar.identity.move"]._approve(self.task_id)
        return self._notify(
            self.env._(
                "Approved. The new ID is linked first, then the old one removed."
            )
        )

    def action_withdraw(self):
        """Withdraw or refuse a proposed move: the task is open again."""
        self.env["spar.identity.move"]._withdraw(self.task_id)
        return self._notify(self.env._("The task is open again."))

    def action_open_person(self):
        """Open the person, whose IDs are entered there."""
        return self.task_id._open_person()

    def _notify(self, text: str) -> dict:
        return self.env["spar.staff.answers"]._notify(text)
