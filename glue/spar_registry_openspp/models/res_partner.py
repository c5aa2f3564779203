from odoo import models
from odoo.fields import Domain

ROLES, HEAD = "urn:openspp:vocab:group-membership-type", "head"


class ResPartner(models.Model):
    """Registrants of OpenSPP."""

    _name = "res.partner"
    _inherit = ["spar.source.person", "res.partner"]

    _spar_membership_model = "spp.group.membership"
    _spar_phone_model = "spp.phone.number"

    def _spar_get_head_domain(self) -> Domain:
        codes_sudo = self.env["spp.vocabulary.code"].sudo()
        head_sudo = codes_sudo.get_code(ROLES, HEAD)
        return Domain("membership_type_ids", "in", head_sudo.ids)
