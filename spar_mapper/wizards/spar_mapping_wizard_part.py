from odoo import fields, models

from .spar_sealed_draft import sealed_text


class SparMappingWizardPart(models.TransientModel):
    """One text of the address that an officer fills in: a number, a code, an e-mail."""

    _name = "spar.mapping.wizard.part"
    _description = "Part of an address"
    _inherit = ["spar.sealed.draft", "spar.sealed.storage"]
    _order = "id"

    wizard_id = fields.Many2one(
        "spar.mapping.wizard", required=True, index=True, ondelete="cascade"
    )
    part_id = fields.Many2one(
        "spar.fa.type.part", required=True, readonly=True, ondelete="cascade"
    )
    label = fields.Char(related="part_id.label", string="Name")
    help = fields.Char(related="part_id.help", string="Where to find it")
    value = sealed_text("value")
