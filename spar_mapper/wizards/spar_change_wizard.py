from datetime import timedelta

from odoo import api, fields, models
from odoo.exceptions import UserError

from odoo.addons.spar_mapper_connector.clear_fields import ClearBinary, ClearChar
from odoo.addons.spar_mapper_connector.exceptions import MapperError
from odoo.addons.spar_mapper_connector.models.forms.spar_sealed_draft import (
    sealed_text,
)

from ..fields import BigMany2one
from ..lib.comparing import MAX_MISTYPED, find_asked, is_same
from ..lib.records import IN_FORCE

#: How long revealed values, and a document, stay visible.
_SHOWN_FOR = timedelta(minutes=10)


class SparChangeWizard(models.TransientModel):
    """A supervisor's review of a waiting change: old and new, why, and the evidence."""

    _name = "spar.change.wizard"
    _description = "Review of a waiting change"
    _inherit = ["spar.sealed.draft", "spar.sealed.storage"]

    change_id = BigMany2one("spar.change", required=True, readonly=True)
    state = fields.Selection(related="change_id.state", related_sudo=False)
    operation = fields.Selection(related="change_id.operation", related_sudo=False)
    needs_approval = fields.Boolean(
        related="change_id.needs_approval", related_sudo=False
    )
    id_masked = fields.Char(
        related="change_id.id_masked", related_sudo=False, string="ID, masked"
    )
    current_masked = fields.Char(
        related="change_id.current_masked",
        related_sudo=False,
        string="Address in force, masked",
    )
    fa_masked = fields.Char(
        related="change_id.fa_masked",
        related_sudo=False,
        string="Proposed address, masked",
    )
    current_contact_masked = fields.Char(
        related="change_id.current_contact_masked", related_sudo=False
    )
    contact_masked = fields.Char(related="change_id.contact_masked", related_sudo=False)
    why_text = fields.Char(related="change_id.why_text", related_sudo=False)
    request_reason = fields.Char(
        related="change_id.reason_text",
        related_sudo=False,
        string="Reason for the change",
    )
    proposer_name = fields.Char(related="change_id.proposer_name", related_sudo=False)
    proposed_at = fields.Datetime(related="change_id.proposed_at", related_sudo=False)
    evidence_id = BigMany2one(
        "spar.evidence",
        related="change_id.evidence_id",
        related_sudo=False,
        string="Stored document",
    )
    media_type = fields.Char(related="evidence_id.media_type", related_sudo=False)
    is_compared = fields.Boolean(related="change_id.is_compared", related_sudo=False)
    is_own = fields.Boolean(string="Proposed by you", compute="_compute_obstacles")
    is_overtaken = fields.Boolean(
        string="Address changed since", compute="_compute_obstacles"
    )
    can_retype = fields.Boolean(
        string="Characters can be retyped", compute="_compute_can_retype"
    )
    is_document_shown = fields.Boolean(
        string="Document shown", compute="_compute_document"
    )
    document = ClearBinary(compute="_compute_document", attachment=False)
    is_revealed = fields.Boolean(string="Revealed", compute="_compute_values")
    id_value = ClearChar(string="Beneficiary ID", compute="_compute_values")
    current_value = ClearChar(string="Address in force", compute="_compute_values")
    fa_value = ClearChar(string="Proposed address", compute="_compute_values")

    typed = sealed_text(
        "typed",
        string="4 characters before the ending",
        help="From the person's document: the 4 characters of the account number, or "
        "the like, that come just before the ending that is shown.",
    )
    refusal = sealed_text(
        "refusal",
        string="Reason for refusing",
        help="The proposer sees it. It is kept in the history, unencrypted, and must "
        "not contain an ID or an account number.",
    )

    # === WHAT IS SHOWN === #

    @api.depends_context("uid")
    @api.depends("change_id")
    def _compute_obstacles(self):
        own = f"user:{self.env.uid}"
        for wizard in self:
            change = wizard.change_id
            wizard.is_own = own in change._get_doers()
            wizard.is_overtaken = change.mapping_id.version != change.base_version

    @api.depends("change_id")
    def _compute_can_retype(self):
        looks = self.env["spar.change.look"]
        for wizard in self:
            tried = looks._count(wizard.change_id, "mistyped")
            wizard.can_retype = tried < MAX_MISTYPED and bool(wizard._find_asked())

    @api.depends("change_id")
    def _compute_document(self):
        """Open the document, only after this user's recent trace; never store it."""
        for wizard in self:
            is_shown = wizard._is_document_traced()
            wizard.is_document_shown = is_shown
            wizard.document = is_shown and wizard._open_document()

    @api.depends("change_id")
    def _compute_values(self):
        """Compute the clear values, only after this user's recent trace."""
        for wizard in self:
            wizard.is_revealed = wizard._is_traced()
            id_value = current = proposed = False
            if wizard.is_revealed:
                id_value, current, proposed = wizard._open_values()
            wizard.id_value = id_value
            wizard.current_value = current
            wizard.fa_value = proposed

    def _is_traced(self) -> bool:
        """Return whether this user's own recent reveal of the change is recorded."""
        return self._may_see() and self.env["spar.change.look"]._has_since(
            self.change_id, "revealed", self._get_since()
        )

    def _is_document_traced(self) -> bool:
        """Return whether this user's own recent access to the document is recorded."""
        document = self.evidence_id
        if not document or not self._may_see():
            return False
        lookups_sudo = self.env["spar.lookup"].sudo()
        return lookups_sudo._has_searched(
            self.env.uid, "evidence", document.uuid, self._get_since()
        )

    def _may_see(self) -> bool:
        try:
            self.env["spar.mapper.local"]._build_staff_call()
            self.change_id.check_access("read")
        except MapperError:
            return False
        return bool(self.change_id)

    def _get_since(self):
        return self.env["spar.mapper.local"]._get_now() - _SHOWN_FOR

    def _open_document(self):
        with self.env["spar.staff.answers"]._raise_user_errors():
            return self.evidence_id._open()

    def _open_values(self) -> tuple[str, str, str]:
        """Return ID, address in force and proposed address, in clear."""
        change = self.change_id
        mapping = change.mapping_id
        with self.env["spar.staff.answers"]._raise_user_errors():
            shown = mapping._show().get(mapping.id)
            proposed = change._open_addresses().get(change.id, "")
        if not shown:
            return "", "", proposed
        # The trace of an address does not cover one that has replaced it since.
        is_in_force = mapping.state in IN_FORCE and not self.is_overtaken
        return shown.canonical, shown.fa if is_in_force else "", proposed

    # === COMPARING === #

    def _find_asked(self) -> str:
        """Return the characters to retype: of the new address, or of the present."""
        _id_value, current, proposed = self._open_values()
        gives_new = self.operation in ("link", "update")
        address = proposed if gives_new else current
        if not address:
            return ""
        return find_asked(self.env["spar.fa.strategy"]._get_hidden_values(address))

    def action_show_document(self):
        """Record the access, then show the document in this window."""
        self.ensure_one()
        self._check_supervisor()
        self.evidence_id.action_view()
        return self._reopen()

    def action_reveal(self):
        """Record the access in the person's history, then show ID and addresses."""
        self.ensure_one()
        self._check_supervisor()
        change = self.change_id
        mapper = self.env["spar.mapper.local"]
        reason = self.env._("Review of change %(reference)s", reference=change.uuid[:8])
        with self.env["spar.staff.answers"]._raise_user_errors():
            mapper._log_review(mapper._build_staff_call(reason), change.id)
        self.env["spar.change.look"]._record(change, "revealed")
        return self._reopen()

    def action_approve(self):
        """Approve the change, if what was typed proves that it was compared."""
        self.ensure_one()
        self._check_supervisor()
        if not self.change_id.is_compared and (self.typed or "").strip():
            if not self._compare():
                return self._report_mistyped()
        return self.change_id.action_approve()

    def _compare(self) -> bool:
        """Record whether the typed characters are those of the address."""
        looks = self.env["spar.change.look"]
        asked = self._find_asked()
        matches = bool(asked) and is_same(self.typed, asked)
        if not asked or not looks._count_attempt(self.change_id, matches):
            raise UserError(
                self.env._(
                    "These characters can no longer be retyped. Press Reveal and "
                    "compare the whole address; it is logged."
                )
            )
        if matches:
            looks._record(self.change_id, "compared")
        else:
            self.env["spar.lookup"]._charge_guess(
                "digits",
                f"{self.change_id.uuid} {self.typed}",
                self.change_id.mapping_id.subject_id,
            )
        self._write_sealed(None)
        self.invalidate_recordset()
        return matches

    def _report_mistyped(self) -> dict:
        """Return the window again, with a warning: an error would undo the record."""
        action = self.env["spar.staff.answers"]._notify(
            self.env._(
                "These are not the characters of the address. Compare it with the "
                "document again: the change may be wrong."
            ),
            is_warning=True,
        )
        action["params"]["next"] = self._reopen()
        return action

    def action_refuse(self):
        """Refuse the change with the reason that was typed."""
        self.ensure_one()
        return self.change_id.action_refuse(self.refusal or "")

    def _check_supervisor(self) -> None:
        self.change_id._check_supervisor()

    def _reopen(self) -> dict:
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Review the change"),
            "res_model": self._name,
            "res_id": self.id,
            "view_mode": "form",
            "views": [(False, "form")],
            "target": "new",
            "context": {"dialog_size": "extra-large"},
        }
