from odoo import models
from odoo.fields import Domain


class SparMapperBackend(models.Model):
    """The store of this database: its owners must have one ID at every client."""

    _inherit = "spar.mapper.backend"

    def _list_warnings(self, capabilities):
        warnings = super()._list_warnings(capabilities)
        if self.implementation != "spar.mapper.local":
            return warnings
        issuers_sudo = self.env["spar.proof.issuer"].sudo().search(Domain.TRUE)
        return [
            *warnings,
            *(
                f"{issuer.name}: {issuer.subject_problem}"
                for issuer in issuers_sudo
                if issuer.subject_problem
            ),
        ]
