from odoo import fields, models


class SparDirectorySourceNote(models.Model):
    """A record of another directory that was not taken over, or is new or gone."""

    _name = "spar.directory.source.note"
    _description = "Not Taken Over from Another Directory"
    _order = "source_id, id"
    _rec_name = "subject"

    source_id = fields.Many2one(
        "spar.directory.source", required=True, readonly=True, ondelete="cascade"
    )
    kind = fields.Selection(
        [
            ("gone", "Gone"),
            ("new", "New"),
            ("changed", "Changed"),
            ("refused", "Not Taken Over"),
        ],
        required=True,
        readonly=True,
        default="refused",
    )
    subject = fields.Char("What", required=True, readonly=True)
    reason = fields.Char(required=True, readonly=True)
