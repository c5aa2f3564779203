"""Reading a CSV file of any size, record by record, from any record on.

Nothing that a file holds ends the reading: bytes that are no text in its encoding and
quotation marks that never close spoil one record, not those after it.
"""

import csv
import io
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, NamedTuple, TextIO

DELIMITERS = ",;\t|"
_MOST_CHARACTERS = 100_000  # of a line
_MOST_LINES = 20  # of a record whose cells hold line breaks
# A first line that names the delimiter, as Excel reads and writes it.
_DECLARED = re.compile(r'\ufeff*"?sep=(.|\t)"?\s*', re.IGNORECASE)
_UNDECODED = re.compile("[\udc80-\udcff\ufffd]")
# What a spreadsheet would take for a formula, when it stands first in a cell.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class CsvFormat:
    """How a file is written: its encoding (as Python names it) and its delimiter."""

    encoding: str
    delimiter: str

    @property
    def errors(self) -> str:
        """Bytes that are no text are kept as lone surrogates, where that can be."""
        wide = self.encoding.startswith("utf-16")
        return "replace" if wide else "surrogateescape"


class Record(NamedTuple):
    """A record: its number (the first is 1), its text, its cells, where it ends.

    `problem` is "quote" or "long" for one that cannot be split; it has no cells then.
    """

    row: int
    text: str
    cells: list[str]
    end: int
    problem: str = ""


def find_declared(line: str) -> str:
    """The delimiter that a file's first line declares, or "".

    >>> find_declared("sep=;"), find_declared("name;code")
    (';', '')
    """
    declared = _DECLARED.fullmatch(line)
    return declared[1] if declared and declared[1] in DELIMITERS else ""


def is_undecoded(text: str) -> bool:
    """Whether some of it was no text in the file's encoding."""
    return bool(_UNDECODED.search(text))


def show_text(text: str) -> str:
    """`text` as a database can keep it: what is no text shows as a question mark.

    >>> show_text("Orl\\udce9ans\\0")
    'Orl?ans?'
    """
    return text.replace("\0", "?").encode(errors="replace").decode()


def split_line(text: str, delimiter: str) -> list[str] | None:
    """The cells of a record; None when its quotation marks are wrong.

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
    """The records of a file.

    :param start: where to begin: the `end` of an earlier record, whose number is `row`
    :param width: how many cells the header has, where that is known: tells a record
        whose cells hold line breaks from one whose quotation mark is a stray sign

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
            text.detach()  # or the stream, which is the caller's, would be closed


def _take_lines(text: TextIO, waiting: deque[str]) -> list[str]:
    """The lines of the next record: until its quotation marks are even in number."""
    lines: list[str] = []
    marks = 0
    while len(lines) < _MOST_LINES:
        line = waiting.popleft() if waiting else text.readline(_MOST_CHARACTERS)
        if not line:
            break
        lines.append(line)
        marks += line.count('"')
        if marks % 2 == 0:
            break
    return lines


def _split_lines(lines: list[str], delimiter: str) -> tuple[list[str], str]:
    if any(len(line) >= _MOST_CHARACTERS for line in lines):
        return [], "long"
    # A byte-order mark before a quotation mark would make a plain sign of it.
    text = "".join(lines).rstrip("\r\n").lstrip("\ufeff")
    cells = split_line(text, delimiter)
    return (cells, "") if cells is not None else ([], "quote")


def guard_cell(text: str) -> str:
    """A cell that no spreadsheet takes for a formula; `clean_text` undoes it.

    >>> guard_cell("=1+1"), guard_cell("East")
    ("'=1+1", 'East')
    """
    return f"'{text}" if text.startswith(_FORMULA) else text
