from odoo import fields, models
from odoo.exceptions import UserError

from odoo.addons.spar_mapper_connector.exceptions import InvalidIdentifier
from odoo.addons.spar_mapper_connector.models.forms.spar_sealed_draft import (
    sealed_text,
)

from ..fields import BigMany2one
from ..models.change.spar_change import SUPERVISOR


class SparJoiningReview(models.TransientModel):
    """A supervisor's review of an ID card: they type it again from its picture."""

    _name = "spar.joining.review"
    _description = "Review of an ID card"
    _inherit = ["spar.sealed.draft", "spar.sealed.storage"]

    joining_id = BigMany2one("spar.joining", required=True, readonly=True)
    state = fields.Selection(related="joining_id.state", related_sudo=False)
    is_mine = fields.Boolean(related="joining_id.is_mine", related_sudo=False)
    id_masked = fields.Char(related="joining_id.id_masked", related_sudo=False)
    effect = fields.Char(related="joining_id.effect", related_sudo=False)
    proposer_name = fields.Char(related="joining_id.proposer_name", related_sudo=False)
    proposed_at = fields.Datetime(related="joining_id.proposed_at", related_sudo=False)
    note = fields.Char(
        related="joining_id.reason", related_sudo=False, string="Note of the officer"
    )
    provisional_reference = fields.Char(
        related="joining_id.provisional_reference", related_sudo=False
    )
    fa_masked = fields.Char(
        related="joining_id.subject_id.fa_masked",
        related_sudo=False,
        string="Provisional address",
    )
    evidence_id = BigMany2one(
        "spar.evidence",
        related="joining_id.evidence_id",
        related_sudo=False,
        string="Stored document",
    )
    typed = sealed_text(
        "typed",
        string="ID, from the document",
        help="Type the number on the card as the picture of the document shows it.",
    )
    refusal = sealed_text(
        "refusal",
        string="Reason for refusing",
        help="The officer sees it. It is kept in the history, unencrypted, and must "
        "not contain an ID or an account number.",
    )

    def action_show_document(self):
        """Record the access, then show the picture of the ID card."""
        self.ensure_one()
        self._check_supervisor()
        return self.evidence_id.action_view()

    def action_show_witnesses(self):
        """Record the access, then show who vouched for the person."""
        self.ensure_one()
        self._check_supervisor()
        return self.joining_id.subject_id.action_show_witnesses()

    def action_approve(self):
        """Approve the ID card, if this supervisor typed the same ID."""
        self.ensure_one()
        self._check_supervisor()
        typed = (self.typed or "").strip()
        if not typed:
            raise UserError(
                self.env._("ID: type it as the picture of the document shows it.")
            )
        mapper, joining = self.env["spar.mapper.local"], self.joining_id
        joining._lock_waiting()
        with self.env["spar.staff.answers"]._raise_user_errors():
            reason = self.env._(
                "Review of ID card %(reference)s", reference=joining.reference
            )
            call = mapper._build_staff_call(reason)
            mapper._approve_joining(call, joining, self._write(typed))
        self._write_sealed(None)
        return self._report(joining.subject_id, joining.target_id)

    def _report(self, subject, target) -> dict:
        text = self.env._("The ID card was added. The person is provisional no more.")
        if target:
            text = self.env._("The two records are one person now.")
        action = self.env["spar.staff.answers"]._notify(text)
        person = target or subject
        action["params"]["next"] = person._open_page(person)
        return action

    def _write(self, typed: str) -> str:
        """Return the typed number as the type of the entered ID writes it."""
        known = self.joining_id._open_id()
        types = self.env["spar.id.type"]
        (found,) = self.env["spar.mapper.local"]._identify([known])
        try:
            return types.sudo().browse(found.type_id)._write_id(typed)
        except InvalidIdentifier:
            return typed

    def action_refuse(self):
        """Refuse the ID card, with a reason that the officer sees."""
        self.ensure_one()
        self._check_supervisor()
        reason = (self.refusal or "").strip()
        if not reason:
            raise UserError(
                self.env._("Reason: enter why you refuse. The officer sees it.")
            )
        joining, mapper = self.joining_id, self.env["spar.mapper.local"]
        joining._lock_waiting()
        with self.env["spar.staff.answers"]._raise_user_errors():
            known = joining._open_id()
            joining.subject_id.mapping_ids[:1]._check_reason(reason, known)
            mapper._drop_joining(mapper._build_staff_call(reason), joining, "refused")
        text = self.env._("Refused. Nothing was changed.")
        return self.env["spar.staff.answers"]._notify(text)

    def _check_supervisor(self) -> None:
        self.env["spar.mapper.local"]._check_member(SUPERVISOR)
