from odoo import models


class G2pRegId(models.Model):
    """OpenG2P's IDs of people: SPAR reads them, and finds people by them."""

    _name = "g2p.reg.id"
    _inherit = ["spar.id.source", "g2p.reg.id"]

    # Its IDs have no index of their own.
    _spar_partner = models.Index("(partner_id, id_type)")

    def _spar_is_verified(self) -> bool:
        """Return whether the person logged in with this ID (addon g2p_auth_id_oidc)."""
        if "authentication_status" not in self._fields:
            return False
        return self.authentication_status == "authenticated"
