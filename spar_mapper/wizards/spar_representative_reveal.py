from datetime import timedelta

from odoo import api, fields, models

from odoo.addons.spar_mapper_connector.clear_fields import ClearChar
from odoo.addons.spar_mapper_connector.exceptions import MapperError

from ..fields import BigMany2one

#: How long the values stay visible after the access was recorded.
_SHOWN_FOR = timedelta(minutes=10)


class SparRepresentativeReveal(models.TransientModel):
    """Who may act for a person, in clear, for a user whose access was recorded."""

    _name = "spar.representative.reveal"
    _description = "Reveal a guardian or collector"
    _inherit = ["spar.next.person"]

    representative_id = BigMany2one("spar.representative", required=True, readonly=True)
    full_name = ClearChar(string="Name", compute="_compute_values")
    identifier = ClearChar(string="Their ID", compute="_compute_values")
    phone = ClearChar(compute="_compute_values")
    proof = ClearChar(string="What proves it", compute="_compute_values")
    standing_text = fields.Char(
        related="representative_id.standing_text", related_sudo=False
    )

    @api.depends("representative_id")
    def _compute_values(self):
        """Compute the clear values, only after this user's recent trace."""
        for window in self:
            texts = window._open_texts() if window._is_traced() else {}
            window.full_name = texts.get("name")
            window.identifier = texts.get("identifier")
            window.phone = texts.get("phone")
            window.proof = texts.get("proof")

    def _open_texts(self) -> dict[str, str]:
        row = self.representative_id
        with self.env["spar.staff.answers"]._raise_user_errors():
            return row._open_verified().get(row.id, {})

    def _is_traced(self) -> bool:
        """Return whether this user's own recent access is recorded."""
        row = self.representative_id
        try:
            self.env["spar.mapper.local"]._build_staff_call()
            row.check_access("read")
        except MapperError:
            return False
        now = self.env["spar.mapper.local"]._get_now()
        return bool(row) and row._has_revealed(now - _SHOWN_FOR)
