from odoo import api, fields, models


class SparDirectoryImportColumn(models.Model):
    _name = "spar.directory.import.column"
    _description = "Column of a Directory File"
    _order = "import_id, sequence"
    _rec_name = "header"

    import_id = fields.Many2one(
        "spar.directory.import", required=True, index=True, ondelete="cascade"
    )
    sequence = fields.Integer(readonly=True)
    header = fields.Char("In the file", readonly=True)
    sample = fields.Char("First values", readonly=True)
    name = fields.Selection(
        selection=lambda self: self._selection_name(),
        string="Contains",
        required=True,
        default="ignored",
    )
    fill_down = fields.Boolean(
        "Same as above",
        help="An empty cell has the value of the cell above it, as in a list that "
        "names a bank once for all of its branches.",
    )

    @api.model
    def _selection_name(self):
        return [
            ("ignored", self.env._("(not loaded)")),
            ("name", self.env._("Name")),
            ("code", self.env._("Code")),
            ("provider", self.env._("Provider")),
            ("city", self.env._("City")),
            ("kind", self.env._("Kind of Provider")),
            ("country", self.env._("Country")),
            ("bic", self.env._("BIC")),
        ]
