from odoo import models
from odoo.fields import Domain


class SparProofIssuer(models.Model):
    """Issuers of proofs: their clients include portals elsewhere, which are listed."""

    _inherit = "spar.proof.issuer"

    def _get_portal_sites(self):
        portals_sudo = self.env["spar.confirmation.portal"].sudo().search(Domain.TRUE)
        return [
            *super()._get_portal_sites(),
            *(portal._get_return_urls()[0] for portal in portals_sudo),
        ]
