import base64
import csv
import io
import os
from typing import BinaryIO

from odoo import api, fields, models
from odoo.fields import Domain

from ...lib.csv_file import Record, guard_cell, show_text, split_line
from ...lib.directory_rows import Column, Row, RowProblem, match_headers
from ...lib.row_reader import RowReader
from ..table_import.spar_table_import import Examination
from .spar_directory_loader import LoadOutcome

_MAX_SAMPLE_LENGTH = 200
#: The loader of each kind of file.
_LOADERS = {
    "branch": "spar.directory.loader.branch",
    "provider": "spar.directory.loader.provider",
}


class SparDirectoryImport(models.Model):
    """A file of providers or branches, loaded in the background.

    Only people write the record itself; its chunks record what was loaded, so that a
    person's click never waits for the background work, nor the work for a person.
    """

    _name = "spar.directory.import"
    _description = "Directory File"
    _inherit = ["spar.table.import"]
    _order = "id desc"
    _rec_name = "filename"

    kind = fields.Selection(
        [("branch", "Branches"), ("provider", "Providers")],
        "Contains",
        required=True,
        default="branch",
    )
    file = fields.Binary(
        attachment=True,
        required=True,
        help="CSV, or an Excel workbook (.xlsx).",
    )
    sheet_id = fields.Many2one(
        "spar.directory.import.sheet",
        domain="[('import_id', '=', id)]",
        copy=False,
        ondelete="set null",
    )
    provider_id = fields.Many2one(
        "spar.fsp",
        string="Provider of all branches",
        ondelete="cascade",
        help="For a file without a column for the provider.",
    )
    on_existing = fields.Selection(
        [("refuse", "Refuse the row"), ("update", "Update from the row")],
        "Codes already in the directory",
        required=True,
        default="refuse",
        help="What happens to a row whose code is already in the directory. An empty "
        "cell changes nothing; the word (none) clears the value.",
    )
    column_ids = fields.One2many("spar.directory.import.column", "import_id")
    sheet_ids = fields.One2many("spar.directory.import.sheet", "import_id", "Sheets")
    reading_ids = fields.One2many("spar.directory.import.reading", "import_id")
    chunk_ids = fields.One2many("spar.directory.import.chunk", "import_id")
    refusal_ids = fields.One2many("spar.directory.import.refusal", "import_id")
    progress = fields.Float(compute="_compute_progress")
    row_count = fields.Integer("Rows read", compute="_compute_progress")
    added_count = fields.Integer("Added", compute="_compute_progress")
    updated_count = fields.Integer("Updated", compute="_compute_progress")
    refused_count = fields.Integer("Refused", compute="_compute_progress")
    changed_count = fields.Integer("Changed", compute="_compute_changes")
    gone_count = fields.Integer("Gone", compute="_compute_changes")
    first_rows = fields.Json(string="First rows", readonly=True, copy=False)
    refused_file = fields.Binary(
        string="File of refused rows", compute="_compute_refused_file"
    )
    refused_filename = fields.Char(
        string="Name of the file of refused rows", compute="_compute_refused_filename"
    )

    @api.depends("chunk_ids", "state")
    def _compute_progress(self):
        """Add up the counts of the chunks."""
        totals = self.env["spar.directory.import.chunk"]._get_totals(self)
        for job in self:
            total = totals[job.id]
            job.row_count = max(total.row - job._get_header_row(), 0)
            job.added_count = total.added
            job.updated_count = total.updated
            job.refused_count = total.refused
            size = job._get_size()
            job.progress = 100 * total.end / size if size else 0
            if job.state == "done":
                job.progress = 100

    def _compute_changes(self):
        """Count the records that the file changes, and those that it lacks."""
        self.changed_count = self.gone_count = 0
        for job in self._origin:
            target = self.env[job._get_loader()._target].with_context(active_test=False)
            changed = [("import_id", "=", job.id), ("import_change", "=", "changed")]
            job.changed_count = target.search_count(changed)
            job.gone_count = target.search_count(job._get_gone_domain())

    def _get_gone_domain(self):
        """Return the domain of records from previous files that are not in this one."""
        if self.state != "done" or self.on_existing != "update":
            return Domain.FALSE
        gone = Domain("gone_from_source", "=", True) & Domain("import_id", "!=", False)
        return gone & self._get_loader()._get_rivals(self)

    def action_load(self):
        """Load the file in the background, or continue where it was stopped.

        :raises UserError: naming what the file needs first
        """
        for job in self:
            job._check_open()
            job._check_columns()
            job._check_doubts()
        self._record({"state": "waiting", "problem": False, "user_id": self.env.uid})
        self.env.ref("spar_fa_directory.ir_cron_load")._trigger()

    def action_open_changed(self):
        """Open the list of records on which the file differed from the directory."""
        domain = [("import_id", "=", self.id), ("import_change", "=", "changed")]
        return self._open_records(domain)

    def action_open_gone(self):
        """Open the list of records that the file no longer contains."""
        return self._open_records(list(self._get_gone_domain()))

    def action_open_loaded(self):
        """Open the list of records that were loaded from the file."""
        return self._open_records([("import_id", "=", self.id)])

    def _open_records(self, domain: list) -> dict:
        self.ensure_one()
        model = self._get_loader()._target
        return {
            "type": "ir.actions.act_window",
            "name": self.filename or self.display_name,
            "res_model": model,
            "view_mode": "list,form",
            "domain": domain,
            "context": {"active_test": False},
        }

    def _get_loader(self):
        """Return the loader for the content of the file."""
        return self.env[_LOADERS[self.kind]]

    # === THE FILE === #

    @api.model
    def _get_inspected(self) -> set[str]:
        return super()._get_inspected() | {"kind"}

    @api.model
    def _get_columns(self) -> tuple[Column, ...]:
        return self._get_loader()._get_columns()

    def _forget_loaded(self) -> None:
        self.chunk_ids.unlink()
        self.refusal_ids.unlink()

    def _forget_shown(self) -> None:
        self.column_ids.unlink()
        self.reading_ids.unlink()

    @api.depends("first_rows", "header_row", "no_header")
    def _compute_preview(self):
        return super()._compute_preview()

    def _get_first_rows(self) -> list:
        return self.first_rows or []

    def _prepare_shown(self, examined: Examination) -> dict:
        create = fields.Command.create
        return {
            "first_rows": examined.first_rows,
            "column_ids": [create(column) for column in examined.columns],
            "reading_ids": [
                create(
                    {
                        "encoding": reading.encoding,
                        "sample": show_text(reading.text[:_MAX_SAMPLE_LENGTH]),
                    }
                )
                for reading in examined.readings
            ],
        }

    # === THE COLUMNS === #

    def _get_required_columns(self) -> set[str]:
        """Return the columns that the file must have."""
        needed = super()._get_required_columns()
        if self.provider_id:
            needed.discard("provider")
        if self.on_existing == "update":
            needed.discard("name")
        return needed

    # === THE BYTES === #

    def _get_attachment(self):
        """Return the stored file, readable by anyone who may read this record."""
        attachment_sudo = self.env["ir.attachment"].sudo()
        return attachment_sudo.search(
            [
                ("res_model", "=", self._name),
                ("res_id", "=", self._origin.id),
                ("res_field", "=", "file"),
            ],
            limit=1,
        )

    def _get_size(self) -> int:
        self.check_access("read")
        return self._get_attachment().file_size

    def _open_file(self) -> BinaryIO:
        """Open the file; one stored on disk is read only as needed."""
        self.check_access("read")
        self.env.flush_all()
        attachment_sudo = self._get_attachment()
        if attachment_sudo.store_fname:
            return open(attachment_sudo._full_path(attachment_sudo.store_fname), "rb")
        return io.BytesIO(attachment_sudo.raw or b"")

    # === LOADING === #

    def _load_once(self) -> None:
        """Load the whole file unless loading has already begun, as demo data requires.

        :raises UserError: when a column is missing
        """
        if self.state == "draft":
            self._load_now()

    def _load_now(self) -> None:
        """Load the whole file here, in the caller's transaction.

        This is the entry point for scripts, demo data and measurements; memory does not
        grow with the file. It ends in state ``done``.

        :raises UserError: when a column is missing, or a choice has to be made first
        """
        self._check_open()
        self._check_columns()
        self._check_doubts()
        self._record({"state": "waiting", "user_id": self.env.uid})
        for _count in self._load_chunks():
            self.env.flush_all()
            self.env.invalidate_all()

    def _get_position(self) -> tuple[int, int]:
        total = self.env["spar.directory.import.chunk"]._get_totals(self)[self.id]
        return total.end, total.row

    def _get_above(self) -> dict[str, str]:
        return dict(self.chunk_ids.sorted("row")[-1:].above or {})

    def _finish_loading(self) -> None:
        if self.on_existing == "update":
            self._get_loader()._note_gone(self)
        return super()._finish_loading()

    def _load_chunk(self, records: list[Record], reader: RowReader) -> None:
        user = self._get_loading_user()
        me = self.with_user(user).with_context(lang=user.lang)
        fixed = {"provider": self.provider_id.code} if self.provider_id else {}
        rows, refused, texts = reader.make_rows(records, fixed)
        loaded = me._get_loader()._load_rows(me, rows)
        loaded.refused += refused
        me._save_chunk(records[-1], loaded, texts, reader.above)

    def _save_chunk(
        self, last: Record, outcome: LoadOutcome, texts: dict[int, str], above: dict
    ) -> None:
        self.env["spar.directory.import.refusal"]._as_code().create(
            [
                self._prepare_refusal(row, problems, texts[row.number])
                for row, problems in sorted(outcome.refused)
            ]
        )
        self.env["spar.directory.import.chunk"]._as_code().create(
            {
                "import_id": self.id,
                "end": last.end,
                "row": last.row,
                "added": len(outcome.added),
                "updated": len(outcome.updated),
                "refused": len(outcome.refused),
                "above": above or False,
            }
        )

    def _prepare_refusal(self, row: Row, problems: list[RowProblem], text: str) -> dict:
        headers = {column.name: column.header for column in self.column_ids}
        loader = self._get_loader()
        columns = [headers.get(problem.column, "") for problem in problems]
        texts = [loader._get_problem_text(problem) for problem in problems]
        return {
            "import_id": self.id,
            "row": row.number,
            "header": ", ".join(filter(None, columns)),
            "problem": " ".join(dict.fromkeys(texts)),
            "text": show_text(text.rstrip("\r\n")),
        }

    # === REFUSED ROWS === #

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
        columns = self._get_columns()
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
