import io
from contextlib import closing
from functools import partial
from itertools import islice, pairwise
from typing import BinaryIO

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..lib.csv_file import show_text
from ..lib.directory_rows import clean_cell, count_known, match_headers
from ..lib.table_file import Choices, Guess, guess_table, is_table, open_table
from ..lib.xlsx_file import BadWorkbook, is_workbook

_SAMPLE_BYTES = 1 << 20
_SAMPLE_ROWS = 3
_LOOKED_AT = 60
_LONGEST_SAMPLE = 200
#: What a person can choose about a file, by the name of the choice.
CHOICES = {
    "encoding": {"encoding"},
    "delimiter": {"delimiter"},
    "sheet": {"sheet_id"},
    "header": {"header_row", "no_header"},
}
_INSPECTED = {"file", "kind"}.union(*CHOICES.values())


class SparDirectoryImport(models.Model):
    """The file: its format, and the content of its columns."""

    # pylint: disable-next=consider-merging-classes-inherited
    _inherit = "spar.directory.import"

    is_workbook = fields.Boolean(readonly=True, copy=False)
    # The names in CHOICES that a person chose, and those in doubt, comma-separated.
    chosen = fields.Char(readonly=True, copy=False)
    doubts = fields.Char(readonly=True, copy=False)

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
                guess, chosen, is_workbook(self._head(stream))
            )
            values |= self._prepare_preview(stream, guess.choices)
            table = open_table(stream, guess.choices)
            rows = [r.cells for r in islice(table.read_rows(), _LOOKED_AT)]
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
    def _head(self, stream: BinaryIO) -> bytes:
        stream.seek(0)
        return stream.read(_SAMPLE_BYTES)

    def _guess(self, stream: BinaryIO, chosen: frozenset[str]) -> Guess:
        """Guess how the file is to be read.

        :raises UserError: for a file that is not a table, or is empty
        """
        head = self._head(stream)
        if not is_table(head):
            raise UserError(self._get_bad_file_text("kind"))
        if not head.strip(b" \t\r\n\0\xef\xbb\xbf\xff\xfe"):
            raise UserError(self.env._("The file is empty: upload another."))
        choices = self._get_choices()
        chosen_values = {name: getattr(choices, name) for name in chosen & set(CHOICES)}
        known = partial(count_known, columns=self._get_loader()._get_columns())
        try:
            guess = guess_table(stream, known, Choices(**chosen_values))
        except BadWorkbook as error:
            raise UserError(self._get_bad_file_text(error.code)) from error
        if guess.choices.sheet is None or (is_workbook(head) and not guess.sheets):
            raise UserError(self.env._("The file is empty: upload another."))
        return guess

    def _get_choices(self) -> Choices:
        """Return how the file is to be read, as recorded."""
        return Choices(
            self.encoding or None,
            self.delimiter or None,
            self.sheet_id.name or "",
            self._get_header_row(),
        )

    def _get_header_row(self) -> int:
        return 0 if self.no_header else max(self.header_row, 1)

    @api.model
    def _prepare_choices(
        self, guess: Guess, chosen: frozenset[str], workbook: bool
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
                        "sample": show_text(reading.text[:_LONGEST_SAMPLE]),
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
        needed = self._get_needed()
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
        return show_text(", ".join(cell for cell in cells if cell)[:_LONGEST_SAMPLE])

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
                    "Two columns of the file are taken for %(columns)s: choose one.",
                    columns=", ".join(twice),
                )
            )
        if missing := [
            labels[name] for name in sorted(self._get_needed() - set(names))
        ]:
            raise UserError(
                self.env._(
                    "No column of the file is taken for %(columns)s. The file has: "
                    "%(headers)s. Choose under Columns what each of them holds, or "
                    "check the row of the headers and the delimiter.",
                    columns=", ".join(missing),
                    headers=", ".join(self.column_ids.mapped("header")),
                )
            )

    def _get_needed(self) -> set[str]:
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
