from odoo import api, fields, models
from odoo.exceptions import UserError

from odoo.addons.spar_mapper_connector.exceptions import MapperError
from odoo.addons.spar_mapper_connector.lib.contract import (
    Capability,
    Outcome,
    ResumeRequest,
    SuspendRequest,
)

from ..exceptions import RegistryError
from ..lib.calls import build_call

_DONE = (Outcome.SUSPENDED, Outcome.RESUMED)


class SparSuspendWizard(models.TransientModel):
    """Suspend payments to a person, or resume them; the address stays.

    It takes effect at once, unless the mapper makes it wait for approval.
    """

    _name = "spar.suspend.wizard"
    _description = "Suspend payments"
    _inherit = ["spar.of.person"]

    _spar_given = frozenset({"operation"})

    partner_id = fields.Many2one("res.partner", string="Person", readonly=True)
    programme_id = fields.Many2one("spar.programme", readonly=True)
    task_id = fields.Many2one("spar.registry.task", readonly=True)
    operation = fields.Selection(
        [("suspend", "Suspend payments"), ("resume", "Resume payments")],
        required=True,
        readonly=True,
        default="suspend",
    )
    payee_id = fields.Many2one(
        "res.partner", compute="_compute_target", string="Paid to"
    )
    problem = fields.Char(compute="_compute_target", string="Not possible")
    can_suspend = fields.Boolean(compute="_compute_target", string="Can suspend")
    reason = fields.Char(
        help="Kept in the history, unencrypted. It must not contain an ID or an "
        "account number.",
    )

    @api.model
    def _open_for(self, partner, programme=None, task=None, operation="suspend"):
        """Return the action that opens the form for a person."""
        programme = programme or self.env["spar.programme"]
        wizard = self.create(
            {
                "partner_id": partner.id,
                "programme_id": programme.id,
                "task_id": task.id if task else False,
                "operation": operation,
            }
        )
        return {
            "type": "ir.actions.act_window",
            "name": dict(self._fields["operation"]._description_selection(self.env))[
                operation
            ],
            "res_model": self._name,
            "res_id": wizard.id,
            "view_mode": "form",
            "target": "new",
        }

    @api.depends("partner_id", "programme_id")
    def _compute_target(self):
        """Find whose payments are suspended, and whether the mapper can do it."""
        for wizard in self:
            wizard.payee_id = wizard.problem = wizard.can_suspend = False
            try:
                wizard.payee_id, identity = wizard._get_target()
                mapper_sudo = wizard._get_mapper_sudo(identity)
                wizard.can_suspend = Capability.SUSPEND in mapper_sudo._capabilities()
            except RegistryError as error:
                accounts = self.env["spar.payment.account"]
                wizard.problem = accounts._get_refusal(error.code)
            except MapperError as error:
                answers = self.env["spar.staff.answers"]
                wizard.problem = answers._get_error_text(error)
            else:
                if not wizard.can_suspend:
                    wizard.problem = self.env._(
                        "This registry cannot suspend payments. Remove the address "
                        "instead."
                    )

    def _get_target(self) -> tuple:
        """Return whose payments are suspended, and their ID; raises RegistryError."""
        self.ensure_one()
        self.partner_id.check_access("read")
        return self.partner_id._spar_get_last_paid(self.programme_id)

    def _get_mapper_sudo(self, identity):
        id_type = self.env["spar.id.type"].browse(identity.type_id)
        return self.env["spar.mapper.backend"]._get_mapper(id_type).sudo()

    def action_confirm(self):
        """Ask the mapper; once that is done, the task is closed."""
        self.ensure_one()
        if not (self.reason or "").strip():
            raise UserError(self.env._("Enter a reason."))
        result = self._send()
        if result.outcome is Outcome.HELD:
            return self.env["spar.staff.answers"]._notify(
                self.env._("This is waiting for approval in the registry."),
                is_warning=True,
            )
        if result.outcome not in _DONE:
            raise UserError(self.env["spar.staff.answers"]._get_refusal(result))
        if self.operation == "suspend":
            text = self.env._("Payments are suspended.")
        else:
            text = self.env._("Payments are resumed.")
        self.task_id._close("done", text)
        return self.env["spar.staff.answers"]._notify(text)

    def _send(self):
        """Return the mapper's answer; raises UserError without one."""
        answers = self.env["spar.staff.answers"]
        try:
            _payee, identity = self._get_target()
            mapper_sudo = self._get_mapper_sudo(identity)
            call = build_call(self.env.uid, reason=self.reason)
            purpose = self.programme_id.purpose or ""
            if self.operation == "suspend":
                request = SuspendRequest(identity.id_value, purpose=purpose)
                (result,) = mapper_sudo._suspend_fa(call, [request])
            else:
                request = ResumeRequest(identity.id_value, purpose=purpose)
                (result,) = mapper_sudo._resume_fa(call, [request])
        except RegistryError as error:
            accounts = self.env["spar.payment.account"]
            raise UserError(accounts._get_refusal(error.code)) from error
        except MapperError as error:
            raise UserError(answers._get_error_text(error)) from error
        return result

    def action_remove(self):
        """Open the form that removes the address instead."""
        return self.env["spar.collect.wizard"]._open_for(
            self.partner_id, "remove", self.programme_id
        )
