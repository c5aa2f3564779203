from odoo import api, fields, models

from odoo.addons.spar_mapper_connector.lib.contract import Authority

from ..lib.evidence import build_reference
from .spar_sealed_draft import sealed_file


class SparMappingWizard(models.TransientModel):
    """The person's document, where a rule for changes asks for it.

    It is sealed as everything that is typed here, and stored with the change alone.
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
        """What cannot be stored is refused before it is kept at all."""
        if name == "document":
            for draft in self:
                if draft.document:
                    self.env["spar.evidence"]._read_file(draft._get_file())
        return super()._inverse_text(name)

    def _get_file(self) -> str:
        document = self.with_context(bin_size=False).document or b""
        return document.decode() if isinstance(document, bytes) else document

    def _get_evidence_reference(self) -> str:
        """What the event of the change says of the document; "" without one."""
        return build_reference(self.uuid) if self.document else ""

    def _keep_evidence(self, call, identifier: str) -> None:
        """Store the document, where something was done for somebody."""
        text = self._get_file()
        subject = self._find_changed(identifier)[:1].subject_id
        if text and subject:
            self.env["spar.evidence"]._keep(call, self.uuid, text, subject)
