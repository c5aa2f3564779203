import logging
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from itertools import islice, pairwise
from typing import BinaryIO, NamedTuple

import psycopg2
from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError

from ...lib.csv_file import Record, show_text
from ...lib.directory_rows import Column, clean_cell, count_known, match_headers
from ...lib.encodings import ENCODINGS, EncodingReading
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
_PREVIEW_ROWS, _PREVIEW_CELLS, _PREVIEW_CHARACTERS = 12, 12, 60
_TABLE = Markup('<table class="table table-sm o_spar_preview">%s</table>')
_ROW = Markup("<tr%s><th scope='row' class='text-muted'>%s</th>%s</tr>")
_CELL = Markup("<td>%s</td>")
_HEADER_CELL = Markup("<th scope='col'>%s</th>")
_TITLE = Markup(" class='text-muted'")
_HEADER = Markup(" class='table-info'")
_logger = logging.getLogger(__name__)
#: The number of rows that are loaded in one transaction.
CHUNK_ROWS = 2000


class Examination(NamedTuple):
    """What is shown of a file before it is loaded.

    :param first_rows: the number and the cells of each
    :param columns: values of a column's record: ``header``, ``name``, ``sample``, ...
    :param readings: what encodings make of the file, if that is in doubt
    """

    first_rows: list
    columns: list[dict]
    readings: list[EncodingReading]


