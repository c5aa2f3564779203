import base64
import csv
import io
import logging
import os
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from itertools import islice, pairwise
from typing import BinaryIO

import psycopg2
from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from ...lib.csv_file import Record, guard_cell, show_text, split_line
from ...lib.directory_rows import (
    Row,
    RowProblem,
    clean_cell,
    count_known,
    match_headers,
)
from ...lib.encodings import ENCODINGS
from ...lib.exceptions import LoadStopped
from ...lib.row_reader import RowReader
from ...lib.table_file import (
    FileChoices,
    FileGuess,
    guess_table,
    is_table,
    open_table,
    read_first,
)
from ...lib.xlsx_file import BadWorkbook, is_workbook
from .spar_directory_loader import LoadOutcome

#: The states in which the file can still be changed.
_EDITABLE_STATES = ("draft", "stopped", "failed")
_SAMPLE_BYTES = 1 << 20
_SAMPLE_ROWS = 3
_EXAMINED_ROWS = 60
_MAX_SAMPLE_LENGTH = 200
#: What a person can choose about a file, by the name of the choice.
CHOICES = {
    "encoding": {"encoding"},
    "delimiter": {"delimiter"},
    "sheet": {"sheet_id"},
    "header": {"header_row", "no_header"},
}
_INSPECTED = {"file", "kind"}.union(*CHOICES.values())
_PREVIEW_ROWS, _PREVIEW_CELLS, _PREVIEW_CHARACTERS = 12, 12, 60
_TABLE = Markup('<table class="table table-sm o_spar_preview">%s</table>')
_ROW = Markup("<tr%s><th scope='row' class='text-muted'>%s</th>%s</tr>")
_CELL = Markup("<td>%s</td>")
_HEADER_CELL = Markup("<th scope='col'>%s</th>")
_TITLE = Markup(" class='text-muted'")
_HEADER = Markup(" class='table-info'")
_logger = logging.getLogger(__name__)
#: The loader of each kind of file.
_LOADERS = {
    "branch": "spar.directory.loader.branch",
    "provider": "spar.directory.loader.provider",
}
#: The number of rows that are loaded in one transaction.
CHUNK_ROWS = 2000


