from odoo import fields, models


class SparDirectoryImportSheet(models.Model):
    _name = "spar.directory.import.sheet"
    _description = "Sheet of a Directory File"
    _order = "import_id, id"

    import_id = fields.Many2one(
        "spar.directory.import", required=True, index=True, ondelete="cascade"
    )
    name = fields.Char(required=True, readonly=True)
