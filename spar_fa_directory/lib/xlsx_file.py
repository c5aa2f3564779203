"""Reading a sheet of an XLSX workbook, row by row, as the texts that people see in it.

A workbook is an untrusted archive: the size of its parts is bounded before anything is
unpacked, and XML with declarations of its own is rejected.
"""

import csv
import io
import re
import zipfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, time
from itertools import islice
from typing import Any, BinaryIO

from openpyxl.cell.read_only import ReadOnlyCell
from openpyxl.reader.excel import ExcelReader
from openpyxl.styles.stylesheet import apply_stylesheet
from openpyxl.utils import range_boundaries
from openpyxl.utils.datetime import from_excel, from_ISO8601
from openpyxl.utils.escape import unescape
from openpyxl.xml.constants import SHARED_STRINGS

from . import xlsx_parts
from .csv_file import Record
from .xlsx_parts import RawCell

MAX_ROWS = 1_048_576
_MAX_CELLS = 500  # per row
_MAX_SHEETS = 30
_MAX_PARTS = 5_000
_MAX_MERGED = 200_000
_MB = 1 << 20
_MAX_BYTES = {"sheet": 600 * _MB, "strings": 100 * _MB, "other": 40 * _MB}
_MAX_TOTAL_BYTES = 1_000 * _MB
_BLOCK = 1 << 20
_OVERLAP = 200
_HEAD = 1 << 14
_XML = re.compile(r"\.(?:xml|rels)$", re.IGNORECASE)
_MERGED = re.compile(
    rb'<(?:\w+:)?mergeCell\s+ref="([A-Z]{1,3}\d{1,7}:[A-Z]{1,3}\d{1,7})"'
)
_DECLARATION = re.compile(
    rb"<\0?!\0?(?:D\0?O\0?C\0?T\0?Y\0?P\0?E|E\0?N\0?T\0?I\0?T\0?Y)"
)
# A number format that only pads with zeros, with signs in between: 00000, "BR"000-00.
_FILLING = re.compile(r'(?:0|"[^"]*"|\\.|[-/ ])+')
_FILLING_PART = re.compile(r'0|"[^"]*"|\\.|[-/ ]')
_MAX_DIGITS = 10**15  # a spreadsheet keeps fifteen digits


_from_iso: Any = from_ISO8601  # openpyxl has no type annotation for it


class BadWorkbook(Exception):
    """The workbook cannot be read; ``code`` is "damaged", "large" or "kind"."""

    def __init__(self, code: str):
        self.code = code
        super().__init__(code)


def is_workbook(head: bytes) -> bool:
    """Return whether a file with this beginning is an archive, as workbooks are."""
    return head.startswith(b"PK\x03\x04")


@dataclass(frozen=True)
class _Sheet:
    """A sheet: its displayed name, whether it is visible, and its part's path."""

    name: str
    is_visible: bool
    path: str


@dataclass(frozen=True)
class _Workbook:
    """What openpyxl has read of a workbook: everything but its texts and sheets.

    ``formats`` are the number formats of its styles that have been requested so far.
    """

    archive: zipfile.ZipFile
    book: Any
    sheets: tuple[_Sheet, ...]
    texts: list[str]
    formats: dict[int, str] = field(default_factory=dict)

    def get_format(self, style: int) -> str:
        if style not in self.formats:
            parent: Any = _Styled(self.book)
            cell = ReadOnlyCell(parent, 1, 1, 0, "n", style)
            self.formats[style] = cell.number_format or ""
        return self.formats[style]


@dataclass(frozen=True)
class _Styled:
    """What openpyxl requires of a cell to resolve its style."""

    parent: Any


@contextmanager
def _open_workbook(stream: BinaryIO) -> Iterator[_Workbook]:
    """Open the workbook, read-only.

    :raises BadWorkbook: when it is not a workbook, is damaged or would be too large
    """
    _check_parts(stream)
    stream.seek(0)
    try:
        reader = ExcelReader(stream, read_only=True, data_only=True, keep_links=False)
        with closing(reader.archive):
            yield _read_workbook(reader)
    except BadWorkbook:
        raise
    except Exception as error:  # openpyxl does not catch its parsers' exceptions
        raise BadWorkbook("damaged") from error


def _read_workbook(reader: Any) -> _Workbook:
    reader.read_manifest()
    reader.read_workbook()
    apply_stylesheet(reader.archive, reader.wb)
    sheets = tuple(
        _Sheet(sheet.name, sheet.state == "visible", relation.target)
        for sheet, relation in reader.parser.find_sheets()
        if relation.target in reader.valid_files and "chartsheet" not in relation.Type
    )
    texts: list[str] = []
    if shared := reader.package.find(SHARED_STRINGS):
        with reader.archive.open(shared.PartName[1:]) as part:
            texts = xlsx_parts.read_texts(part)
    return _Workbook(reader.archive, reader.wb, sheets, texts)


