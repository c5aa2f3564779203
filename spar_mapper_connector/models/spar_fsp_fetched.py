from odoo import fields, models


class SparFsp(models.Model):
    """Where a provider was fetched from, and what was told of it last."""

    _inherit = "spar.fsp"

    source_id = fields.Many2one(
        "spar.directory.source",
        string="Fetched from",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="set null",
    )
    # As last fetched: what differs from it by now was changed here.
    source_values = fields.Json(readonly=True, copy=False)


class SparFspBranch(models.Model):
    """Where a branch was fetched from, and what was told of it last."""

    _inherit = "spar.fsp.branch"

    source_id = fields.Many2one(
        "spar.directory.source",
        string="Fetched from",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="set null",
    )
    source_values = fields.Json(readonly=True, copy=False)
