from odoo import api, fields, models

from ..fields import BigMany2one


class SparObjectionWizard(models.TransientModel):
    """A supervisor's decision on a case, with a reason."""

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

    @api.constrains("reason", "objection_id")
    def _check_reason(self):
        """Refuse a reason that discloses sealed values: it is kept in clear."""
        for wizard in self:
            wizard.objection_id.mapping_id._check_reason(wizard.reason)

    def action_close(self):
        """Close the case and lift the lock."""
        self.ensure_one()
        self.objection_id._close(self.decision == "upheld", self.reason)
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
