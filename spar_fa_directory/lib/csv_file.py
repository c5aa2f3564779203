"""Reading a CSV file of any size, record by record, starting from any record.

No content ends the reading: undecodable bytes and quotation marks that are never closed
spoil one record, but not those after it.
"""

import csv
import io
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple, TextIO

DELIMITERS = ",;\t|"
_MAX_CHARACTERS = 100_000  # per line
_MAX_LINES = 20  # per record, whose cells may contain line breaks
# A first line that declares the delimiter, as Excel reads and writes it.
_DECLARED = re.compile(r'\ufeff*"?sep=(.|\t)"?\s*', re.IGNORECASE)
_UNDECODED = re.compile("[\udc80-\udcff\ufffd]")
# The signs that make a spreadsheet read a cell as a formula when they come first.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class CsvFormat:
    """The format of a file: its encoding (as Python names it) and its delimiter."""

    encoding: str
    delimiter: str

    @property
    def errors(self) -> str:
        """Return the error handler, which keeps undecodable bytes if it can."""
        wide = self.encoding.startswith("utf-16")
        return "replace" if wide else "surrogateescape"


class Record(NamedTuple):
    """A record: its number (the first is 1), its text, its cells, and where it ends.

    ``problem`` is "quote" or "long" for a record that cannot be split and has no cells.
    """

    row: int
    text: str
    cells: list[str]
    end: int
    problem: str = ""


def find_declared(line: str) -> str:
    """Return the delimiter that a file's first line declares, or "".

    >>> find_declared("sep=;"), find_declared("name;code")
    (';', '')
    """
    declared = _DECLARED.fullmatch(line)
    return declared[1] if declared and declared[1] in DELIMITERS else ""


def is_undecoded(text: str) -> bool:
    """Return whether part of the text could not be decoded."""
    return bool(_UNDECODED.search(text))


def show_text(text: str) -> str:
    """Return ``text`` as a database can store it, undecodable bytes as question marks.

    >>> show_text("Orl\\udce9ans\\0")
    'Orl?ans?'
    """
    return text.replace("\0", "?").encode(errors="replace").decode()


def split_line(text: str, delimiter: str) -> list[str] | None:
    """Return the cells of a record; None if its quotation marks are unbalanced.

    >>> split_line('1,"a, b"', ","), split_line('1,"a', ",")
    (['1', 'a, b'], None)
    """
    try:
        return next(csv.reader([text], delimiter=delimiter, strict=True), [])
    except csv.Error:
        return None


def read_records(
    stream: BinaryIO, form: CsvFormat, *, start: int = 0, row: int = 0, width: int = 0
) -> Iterator[Record]:
    """Yield the records of a file.

    :param start: where to begin: the ``end`` of an earlier record, whose number is
        ``row``
    :param width: the number of cells in the header, if known: it distinguishes a record
        whose cells contain line breaks from one with a stray quotation mark

    >>> stream = io.BytesIO(b'name,code\\r\\n"A\\nB",1\\r\\nC,2')
    >>> [(r.row, r.cells, r.end) for r in
    ...  read_records(stream, CsvFormat("utf-8", ","), width=2)]
    [(1, ['name', 'code'], 11), (2, ['A\\nB', '1'], 20), (3, ['C', '2'], 23)]
    """
    stream.seek(start)
    text = io.TextIOWrapper(stream, form.encoding, form.errors, newline="")
    waiting: deque[str] = deque()
    try:
        while lines := _take_lines(text, waiting):
            row += 1
            cells, problem = _split_lines(lines, form.delimiter)
            if len(lines) > 1 and (problem or width not in (0, len(cells))):
                waiting.extendleft(reversed(lines[1:]))
                del lines[1:]
                cells, problem = [], "quote"
            whole = "".join(lines)
            start += len(whole.encode(form.encoding, form.errors))
            yield Record(row, whole, cells, start, problem)
    finally:
        if not stream.closed:
            text.detach()  # otherwise the caller's stream would be closed


def _take_lines(text: TextIO, waiting: deque[str]) -> list[str]:
    """Return the lines of the next record, up to an even number of quotation marks."""
    lines: list[str] = []
    marks = 0
    while len(lines) < _MAX_LINES:
        line = waiting.popleft() if waiting else text.readline(_MAX_CHARACTERS)
        if not line:
            break
        lines.append(line)
        marks += line.count('"')
        if marks % 2 == 0:
            break
    return lines


def _split_lines(lines: list[str], delimiter: str) -> tuple[list[str], str]:
    if any(len(line) >= _MAX_CHARACTERS for line in lines):
        return [], "long"
    # A byte-order mark before a quotation mark would make it an ordinary sign.
    text = "".join(lines).rstrip("\r\n").lstrip("\ufeff")
    cells = split_line(text, delimiter)
    return (cells, "") if cells is not None else ([], "quote")


def guard_cell(text: str) -> str:
    """Return a cell that no spreadsheet reads as a formula; ``clean_text`` undoes it.

    >>> guard_cell("=1+1"), guard_cell("East")
    ("'=1+1", 'East')
    """
    return f"'{text}" if text.startswith(_FORMULA) else text
