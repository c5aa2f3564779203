import base64
import io
from itertools import islice

from odoo import api, models
from odoo.tools import SQL

from odoo.addons.spar_fa_directory.lib.csv_file import Record
from odoo.addons.spar_fa_directory.lib.table_file import FileChoices, open_table
from odoo.addons.spar_fa_directory.lib.xlsx_file import BadWorkbook
from odoo.addons.spar_mapper_connector.exceptions import InvalidIdentifier

from .spar_readiness_line import LINE

#: Rows of a file that are read in one transaction.
READ_ROWS = 5000


class SparReadinessReader(models.AbstractModel):
    """Reads the IDs of a file into the lines of its run, part by part.

    The run records where a part ended, in the transaction that adds its lines: whoever
    continues begins there.
    """

    _name = "spar.readiness.reader"
    _description = "Reader of a file of IDs"

    @api.model
    def _read_parts(self, run):
        """Read a file to its end; yield the number of rows after each part.

        The caller commits at each yield. At the end the file is destroyed, and the
        lines can be checked.
        """
        try:
            data = base64.b64decode(run._read_sealed() or "")
            yield from self._read_data(run, io.BytesIO(data))
        except BadWorkbook:
            run._fail(self.env._("The workbook cannot be read. Save it as CSV."))
            yield 0

    @api.model
    def _read_data(self, run, stream):
        form = run.file_form
        choices = FileChoices(
            form["encoding"], form["delimiter"], form["sheet"], form["header"]
        )
        table = open_table(stream, choices)
        records = table.read_rows(form.get("end", 0), form.get("row", 0))
        while part := list(islice(records, READ_ROWS)):
            if run._is_over_limit(len(part)):
                run._fail(run._get_limit_text())
                yield 0
                return
            self._add_part(run, part)
            yield len(part)
            if run.state != "reading":
                return
        self._end(run)
        yield 0

    @api.model
    def _add_part(self, run, records: list[Record]) -> None:
        """Add a line for each new ID of these rows, and note where they end."""
        place = run.file_form["column"] - 1
        texts = {
            record.row: record.cells[place].strip()
            for record in records
            if place < len(record.cells) and record.cells[place].strip()
        }
        # A row that cannot be split is a line, too: nothing is left out unseen.
        spoilt = {r.row: r.text.strip()[:200] for r in records if r.problem}
        added = self._insert(run, texts) + self._insert(run, spoilt, "row")
        last = records[-1]
        run.write(
            {
                "file_form": {**run.file_form, "end": last.end, "row": last.row},
                "people_count": run.people_count + added,
                "duplicate_count": run.duplicate_count
                + len(texts)
                + len(spoilt)
                - added,
            }
        )
        run.flush_recordset()
        run.invalidate_recordset(["line_ids"])

    @api.model
    def _insert(self, run, texts: dict[int, str], reason: str | None = None) -> int:
        """Insert a line for each ID that the run does not have; return how many.

        :param reason: why the texts are known to be no IDs, if they are
        """
        if not texts:
            return 0
        keyring = self.env["spar.keyring"]._open(for_write=True)
        lines = self.env["spar.readiness.line"]
        digest = keyring.digester(LINE)
        values = [
            (
                run.id,
                row,
                "invalid_id" if reason else "waiting",
                reason,
                keyring.seal(LINE, text, lines._build_seal_context(run.id, row)),
                digest(self._fold(run, text)),
            )
            for row, text in texts.items()
        ]
        self.env.cr.execute(
            SQL(
                """WITH added AS (
                       INSERT INTO spar_readiness_line
                              (run_id, file_row, state, reason, sealed, id_digest)
                       VALUES %s
                           ON CONFLICT (run_id, id_digest) WHERE id_digest IS NOT NULL
                           DO NOTHING
                    RETURNING id)
                   SELECT count(*) FROM added""",
                SQL(", ").join(SQL("%s", each) for each in values),
            )
        )
        return self.env.cr.fetchone()[0]

    @api.model
    def _fold(self, run, text: str) -> str:
        """Return an ID in canonical form, or as it is written if it is none."""
        try:
            written = run.id_type_id._write_id(text) if run.id_type_id else text
            return self.env["spar.id.type"]._identify(written).canonical
        except InvalidIdentifier:
            return text

    @api.model
    def _end(self, run) -> None:
        run._write_sealed(None)
        if not run.people_count:
            run._fail(self.env._("The file contains no ID in the chosen column."))
            return
        self.env["spar.readiness.chunk"]._split_new(run)
        run.state = "running"
