from odoo import models
from odoo.fields import Domain

HEAD = "g2p_registry_membership.group_membership_kind_head"


class ResPartner(models.Model):
    """Registrants of OpenG2P."""

    _name = "res.partner"
    _inherit = ["spar.source.person", "res.partner"]

    _spar_membership_model = "g2p.group.membership"
    _spar_phone_model = "g2p.phone.number"

    def _spar_get_head_domain(self) -> Domain:
        head_sudo = self.env.ref(HEAD).sudo()
        return Domain("kind", "in", head_sudo.ids)
