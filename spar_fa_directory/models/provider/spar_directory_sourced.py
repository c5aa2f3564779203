from odoo import api, fields, models

CHANGES = [("new", "New"), ("changed", "Changed"), ("same", "Unchanged")]


class SparDirectorySourced(models.AbstractModel):
    """A record loaded from a source, and what became of it when loaded again."""

    _name = "spar.directory.sourced"
    _description = "Loaded from a Source"

    import_id = fields.Many2one(
        "spar.directory.import",
        "Loaded from",
        readonly=True,
        copy=False,
        index="btree_not_null",
        ondelete="set null",
    )
    import_row = fields.Integer("Row", readonly=True, copy=False, aggregator=None)
    import_change = fields.Selection(
        CHANGES, "In the last file", readonly=True, copy=False
    )
    gone_from_source = fields.Boolean(
        string="Gone from its source",
        readonly=True,
        copy=False,
        index="btree_not_null",
        help="It was missing from its source when that was last loaded. Nothing is "
        "archived or closed because of this.",
    )

    @api.model
    def _set_gone(self, gone, others) -> None:
        """Record which records their source no longer has, and which it has again."""
        gone.filtered(
            lambda record: not record.gone_from_source
        )._as_code().gone_from_source = True
        back = others.filtered("gone_from_source")
        back._as_code().gone_from_source = False
