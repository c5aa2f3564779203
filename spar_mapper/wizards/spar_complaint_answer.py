from odoo import api, fields, models
from odoo.exceptions import UserError

from ..fields import BigMany2one


class SparComplaintAnswer(models.TransientModel):
    """The decision on a complaint, and the answer to the person."""

    _name = "spar.complaint.answer"
    _description = "Answer a complaint"

    complaint_id = BigMany2one(
        "spar.complaint", string="Answered complaint", required=True, readonly=True
    )
    state = fields.Selection(
        related="complaint_id.state", related_sudo=False, string="State"
    )
    kind = fields.Selection(
        related="complaint_id.kind", related_sudo=False, string="Kind"
    )
    decision = fields.Selection(
        [
            ("upheld", "The person was right"),
            ("rejected", "The person was not right"),
        ]
    )
    reason = fields.Char(
        help="Kept unencrypted. It must not contain an ID or an account number."
    )
    answer = fields.Char(
        string="Answer to the person",
        compute="_compute_answer",
        compute_sudo=False,
        store=True,
        readonly=False,
    )
    answered_how = fields.Selection(
        selection=lambda self: self.env["spar.complaint"]
        ._fields["answered_how"]
        .selection,
        string="How the person got the answer",
        required=True,
        default="present",
    )

    @api.depends("complaint_id")
    def _compute_answer(self):
        for wizard in self:
            wizard.answer = wizard.complaint_id.answer

    @api.constrains("reason", "answer", "complaint_id")
    def _check_texts(self):
        """Refuse texts that disclose sealed values: they are kept in clear."""
        for wizard in self:
            text = f"{wizard.reason or ''} {wizard.answer or ''}".strip()
            if text:
                places = wizard.complaint_id.subject_id.mapping_ids
                places._check_reason(text)

    def action_answer(self):
        """Close the complaint, or record that the person now has the answer."""
        self.ensure_one()
        complaint, answer = self.complaint_id, (self.answer or "").strip()
        if not answer:
            raise UserError(self.env._("Enter the answer to the person."))
        self.env["spar.mapper.local"]._build_staff_call()
        if complaint.state == "open":
            self._close(complaint, answer)
            text = self.env._("The complaint is closed.")
        else:
            complaint._note_answer(answer, self.answered_how)
            text = self.env._("The answer is recorded.")
        return self.env["spar.staff.answers"]._notify(text)

    def _close(self, complaint, answer: str) -> None:
        reason = (self.reason or "").strip()
        if not self.decision or not reason:
            raise UserError(self.env._("Choose a decision and enter a reason."))
        complaint._close(self.decision == "upheld", reason, answer, self.answered_how)
