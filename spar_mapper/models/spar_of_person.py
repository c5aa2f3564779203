from odoo import models

from ..fields import StoreMany2one


class SparOfPerson(models.AbstractModel):
    """A row of the store that belongs to one person."""

    _name = "spar.of.person"
    _description = "Row of a person"
    _inherit = ["spar.store.table"]
    _references = {"subject_id": "spar_subject"}

    subject_id = StoreMany2one(
        "spar.subject",
        string="Person",
        required=True,
        readonly=True,
        index=True,
        ondelete="restrict",
    )