class SparTableImport(models.AbstractModel):
    """A file of rows that is examined, shown, and then loaded in the background.

    A model that inherits it has ``column_ids``, ``sheet_id`` and ``sheet_ids``, says
    what the file contains, and where the file and what is shown of it are stored.
    """

    _name = "spar.table.import"
    _description = "File of Rows"
    #: The states in which the file can still be changed.
    _editable_states: tuple[str, ...] = ("draft", "stopped", "failed")

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
    no_header = fields.Boolean(
        "No headers", help="The file begins with the first provider or branch."
    )
    header_row = fields.Integer(
        string="Header row",
        help="Rows above it, such as a title, are not loaded.",
    )
    state = fields.Selection(
        [
            ("draft", "To check"),
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
    is_workbook = fields.Boolean(string="Is a workbook", readonly=True, copy=False)
    # The names in CHOICES that a person chose, and those in doubt, comma-separated.
    chosen = fields.Char(readonly=True, copy=False)
    doubts = fields.Char(readonly=True, copy=False)
    preview = fields.Html(compute="_compute_preview", sanitize=False)
    question = fields.Char(compute="_compute_question")
    asks_encoding = fields.Boolean(
        string="Asks for the encoding", compute="_compute_question"
    )

    # === WHAT A MODEL DEFINES === #

    @api.model
    def _get_columns(self) -> tuple[Column, ...]:
        """Return the columns that such a file may have."""
        raise NotImplementedError

    def _get_required_columns(self) -> set[str]:
        """Return the columns that the file must have."""
        return {column.name for column in self._get_columns() if column.required}

    def _open_file(self) -> BinaryIO:
        """Open the file."""
        raise NotImplementedError

    def _get_first_rows(self) -> list:
        """Return the first rows, as they were passed to ``_prepare_shown``."""
        raise NotImplementedError

    def _prepare_shown(self, examined: Examination) -> dict:
        """Return values that store what is shown of the file, with its columns."""
        raise NotImplementedError

    def _forget_shown(self) -> None:
        """Delete what was stored of an earlier examination."""
        raise NotImplementedError

    def _forget_loaded(self) -> None:
        """Delete what is recorded of a loading that begins anew."""
        raise NotImplementedError

    def _get_position(self) -> tuple[int, int]:
        """Return where loading continues: the end of the last record, and its row."""
        raise NotImplementedError

    def _get_above(self) -> dict[str, str]:
        """Return the last row's values in the columns that repeat the cell above."""
        raise NotImplementedError

    def _load_chunk(self, records: list[Record], reader: RowReader) -> None:
        """Load rows, and record how far the file was read."""
        raise NotImplementedError

    def _finish_loading(self) -> None:
        """Record that the file was read to its end."""
        self._record({"state": "done"})

    def _list_headers(self) -> str:
        """Return the headers of the file, for a message."""
        return ", ".join(self.column_ids.mapped("header"))

    @api.model
    def _get_inspected(self) -> set[str]:
        """Return the fields whose change makes it necessary to examine the file."""
        return {"file"}.union(*CHOICES.values())

    @api.model
    def _selection_encoding(self):
        return list(ENCODINGS.items())

    def action_check(self):
        """Examine the file again, as if nothing had been chosen."""
        for job in self:
            job._check_open()
            job._inspect(frozenset())

    def action_stop(self):
        """Stop after the rows that are being loaded now; what is loaded stays."""
        self.filtered(lambda job: job.state == "waiting")._record({"state": "stopped"})

    def _record(self, values: dict) -> None:
        """Write what only the methods of this model may set."""
        self._as_code().write(values)

    def _check_open(self):
        if self.state not in self._editable_states:
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

    # === THE FILE === #

    @api.model_create_multi
    def create(self, vals_list):
        jobs = super().create(vals_list)
        for job, vals in zip(jobs, vals_list, strict=True):
            given = {name for name in self._get_inspected() if vals.get(name)}
            job._inspect(job._get_chosen({name: vals[name] for name in given}))
        return jobs

    def write(self, vals):
        inspected = self._get_inspected()
        if not vals.keys() & inspected:
            return super().write(vals)
        for job in self:
            job._check_open()
        if vals.get("header_row") and "no_header" not in vals:
            vals = {**vals, "no_header": False}
        result = super().write(vals)
        self._forget_loaded()
        for job in self:
            is_new = bool(vals.keys() & (inspected - set().union(*CHOICES.values())))
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
            first_rows = self._read_first_rows(stream, guess.choices)
            table = open_table(stream, guess.choices)
            rows = [r.cells for r in islice(table.read_rows(), _EXAMINED_ROWS)]
        columns = self._prepare_columns(table.headers, rows, matched or {})
        if self._looks_grouped(columns, rows) and "above" not in chosen:
            values["doubts"] = ",".join(filter(None, (values["doubts"], "above")))
        self._forget_shown()
        self.sudo().sheet_ids.unlink()
        readings = [reading for reading in guess.readings if reading.rate]
        self._save_inspected(
            values | self._prepare_shown(Examination(first_rows, columns, readings))
        )
        sheets = self.sheet_ids.filtered(lambda s: s.name == guess.choices.sheet)
        self._save_inspected({"sheet_id": sheets[:1].id})

    def _save_inspected(self, values: dict):
        """Write without examining the file again."""
        parts = {f.comodel_name for f in self._fields.values() if f.type == "one2many"}
        return super(SparTableImport, self._as_code(*parts)).write(values)

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
        known = partial(count_known, columns=self._get_columns())
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

    def _prepare_columns(
        self, headers: list[str], rows: list[list[str]], matched: dict
    ) -> list[dict]:
        names = match_headers(headers, self._get_columns())
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
        labels = dict(self.column_ids._selection_name())
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
                    headers=self._list_headers(),
                )
            )

    @api.model
    def _read_first_rows(self, stream: BinaryIO, choices: FileChoices) -> list:
        """Return the number and the cells of the first rows, as texts to show."""
        records = read_first(stream, choices, _PREVIEW_ROWS)
        return [
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

    @api.depends("header_row", "no_header")
    def _compute_preview(self):
        for job in self:
            header = job._get_header_row()
            rows = [job._build_row(*row, header) for row in job._get_first_rows()]
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
            job._record({"chosen": ",".join(sorted(chosen)), "doubts": False})

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
            self._record(
                {"state": "failed", "problem": self._get_bad_file_text(error.code)}
            )
        except Exception:
            self._log_failure()
            self._record({"state": "failed", "problem": self._get_failure_text()})
        return bool(cron._commit_progress(0))

    def _log_failure(self) -> None:
        """Log the unexpected error that ended the loading."""
        _logger.exception("File %s of %s could not be loaded", self.id, self._name)

    def _stop_for(self, error: LoadStopped) -> None:
        """Record why loading has stopped; what was loaded stays."""
        self._record({"state": "stopped", "problem": str(error)})

    def _get_failure_text(self) -> str:
        return self.env._(
            "Loading stopped at an unexpected error; see the server log. The rows that "
            "were loaded so far are kept. Load again to continue."
        )

    # === READING ROWS === #

    def _load_chunks(self) -> Iterator[int]:
        """Load chunk after chunk, resuming where loading stopped; yield the row counts.

        The caller may commit between them. The user who started the loading must still
        have the right to.
        """
        end, row = self._get_position()
        with closing(self._open_file()) as stream:
            table = open_table(stream, self._get_choices())
            records = table.read_rows(end, row)
            reader = self._get_reader(table.headers)
            while chunk := list(islice(records, CHUNK_ROWS)):
                with self.env.cr.savepoint():
                    self._load_chunk(chunk, reader)
                yield len(chunk)
        self._finish_loading()

    def _get_loading_user(self):
        """Return who started the loading, in whose name rows are loaded.

        It is the superuser only for a file that the superuser uploaded.

        :raises LoadStopped: if the record names a user who cannot have done so
        """
        user = self.user_id or self.env.user
        if user._is_superuser() and self.create_uid != user:
            raise LoadStopped(
                self.env._(
                    "Loading stopped: it is not clear who started it. Load again."
                )
            )
        return user

    def _get_reader(self, headers: list[str]) -> RowReader:
        """Return the reader that makes rows of records, resuming after the last one."""
        columns = {column.name: column for column in self._get_columns()}
        return RowReader(
            names=self.column_ids.mapped("name"),
            columns=[columns.get(name) for name in self.column_ids.mapped("name")],
            filled=[p for p, c in enumerate(self.column_ids) if c.fill_down],
            headers=headers if self._get_header_row() else [],
            delimiter=self.delimiter or ",",
            above=self._get_above(),
        )
