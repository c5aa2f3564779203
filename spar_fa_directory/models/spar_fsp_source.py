from odoo import fields, models


class SparFsp(models.Model):
    """The file that a provider came with."""

    _inherit = "spar.fsp"  # pylint: disable=consider-merging-classes-inherited

    import_id = fields.Many2one(
        "spar.directory.import",
        "Loaded from",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="set null",
    )
    import_row = fields.Integer("Row", readonly=True, copy=False, aggregator=None)


class SparFspBranch(models.Model):
    """The file that a branch came with."""

    _inherit = "spar.fsp.branch"

    import_id = fields.Many2one(
        "spar.directory.import",
        "Loaded from",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="set null",
    )
    import_row = fields.Integer("Row", readonly=True, copy=False, aggregator=None)
