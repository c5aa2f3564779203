from odoo import models


class SppRegistryId(models.Model):
    """OpenSPP's IDs of people: SPAR reads them, and finds people by them."""

    _name = "spp.registry.id"
    _inherit = ["spar.id.source", "spp.registry.id"]

    _spar_type_field = "id_type_id"

    def _spar_is_verified(self) -> bool:
        return self.is_verified
