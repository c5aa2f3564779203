from odoo import fields, models


class SparRepresentativeKind(models.Model):
    """A kind of people who act or collect for others, such as guardians."""

    _name = "spar.representative.kind"
    _description = "Kind of representative"
    _order = "sequence, id"

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)

    _name_uniq = models.Constraint(
        "UNIQUE (name)", "Another kind of representative has this name."
    )
