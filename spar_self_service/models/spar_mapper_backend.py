from odoo import models

from odoo.addons.spar_mapper_connector.lib.contract import Capability


class SparMapperBackend(models.Model):
    """Backends of pages: a person must have one ID here and at the mapper."""

    _inherit = "spar.mapper.backend"

    def _list_warnings(self, capabilities):
        warnings = super()._list_warnings(capabilities)
        if Capability.OWN_ADDRESS not in capabilities:
            return warnings
        providers = self.env["auth.oauth.provider"]
        return [*warnings, *providers._list_subject_warnings()]
