from odoo import api, fields, models

from odoo.addons.spar_registry.lib.readiness import Finding, ReadinessState


class SparHeldPayment(models.Model):
    """A payment that was not prepared or sent, because its payee would not be paid.

    Nobody is dropped without a line here. The line is closed as soon as the payment is
    prepared or sent.
    """

    _name = "spar.held.payment"
    _description = "Payment that is held back"
    _inherit = ["spar.of.person"]
    _order = "closed_at desc, id"
    _rec_name = "partner_id"

    partner_id = fields.Many2one(
        "res.partner",
        string="Person",
        required=True,
        readonly=True,
        index=True,
        ondelete="cascade",
    )
    payee_id = fields.Many2one("res.partner", readonly=True, ondelete="set null")
    programme_id = fields.Many2one("spar.programme", readonly=True, ondelete="cascade")
    # A cycle and an entitlement are the registry's own: it names its models.
    cycle_model = fields.Char(readonly=True)
    cycle_id = fields.Many2oneReference(
        "Cycle", model_field="cycle_model", readonly=True
    )
    cycle_name = fields.Char(readonly=True, string="In cycle")
    entitlement_model = fields.Char(readonly=True)
    entitlement_id = fields.Many2oneReference(
        "Entitlement", model_field="entitlement_model", readonly=True, index=True
    )
    stage = fields.Selection(
        [("prepare", "Not prepared"), ("send", "Not sent")],
        required=True,
        readonly=True,
    )
    reason = fields.Selection(
        [
            ("no_payee", "Nobody is paid"),
            ("no_identity", "No ID"),
            ("shared_identity", "Shared ID"),
            ("not_linked", "Not linked"),
            ("stopped", "Payments stopped"),
            ("provider_closed", "Provider closed"),
            ("contested", "ID of several people"),
            ("locked", "Locked"),
            ("invalid_id", "Invalid ID"),
            ("unknown", "Unknown"),
            ("error", "Error"),
        ],
        required=True,
        readonly=True,
    )
    error = fields.Char(string="Code of the error", readonly=True)
    advice = fields.Char(compute="_compute_advice", string="What to do")
    phone = fields.Char(compute="_compute_phone")
    held_by = fields.Many2one(
        "res.users", readonly=True, default=lambda self: self.env.user
    )
    held_at = fields.Datetime(readonly=True, default=fields.Datetime.now)
    closed_at = fields.Datetime(readonly=True)

    _open_uniq = models.UniqueIndex(
        "(entitlement_model, entitlement_id) WHERE closed_at IS NULL",
        "This payment is held back.",
    )

    @api.depends("reason", "error")
    def _compute_advice(self):
        lines = self.env["spar.readiness.line"]
        states, errors = lines._get_state_texts(), lines._get_error_texts()
        for held in self:
            text = states.get(ReadinessState(held.reason), "")
            held.advice = errors.get(held.error) or text

    @api.depends("partner_id")
    def _compute_phone(self):
        phones = self.partner_id._spar_phones()
        for held in self:
            held.phone = phones.get(held.partner_id.id, "")

    @api.model
    def _record(
        self,
        manager,
        entitlements,
        findings: dict[int, Finding],
        payees: dict[int, int],
        stage: str,
    ):
        """List who is held back among entitlements, and close the lines of the others.

        :return: the lines of those who are held back
        """
        held_sudo = self.sudo()
        model = entitlements._name
        open_sudo = held_sudo.search(
            [
                ("entitlement_model", "=", model),
                ("entitlement_id", "in", entitlements.ids),
                ("closed_at", "=", False),
            ]
        )
        open_sudo.write({"closed_at": fields.Datetime.now()})
        open_sudo.flush_recordset()
        programme = manager.spar_programme_id
        return held_sudo.create(
            [
                {
                    "partner_id": entitlement.partner_id.id,
                    "payee_id": payees.get(entitlement.partner_id.id),
                    "programme_id": programme.id,
                    "cycle_model": entitlement.cycle_id._name,
                    "cycle_id": entitlement.cycle_id.id,
                    "cycle_name": entitlement.cycle_id.name,
                    "entitlement_model": model,
                    "entitlement_id": entitlement.id,
                    "stage": stage,
                    "reason": findings[entitlement.partner_id.id].state.value,
                    "error": findings[entitlement.partner_id.id].reason,
                    "held_by": self.env.uid,
                }
                for entitlement in entitlements
                if is_held(findings.get(entitlement.partner_id.id))
            ]
        ).sudo(False)

    @api.model
    def _count_open(self, cycles) -> dict[int, int]:
        """Return how many payments of each cycle are held back, by its row id."""
        domain = [
            ("cycle_model", "=", cycles._name),
            ("cycle_id", "in", cycles.ids),
            ("closed_at", "=", False),
        ]
        groups = self._read_group(domain, ["cycle_id"], ["__count"])
        return dict(groups)

    @api.model
    def _open_list(self, cycle):
        """Return the action that shows who is held back in a cycle."""
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "spar_registry_source.action_held_payment"
        )
        action["domain"] = [
            ("cycle_model", "=", cycle._name),
            ("cycle_id", "=", cycle.id),
        ]
        return action


def is_held(finding: Finding | None) -> bool:
    """Return whether a finding holds a payment back; None is that of a payee."""
    return bool(finding) and finding.state is not ReadinessState.PAYABLE
