from odoo import api, fields, models
from odoo.exceptions import UserError

from odoo.addons.spar_mapper_connector.exceptions import MapperError

from ..exceptions import RegistryError
from ..models.person.spar_person_address import ShownAddress


class SparCollectWizard(models.TransientModel):
    """Collect an account from a person, or the wish to remove it, and send it."""

    _name = "spar.collect.wizard"
    _description = "Collect an account"
    _inherit = ["spar.of.person", "spar.address.entry", "spar.sealed.storage"]

    _spar_given = frozenset({"operation"})

    operation = fields.Selection(
        [("set", "Set the address"), ("remove", "Remove the address")],
        required=True,
        readonly=True,
        default="set",
    )
    partner_id = fields.Many2one(
        "res.partner", string="Person", required=True, readonly=True
    )
    programme_id = fields.Many2one("spar.programme")
    collected_at = fields.Datetime(
        required=True,
        default=fields.Datetime.now,
        help="When the person gave the account. An older account never replaces a "
        "newer one.",
        string="Collected at",
    )
    current = fields.Char(compute="_compute_current", string="Address in force")
    part_ids = fields.One2many(
        "spar.collect.wizard.part", "wizard_id", string="Address details"
    )

    @api.model
    def _open_for(self, partner, operation: str, programme=None):
        """Return the action that opens the form for a person, prefilled."""
        programme = programme or self.env["spar.programme"]
        wizard = self.create(
            {
                "partner_id": partner.id,
                "operation": operation,
                "programme_id": programme.id,
            }
        )
        wizard._prefill()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Collect an account")
            if operation == "set"
            else self.env._("Remove the address"),
            "res_model": self._name,
            "res_id": wizard.id,
            "view_mode": "form",
            "target": "new",
        }

    @api.depends("partner_id")
    def _compute_current(self):
        """Return the address in force, masked; nothing if it cannot be shown now."""
        for wizard in self:
            shown = wizard._read_current()
            wizard.current = shown.text if shown else False

    def _read_current(self) -> ShownAddress | None:
        try:
            return self.env["spar.person.address"]._read(
                self.partner_id, self.programme_id
            )
        except MapperError:
            return None

    def _prefill(self) -> None:
        """Choose kind, provider and branch of the address in force, if it is shown."""
        shown = self._read_current()
        if self.operation == "set" and shown and shown.type_id:
            self.fa_type_id = shown.type_id
            self._onchange_fa_type_id()
            self.provider_id, self.branch_id = shown.provider_id, shown.branch_id

    def action_confirm(self):
        """Store the account, and queue it."""
        self.ensure_one()
        if self.collected_at > fields.Datetime.now():
            raise UserError(self.env._("Collected at: it must not be in the future."))
        fa = self._build_address() if self.operation == "set" else ""
        accounts = self.env["spar.payment.account"]
        account = accounts._collect(
            self.partner_id,
            fa,
            programme_id=self.programme_id.id,
            collected_at=self.collected_at,
        )
        try:
            account._queue()
        except RegistryError as error:
            raise UserError(accounts._get_refusal(error.code)) from error
        except MapperError as error:
            answers = self.env["spar.staff.answers"]
            raise UserError(answers._get_error_text(error)) from error
        self._erase_typed()
        return self.env["spar.staff.answers"]._notify(
            self.env._("Stored. It is sent as soon as the registry accepts it.")
        )


class SparCollectWizardPart(models.TransientModel):
    """One text of a collected address."""

    _name = "spar.collect.wizard.part"
    _description = "Part of an address"
    _inherit = ["spar.address.entry.part", "spar.sealed.storage"]

    wizard_id = fields.Many2one(
        "spar.collect.wizard", required=True, index=True, ondelete="cascade"
    )
