from odoo import fields, models
from odoo.exceptions import UserError

from ..fields import BigMany2one


class SparRepresentativeAnswer(models.TransientModel):
    """Why a guardian or collector is refused, withdrawn or ended."""

    _name = "spar.representative.answer"
    _description = "End a guardian or collector"

    representative_id = BigMany2one("spar.representative", required=True, readonly=True)
    state = fields.Selection(related="representative_id.state", related_sudo=False)
    reason = fields.Char(
        help="Kept unencrypted. It must not contain an ID or an account number."
    )

    def action_confirm(self):
        """Refuse what waits; end what counts."""
        self.ensure_one()
        reason = (self.reason or "").strip()
        if not reason:
            raise UserError(self.env._("Enter a reason."))
        row = self.representative_id
        row.check_access("read")
        if row.state == "waiting":
            row._refuse(reason)
            text = self.env._("It does not count. The officer sees the reason.")
        else:
            row._end(reason)
            text = self.env._("Ended. Payments go on to the account.")
        return self.env["spar.staff.answers"]._notify(text)
