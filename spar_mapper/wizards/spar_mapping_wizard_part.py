from odoo import fields, models


class SparMappingWizardPart(models.TransientModel):
    """One text of the address that an officer fills in."""

    _name = "spar.mapping.wizard.part"
    _description = "Part of an address"
    _inherit = ["spar.address.entry.part", "spar.sealed.storage"]

    wizard_id = fields.Many2one(
        "spar.mapping.wizard", required=True, index=True, ondelete="cascade"
    )