class SparDirectoryImport(models.Model):
    """A file of providers or branches, loaded in the background.

    Only people write the record itself; its chunks record what was loaded, so that a
    person's click never waits for the background work, nor the work for a person.
    """

    _name = "spar.directory.import"
    _description = "Directory File"
    _order = "id desc"
    _rec_name = "filename"

    kind = fields.Selection(
        [("branch", "Branches"), ("provider", "Providers")],
        "Holds",
        required=True,
        default="branch",
    )
    file = fields.Binary(
        attachment=True,
        required=True,
        help="CSV, or an Excel workbook (.xlsx).",
    )
    filename = fields.Char()
    encoding = fields.Selection(
        selection=lambda self: self._selection_encoding(),
        help="The character encoding of the file. If the first rows below look wrong, "
        "choose another.",
    )
    delimiter = fields.Selection(
        [(",", "Comma"), (";", "Semicolon"), ("\t", "Tab"), ("|", "Vertical bar")],
        help="The character between the cells of a row.",
    )
    sheet_id = fields.Many2one(
        "spar.directory.import.sheet",
        domain="[('import_id', '=', id)]",
        copy=False,
        ondelete="set null",
    )
    no_header = fields.Boolean(
        "No headers", help="The file begins with the first provider or branch."
    )
    header_row = fields.Integer(
        string="Header row",
        help="Rows above it, such as a title, are not loaded.",
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
    state = fields.Selection(
        [
            ("draft", "To Check"),
            ("waiting", "Loading"),
            ("stopped", "Stopped"),
            ("done", "Loaded"),
            ("failed", "Failed"),
        ],
        required=True,
        readonly=True,
        copy=False,
        default="draft",
    )
    problem = fields.Char(readonly=True, copy=False)
    user_id = fields.Many2one("res.users", "Loaded by", readonly=True, copy=False)
    progress = fields.Float(compute="_compute_progress")
    row_count = fields.Integer("Rows read", compute="_compute_progress")
    added_count = fields.Integer("Added", compute="_compute_progress")
    updated_count = fields.Integer("Updated", compute="_compute_progress")
    refused_count = fields.Integer("Refused", compute="_compute_progress")
    changed_count = fields.Integer("Changed", compute="_compute_changes")
    gone_count = fields.Integer("Gone", compute="_compute_changes")
    is_workbook = fields.Boolean(string="Is a workbook", readonly=True, copy=False)
    # The names in CHOICES that a person chose, and those in doubt, comma-separated.
    chosen = fields.Char(readonly=True, copy=False)
    doubts = fields.Char(readonly=True, copy=False)
    first_rows = fields.Json(string="First rows", readonly=True, copy=False)
    preview = fields.Html(compute="_compute_preview", sanitize=False)
    question = fields.Char(compute="_compute_question")
    asks_encoding = fields.Boolean(
        string="Asks for the encoding", compute="_compute_question"
    )
    refused_file = fields.Binary(
        string="File of refused rows", compute="_compute_refused_file"
    )
    refused_filename = fields.Char(
        string="Name of the file of refused rows", compute="_compute_refused_filename"
    )

    @api.model
    def _selection_encoding(self):
        return list(ENCODINGS.items())

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

    def action_check(self):
        """Examine the file again, as if nothing had been chosen."""
        for job in self:
            job._check_open()
            job._inspect(frozenset())

    def action_load(self):
        """Load the file in the background, or continue where it was stopped.

        :raises UserError: naming what the file needs first
        """
        for job in self:
            job._check_open()
            job._check_columns()
            job._check_doubts()
        self.write({"state": "waiting", "problem": False, "user_id": self.env.uid})
        self.env.ref("spar_fa_directory.ir_cron_load")._trigger()

    def action_stop(self):
        """Stop after the rows that are being loaded now; what is loaded stays."""
        self.filtered(lambda job: job.state == "waiting").state = "stopped"

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

    def _check_open(self):
        if self.state not in _EDITABLE_STATES:
            raise UserError(
                self.env._(
                    "%(file)s is being loaded or has already been loaded. Stop it "
                    "first, or upload the file again.",
                    file=self.display_name,
                )
            )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_loading(self):
        if any(job.state == "waiting" for job in self):
            raise UserError(self.env._("Stop the loading before you delete it."))

    def _get_loader(self):
        """Return the loader for the content of the file."""
        return self.env[_LOADERS[self.kind]]

    # === THE FILE === #

    @api.model_create_multi
    def create(self, vals_list):
        jobs = super().create(vals_list)
        for job, vals in zip(jobs, vals_list, strict=True):
            given = {name for name in _INSPECTED if vals.get(name)}
            job._inspect(job._get_chosen({name: vals[name] for name in given}))
        return jobs

    def write(self, vals):
        if not vals.keys() & _INSPECTED:
            return super().write(vals)
        for job in self:
            job._check_open()
        if vals.get("header_row") and "no_header" not in vals:
            vals = {**vals, "no_header": False}
        result = super().write(vals)
        self.chunk_ids.unlink()
        self.refusal_ids.unlink()
        for job in self:
            is_new = bool(vals.keys() & {"file", "kind"})
            kept = set() if "file" in vals else job._split(job.chosen)
            chosen = frozenset(kept | job._get_chosen(vals))
            job._inspect(chosen, {} if is_new else job._get_matched())
        return result

    def _get_matched(self) -> dict[str, dict]:
        """Return the choices made for the columns, by their headers."""
        return {
            column.header: {"name": column.name, "fill_down": column.fill_down}
            for column in self.column_ids
            if column.name != "ignored"
        }

    @api.model
    def _split(self, names: str | bool) -> set[str]:
        return set(names.split(",")) if names else set()

    @api.model
    def _get_chosen(self, vals: dict) -> frozenset[str]:
        """Return the names of the choices that these values make."""
        return frozenset(
            name
            for name, names in CHOICES.items()
            if any(
                vals.get(each) or each == "no_header" for each in names & vals.keys()
            )
        )

    def _inspect(self, chosen: frozenset[str], matched: dict | None = None) -> None:
        """Determine the format of the file, unless chosen, and match its columns.

        :param matched: what is already known of columns, by their headers
        :raises UserError: for a file that is not a table, or is empty
        """
        with closing(self._open_file()) as stream:
            guess = self._guess(stream, chosen)
            values = self._prepare_choices(
                guess, chosen, is_workbook(self._read_head(stream))
            )
            values |= self._prepare_preview(stream, guess.choices)
            table = open_table(stream, guess.choices)
            rows = [r.cells for r in islice(table.read_rows(), _EXAMINED_ROWS)]
        columns = self._prepare_columns(table.headers, rows, matched or {})
        if self._looks_grouped(columns, rows) and "above" not in chosen:
            values["doubts"] = ",".join(filter(None, (values["doubts"], "above")))
        self.column_ids.unlink()
        self.sheet_ids.unlink()
        self.reading_ids.unlink()
        create = fields.Command.create
        self._save_inspected(
            values | {"column_ids": [create(column) for column in columns]}
        )
        sheets = self.sheet_ids.filtered(lambda s: s.name == guess.choices.sheet)
        self._save_inspected({"sheet_id": sheets[:1].id})

    def _save_inspected(self, values: dict):
        """Write without examining the file again."""
        return super().write(values)

    @api.model
    def _read_head(self, stream: BinaryIO) -> bytes:
        stream.seek(0)
        return stream.read(_SAMPLE_BYTES)

    def _guess(self, stream: BinaryIO, chosen: frozenset[str]) -> FileGuess:
        """Guess how the file is to be read.

        :raises UserError: for a file that is not a table, or is empty
        """
        head = self._read_head(stream)
        if not is_table(head):
            raise UserError(self._get_bad_file_text("kind"))
        if not head.strip(b" \t\r\n\0\xef\xbb\xbf\xff\xfe"):
            raise UserError(self.env._("The file is empty: upload another."))
        choices = self._get_choices()
        chosen_values = {name: getattr(choices, name) for name in chosen & set(CHOICES)}
        known = partial(count_known, columns=self._get_loader()._get_columns())
        try:
            guess = guess_table(stream, known, FileChoices(**chosen_values))
        except BadWorkbook as error:
            raise UserError(self._get_bad_file_text(error.code)) from error
        if guess.choices.sheet is None or (is_workbook(head) and not guess.sheets):
            raise UserError(self.env._("The file is empty: upload another."))
        return guess

    def _get_choices(self) -> FileChoices:
        """Return how the file is to be read, as recorded."""
        return FileChoices(
            self.encoding or None,
            self.delimiter or None,
            self.sheet_id.name or "",
            self._get_header_row(),
        )

    def _get_header_row(self) -> int:
        return 0 if self.no_header else max(self.header_row, 1)

    @api.model
    def _prepare_choices(
        self, guess: FileGuess, chosen: frozenset[str], workbook: bool
    ) -> dict:
        choices = guess.choices
        values = {
            "encoding": choices.encoding,
            "delimiter": choices.delimiter,
            "no_header": not choices.header,
            "is_workbook": workbook,
            "chosen": ",".join(sorted(chosen)),
            "doubts": ",".join(name for name in guess.doubts if name not in chosen),
            "sheet_ids": [fields.Command.create({"name": n}) for n in guess.sheets],
            "reading_ids": [
                fields.Command.create(
                    {
                        "encoding": reading.encoding,
                        "sample": show_text(reading.text[:_MAX_SAMPLE_LENGTH]),
                    }
                )
                for reading in guess.readings
                if reading.rate
            ],
        }
        return values | ({"header_row": choices.header} if choices.header else {})

    @api.model
    def _get_bad_file_text(self, code: str) -> str:
        return {
            "kind": self.env._(
                "This is neither a CSV file nor an Excel workbook (.xlsx): open it in "
                "the program that made it, save it as CSV (UTF-8) or .xlsx, and upload "
                "that."
            ),
            "damaged": self.env._(
                "This workbook cannot be read: open it in a spreadsheet, save it as "
                "CSV (UTF-8), and upload that."
            ),
            "large": self.env._(
                "This workbook is too large to be unpacked here: save it as CSV "
                "(UTF-8), and upload that."
            ),
        }[code]

    # === THE COLUMNS === #

    def _prepare_columns(
        self, headers: list[str], rows: list[list[str]], matched: dict
    ) -> list[dict]:
        names = match_headers(headers, self._get_loader()._get_columns())
        prepared = []
        for place, (text, name) in enumerate(zip(headers, names, strict=True)):
            header = show_text(clean_cell(text)) or f"#{place + 1}"
            values = {
                "sequence": place,
                "header": header,
                "name": name or "ignored",
                "sample": self._build_sample(rows[:_SAMPLE_ROWS], place),
            }
            prepared.append(values | matched.get(header, {}))
        return prepared

    def _looks_grouped(self, columns: list[dict], rows: list[list[str]]) -> bool:
        """Return whether a required column is only filled where its value changes."""
        needed = self._get_required_columns()
        places = [c["sequence"] for c in columns if c["name"] in needed]
        filled = [
            [bool("".join(row[p : p + 1]).strip()) for p in places] for row in rows
        ]
        return any(
            any(row) and not all(row) and all(above)
            for above, row in pairwise(each for each in filled if any(each))
        )

    @api.model
    def _build_sample(self, rows: list[list[str]], place: int) -> str:
        cells = [clean_cell(cells[place]) for cells in rows if place < len(cells)]
        return show_text(", ".join(cell for cell in cells if cell)[:_MAX_SAMPLE_LENGTH])

    def _check_columns(self):
        """Check that the required columns are present.

        :raises UserError: when a required column is missing or occurs twice
        """
        names = [name for name in self.column_ids.mapped("name") if name != "ignored"]
        labels = dict(self.env["spar.directory.import.column"]._selection_name())
        if twice := [
            labels[name] for name in sorted(set(names)) if names.count(name) > 1
        ]:
            raise UserError(
                self.env._(
                    "Two columns of the file are assigned to %(columns)s: choose one.",
                    columns=", ".join(twice),
                )
            )
        if missing := [
            labels[name] for name in sorted(self._get_required_columns() - set(names))
        ]:
            raise UserError(
                self.env._(
                    "No column of the file is assigned to %(columns)s. The file has: "
                    "%(headers)s. Choose under Columns what each of them contains, or "
                    "check the header row and the delimiter.",
                    columns=", ".join(missing),
                    headers=", ".join(self.column_ids.mapped("header")),
                )
            )

    def _get_required_columns(self) -> set[str]:
        """Return the columns that the file must have."""
        needed = {c.name for c in self._get_loader()._get_columns() if c.required}
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

    # === FIRST ROWS AND QUESTIONS === #

    @api.model
    def _prepare_preview(self, stream: BinaryIO, choices: FileChoices) -> dict:
        records = read_first(stream, choices, _PREVIEW_ROWS)
        cells = [
            [
                record.row,
                [
                    show_text(cell)[:_PREVIEW_CHARACTERS]
                    for cell in record.cells[:_PREVIEW_CELLS]
                ],
            ]
            for record in records
            if not record.problem
        ]
        return {"first_rows": cells}

    @api.depends("first_rows", "header_row", "no_header")
    def _compute_preview(self):
        for job in self:
            header = job._get_header_row()
            rows = [job._build_row(*row, header) for row in job.first_rows or []]
            job.preview = _TABLE % Markup("").join(rows) if rows else False

    @api.model
    def _build_row(self, row: int, cells: list[str], header: int) -> Markup:
        shape = _HEADER_CELL if row == header else _CELL
        about = _HEADER if row == header else _TITLE if row < header else Markup("")
        return _ROW % (about, row, Markup("").join(shape % cell for cell in cells))

    @api.depends("doubts", "state", "column_ids.fill_down")
    def _compute_question(self):
        texts = self._get_question_texts()
        for job in self:
            doubts = job._split(job.doubts) if job.state == "draft" else set()
            if any(job.column_ids.mapped("fill_down")):
                doubts.discard("above")
            questions = [text for name, text in texts.items() if name in doubts]
            job.question = " ".join(questions)
            job.asks_encoding = "encoding" in doubts

    @api.model
    def _get_question_texts(self) -> dict[str, str]:
        """Return what to look at, by the name of the choice in doubt."""
        return {
            "sheet": self.env._(
                "The workbook has several sheets: choose the one to load."
            ),
            "encoding": self.env._(
                "The characters of this file can be read in several ways: choose the "
                "one in which the words are correct."
            ),
            "delimiter": self.env._(
                "The delimiter between the cells of a row is not clear: choose it."
            ),
            "header": self.env._(
                "It is not clear which row contains the headers: choose it, or choose "
                "No headers."
            ),
            "above": self.env._(
                "Some cells are empty below filled ones: choose under Columns whether "
                "they repeat the value above."
            ),
        }

    def action_confirm(self):
        """Accept the guesses as correct: somebody has looked at the first rows."""
        for job in self:
            job._check_open()
            chosen = job._split(job.chosen) | job._split(job.doubts)
            job.write({"chosen": ",".join(sorted(chosen)), "doubts": False})

    def _check_doubts(self) -> None:
        """Check that no question is open.

        :raises UserError: when a question is unanswered
        """
        if self.question:
            raise UserError(
                self.env._(
                    "Check the first rows of %(file)s. %(question)s If everything is "
                    "correct, press This is right.",
                    file=self.display_name,
                    question=self.question,
                )
            )

    # === LOADING === #

    @api.model
    def _cron_load(self) -> None:
        """Load the pending files, one after the other, while there is time."""
        while job := self.search([("state", "=", "waiting")], order="id", limit=1):
            if not job._load_while_wanted():
                return

    def _load_while_wanted(self) -> bool:
        """Load to the end or until somebody stops it; return False if time runs out.

        A chunk that fails leaves nothing behind and ends the loading, which can be
        resumed from there. Errors that a retry can resolve are left to the scheduler.
        """
        cron = self.env["ir.cron"]
        try:
            for count in self._load_chunks():
                if not cron._commit_progress(count, remaining=1):
                    return False
                self.env.invalidate_all()
                if self.state != "waiting":
                    break
        except psycopg2.OperationalError:
            raise
        except LoadStopped as error:
            self.env.invalidate_all()
            self._stop_for(error)
        except BadWorkbook as error:
            self.write(
                {"state": "failed", "problem": self._get_bad_file_text(error.code)}
            )
        except Exception:
            _logger.exception("Directory file %s could not be loaded", self.id)
            self.write({"state": "failed", "problem": self._get_failure_text()})
        return bool(cron._commit_progress(0))

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
        self.write({"state": "waiting", "user_id": self.env.uid})
        for _count in self._load_chunks():
            self.env.flush_all()
            self.env.invalidate_all()

    def _stop_for(self, error: LoadStopped) -> None:
        """Record why loading has stopped; what was loaded stays."""
        self.write({"state": "stopped", "problem": str(error)})

    def _get_failure_text(self) -> str:
        return self.env._(
            "Loading stopped at an unexpected error; see the server log. The rows that "
            "were loaded so far are kept. Load again to continue."
        )

    def _load_chunks(self) -> Iterator[int]:
        """Load chunk after chunk, resuming where loading stopped; yield the row counts.

        The caller may commit between them. The user who started the loading must still
        have the right to.
        """
        total = self.env["spar.directory.import.chunk"]._get_totals(self)[self.id]
        with closing(self._open_file()) as stream:
            table = open_table(stream, self._get_choices())
            records = table.read_rows(total.end, total.row)
            reader = self._get_reader(table.headers)
            while chunk := list(islice(records, CHUNK_ROWS)):
                with self.env.cr.savepoint():
                    self._load_chunk(chunk, reader)
                yield len(chunk)
        if self.on_existing == "update":
            self._get_loader()._note_gone(self)
        self.state = "done"

    def _get_reader(self, headers: list[str]) -> RowReader:
        """Return the reader that makes rows of records, resuming after the last one."""
        columns = {column.name: column for column in self._get_loader()._get_columns()}
        last = self.chunk_ids.sorted("row")[-1:]
        return RowReader(
            names=self.column_ids.mapped("name"),
            columns=[columns.get(name) for name in self.column_ids.mapped("name")],
            filled=[p for p, c in enumerate(self.column_ids) if c.fill_down],
            headers=headers if self._get_header_row() else [],
            delimiter=self.delimiter or ",",
            above=dict(last.above or {}),
        )

    def _load_chunk(self, records: list[Record], reader: RowReader) -> None:
        lang = self.user_id.lang
        me = self.with_user(self.user_id or self.env.user).with_context(lang=lang)
        fixed = {"provider": self.provider_id.code} if self.provider_id else {}
        rows, refused, texts = reader.make_rows(records, fixed)
        loaded = me._get_loader()._load_rows(me, rows)
        loaded.refused += refused
        me._save_chunk(records[-1], loaded, texts, reader.above)

    def _save_chunk(
        self, last: Record, outcome: LoadOutcome, texts: dict[int, str], above: dict
    ) -> None:
        self.env["spar.directory.import.refusal"].create(
            [
                self._prepare_refusal(row, problems, texts[row.number])
                for row, problems in sorted(outcome.refused)
            ]
        )
        self.env["spar.directory.import.chunk"].create(
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
