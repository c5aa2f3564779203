from odoo import api, fields, models
from odoo.exceptions import UserError

from ..fields import BigMany2one


class SparObjectionWizard(models.TransientModel):
    """A supervisor's decision on a case, with a reason, and the answer to the person.

    The case and its complaint are closed together.
    """

    _name = "spar.objection.wizard"
    _description = "Close an objection"

    objection_id = BigMany2one("spar.objection", required=True, readonly=True)
    decision = fields.Selection(
        [
            ("upheld", "It was somebody else"),
            ("rejected", "It was the person, or the change was legitimate"),
        ],
        required=True,
    )
    reason = fields.Char(required=True)
    has_complaint = fields.Boolean(
        string="Asks for an answer", compute="_compute_has_complaint"
    )
    answer = fields.Char(string="Answer to the person")
    answered_how = fields.Selection(
        selection=lambda self: self.env["spar.complaint"]
        ._fields["answered_how"]
        .selection,
        string="How the person got the answer",
        default="present",
    )

    @api.depends("objection_id")
    def _compute_has_complaint(self):
        for wizard in self:
            wizard.has_complaint = bool(wizard._find_complaint())

    def _find_complaint(self):
        """Return the complaint that is closed with the case, if there is one."""
        return self.env["spar.complaint"].search(
            [("objection_id", "=", self.objection_id.id), ("state", "=", "open")]
        )

    @api.constrains("reason", "answer", "objection_id")
    def _check_reason(self):
        """Refuse texts that disclose sealed values: they are kept in clear."""
        for wizard in self:
            text = f"{wizard.reason} {wizard.answer or ''}".strip()
            wizard.objection_id.mapping_id._check_reason(text)

    def action_close(self):
        """Close the case and its complaint, and lift the lock."""
        self.ensure_one()
        complaint, answer = self._find_complaint(), (self.answer or "").strip()
        if complaint and not (answer and self.answered_how):
            raise UserError(
                self.env._(
                    "Enter the answer to the person, and how the person got it: the "
                    "complaint is closed with the case."
                )
            )
        self.objection_id._close(self.decision == "upheld", self.reason)
        if complaint:
            complaint._note_answer(answer, self.answered_how)
        obstacle = self._get_obstacle()
        text = obstacle or self.env._("The case is closed.")
        return self.env["spar.staff.answers"]._notify(text, is_warning=bool(obstacle))

    def _get_obstacle(self) -> str:
        """Return the most serious remaining obstacle to payment, if there is one."""
        self.env.invalidate_all()
        subject = self.objection_id.mapping_id.subject_id
        if subject.pay_stop:
            return self.env._(
                "The case is closed, but payments to this person are still stopped."
            )
        if subject.change_lock == "objection":
            return self.env._(
                "The case is closed, but this person has another open case."
            )
        return ""
