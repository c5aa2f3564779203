import logging
from collections.abc import Iterator
from contextlib import closing
from itertools import islice

import psycopg2

from odoo import api, models

from ..lib.csv_file import Record, show_text
from ..lib.directory_rows import Problem, Row
from ..lib.row_reader import RowReader
from ..lib.table_file import open_table
from ..lib.xlsx_file import BadWorkbook
from .spar_directory_loader import Outcome

_logger = logging.getLogger(__name__)
#: The number of rows that are loaded in one transaction.
CHUNK_ROWS = 2000


class LoadStopped(Exception):
    """A file is not loaded any further until somebody has seen why."""


class SparDirectoryImport(models.Model):
    """Loading a file in the background, some rows in each transaction."""

    # pylint: disable-next=consider-merging-classes-inherited
    _inherit = "spar.directory.import"

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
            "Loading stopped at an unexpected error, which the server's log tells. "
            "What was loaded so far stays; load again to go on."
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
        self, last: Record, outcome: Outcome, texts: dict[int, str], above: dict
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

    def _prepare_refusal(self, row: Row, problems: list[Problem], text: str) -> dict:
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
