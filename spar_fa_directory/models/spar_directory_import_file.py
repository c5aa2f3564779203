import io
from contextlib import closing
from itertools import islice
from typing import BinaryIO

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..lib import csv_file
from ..lib.csv_file import CsvFormat, Record, show_text
from ..lib.directory_rows import clean_cell, match_headers

_SAMPLE_BYTES = 1 << 20
_SAMPLE_ROWS = 3
_SPREADSHEETS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")


class SparDirectoryImport(models.Model):
    """The file: how it is written, and which of its columns holds what."""

    # pylint: disable-next=consider-merging-classes-inherited
    _inherit = "spar.directory.import"

    @api.model_create_multi
    def create(self, vals_list):
        jobs = super().create(vals_list)
        for job in jobs:
            job._inspect(vals_list[jobs.ids.index(job.id)])
        return jobs

    def write(self, vals):
        if vals.keys() & {"file", "kind", "encoding", "delimiter"}:
            for job in self:
                job._check_open()
        result = super().write(vals)
        if vals.keys() & {"file", "kind", "encoding", "delimiter"}:
            self.chunk_ids.unlink()
            self.refusal_ids.unlink()
            for job in self:
                job._inspect(vals)
        return result

    def _inspect(self, told=()):
        """See how the file is written, unless that is told, and match its columns.

        :raises UserError: for what is no text file, or has no header
        """
        with closing(self._open_file()) as stream:
            sample = stream.read(_SAMPLE_BYTES)
        self._check_sample(sample)
        values = {}
        if "encoding" not in told or not self.encoding:
            values["encoding"] = csv_file.guess_encoding(sample)
        encoding = values.get("encoding") or self.encoding
        if "delimiter" not in told or not self.delimiter:
            first_line = sample.decode(encoding, "replace").splitlines()[:1]
            values["delimiter"] = csv_file.guess_delimiter("".join(first_line))
        self._save_inspected(values | {"column_ids": self._prepare_columns(values)})

    def _save_inspected(self, values: dict):
        """Write without looking at the file once more."""
        return super().write(values)

    def _check_sample(self, sample: bytes) -> None:
        if sample.startswith(_SPREADSHEETS):
            raise UserError(
                self.env._(
                    "This is a spreadsheet's own file: save it as CSV (UTF-8) first, "
                    "and upload that."
                )
            )
        if not sample.strip():
            raise UserError(self.env._("The file is empty: upload another."))

    def _prepare_columns(self, told: dict) -> list:
        form = CsvFormat(
            told.get("encoding") or self.encoding,
            told.get("delimiter") or self.delimiter,
        )
        with closing(self._open_file()) as stream:
            records = self._read_sample(stream, form)
        header, *rows = (record.cells for record in records)
        names = match_headers(header, self._get_loader()._get_columns())
        clear = [fields.Command.clear()]
        return clear + [
            fields.Command.create(
                {
                    "sequence": place,
                    "header": show_text(text.strip()) or f"#{place + 1}",
                    "name": name or "ignored",
                    "sample": self._build_sample(rows, place),
                }
            )
            for place, (text, name) in enumerate(zip(header, names, strict=True))
        ]

    @api.model
    def _read_sample(self, stream: BinaryIO, form: CsvFormat) -> list[Record]:
        records = csv_file.read_records(stream, form)
        header = next(records)
        width = len(header.cells)
        rows = csv_file.read_records(
            stream, form, start=header.end, row=header.row, width=width
        )
        return [header, *islice(rows, _SAMPLE_ROWS)]

    @api.model
    def _build_sample(self, rows: list[list[str]], place: int) -> str:
        cells = [clean_cell(cells[place]) for cells in rows if place < len(cells)]
        return show_text(", ".join(cell for cell in cells if cell))

    def _check_columns(self):
        """:raises UserError: when a column that is needed is missing, or there twice"""
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
        needed = {c.name for c in self._get_loader()._get_columns() if c.required}
        if self.provider_id:
            needed.discard("provider")
        if missing := [labels[name] for name in sorted(needed - set(names))]:
            raise UserError(
                self.env._(
                    "No column of the file is taken for %(columns)s. The file has: "
                    "%(headers)s. Choose under Columns what each of them holds, or "
                    "check the delimiter.",
                    columns=", ".join(missing),
                    headers=", ".join(self.column_ids.mapped("header")),
                )
            )

    # === THE BYTES === #

    def _get_attachment(self):
        """The stored file; readable by who may read this record."""
        attachment_sudo = self.env["ir.attachment"].sudo()
        return attachment_sudo.search(
            [
                ("res_model", "=", self._name),
                ("res_id", "=", self.id),
                ("res_field", "=", "file"),
            ],
            limit=1,
        )

    def _get_size(self) -> int:
        self.check_access("read")
        return self._get_attachment().file_size

    def _open_file(self) -> BinaryIO:
        """The file, read from the disk as it is needed where it is kept there."""
        self.check_access("read")
        self.env.flush_all()
        attachment_sudo = self._get_attachment()
        if attachment_sudo.store_fname:
            return open(attachment_sudo._full_path(attachment_sudo.store_fname), "rb")
        return io.BytesIO(attachment_sudo.raw or b"")
