from odoo import fields, models

from odoo.addons.spar_mapper_connector.models.forms.spar_sealed_draft import (
    sealed_text,
)

from ..lib.witnesses import Witness


class SparMappingWizardWitness(models.TransientModel):
    """One witness whom an officer enters; sealed like everything typed."""

    _name = "spar.mapping.wizard.witness"
    _description = "Witness of a change"
    _inherit = ["spar.sealed.draft", "spar.sealed.storage"]
    # Each line of a form that is not stored yet has its own.
    _spar_given = frozenset({"uuid"})
    _order = "id"

    wizard_id = fields.Many2one(
        "spar.mapping.wizard", required=True, index=True, ondelete="cascade"
    )
    name = sealed_text("name", string="Name of the witness")
    contact = sealed_text(
        "contact",
        string="Where to find them",
        help="For example a village, an office held, or an address.",
    )
    number = sealed_text(
        "number",
        string="ID or phone",
        help="If known. It shows a supervisor for how many people the same witness "
        "vouched.",
    )

    def _read_witnesses(self) -> list[Witness]:
        """Return the witnesses in lines in which something was typed."""
        typed = [
            Witness(*((line[name] or "").strip() for name in _TYPED)) for line in self
        ]
        return [one for one in typed if one.name or one.contact or one.number]


#: In the order of a ``Witness``.
_TYPED = ("name", "contact", "number")
