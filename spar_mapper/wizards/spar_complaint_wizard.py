from odoo import api, fields, models
from odoo.exceptions import UserError

from ..fields import BigMany2one
from ..lib.objection import DISPUTABLE
from ..lib.transitions import WAIT_BEGINS
from ..models.change.spar_complaint import NOT_ME


class SparComplaintWizard(models.TransientModel):
    """An officer's record of what a person complains about."""

    _name = "spar.complaint.wizard"
    _description = "Record a complaint"
    _inherit = ["spar.next.person"]

    subject_id = BigMany2one("spar.subject", required=True, readonly=True)
    kind = fields.Selection(
        selection=lambda self: self.env["spar.complaint"]._fields["kind"].selection,
        string="Complaint",
        required=True,
    )
    id_masked = fields.Char(string="Beneficiary ID", compute="_compute_id_masked")
    event_id = BigMany2one(
        "spar.event",
        string="Disputed change",
        compute="_compute_event_id",
        compute_sudo=False,
        store=True,
        readonly=False,
        domain="[('subject_id', '=', subject_id), ('is_disputable', '=', True)]",
    )
    missed_on = fields.Date(string="Day of the payment")
    statement = fields.Char(
        string="What the person said",
        help="Kept unencrypted. It must not contain an ID or an account number.",
    )
    is_identified = fields.Boolean(string="I saw the person's document")

    @api.depends("subject_id")
    def _compute_id_masked(self):
        for wizard in self:
            wizard.id_masked = wizard.subject_id.mapping_ids[:1].id_masked

    @api.depends("subject_id", "kind")
    def _compute_event_id(self):
        """Propose the last change: it is nearly always the one in dispute.

        One that waited, and does not wait any more, has changed nothing by itself.
        """
        for wizard in self:
            is_change = wizard.kind == NOT_ME and wizard.subject_id
            is_waiting = is_change and wizard.subject_id.waiting_ids
            passed_over = () if is_waiting else WAIT_BEGINS
            wizard.event_id = is_change and self.env["spar.event"].search(
                [
                    ("subject_id", "=", wizard.subject_id.id),
                    ("is_disputable", "=", True),
                    ("kind", "not in", passed_over),
                ],
                limit=1,
            )

    @api.constrains("statement", "subject_id")
    def _check_statement(self):
        """Refuse a statement that discloses sealed values: it is kept in clear."""
        for wizard in self:
            if wizard.statement:
                wizard.subject_id.mapping_ids._check_reason(wizard.statement)

    def action_record(self):
        """Record the complaint; say its reference, who answers, and by when."""
        self.ensure_one()
        self._check_details()
        complaints = self.env["spar.complaint"]
        complaint = complaints._record(
            self.subject_id,
            self.kind,
            self.event_id,
            statement=(self.statement or "").strip(),
            missed_on=self.missed_on if self.kind == "not_paid" else False,
            is_identified=self.is_identified,
        )
        texts = [self._get_reference_text(complaint)]
        if self.kind == "stop":
            texts.append(complaint._request_stop())
        if self.kind == NOT_ME:
            texts.append(
                self.env._("Changes are locked until a supervisor has decided.")
            )
        return self.env["spar.staff.answers"]._notify(" ".join(texts))

    def _check_details(self) -> None:
        """Raise UserError if what the complaint needs is missing or wrong."""
        if self.kind == NOT_ME:
            event = self.event_id
            if not event:
                raise UserError(
                    self.env._("There is no change of this person to object to.")
                )
            if event.subject_id != self.subject_id or event.kind not in DISPUTABLE:
                raise UserError(self.env._("Disputed change: choose one of the list."))
        if self.kind == "not_paid":
            if not self.missed_on:
                raise UserError(
                    self.env._(
                        "Day of the payment: enter the day on which the person "
                        "expected the payment."
                    )
                )
            if self.missed_on > fields.Date.context_today(self):
                raise UserError(
                    self.env._("Day of the payment: this day is in the future.")
                )

    def _get_reference_text(self, complaint) -> str:
        day = self.env["ir.qweb.field.date"].value_to_html(complaint.deadline, {})
        owner_sudo = complaint.owner_id.sudo()
        return self.env._(
            "Recorded under reference %(reference)s. %(owner)s answers by %(day)s.",
            reference=complaint.reference,
            owner=owner_sudo.name or self.env._("A supervisor"),
            day=day,
        )
