from odoo import api, fields, models
from odoo.exceptions import UserError

from odoo.addons.spar_mapper_connector.models.forms.spar_sealed_draft import (
    sealed_file,
    sealed_text,
)

from ..fields import BigMany2one
from ..lib.representative import is_last_day_possible


class SparRepresentativeWizard(models.TransientModel):
    """An officer's record of somebody who may act or collect for a person.

    What is typed is sealed before it is stored, and erased when it was used.
    """

    _name = "spar.representative.wizard"
    _description = "Add a guardian or collector"
    _inherit = [
        "spar.sealed.draft",
        "spar.confirm.once",
        "spar.next.person",
        "spar.sealed.storage",
    ]

    subject_id = BigMany2one("spar.subject", required=True, readonly=True)
    id_masked = fields.Char(
        related="subject_id.id_masked", related_sudo=False, string="Beneficiary ID"
    )
    kind_id = fields.Many2one(
        "spar.representative.kind",
        string="Kind",
        default=lambda self: self._default_kind_id(),
    )
    full_name = sealed_text("full_name", string="Name", help="As on their document.")
    identifier = sealed_text(
        "identifier", string="Their ID", help="The number on their own document."
    )
    phone = sealed_text("phone", string="Phone")
    until = fields.Date(string="Last day", help="The last day on which they may act.")
    proof = sealed_text(
        "proof",
        string="What proves it",
        help="For example: the order of a court, with its number, or a signed letter.",
    )
    has_seen = fields.Boolean(string="I saw this document, and theirs")
    document = sealed_file(
        "document", help="A PDF file or a JPEG or PNG image of what proves it."
    )

    @api.model
    def _default_kind_id(self):
        return self.env["spar.representative.kind"].search([], limit=1)

    def _inverse_text(self, name):
        """Refuse a file that cannot be stored before any of it is kept."""
        if name == "document":
            for draft in self.filtered("document"):
                self.env["spar.evidence"]._read_file(draft._get_file())
        return super()._inverse_text(name)

    def _get_file(self) -> str:
        document = self.with_context(bin_size=False).document or b""
        return document.decode() if isinstance(document, bytes) else document

    def action_record(self):
        """Record them for a second person, once; say what happens next."""
        self.ensure_one()
        rows = self.env["spar.representative"]
        if self._is_done():
            return self._report_saved(self.done_at, self.done_subject_id)
        self._check_details()
        texts = {
            "name": self.full_name.strip(),
            "identifier": (self.identifier or "").strip(),
            "phone": (self.phone or "").strip(),
            "proof": self.proof.strip(),
        }
        row = rows._propose(self.subject_id, self.kind_id, self.until, texts)
        self._store_document(row)
        self._write_sealed(None)
        self.invalidate_recordset()
        self._note_done(self.subject_id)
        return self.env["spar.staff.answers"]._notify(
            self.env._(
                "Recorded under reference %(reference)s. It does not count until a "
                "supervisor approves it. Payments go on to the account.",
                reference=row.reference,
            )
        )

    def _store_document(self, row) -> None:
        text = self._get_file()
        if text:
            call = row._build_call(row.uuid, row.kind_id, row.until)
            self.env["spar.evidence"]._store(call, row.uuid, text, row.subject_id)

    def _check_details(self) -> None:
        """Raise UserError if something is missing, or the last day is impossible."""
        needed = {
            "kind_id": self.kind_id,
            "full_name": (self.full_name or "").strip(),
            "identifier": (self.identifier or self.phone or "").strip(),
            "until": self.until,
            "proof": (self.proof or "").strip(),
        }
        for name, value in needed.items():
            if not value:
                raise UserError(self._get_missing_texts()[name])
        years = self.env["spar.limit"]._get_number("representative_years")
        today = fields.Date.context_today(self)
        if not is_last_day_possible(self.until, today, years):
            raise UserError(
                self.env._(
                    "Last day: enter a day after today, at most %(years)s years from "
                    "now. It can be entered again before it expires.",
                    years=years,
                )
            )
        if not self.has_seen:
            raise UserError(
                self.env._(
                    "Look at the document that proves it, and at theirs, then confirm "
                    "that you saw both."
                )
            )

    @api.model
    def _get_missing_texts(self) -> dict[str, str]:
        return {
            "kind_id": self.env._("Kind: choose one."),
            "full_name": self.env._("Name: enter it as on their document."),
            "identifier": self.env._("Their ID: enter it, or a phone number."),
            "until": self.env._("Last day: enter it. Nobody acts without an end."),
            "proof": self.env._("What proves it: enter it."),
        }
