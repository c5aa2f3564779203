import io
from collections.abc import Iterator

from odoo import api, fields, models
from odoo.exceptions import UserError

from odoo.addons.spar_fa_directory.lib.cell_rules import clean_code
from odoo.addons.spar_fa_directory.lib.csv_file import Record, show_text
from odoo.addons.spar_fa_directory.lib.encodings import ENCODINGS
from odoo.addons.spar_fa_directory.lib.fa_mask import mask
from odoo.addons.spar_fa_directory.lib.table_file import (
    FileChoices,
    FileGuess,
    guess_table,
    is_table,
    open_table,
    read_first,
)
from odoo.addons.spar_fa_directory.lib.xlsx_file import BadWorkbook

_ROWS, _CELLS, _LONGEST = 6, 4, 40
#: The fields that users may set for the file, by the doubt that each resolves.
_FIELDS = {
    "encoding": "numbers_encoding",
    "delimiter": "numbers_delimiter",
    "sheet": "numbers_sheet",
    "row": "numbers_row",
}


class SparMove(models.Model):
    """The reading of a move's list, and the questions asked if it is ambiguous.

    Nothing of the file is kept before it is sealed: a question includes the file's
    first rows, masked, and with the answers the same file is read.
    """

    # One file per concern: pylint: disable-next=consider-merging-classes-inherited
    _inherit = "spar.move"

    numbers_encoding = fields.Selection(
        selection=lambda self: list(ENCODINGS.items()),
        string="Encoding of the List",
        copy=False,
    )
    numbers_delimiter = fields.Selection(
        [(",", "Comma"), (";", "Semicolon"), ("\t", "Tab"), ("|", "Vertical bar")],
        "Between its Cells",
        copy=False,
    )
    numbers_sheet = fields.Char("Sheet of the List", copy=False)
    numbers_row = fields.Integer(
        "Row of its First Numbers",
        copy=False,
        help="What stands above it, such as headers, is not read.",
    )

    def _read_cells(self, data: bytes) -> Iterator[tuple[int, list[str]]]:
        """Yield the numbered rows of a CSV file or a workbook, their cells cleaned.

        Raises UserError for any other file, and if it is not clear how to read it.
        """
        stream = io.BytesIO(data)
        if not is_table(data[:16]):
            raise UserError(self.env._("The file is neither CSV nor a workbook."))
        try:
            guess = guess_table(stream, lambda _cells: 0, self._get_list_choices())
            first = read_first(stream, guess.choices)
            if doubts := self._find_doubts(guess, first):
                raise UserError(self._ask(guess, doubts, first))
            for record in open_table(stream, guess.choices).read_rows():
                if record.row >= self.numbers_row:
                    yield record.row, list(map(clean_code, record.cells))
        except BadWorkbook as error:
            raise UserError(
                self.env._("The workbook cannot be read: save it again, or as CSV.")
            ) from error

    def _get_list_choices(self) -> FileChoices:
        """Return what users have specified about the file; the rest is guessed."""
        return FileChoices(
            self.numbers_encoding or None,
            self.numbers_delimiter or None,
            self.numbers_sheet or None,
            0,
        )

    def _find_doubts(self, guess: FileGuess, first: list[Record]) -> list[str]:
        """Return the questions that must be asked, in the order of asking."""
        doubts = set(guess.doubts) & _FIELDS.keys()
        if all(len(record.cells) < 2 for record in first):
            # Whatever separates them, there are not two numbers.
            doubts.discard("delimiter")
        if _has_doubtful_header(first):
            doubts.add("row")
        left = doubts - self._said()
        return [name for name in _FIELDS if name in left]

    def _said(self) -> set[str]:
        return {name for name, field in _FIELDS.items() if self[field]}

    def _ask(self, guess: FileGuess, doubts: list[str], first: list[Record]) -> str:
        """Return the question and the first rows as read, with numbers masked."""
        texts = self._get_list_questions(guess)
        rows = [
            f"{record.row}: " + " | ".join(map(_show, record.cells[:_CELLS]))
            for record in first[:_ROWS]
        ]
        return "\n".join([*(texts[name] for name in doubts), "", *rows])

    @api.model
    def _get_list_questions(self, guess: FileGuess) -> dict[str, str]:
        labels = dict(self._fields["numbers_delimiter"].selection)
        return {
            "encoding": self.env._(
                "The letters of the list can be read in several ways: choose its "
                "encoding (read here as %(encoding)s), and save again.",
                encoding=ENCODINGS.get(guess.choices.encoding or "", ""),
            ),
            "delimiter": self.env._(
                "It is not clear what stands between the cells of a row: choose it "
                "(read here: %(delimiter)s), and save again.",
                delimiter=labels.get(guess.choices.delimiter, ""),
            ),
            "sheet": self.env._(
                "The workbook has several sheets: write which one has the list "
                "(%(sheets)s), and save again.",
                sheets=", ".join(guess.sheets),
            ),
            "row": self.env._(
                "It is not clear whether the first row has numbers or headers: write "
                "in which row the first numbers are, and save again."
            ),
        }


def _has_doubtful_header(first: list[Record]) -> bool:
    """Return whether the first row with a digit may be a header.

    It may be if it has letters where the rows below have none.
    """
    below = [
        list(map(clean_code, record.cells))
        for record in first
        if any(map(str.isdigit, "".join(record.cells)))
    ]
    if len(below) < 2:
        return False
    has_letters = [any(map(_has_letters, cells[:2])) for cells in below]
    return has_letters[0] and not any(has_letters[1:])


def _has_letters(cell: str) -> bool:
    return any(map(str.isalpha, cell))


def _show(cell: str) -> str:
    """Return a cell as it may be shown: words unchanged, numbers masked."""
    text = show_text(cell)[:_LONGEST]
    return mask(text) if any(map(str.isdigit, text)) else text