def _check_parts(stream: BinaryIO) -> None:
    """Check the parts of the archive.

    :raises BadWorkbook: when it is not a workbook, or unpacks to too much
    """
    stream.seek(0)
    try:
        with zipfile.ZipFile(stream) as archive:
            parts = archive.infolist()
            if "[Content_Types].xml" not in archive.namelist() or any(
                part.filename.endswith("workbook.bin") for part in parts
            ):
                raise BadWorkbook("kind")
            if _are_large(parts):
                raise BadWorkbook("large")
            names = [p.filename for p in parts if _XML.search(p.filename)]
            blocks = (block for name in names for block in _read_blocks(archive, name))
            if any(map(_DECLARATION.search, blocks)):
                raise BadWorkbook("damaged")
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError) as error:
        raise BadWorkbook("damaged") from error


def _are_large(parts: list[zipfile.ZipInfo]) -> bool:
    """Return whether they unpack to too much; declared sizes are never exceeded."""
    return (
        len(parts) > _MAX_PARTS
        or sum(part.file_size for part in parts) > _MAX_TOTAL_BYTES
        or any(map(_is_large, parts))
    )


def _is_large(part: zipfile.ZipInfo) -> bool:
    name = part.filename.lower()
    kind = "sheet" if "worksheets/" in name else "other"
    return part.file_size > _MAX_BYTES["strings" if "strings" in name else kind]


def _read_blocks(archive: zipfile.ZipFile, name: str) -> Iterator[bytes]:
    """Yield the bytes of a part in overlapping blocks, so that no word is split."""
    with archive.open(name) as part:
        before = b""
        while block := part.read(_BLOCK):
            yield before + block
            before = block[-_OVERLAP:]


def read_heads(stream: BinaryIO, count: int) -> dict[str, list[Record]]:
    """Return the first rows of each visible, non-empty sheet, by its name.

    :raises BadWorkbook: when it is not a workbook
    """
    with _open_workbook(stream) as book:
        seen = [sheet for sheet in book.sheets if sheet.is_visible]
        heads = {
            sheet.name: list(islice(_read_rows(book, sheet, _Merged([])), count))
            for sheet in (seen or book.sheets)[:_MAX_SHEETS]
        }
        return {name: rows for name, rows in heads.items() if rows}


def read_sheet(stream: BinaryIO, name: str, *, after: int = 0) -> Iterator[Record]:
    """Yield the rows of a sheet after row ``after``, filling in merged cells.

    A merged cell fills the rows below it; rows without any text are left out. A
    record's ``text`` is its cells as CSV; its ``end`` is how far the file has been read
    by then, as a number of rows.

    :raises BadWorkbook: when it is not a workbook, or lacks the sheet
    """
    size = stream.seek(0, io.SEEK_END)
    with _open_workbook(stream) as book:
        sheet = next((each for each in book.sheets if each.name == name), None)
        if sheet is None:
            raise BadWorkbook("damaged")
        count = min(_count_rows(book, sheet), MAX_ROWS)
        for record in _read_rows(book, sheet, _Merged(_find_merged(book, sheet))):
            if record.row > after:
                end = size * min(record.row, count) // count
                yield record._replace(text=join_cells(record.cells), end=end)


def _count_rows(book: _Workbook, sheet: _Sheet) -> int:
    """Return the number of rows that the sheet declares, or the possible maximum."""
    with book.archive.open(sheet.path) as part:
        return xlsx_parts.find_last_row(part.read(_HEAD)) or MAX_ROWS


def _read_rows(book: _Workbook, sheet: _Sheet, merged: "_Merged") -> Iterator[Record]:
    last = 0
    with book.archive.open(sheet.path) as part:
        for row, cells in xlsx_parts.read_rows(part):
            if row > MAX_ROWS:
                break
            if row <= last:
                continue
            last = row
            texts = _show_row(book, cells)
            is_empty = not texts
            merged.fill(row, texts)
            if not is_empty:
                width = max(cell.column for cell in cells)
                yield Record(row, "", texts, 0, "long" if width > _MAX_CELLS else "")


