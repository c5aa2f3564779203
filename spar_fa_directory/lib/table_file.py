"""A table of texts from an uploaded file: CSV in any encoding, or a workbook.

Every import reads its file through this module: what the file does not state is
guessed, and an uncertain guess is marked as such, so that a person can be asked while
looking at the first rows.

>>> import io
>>> file = io.BytesIO(b"sep=;\\nList of branches\\n\\nCode;Name\\n01;East\\n02;West\\n")
>>> guess = guess_table(file, lambda cells: len({"Code", "Name"} & {*cells}))
>>> guess.choices.delimiter, guess.choices.header, guess.doubts
(';', 4, ())
>>> with_header = open_table(file, guess.choices)
>>> with_header.headers, [(r.row, r.cells) for r in with_header.read_rows()]
(['Code', 'Name'], [(5, ['01', 'East']), (6, ['02', 'West'])])
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import BinaryIO

from . import csv_file, xlsx_file
from .csv_file import DELIMITERS, CsvFormat, Record
from .encodings import EncodingReading, guess_stream
from .header_row import CountKnown, guess_header
from .xlsx_file import is_workbook

_FIRST_RECORDS = 60


@dataclass(frozen=True)
class FileChoices:
    """How a file is to be read; fields that are None are guessed.

    ``sheet`` is "" if the file is not a workbook; ``header`` is the headers' row or 0
    for none.
    """

    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None
    header: int | None = None


@dataclass(frozen=True)
class FileGuess:
    """All choices made, the names of the uncertain ones, and the available options."""

    choices: FileChoices
    doubts: tuple[str, ...]
    sheets: tuple[str, ...] = ()
    readings: tuple[EncodingReading, ...] = ()


@dataclass(frozen=True)
class DataTable:
    """A file that can be read: its headers ("" if there are none) and its rows."""

    stream: BinaryIO
    choices: FileChoices
    headers: list[str]
    start: int

    def read_rows(self, end: int = 0, row: int = 0) -> Iterator[Record]:
        """Yield the rows below the header, or those after the record ``row``.

        ``end`` is where that record ends. Cells, lines and bytes are spoilt
        individually: one bad row never affects another.
        """
        row = max(row, self.choices.header or 0)
        if self.choices.sheet:
            yield from xlsx_file.read_sheet(self.stream, self.choices.sheet, after=row)
            return
        form = _get_form(self.choices)
        yield from csv_file.read_records(
            self.stream,
            form,
            start=end or self.start,
            row=row or _count_declared(self.stream, form),
            width=len(self.headers),
        )


def is_table(head: bytes) -> bool:
    """Return whether a file with this beginning can be a table: a workbook or a text.

    >>> is_table(b"name,code"), is_table(b"\\xd0\\xcf\\x11\\xe0"), is_table(b"%PDF-1.4")
    (True, False, False)
    """
    return not head.startswith((b"\xd0\xcf\x11\xe0", b"%PDF-", b"\x1f\x8b", b"{\\rtf"))


def guess_table(
    stream: BinaryIO, count_known: CountKnown, chosen: FileChoices | None = None
) -> FileGuess:
    """Guess how a file is to be read, where that is not chosen already.

    :param count_known: returns how many of the cells are headers known to the caller
    :raises BadWorkbook: for an archive that is not a workbook, or is too large
    """
    chosen = chosen or FileChoices()
    stream.seek(0)
    guess_kind = _guess_workbook if is_workbook(stream.read(4)) else _guess_text
    guess, records = guess_kind(stream, count_known, chosen)
    if chosen.header is not None:
        return replace(guess, choices=replace(guess.choices, header=chosen.header))
    header, sure = guess_header(records, count_known)
    return replace(
        guess,
        choices=replace(guess.choices, header=header),
        doubts=guess.doubts if sure else (*guess.doubts, "header"),
    )


def open_table(stream: BinaryIO, choices: FileChoices) -> DataTable:
    """Return a file, to be read as chosen.

    >>> import io
    >>> file = io.BytesIO(b"01,East\\n02,West,x\\n03,North\\n")
    >>> bare = open_table(file, FileChoices("utf-8", ",", "", 0))
    >>> bare.headers, [r.cells[0] for r in bare.read_rows()]
    (['', ''], ['01', '02', '03'])
    """
    if not choices.header:
        start = 0 if choices.sheet else _find_start(stream, choices)
        width = get_usual_width(read_first(stream, choices))
        return DataTable(stream, choices, [""] * width, start)
    for record in _read_all(stream, choices):
        if record.row >= choices.header:
            cells = record.cells if record.row == choices.header else []
            return DataTable(stream, choices, cells, record.end)
    return DataTable(stream, choices, [], 0)


def read_first(
    stream: BinaryIO, choices: FileChoices, count: int = _FIRST_RECORDS
) -> list[Record]:
    """Return the first records, including the header and what is above it."""
    return list(islice(_read_all(stream, choices), count))


def get_usual_width(records: list[Record]) -> int:
    """Return how many cells most records have.

    >>> get_usual_width([Record(1, "", ["a"], 0), Record(2, "", ["b", "c"], 0)])
    2
    """
    widths = Counter(_get_width(record) for record in records)
    most = max(widths.values(), default=0)
    return max((width for width, count in widths.items() if count == most), default=0)


def _get_width(record: Record) -> int:
    filled = [place for place, cell in enumerate(record.cells, 1) if cell.strip()]
    return len(record.cells) if filled else 0


def _read_all(stream: BinaryIO, choices: FileChoices) -> Iterator[Record]:
    if choices.sheet:
        return xlsx_file.read_sheet(stream, choices.sheet)
    form = _get_form(choices)
    records = csv_file.read_records(stream, form)
    return islice(records, _count_declared(stream, form), None)


def _get_form(choices: FileChoices) -> CsvFormat:
    return CsvFormat(choices.encoding or "utf-8", choices.delimiter or ",")


def _find_start(stream: BinaryIO, choices: FileChoices) -> int:
    """Return where the first record begins, after a declaration of the delimiter."""
    form = _get_form(choices)
    first = next(csv_file.read_records(stream, form), None)
    return first.end if first and csv_file.find_declared(first.text) else 0


def _count_declared(stream: BinaryIO, form: CsvFormat) -> int:
    first = next(csv_file.read_records(stream, form), None)
    return int(bool(first and csv_file.find_declared(first.text)))


# === GUESSES === #


def _guess_text(
    stream: BinaryIO, count_known: CountKnown, chosen: FileChoices
) -> tuple[FileGuess, list[Record]]:
    encoding = guess_stream(stream)
    choices = FileChoices(chosen.encoding or encoding.encoding, chosen.delimiter, "")
    doubts = () if chosen.encoding or encoding.sure else ("encoding",)
    first = next(csv_file.read_records(stream, _get_form(choices)), None)
    if declared := csv_file.find_declared(first.text if first else ""):
        choices = replace(choices, delimiter=chosen.delimiter or declared)
    if not choices.delimiter:
        rated = {sign: _rate(stream, choices, sign, count_known) for sign in DELIMITERS}
        best = max(rated, key=lambda sign: rated[sign])
        choices = replace(choices, delimiter=best)
        if list(rated.values()).count(rated[best]) > 1:
            doubts = (*doubts, "delimiter")
    guess = FileGuess(choices, doubts, readings=encoding.readings)
    return guess, read_first(stream, choices)


def _rate(
    stream: BinaryIO, choices: FileChoices, sign: str, count_known: CountKnown
) -> tuple[int, int, int]:
    """Rate a delimiter: by known headers, then by records of the same width."""
    records = read_first(stream, replace(choices, delimiter=sign))
    known = max((count_known(record.cells) for record in records), default=0)
    widths = Counter(width for r in records if (width := len(r.cells)) > 1)
    most = max(widths.values(), default=0)
    width = max((width for width, count in widths.items() if count == most), default=0)
    return known, most, width


def _guess_workbook(
    stream: BinaryIO, count_known: CountKnown, chosen: FileChoices
) -> tuple[FileGuess, list[Record]]:
    heads = xlsx_file.read_heads(stream, _FIRST_RECORDS)
    known = {
        name: max((count_known(record.cells) for record in records), default=0)
        for name, records in heads.items()
    }
    best = max(known, key=lambda name: known[name], default="")
    sheet = chosen.sheet if chosen.sheet in heads else best
    clear = len(heads) == 1 or [n for n in known if known[n] > 1] == [best]
    doubts = () if chosen.sheet or clear else ("sheet",)
    choices = FileChoices("utf-8", ",", sheet)
    return FileGuess(choices, doubts, tuple(heads)), heads.get(sheet or "", [])
