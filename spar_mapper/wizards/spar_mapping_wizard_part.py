from odoo import api, fields, models

from odoo.addons.spar_mapper_connector.models.forms.spar_sealed_draft import (
    sealed_text,
)


class SparMappingWizardPart(models.TransientModel):
    """One text of the address that an officer fills in."""

    _name = "spar.mapping.wizard.part"
    _description = "Part of an address"
    _inherit = ["spar.address.entry.part", "spar.sealed.storage"]

    wizard_id = fields.Many2one(
        "spar.mapping.wizard", required=True, index=True, ondelete="cascade"
    )
    asks_twice = fields.Boolean(string="Typed twice", compute="_compute_asks_twice")
    value_again = sealed_text("value_again", string="Enter it again")

    @api.depends("part_id")
    def _compute_asks_twice(self):
        """Compute whether it is the number of the account.

        If a kind of address marks none of its texts as one, each is typed twice.
        """
        for line in self:
            parts = line.part_id.type_id.part_ids
            texts = parts.filtered(lambda part: part.kind == "text")
            numbers = texts.filtered(lambda part: part._get_known().is_account)
            line.asks_twice = line.part_id in (numbers or texts)
