from odoo import fields, models


class SparFsp(models.Model):
    """The source of a provider, and its values as last fetched."""

    _inherit = "spar.fsp"

    source_id = fields.Many2one(
        "spar.directory.source",
        string="Fetched from",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="set null",
    )
    # As last fetched: values that differ now were changed here.
    source_values = fields.Json(string="Source values", readonly=True, copy=False)


class SparFspBranch(models.Model):
    """The source of a branch, and its values as last fetched."""

    _inherit = "spar.fsp.branch"

    source_id = fields.Many2one(
        "spar.directory.source",
        string="Fetched from",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="set null",
    )
    source_values = fields.Json(string="Source values", readonly=True, copy=False)
