from odoo import api, fields, models
from odoo.exceptions import UserError

from odoo.addons.spar_mapper_connector.exceptions import InvalidIdentifier
from odoo.addons.spar_mapper_connector.models.forms.spar_sealed_draft import (
    sealed_file,
    sealed_text,
)

from ..fields import BigMany2one
from ..lib.evidence import build_reference
from ..lib.provisional import PROVISIONAL
from ..models.change.spar_change import OFFICER


class SparJoiningWizard(models.TransientModel):
    """The ID card of somebody who had none, as an officer enters it; sealed."""

    _name = "spar.joining.wizard"
    _description = "Add the ID card"
    _inherit = ["spar.sealed.draft", "spar.id.entry", "spar.sealed.storage"]

    subject_id = BigMany2one("spar.subject", required=True, readonly=True)
    provisional_reference = fields.Char(
        related="subject_id.provisional_reference", related_sudo=False
    )
    id_type_id = fields.Many2one(
        "spar.id.type",
        string="ID type",
        domain=[("strategy", "!=", False), ("code", "!=", PROVISIONAL)],
        default=lambda self: self._default_id_type_id(),
    )
    id_value = sealed_text("id_value", string="ID on the card")
    id_look = fields.Char(related="id_type_id.card_look", string="On the card")
    document = sealed_file(
        "document", help="A PDF file or a JPEG or PNG image of the ID card."
    )
    reason = sealed_text(
        "reason",
        string="Note",
        help="Kept in the history, unencrypted. It must not contain an ID or an "
        "account number.",
    )

    @api.model
    def _default_id_type_id(self):
        types = self.env["spar.id.type"]
        return types.search(
            [("strategy", "!=", False), ("code", "!=", PROVISIONAL)], limit=1
        )

    def _inverse_text(self, name):
        """Refuse a file that cannot be stored before any of it is kept."""
        if name == "document":
            for draft in self:
                if draft.document:
                    self.env["spar.evidence"]._read_file(draft._get_file())
        return super()._inverse_text(name)

    def _get_file(self) -> str:
        document = self.with_context(bin_size=False).document or b""
        return document.decode() if isinstance(document, bytes) else document

    def action_confirm(self):
        """Enter the ID card; a supervisor decides."""
        self.ensure_one()
        mapper = self.env["spar.mapper.local"]
        mapper._check_member(OFFICER)
        typed = (self.id_value or "").strip()
        if not typed:
            raise UserError(self.env._("ID: enter the number on the card."))
        reason = (self.reason or "").strip()
        self.subject_id.mapping_ids[:1]._check_reason(reason, typed)
        with self.env["spar.staff.answers"]._raise_user_errors():
            call = mapper._build_staff_call(
                reason, message_reference=build_reference(self.uuid)
            )
            mapper._propose_joining(
                call, self.subject_id, self._write(typed), self._get_file()
            )
        self._write_sealed(None)
        text = self.env._(
            "The ID card waits until a supervisor approves it. Payments do not change "
            "until then."
        )
        return self.env["spar.staff.answers"]._notify(text, is_warning=True)

    def _write(self, typed: str) -> str:
        """Return the ID as it travels; the mapper refuses one that is none."""
        try:
            return self.id_type_id._write_id(typed) if self.id_type_id else typed
        except InvalidIdentifier:
            return typed
