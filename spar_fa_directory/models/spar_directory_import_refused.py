import base64
import csv
import io
import os

from odoo import api, fields, models

from ..lib.csv_file import guard_cell, split_line
from ..lib.directory_rows import match_headers


class SparDirectoryImport(models.Model):
    """The rejected rows as a file, which can be corrected and uploaded as it is."""

    # pylint: disable-next=consider-merging-classes-inherited
    _inherit = "spar.directory.import"

    refused_file = fields.Binary(compute="_compute_refused_file")
    refused_filename = fields.Char(compute="_compute_refused_filename")

    @api.depends("filename")
    def _compute_refused_filename(self):
        for job in self:
            name = os.path.splitext(job.filename or "rows")[0]
            job.refused_filename = self.env._("%(name)s, refused rows.csv", name=name)

    @api.depends("refusal_ids")
    @api.depends_context("bin_size")
    def _compute_refused_file(self):
        for job in self:
            if self.env.context.get("bin_size"):
                job.refused_file = job.refused_count or False
            else:
                job.refused_file = base64.b64encode(job._build_refused_file())

    def _build_refused_file(self) -> bytes:
        """Return the header and rejected rows, preceded by row, column and remedy."""
        output = io.StringIO()
        writer = csv.writer(output, delimiter=self.delimiter or ",")
        first = [self.env._("Row"), self.env._("Column"), self.env._("What to do")]
        writer.writerow(first + [self._get_refused_header(c) for c in self.column_ids])
        for refusal in self.refusal_ids:
            cells = split_line(refusal.text or "", self.delimiter or ",")
            cells = [refusal.text or ""] if cells is None else cells
            words = [refusal.row, refusal.header or "", refusal.problem, *cells]
            writer.writerow([guard_cell(str(word)) for word in words])
        return b"\xef\xbb\xbf" + output.getvalue().encode(errors="replace")

    @api.model
    def _get_refused_header(self, column) -> str:
        """Return the header of a column, or a known one if it was not recognised."""
        columns = self._get_loader()._get_columns()
        known = match_headers([column.header or ""], columns) == [column.name]
        return column.header if known or column.name == "ignored" else column.name

    def action_download_refused(self):
        self.ensure_one()
        query = f"model={self._name}&id={self.id}&field=refused_file"
        query += "&filename_field=refused_filename&download=true"
        return {
            "type": "ir.actions.act_url",
            "url": f"/web/content?{query}",
            "target": "download",
        }
