from odoo import models
from odoo.exceptions import UserError


class BasePartnerMergeAutomaticWizard(models.TransientModel):
    """The merging of contacts, which gives accounts another address by SQL."""

    _inherit = "base.partner.merge.automatic.wizard"

    def _merge(self, partner_ids, *args, **kwargs):
        partners = self.env["res.partner"].browse(partner_ids)
        if partners._find_roles():
            raise UserError(
                self.env._(
                    "You cannot merge these contacts because one of them belongs to an "
                    "account with a role in SPAR."
                )
            )
        return super()._merge(partner_ids, *args, **kwargs)
