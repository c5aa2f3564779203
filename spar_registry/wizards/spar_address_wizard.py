from markupsafe import Markup

from odoo import api, fields, models

from odoo.addons.spar_mapper_connector.exceptions import MapperError, OtherOffice
from odoo.addons.spar_mapper_connector.lib.contract import PaymentState

from ..exceptions import RegistryError


class SparAddressWizard(models.TransientModel):
    """A person's financial address, as the mapper answers now, and its history.

    Nothing of the answer is stored: the fields are computed whenever they are shown.
    """

    _name = "spar.address.wizard"
    _description = "Financial address of a person"
    _inherit = ["spar.of.person"]

    partner_id = fields.Many2one("res.partner", string="Person", readonly=True)
    programme_id = fields.Many2one("spar.programme")
    state = fields.Char(compute="_compute_shown")
    text = fields.Char(compute="_compute_shown", string="Address")
    is_stopped = fields.Boolean(compute="_compute_shown", string="Stopped")
    asked_at = fields.Datetime(compute="_compute_shown", string="As of")
    history = fields.Html(compute="_compute_shown")

    @api.model
    def _open_for(self, partner, programme=None):
        """Return the action that shows a person's address, for a programme."""
        programme = programme or self.env["spar.programme"]
        values = {"partner_id": partner.id, "programme_id": programme.id}
        return self.create(values)._reopen()

    @api.depends("partner_id", "programme_id")
    def _compute_shown(self):
        """Ask the mapper; what it cannot say is said in words."""
        addresses = self.env["spar.person.address"]
        for wizard in self:
            wizard.text = wizard.history = wizard.is_stopped = False
            wizard.asked_at = fields.Datetime.now()
            try:
                shown = addresses._read(wizard.partner_id, wizard.programme_id)
                periods = addresses._read_history(
                    wizard.partner_id, wizard.programme_id
                )
            except (RegistryError, OtherOffice) as error:
                wizard.state = addresses._get_missing_text(error.code)
            except MapperError as error:
                answers = self.env["spar.staff.answers"]
                wizard.state = answers._get_error_text(error)
            else:
                wizard.state = addresses._get_state_text(shown.state)
                wizard.text = shown.text
                wizard.is_stopped = shown.state is PaymentState.STOPPED
                wizard.history = wizard._write_history(periods)

    def _write_history(self, periods) -> Markup | bool:
        """Return a table with one line for each address, newest first, if any."""
        if not periods:
            return False
        row = Markup("<tr><td>%s</td><td>%s</td><td>%s</td></tr>")
        head = Markup("<tr><th>%s</th><th>%s</th><th>%s</th></tr>") % (
            self.env._("Address"),
            self.env._("From"),
            self.env._("Until"),
        )
        rows = Markup("").join(row % (p.text, p.since, p.until) for p in periods)
        return Markup('<table class="table table-sm">%s%s</table>') % (head, rows)

    def _reopen(self):
        self.check_access("read")
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Financial address"),
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
            "target": "new",
        }

    def action_resolve(self):
        """Ask the mapper again."""
        return self._reopen()

    def action_change(self):
        """Open the form in which an account is collected."""
        return self.env["spar.collect.wizard"]._open_for(
            self.partner_id, "set", self.programme_id
        )

    def action_remove(self):
        """Open the form that removes the address."""
        return self.env["spar.collect.wizard"]._open_for(
            self.partner_id, "remove", self.programme_id
        )

    def action_suspend(self):
        """Open the form that suspends payments."""
        return self.env["spar.suspend.wizard"]._open_for(
            self.partner_id, self.programme_id
        )

    def action_resume(self):
        """Open the form that resumes payments."""
        return self.env["spar.suspend.wizard"]._open_for(
            self.partner_id, self.programme_id, operation="resume"
        )
