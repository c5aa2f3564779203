from datetime import timedelta

from odoo import api, fields, models

from odoo.addons.spar_mapper_connector.clear_fields import ClearBinary
from odoo.addons.spar_mapper_connector.exceptions import MapperError

from ..fields import BigMany2one

#: How long a document stays visible after its access was recorded.
_SHOWN_FOR = timedelta(minutes=10)


class SparEvidenceWizard(models.TransientModel):
    """A stored document, shown to a user whose access was recorded."""

    _name = "spar.evidence.wizard"
    _description = "View a stored document"

    evidence_id = BigMany2one("spar.evidence", required=True, readonly=True)
    media_type = fields.Char(related="evidence_id.media_type", related_sudo=False)
    document = ClearBinary(compute="_compute_document", attachment=False)
    is_shown = fields.Boolean(string="Shown", compute="_compute_is_shown")

    @api.depends("evidence_id")
    def _compute_is_shown(self):
        for wizard in self:
            wizard.is_shown = wizard._is_traced()

    @api.depends("evidence_id")
    def _compute_document(self):
        """Open the document, only after this user's recent trace; never store it."""
        for wizard in self:
            wizard.document = wizard._is_traced() and wizard._open_document()

    def _open_document(self):
        with self.env["spar.staff.answers"]._raise_user_errors():
            return self.evidence_id._open()

    def _is_traced(self) -> bool:
        """Return whether this user's own recent access to the document is recorded."""
        evidence = self.evidence_id
        try:
            self.env["spar.mapper.local"]._build_staff_call()
            evidence.check_access("read")
        except MapperError:
            return False
        lookups_sudo = self.env["spar.lookup"].sudo()
        since = lookups_sudo._get_now() - _SHOWN_FOR
        return bool(evidence) and lookups_sudo._has_searched(
            self.env.uid, "evidence", evidence.uuid, since
        )
