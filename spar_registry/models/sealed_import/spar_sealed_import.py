import csv
import io
import json
import logging
from base64 import b64decode
from binascii import Error as NoBase64
from collections.abc import Iterator
from datetime import timedelta
from typing import BinaryIO

from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from odoo.addons.spar_fa_directory.lib.csv_file import (
    Record,
    guard_cell,
    show_text,
    split_line,
)
from odoo.addons.spar_fa_directory.lib.directory_rows import Row, RowProblem
from odoo.addons.spar_fa_directory.lib.exceptions import LoadStopped
from odoo.addons.spar_fa_directory.lib.row_reader import RowReader
from odoo.addons.spar_fa_directory.models.table_import.spar_table_import import (
    Examination,
)
from odoo.addons.spar_mapper_connector.clear_fields import ClearBinary
from odoo.addons.spar_mapper_connector.exceptions import ServiceUnavailable
from odoo.addons.spar_mapper_connector.transactions import use_read_committed

from ...lib.row_outcome import REASON, RowOutcome

_logger = logging.getLogger(__name__)
#: The purpose of the seals. It must never change.
SHOWN = "registry_file_shown"
#: For so long an upload waits, and refused rows can be downloaded.
KEPT = timedelta(days=30)
_PARTS = (
    "spar.sealed.import.piece",
    "spar.sealed.import.chunk",
    "spar.sealed.import.seen",
    "spar.sealed.import.column",
    "spar.sealed.import.sheet",
)
_TABLE = Markup('<table class="table table-sm">%s</table>')
_ROW = Markup('<tr><td>%s</td><td class="text-end">%s</td></tr>')


