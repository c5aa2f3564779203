from collections import defaultdict
from typing import NamedTuple

from odoo import api, fields, models


class LoadTotal(NamedTuple):
    """How much of a file has been read, and the outcome."""

    end: int = 0
    row: int = 0
    added: int = 0
    updated: int = 0
    refused: int = 0


class SparDirectoryImportChunk(models.Model):
    """Rows that were loaded in one transaction, with the position where they end.

    The next worker continues from there, so that rows are loaded only once, even if a
    worker is killed.
    """

    _name = "spar.directory.import.chunk"
    _description = "Loaded Rows of a Directory File"
    _order = "import_id, id"
    _rec_name = "row"

    import_id = fields.Many2one(
        "spar.directory.import", required=True, readonly=True, ondelete="cascade"
    )
    end = fields.Integer("Read to byte", required=True, readonly=True)
    row = fields.Integer("Read to row", required=True, readonly=True)
    added = fields.Integer(readonly=True)
    updated = fields.Integer(readonly=True)
    refused = fields.Integer(readonly=True)
    # The last row's values in the columns whose empty cells repeat the cell above.
    above = fields.Json(readonly=True)

    _row_uniq = models.UniqueIndex(
        "(import_id, row)", "These rows of the file have already been loaded."
    )

    @api.model
    def _get_totals(self, jobs) -> dict[int, LoadTotal]:
        """Return the totals of each file's chunks."""
        groups = self._read_group(
            [("import_id", "in", jobs.ids)],
            ["import_id"],
            ["end:max", "row:max", "added:sum", "updated:sum", "refused:sum"],
        )
        return defaultdict(
            LoadTotal, {job.id: LoadTotal(*sums) for job, *sums in groups}
        )
