import json
from collections import Counter

from odoo import api, fields, models
from odoo.tools import SQL

#: The purpose of the seals. It must never change.
REFUSED = "registry_refused"


class SparSealedImportChunk(models.Model):
    """Rows that were processed in one transaction, with the position where they end.

    The next worker continues from there, so that a row is loaded only once, even if a
    worker is killed. The refused rows are sealed, with the reasons.
    """

    _name = "spar.sealed.import.chunk"
    _description = "Processed rows of a sealed file"
    _inherit = ["spar.sealed.import.part", "spar.sealed.storage"]
    _order = "job_id, id"
    _rec_name = "row"
    _seal_purpose = REFUSED
    _seal_prefix = (REFUSED,)
    _seal_context_columns = ("id", "job_model", "job_id", "row")

    end = fields.Integer("Read to byte", required=True, readonly=True)
    row = fields.Integer("Read to row", required=True, readonly=True)
    #: How many rows had each result, and were refused for each reason.
    counts = fields.Json(readonly=True)
    reasons = fields.Json(readonly=True)

    _row_uniq = models.UniqueIndex(
        "(job_model, job_id, row)", "These rows of the file have already been loaded."
    )

    @api.model
    def _get_position(self, job) -> tuple[int, int]:
        """Return where the last rows end: the byte and the row."""
        chunks = self._search_of(job)
        last = chunks.sorted("row")[-1:]
        return last.end, last.row

    @api.model
    def _count(self, job, column: str = "counts") -> Counter:
        """Return the sums of the chunks' ``counts`` or ``reasons``."""
        self.flush_model([column])
        query = SQL(
            """SELECT each.key, sum(each.value::int)::int
                 FROM spar_sealed_import_chunk c, jsonb_each_text(c.%(column)s) each
                WHERE c.job_model = %(model)s AND c.job_id = %(id)s
                  AND jsonb_typeof(c.%(column)s) = 'object'
                GROUP BY each.key""",
            column=SQL.identifier(column),
            model=job._name,
            # A form that is not saved yet has no row.
            id=job._origin.id or None,
        )
        return Counter(dict(self.env.execute_query(query)))

    def _store_refused(self, refused: list) -> None:
        """Seal the refused rows: each with its number, its reasons and its text."""
        if refused:
            self._write_sealed(json.dumps(refused))

    def _open_refused(self) -> list:
        """Return the refused rows of this chunk."""
        return json.loads(self._read_sealed() or "[]")