def _show_row(book: _Workbook, cells: list[RawCell]) -> list[str]:
    """Return the texts of a row from its first column, without trailing empty ones."""
    width = max((cell.column for cell in cells), default=0)
    texts = [""] * min(width, _MAX_CELLS)
    for cell in cells:
        if cell.column <= _MAX_CELLS:
            texts[cell.column - 1] = _show_cell(book, cell)
    while texts and not texts[-1].strip():
        texts.pop()
    return texts


def join_cells(cells: list[str], delimiter: str = ",") -> str:
    """Return cells as a line of CSV.

    >>> join_cells(["a,b", 'c"', "d"])
    '"a,b","c\"\"",d'
    """
    line = io.StringIO()
    csv.writer(line, delimiter=delimiter, lineterminator="").writerow(cells)
    return line.getvalue()


def _find_merged(book: _Workbook, sheet: _Sheet) -> list[tuple[int, int, int]]:
    """Return merged cells of more than one row: column (from 0), first and last row."""
    found = {}
    for block in _read_blocks(book.archive, sheet.path):
        for match in _MERGED.finditer(block):
            edges = range_boundaries(match[1].decode())
            left, top, _right, bottom = (edge or 0 for edge in edges)
            if bottom > top:
                found[top, left - 1] = bottom
            if len(found) > _MAX_MERGED:
                raise BadWorkbook("large")
    return sorted((left, top, bottom) for (top, left), bottom in found.items())


class _Merged:
    """The values of merged cells, copied from their first row to the rows below."""

    def __init__(self, ranges: list[tuple[int, int, int]]):
        self._by_top: dict[int, list[tuple[int, int]]] = {}
        self._open: dict[int, tuple[int, str]] = {}
        for left, top, bottom in ranges:
            self._by_top.setdefault(top, []).append((left, bottom))

    def fill(self, row: int, texts: list[str]) -> None:
        for left, (bottom, text) in list(self._open.items()):
            if row > bottom:
                del self._open[left]
            elif text:
                texts.extend([""] * (left + 1 - len(texts)))
                texts[left] = text
        for left, bottom in self._by_top.get(row, ()):
            self._open[left] = bottom, texts[left] if left < len(texts) else ""


def _show_cell(book: _Workbook, cell: RawCell) -> str:
    """Return the text of a cell: digits as they are displayed, a date as a date."""
    text = cell.text
    if cell.kind == "s":
        text = book.texts[int(text)]
    elif cell.kind == "n":
        return _show_numeric(book, cell)
    elif cell.kind == "b":
        return str(bool(int(text))).upper()
    elif cell.kind == "d":
        return _show_moment(_from_iso(text))
    return unescape(text) if "_x00" in text else text


def _show_numeric(book: _Workbook, cell: RawCell) -> str:
    value = _read_number(cell.text)
    if cell.style not in book.book._date_formats:
        return show_number(value, book.get_format(cell.style))
    is_duration = cell.style in book.book._timedelta_formats
    try:
        return _show_moment(from_excel(value, book.book.epoch, timedelta=is_duration))
    except (OverflowError, ValueError):
        return "#VALUE!"


def _read_number(text: str) -> float:
    """Return a number as a workbook writes it.

    >>> _read_number("12"), _read_number("1.5"), _read_number("1E3")
    (12, 1.5, 1000.0)
    """
    return float(text) if "." in text or "E" in text or "e" in text else int(text)


def _show_moment(value: Any) -> str:
    if isinstance(value, datetime):
        return str(value.date() if value.time() == time() else value)
    return str(value)


def show_number(value: float, form: str) -> str:
    """Return a number as digits, zero-padded as its format requires.

    One with more digits than a spreadsheet keeps is written in scientific notation.

    >>> show_number(123, "00000"), show_number(1001.0, "General"), show_number(1.5, "")
    ('00123', '1001', '1.5')
    >>> show_number(12345, '"BR"000-000'), show_number(1.23e15, "0")
    ('BR012-345', '1.23E+15')
    """
    if value != int(value):
        return str(value)
    if abs(value) >= _MAX_DIGITS:
        return f"{value:.15G}"
    digits = str(int(value))
    if value < 0 or not _FILLING.fullmatch(form):
        return digits
    return _fill_format(digits, _FILLING_PART.findall(form))


def _fill_format(digits: str, parts: list[str]) -> str:
    rest = digits.zfill(parts.count("0"))
    shown = []
    for place, part in reversed(list(enumerate(parts))):
        if part != "0":
            shown.append(part.strip('"').removeprefix("\\") if len(part) > 1 else part)
        elif "0" in parts[:place]:
            shown.append(rest[-1])
            rest = rest[:-1]
        else:
            shown.append(rest)
    return "".join(reversed(shown))