class SparSealedImport(models.AbstractModel):
    """A file with data of people, checked and then loaded in the background.

    The file and everything that is shown of it are sealed, and destroyed once it is
    loaded. Only the user who uploaded it sees its rows. A model that inherits it also
    inherits ``spar.sealed.storage`` itself.
    """

    _name = "spar.sealed.import"
    _description = "Sealed file of rows"
    _inherit = ["spar.table.import", "spar.sealed.storage"]
    _rec_name = "filename"
    _editable_states = ("draft", "checked", "stopped", "failed")
    #: Fields whose change makes a check obsolete.
    _checked_fields: tuple[str, ...] = ("file", "column_ids")
    #: Fields that nobody writes, except methods of the model.
    _our_fields: tuple[str, ...] = (
        "state",
        "user_id",
        "is_trial",
        "problem",
        "size",
        "refused_kept",
    )
    #: The external id of the scheduled action.
    _cron = ""
    _seal_purpose = SHOWN
    _seal_prefix = (SHOWN,)
    _seal_context_columns = ("id", "create_uid")

    file = ClearBinary(
        compute="_compute_file",
        inverse="_inverse_file",
        attachment=False,
        help="CSV, text with another delimiter, or an Excel workbook (.xlsx).",
    )
    size = fields.Integer("Size (bytes)", readonly=True, copy=False)
    state = fields.Selection(
        selection_add=[("checked", "Checked"), ("waiting", "In progress")],
        ondelete={"checked": "cascade"},
    )
    is_trial = fields.Boolean(readonly=True, copy=False, string="Dry run")
    column_ids = fields.One2many(
        "spar.sealed.import.column",
        "job_id",
        domain=lambda self: [("job_model", "=", self._name)],
    )
    sheet_id = fields.Many2one(
        "spar.sealed.import.sheet",
        domain="[('id', 'in', sheet_ids)]",
        copy=False,
        ondelete="set null",
    )
    sheet_ids = fields.One2many(
        "spar.sealed.import.sheet",
        "job_id",
        "Sheets",
        domain=lambda self: [("job_model", "=", self._name)],
    )
    progress = fields.Float(compute="_compute_progress")
    row_count = fields.Integer("Rows read", compute="_compute_progress")
    accepted_count = fields.Integer("Accepted", compute="_compute_progress")
    unchanged_count = fields.Integer("Unchanged", compute="_compute_progress")
    refused_count = fields.Integer("Refused", compute="_compute_progress")
    reasons = fields.Html(compute="_compute_reasons", sanitize=False)
    is_mine = fields.Boolean(compute="_compute_is_mine", string="Loaded by me")
    refused_kept = fields.Boolean(readonly=True, copy=False, string="Refused kept")

    # === THE FILE === #

    def _compute_file(self):
        """Return nothing: the file is not shown again."""
        self.file = False

    def _inverse_file(self):
        for job in self:
            if job.file:
                job._store_file(job.file)

    def _store_file(self, text: str | bytes) -> None:
        """Seal a file that a browser sent; raises UserError if it is none."""
        try:
            data = b64decode(text, validate=True)
        except (NoBase64, ValueError) as error:
            raise UserError(self._get_bad_file_text("kind")) from error
        pieces_sudo = self.env["spar.sealed.import.piece"].sudo()
        pieces_sudo._store(self, data)
        self._record({"size": len(data)})

    def _open_file(self) -> BinaryIO:
        self.check_access("read")
        pieces_sudo = self.env["spar.sealed.import.piece"].sudo()
        if not self.size:
            raise UserError(self.env._("Choose a file."))
        return io.BufferedReader(pieces_sudo._open(self), 1 << 16)

    def _destroy_file(self) -> None:
        """Destroy the file, and what was shown of it."""
        pieces_sudo = self.env["spar.sealed.import.piece"].sudo()
        pieces_sudo._search_of(self).unlink()
        for job in self:
            kept = {"columns": [[each[0], ""] for each in job._open_columns()]}
            job._write_sealed(json.dumps(kept))

    def _list_headers(self) -> str:
        """Return the numbers of the columns: a header may be data of a person."""
        return ", ".join(str(column.sequence + 1) for column in self.column_ids)

    # === WHAT IS SHOWN === #

    def _compute_is_mine(self):
        for job in self:
            job.is_mine = not job.id or job.create_uid == self.env.user

    def _open_shown(self) -> dict:
        """Return what is shown of the file, to the user who uploaded it."""
        if not self._origin.id or not self.is_mine:
            return {}
        try:
            return json.loads(self._origin._read_sealed() or "{}")
        except ServiceUnavailable:
            return {}

    def _open_columns(self) -> list:
        """Return the header and the first values of each column."""
        return json.loads(self._read_sealed() or "{}").get("columns", [])

    def _get_first_rows(self) -> list:
        return self._open_shown().get("rows", [])

    def _save_inspected(self, values: dict):
        """Write without examining the file again; new parts belong to this model."""
        for name in values.keys() & {"column_ids", "sheet_ids"}:
            for command, _id, part in values[name]:
                if command == fields.Command.CREATE:
                    part["job_model"] = self._name
        return super(SparSealedImport, self.sudo())._save_inspected(values)

    def _forget_shown(self) -> None:
        self.sudo().column_ids.unlink()

    def _prepare_shown(self, examined: Examination) -> dict:
        """Seal what is shown, and return the columns without it."""
        shown = {
            "rows": examined.first_rows,
            "columns": [[c.pop("header"), c.pop("sample")] for c in examined.columns],
            "readings": [[r.encoding, r.text[:200]] for r in examined.readings],
        }
        self._write_sealed(json.dumps(shown))
        self.invalidate_recordset(["preview"])
        create = fields.Command.create
        return {"column_ids": [create(column) for column in examined.columns]}

    def _list_real_headers(self) -> list[str]:
        """Return the headers, nothing for a file without them."""
        if self.no_header:
            return []
        return [header for header, _sample in self._open_columns()]

    @api.model_create_multi
    def create(self, vals_list):
        return super().create([self._drop_ours(vals) for vals in vals_list])

    def write(self, vals):
        """Write; a file that was checked has to be checked again after a change."""
        vals = self._drop_ours(vals)
        result = super().write(vals)
        if vals.keys() & set(self._checked_fields):
            checked = self.filtered(lambda job: job.state == "checked")
            checked._record({"state": "draft"})
        return result

    @api.model
    def _drop_ours(self, vals: dict) -> dict:
        """Return the values without those that only methods of this model may set.

        The state and the user decide for whom rows are loaded.
        """
        if self.env.su:
            return vals
        return {name: vals[name] for name in vals if name not in self._our_fields}

    def _record(self, values: dict) -> None:
        self.sudo().write(values)

    def unlink(self):
        """Delete the files with everything that belongs to them."""
        for model in _PARTS:
            self.env[model].sudo()._search_of(self).unlink()
        return super().unlink()

    # === PROGRESS === #

    @api.depends("state")
    def _compute_progress(self):
        """Add up the counts of the chunks."""
        chunks_sudo = self.env["spar.sealed.import.chunk"].sudo()
        for job in self:
            counts = chunks_sudo._count(job)
            end, _row = chunks_sudo._get_position(job)
            job._show_counts(counts)
            job.progress = 100 * end / job.size if job.size else 0
            if job.state in ("done", "checked"):
                job.progress = 100

    def _show_counts(self, counts) -> None:
        """Set the fields that show the counts."""
        self.row_count = counts["rows"]
        self.accepted_count = counts["accepted"]
        self.unchanged_count = counts["unchanged"]
        self.refused_count = counts["refused"]

    @api.depends("state")
    def _compute_reasons(self):
        """Return a table of the reasons, the most frequent first."""
        chunks_sudo = self.env["spar.sealed.import.chunk"].sudo()
        for job in self:
            counts = chunks_sudo._count(job, "reasons")
            rows = [_ROW % pair for pair in counts.most_common()]
            job.reasons = _TABLE % Markup("").join(rows) if rows else False

    # === STARTING === #

    def action_try(self):
        """Check every row in the background; nothing is stored of them."""
        self._start(is_trial=True)

    def action_load(self):
        """Load the file in the background, or continue where it was stopped.

        :raises UserError: naming what the file needs first
        """
        self._start(is_trial=False)

    def _start(self, is_trial: bool) -> None:
        for job in self:
            job._check_open()
            job._check_mine()
            job._check_columns()
            job._check_doubts()
            job._check_start(is_trial)
            continues = job.state in ("stopped", "failed") and job.is_trial == is_trial
            if not continues:
                job._forget_loaded()
        self._record(
            {
                "state": "waiting",
                "problem": False,
                "user_id": self.env.uid,
                "is_trial": is_trial,
            }
        )
        self.env.ref(self._cron).sudo()._trigger()

    def _check_start(self, is_trial: bool) -> None:
        """Check the settings of the file, and remember what was chosen.

        :raises UserError: naming what is missing
        """

    def _check_mine(self) -> None:
        if not self.is_mine:
            raise AccessError(
                self.env._("Only the user who uploaded the file can do this.")
            )

    # === LOADING === #

    @api.model
    def _cron_load(self) -> None:
        use_read_committed(self.env.cr)
        return super()._cron_load()

    def _forget_loaded(self) -> None:
        self.env["spar.sealed.import.chunk"].sudo()._search_of(self).unlink()
        for job in self:
            job._forget_seen()
        self.invalidate_recordset()

    def _forget_seen(self) -> None:
        self.env["spar.sealed.import.seen"].sudo()._forget(self)

    def _get_position(self) -> tuple[int, int]:
        return self.env["spar.sealed.import.chunk"].sudo()._get_position(self)

    def _get_above(self) -> dict[str, str]:
        return json.loads(self._read_sealed() or "{}").get("above", {})

    def _store_above(self, above: dict[str, str]) -> None:
        if above:
            shown = json.loads(self._read_sealed() or "{}")
            self._write_sealed(json.dumps({**shown, "above": above}))

    def _load_rows(
        self, rows: list[Row], unsplit: list[tuple[Row, list[RowProblem]]]
    ) -> RowOutcome:
        """Process rows as the user who started it; return the result."""
        raise NotImplementedError

    def _load_chunk(self, records: list[Record], reader: RowReader) -> None:
        user = self._get_loading_user()
        if not user.active:
            raise LoadStopped(
                self.env._("The user who started the loading is no longer active.")
            )
        me = self.with_user(user).with_context(lang=user.lang)
        rows, unsplit, texts = reader.make_rows(records, {})
        outcome = me._load_rows(rows, unsplit)
        chunk_sudo = self.env["spar.sealed.import.chunk"].sudo()
        chunk_sudo = chunk_sudo.create(
            {
                "job_model": self._name,
                "job_id": self.id,
                "end": records[-1].end,
                "row": records[-1].row,
                "counts": {**outcome.get_counts(), "rows": len(texts)},
                "reasons": outcome.count_reasons(),
            }
        )
        chunk_sudo._store_refused(
            [
                [row.number, [r.text for r in reasons], show_text(texts[row.number])]
                for row, reasons in outcome.sort_refused()
            ]
        )
        self._store_above(reader.above)

    def _finish_loading(self) -> None:
        if self.is_trial:
            self._record({"state": "checked"})
            return None
        self._forget_seen()
        result = super()._finish_loading()
        self._record({"refused_kept": bool(self.refused_count)})
        self._destroy_file()
        return result

    def _log_failure(self) -> None:
        """Log the error by its class alone: its text may contain values of a row."""
        _logger.error("File of accounts %s stopped", self.id, exc_info=False)

    def _load_now(self) -> None:
        """Load the whole file here, in the caller's transaction.

        This is the entry point for measurements and tests.
        """
        while self.state == "waiting":
            for _count in self._load_chunks():
                self.env.flush_all()
                self.env.invalidate_all()

    # === REFUSED ROWS === #

    def action_download_refused(self):
        """Download the refused rows, with the reason in the last column."""
        self.ensure_one()
        self._check_mine()
        return {
            "type": "ir.actions.act_url",
            "url": f"/spar/registry/files/{self._name}/{self.id}/refused",
            "target": "download",
        }

    def _iter_refused(self) -> Iterator[str]:
        """Yield the file of refused rows piece by piece: CSV as it was uploaded.

        A file without headers gets known ones, so that it can be loaded again.
        """
        self.check_access("read")
        self._check_mine()
        delimiter = self.delimiter or ","
        headers = self._list_refused_headers()
        yield "\ufeff" + _write_line([*headers, REASON], delimiter)
        chunks_sudo = self.env["spar.sealed.import.chunk"].sudo()
        for chunk_id in chunks_sudo._search_of(self).ids:
            lines = []
            for _row, reasons, text in chunks_sudo.browse(chunk_id)._open_refused():
                cells = _fit(text, delimiter, len(headers))
                reason = " ".join(dict.fromkeys(reasons))
                lines.append(_write_line([*cells, reason], delimiter))
            yield "".join(lines)
            chunks_sudo.env.invalidate_all()

    def _list_refused_headers(self) -> list[str]:
        """Return the headers of the file, or known ones if it has none."""
        names = self.column_ids.mapped("name")
        headers = [header for header, _sample in self._open_columns()]
        return names if self.no_header else headers

    def action_destroy_refused(self):
        """Destroy the refused rows: they were corrected, or are not needed."""
        self._check_mine()
        self._destroy_refused()

    def _destroy_refused(self) -> None:
        chunks_sudo = self.env["spar.sealed.import.chunk"].sudo()
        chunks_sudo._search_of(self)._write_sealed(None)
        self._write_sealed(None)
        self._record({"refused_kept": False})

    @api.autovacuum
    def _destroy_old(self) -> None:
        """Destroy uploads that nobody loaded, and refused rows that nobody needs."""
        if self._abstract:
            return
        before = fields.Datetime.now() - KEPT
        old = self.search([("write_date", "<", before), ("state", "!=", "waiting")])
        old.filtered(lambda job: job.state != "done").unlink()
        old.exists().filtered("refused_kept")._destroy_refused()


def _fit(text: str, delimiter: str, width: int) -> list[str]:
    """Return the cells of a refused row, at least as many as the header has."""
    text = text.rstrip("\r\n")
    cells = split_line(text, delimiter)
    cells = [text] if cells is None else cells
    return cells + [""] * (width - len(cells))


def _write_line(cells: list[str], delimiter: str) -> str:
    output = io.StringIO()
    csv.writer(output, delimiter=delimiter).writerow(map(guard_cell, cells))
    return output.getvalue()
