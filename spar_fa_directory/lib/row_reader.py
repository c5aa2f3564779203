"""Turning the records of a file into rows, and rejecting those that cannot be rows."""

from dataclasses import dataclass, field

from .csv_file import Record
from .directory_rows import Column, Row, RowProblem, clean_cell
from .xlsx_file import join_cells


@dataclass
class RowReader:
    """A converter from records to rows.

    :param names: the content of each column
    :param columns: the rules of each column, None for one without
    :param filled: the positions of columns in which an empty cell repeats the one above
    :param headers: the cells of the header row, so that a repeated header is not a row
    :param above: the last row's values in these columns, by position (as stored in
        JSON)

    >>> reader = RowReader(["provider", "code"], [None, None], [0])
    >>> records = [Record(2, "A,1", ["A", "1"], 0), Record(3, ",2", ["", "2"], 0)]
    >>> rows, refused, texts = reader.make_rows(records, {})
    >>> [row.values["provider"] for row in rows], texts
    (['A', 'A'], {2: 'A,1', 3: 'A,2'})
    """

    names: list[str]
    columns: list[Column | None]
    filled: list[int] = field(default_factory=list)
    headers: list[str] = field(default_factory=list)
    delimiter: str = ","
    above: dict[str, str] = field(default_factory=dict)

    def make_rows(
        self, records: list[Record], fixed: dict[str, str]
    ) -> tuple[list[Row], list[tuple[Row, list[RowProblem]]], dict[int, str]]:
        """Return the rows, those that cannot be split, and the text of every row.

        :param fixed: cells that are the same in every row; the file's own take
            precedence
        """
        rows, refused, texts = [], [], {}
        for record in records:
            if not record.text.strip():
                continue
            cells = self._clean(record.cells)
            texts[record.row] = self._fill(record, cells)
            values = dict(zip(self.names, cells, strict=False))
            row = Row(record.row, fixed | values)
            if problem := self._find_problem(record, cells):
                refused.append((row, [problem]))
            elif any(cells):
                rows.append(row)
        return rows, refused, texts

    def _clean(self, cells: list[str]) -> list[str]:
        """Return the cleaned cells, at least one for each column."""
        missing = len(self.columns) - len(cells)
        known = self.columns + [None] * max(-missing, 0)
        whole = cells + [""] * max(missing, 0)
        return [
            clean_cell(cell, column) for cell, column in zip(whole, known, strict=True)
        ]

    def _fill(self, record: Record, cells: list[str]) -> str:
        """Fill in what repeats the row above; return the completed text of the row."""
        if record.problem or not any(cells):
            return record.text
        changed = False
        for place in self.filled:
            if cells[place]:
                self.above[str(place)] = cells[place]
            elif above := self.above.get(str(place)):
                cells[place] = above
                changed = True
        return join_cells(cells, self.delimiter) if changed else record.text

    def _find_problem(self, record: Record, cells: list[str]) -> RowProblem | None:
        if record.problem:
            return RowProblem("", record.problem)
        width = len(self.names)
        if any(cells[width:]):
            count = len(record.cells)
            return RowProblem("", "cells", {"count": count, "width": width})
        if self.headers and record.cells == self.headers:
            return RowProblem("", "header")
        return None
