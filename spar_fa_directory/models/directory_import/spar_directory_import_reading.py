from odoo import api, fields, models


class SparDirectoryImportReading(models.Model):
    """What an encoding makes of a file, so that a person can see which one is right."""

    _name = "spar.directory.import.reading"
    _description = "Encoding of a Directory File"
    _order = "import_id, id"
    _rec_name = "encoding"

    import_id = fields.Many2one(
        "spar.directory.import", required=True, index=True, ondelete="cascade"
    )
    encoding = fields.Selection(
        selection=lambda self: self._selection_encoding(), required=True, readonly=True
    )
    sample = fields.Char("Words of the file", readonly=True)

    @api.model
    def _selection_encoding(self):
        return self.env["spar.directory.import"]._selection_encoding()

    def action_choose(self):
        """Read the file in this encoding."""
        self.ensure_one()
        self.import_id.encoding = self.encoding
