from odoo import fields, models


class SparDirectorySourceNote(models.Model):
    """A record of another directory that was not taken over, or is new or gone."""

    _name = "spar.directory.source.note"
    _description = "Note on a Fetched Directory"
    _order = "source_id, id"
    _rec_name = "subject"

    source_id = fields.Many2one(
        "spar.directory.source", required=True, readonly=True, ondelete="cascade"
    )
    kind = fields.Selection(
        [
            ("gone", "Removed"),
            ("new", "New"),
            ("changed", "Changed"),
            ("refused", "Not imported"),
        ],
        required=True,
        readonly=True,
        default="refused",
    )
    subject = fields.Char("Record", required=True, readonly=True)
    reason = fields.Char(required=True, readonly=True)
