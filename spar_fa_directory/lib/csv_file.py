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

import chardet

DELIMITERS = ",;\t|"
ENCODINGS = {
    "utf-8": "UTF-8",
    "utf-16-le": "UTF-16 (little-endian)",
    "utf-16-be": "UTF-16 (big-endian)",
    "cp1252": "Western European (Windows-1252)",
    "cp1250": "Central European (Windows-1250)",
    "cp1251": "Cyrillic (Windows-1251)",
    "cp1253": "Greek (Windows-1253)",
    "cp1254": "Turkish (Windows-1254)",
    "cp1255": "Hebrew (Windows-1255)",
    "cp1256": "Arabic (Windows-1256)",
    "cp1258": "Vietnamese (Windows-1258)",
}
_MOST_CHARACTERS = 100_000  # of a line
_MOST_LINES = 20  # of a record whose cells hold line breaks
_MARKS = {
    b"\xef\xbb\xbf": "utf-8",
    b"\xff\xfe": "utf-16-le",
    b"\xfe\xff": "utf-16-be",
}
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
    """A record: its number (the header is 1), its text, its cells, where it ends.

    `problem` is "quote" or "long" for one that cannot be split; it has no cells then.
    """

    row: int
    text: str
    cells: list[str]
    end: int
    problem: str = ""


def guess_encoding(sample: bytes) -> str:
    """The encoding of a file that begins with `sample`.

    UTF-8 wherever some of it is good UTF-8 beyond plain letters, so that a single
    spoilt row does not turn the letters of all others into something else.

    >>> guess_encoding("Łódź".encode()), guess_encoding("Łódź".encode("utf-16"))
    ('utf-8', 'utf-16-le')
    >>> guess_encoding("name,Société Générale d'Orléans".encode("cp1252"))
    'cp1252'
    """
    for mark, encoding in _MARKS.items():
        if sample.startswith(mark):
            return encoding
    text = sample.decode(errors="surrogateescape")
    if sample.isascii() or not _UNDECODED.sub("", text).isascii():
        return "utf-8"
    return _guess_code_page(sample)


def _guess_code_page(sample: bytes) -> str:
    guessed = (chardet.detect(sample)["encoding"] or "").lower()
    guessed = guessed.replace("windows-", "cp")
    western = sample.decode("cp1252", "replace")
    if guessed not in ENCODINGS or sample.decode(guessed, "replace") == western:
        return "cp1252"
    return guessed


def guess_delimiter(line: str) -> str:
    """The delimiter of a header.

    >>> guess_delimiter("name;code;city, or town")
    ';'
    """
    return max(DELIMITERS, key=lambda sign: len(split_line(line, sign) or ()))


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
    :param width: how many cells the header has: tells a record whose cells hold line
        breaks from one whose quotation mark is a stray sign

    >>> stream = io.BytesIO(b'name,code\\r\\n"A\\nB",1\\r\\nC,2')
    >>> [(r.row, r.cells, r.end) for r in
    ...  read_records(stream, CsvFormat("utf-8", ","), width=2)]
    [(1, ['name', 'code'], 11), (2, ['A\\nB', '1'], 20), (3, ['C', '2'], 23)]
    """
    stream.seek(start)
    text = io.TextIOWrapper(stream, form.encoding, form.errors, newline="")
    waiting: deque[str] = deque()
    while lines := _take_lines(text, waiting):
        row += 1
        cells, problem = _split_lines(lines, form.delimiter)
        if len(lines) > 1 and (problem or len(cells) != width):
            waiting.extendleft(reversed(lines[1:]))
            del lines[1:]
            cells, problem = [], "quote"
        whole = "".join(lines)
        start += len(whole.encode(form.encoding, form.errors))
        if row == 1:
            cells = [cell.removeprefix("\ufeff") for cell in cells]
        yield Record(row, whole, cells, start, problem)


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
    cells = split_line("".join(lines).rstrip("\r\n"), delimiter)
    return (cells, "") if cells is not None else ([], "quote")


def guard_cell(text: str) -> str:
    """A cell that no spreadsheet takes for a formula; `unguard_cell` undoes it.

    >>> guard_cell("=1+1"), unguard_cell(guard_cell("=1+1"))
    ("'=1+1", '=1+1')
    """
    return f"'{text}" if text.startswith(_FORMULA) else text


def unguard_cell(text: str) -> str:
    """A cell as it was before `guard_cell`."""
    return text[1:] if text[:1] == "'" and text[1:].startswith(_FORMULA) else text
