from datetime import timedelta

from odoo import api, fields, models

from odoo.addons.spar_mapper_connector.clear_fields import ClearChar
from odoo.addons.spar_mapper_connector.exceptions import MapperError

from ..fields import BigMany2one
from ..models.provisional.spar_witness import WITNESS

#: How long witnesses stay visible after the access was recorded.
_SHOWN_FOR = timedelta(minutes=10)


class SparWitnessView(models.AbstractModel):
    """The part of a window that shows witnesses in clear, after a trace only."""

    _name = "spar.witness.view"
    _description = "Window with witnesses"

    are_witnesses_shown = fields.Boolean(
        string="Witnesses shown", compute="_compute_witness_text"
    )
    witness_text = ClearChar(string="Witnesses", compute="_compute_witness_text")

    def _get_person(self):
        """Return the person of whom the window shows the witnesses."""
        raise NotImplementedError

    @api.depends_context("uid")
    def _compute_witness_text(self):
        """Open the witnesses, only after this user's recent trace; never store them."""
        for window in self:
            person = window._get_person()
            is_shown = window._is_view_traced(person)
            window.are_witnesses_shown = is_shown
            witnesses = self.env["spar.witness"]
            window.witness_text = is_shown and witnesses._describe(person)

    def _is_view_traced(self, person) -> bool:
        """Return whether this user's own recent access is recorded."""
        try:
            self.env["spar.mapper.local"]._build_staff_call()
        except MapperError:
            return False
        if not person or not self.env["spar.witness"].has_access("read"):
            return False
        person.check_access("read")
        lookups_sudo = self.env["spar.lookup"].sudo()
        since = lookups_sudo._get_now() - _SHOWN_FOR
        return lookups_sudo._has_searched(self.env.uid, WITNESS, person.uuid, since)


class SparWitnessWizard(models.TransientModel):
    """The witnesses of a person, shown to a user whose access was recorded."""

    _name = "spar.witness.wizard"
    _description = "View witnesses"
    _inherit = ["spar.witness.view"]

    subject_id = BigMany2one("spar.subject", required=True, readonly=True)

    def _get_person(self):
        return self.subject_id
