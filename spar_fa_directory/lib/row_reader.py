"""The records of a file as rows: what is in which column, and what cannot be one."""

from dataclasses import dataclass, field

from .csv_file import Record
from .directory_rows import Column, Problem, Row, clean_cell
from .xlsx_file import join_cells


@dataclass
class RowReader:
    """Makes rows of records.

    :param names: what each column holds
    :param columns: the rules of each, None for one that has none
    :param filled: the places of columns whose empty cells are the same as above
    :param headers: the cells of the header row, so that it is not taken for a row again
    :param above: what these columns had in the last row, by place (as JSON keeps it)

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
    ) -> tuple[list[Row], list[tuple[Row, list[Problem]]], dict[int, str]]:
        """The rows, those that cannot be taken apart, and the text of every row.

        :param fixed: cells that are the same in every row; the file's own come first
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
        """The cells, one for each column at least."""
        missing = len(self.columns) - len(cells)
        known = self.columns + [None] * max(-missing, 0)
        whole = cells + [""] * max(missing, 0)
        return [
            clean_cell(cell, column) for cell, column in zip(whole, known, strict=True)
        ]

    def _fill(self, record: Record, cells: list[str]) -> str:
        """Fill what is the same as above; the text of the row with it."""
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

    def _find_problem(self, record: Record, cells: list[str]) -> Problem | None:
        if record.problem:
            return Problem("", record.problem)
        width = len(self.names)
        if any(cells[width:]):
            count = len(record.cells)
            return Problem("", "cells", {"count": count, "width": width})
        if self.headers and record.cells == self.headers:
            return Problem("", "header")
        return None
