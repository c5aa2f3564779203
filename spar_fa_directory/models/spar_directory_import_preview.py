from typing import BinaryIO

from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..lib.csv_file import show_text
from ..lib.table_file import Choices, read_first

_ROWS, _CELLS, _SIGNS = 12, 12, 60
_TABLE = Markup('<table class="table table-sm o_spar_preview">%s</table>')
_ROW = Markup("<tr%s><th scope='row' class='text-muted'>%s</th>%s</tr>")
_CELL = Markup("<td>%s</td>")
_HEADER_CELL = Markup("<th scope='col'>%s</th>")
_TITLE = Markup(" class='text-muted'")
_HEADER = Markup(" class='table-info'")


class SparDirectoryImport(models.Model):
    """The first rows of the file, and the questions about them."""

    # pylint: disable-next=consider-merging-classes-inherited
    _inherit = "spar.directory.import"

    first_rows = fields.Json(readonly=True, copy=False)
    preview = fields.Html(compute="_compute_preview", sanitize=False)
    question = fields.Char(compute="_compute_question")
    asks_encoding = fields.Boolean(compute="_compute_question")

    @api.model
    def _prepare_preview(self, stream: BinaryIO, choices: Choices) -> dict:
        records = read_first(stream, choices, _ROWS)
        cells = [
            [record.row, [show_text(c)[:_SIGNS] for c in record.cells[:_CELLS]]]
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
            asked = [text for name, text in texts.items() if name in doubts]
            job.question = " ".join(asked)
            job.asks_encoding = "encoding" in doubts

    @api.model
    def _get_question_texts(self) -> dict[str, str]:
        """Return what to look at, by the name of the choice in doubt."""
        return {
            "sheet": self.env._(
                "The workbook has several sheets: choose the one to load."
            ),
            "encoding": self.env._(
                "The letters of this file can be read in several ways: choose the one "
                "in which its words are right."
            ),
            "delimiter": self.env._(
                "It is not clear what stands between the cells of a row: choose it."
            ),
            "header": self.env._(
                "It is not clear which row has the headers: choose it, or choose No "
                "Headers."
            ),
            "above": self.env._(
                "Some cells are empty below others that are not: choose under Columns "
                "whether they are the same as above."
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
                    "Look at the first rows of %(file)s. %(question)s If all is right "
                    "as it is, press This Is Right.",
                    file=self.display_name,
                    question=self.question,
                )
            )
