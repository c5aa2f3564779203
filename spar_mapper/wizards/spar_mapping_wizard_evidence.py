from odoo import api, fields, models

from odoo.addons.spar_mapper_connector.lib.contract import Authority

from ..lib.evidence import build_reference
from .spar_sealed_draft import sealed_file


class SparMappingWizard(models.TransientModel):
    """The person's document, if a rule for changes requires it.

    It is sealed like everything typed here, and stored only with the change.
    """

    # pylint: disable-next=consider-merging-classes-inherited
    _inherit = "spar.mapping.wizard"

    document = sealed_file(
        "document", help="A PDF file, or a JPEG or PNG picture, of what you saw."
    )
    asks_evidence = fields.Boolean(compute="_compute_asks_evidence")

    @api.depends("operation", "has_evidence")
    def _compute_asks_evidence(self):
        for wizard in self:
            has_seen = wizard.has_evidence
            authority = Authority.STAFF if has_seen else Authority.PROGRAMME
            rules = self.env["spar.change.rule"]
            wizard.asks_evidence = rules._asks_evidence(wizard.operation, authority)

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

    def _get_evidence_reference(self) -> str:
        """Return the event's reference to the document, or "" without a document."""
        return build_reference(self.uuid) if self.document else ""

    def _keep_evidence(self, call, identifier: str) -> None:
        """Store the document, if the action was carried out for a person."""
        text = self._get_file()
        subject = self._find_changed(identifier)[:1].subject_id
        if text and subject:
            self.env["spar.evidence"]._keep(call, self.uuid, text, subject)
