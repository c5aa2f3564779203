from odoo import fields, models


class SparDirectoryImportRefusal(models.Model):
    _name = "spar.directory.import.refusal"
    _description = "Refused Row of a Directory File"
    _order = "import_id, row, id"
    _rec_name = "problem"

    import_id = fields.Many2one(
        "spar.directory.import",
        required=True,
        readonly=True,
        index=True,
        ondelete="cascade",
    )
    row = fields.Integer(required=True, readonly=True, aggregator=None)
    header = fields.Char("Column", readonly=True)
    problem = fields.Char("What to do", required=True, readonly=True)
    text = fields.Char("Row content", readonly=True)
