from odoo import api, fields, models

from ..fields import BigMany2one


class SparFormCaseWizard(models.TransientModel):
    """A supervisor's proposal: which record is kept, and what becomes of the others."""

    _name = "spar.form.case.wizard"
    _description = "Decide on IDs that coincide"

    case_id = BigMany2one("spar.form.case", required=True, readonly=True)
    line_ids = fields.One2many("spar.form.case.wizard.line", "wizard_id")
    kind = fields.Selection(related="case_id.kind", related_sudo=False)
    reason = fields.Char(required=True)

    @api.model
    def default_get(self, fields_list):
        values = super().default_get(fields_list)
        case = self.env["spar.form.case"].browse(values.get("case_id"))
        values["line_ids"] = [
            fields.Command.create({"line_id": line.id}) for line in case.line_ids
        ]
        return values

    def action_propose(self) -> dict:
        """Propose it to a second supervisor."""
        self.ensure_one()
        decisions = {line.line_id.id: line.decision for line in self.line_ids}
        self.case_id._propose(decisions, self.reason)
        return self.env["spar.staff.answers"]._notify(
            self.env._("Proposed. A second supervisor must approve it.")
        )


class SparFormCaseWizardLine(models.TransientModel):
    """One of the IDs."""

    _name = "spar.form.case.wizard.line"
    _description = "Decision on an ID"

    wizard_id = fields.Many2one(
        "spar.form.case.wizard", required=True, ondelete="cascade"
    )
    line_id = BigMany2one("spar.form.case.line", required=True, readonly=True)
    decision = fields.Selection(
        selection=lambda self: self.env["spar.form.case.line"]._selection_decision()
    )
    id_masked = fields.Char(related="line_id.id_masked", related_sudo=False)
    fa_masked = fields.Char(related="line_id.fa_masked", related_sudo=False)
    since = fields.Datetime(related="line_id.since", related_sudo=False)
