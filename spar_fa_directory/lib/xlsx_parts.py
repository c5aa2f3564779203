"""Reading the two large parts of an XLSX workbook: its shared texts and its sheets.

They are parsed directly with expat, because openpyxl creates an object for every cell
and text, and reads all of a sheet that does not declare its size before it returns the
first row.
"""

import re
from collections.abc import Iterator
from typing import IO, Any, NamedTuple
from xml.parsers import expat

_BLOCK = 1 << 16
_DIMENSION = re.compile(
    rb'<(?:\w+:)?dimension\s+ref="[A-Z]{1,3}\d{1,7}(?::[A-Z]{1,3}(\d{1,7}))?"'
)
_DIGITS = "0123456789"


class RawCell(NamedTuple):
    """A cell as written: its column (from 1), type, style and content."""

    column: int
    kind: str
    style: int
    text: str


class _Texts:
    """A collector of the text in elements; the names' prefix depends on the file."""

    def __init__(self) -> None:
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._begin
        self.parser.EndElementHandler = self._end
        self.pieces: list[str] = []
        self.phonetic = 0
        self.done: list[Any] = []

    def iterate(self, part: IO[bytes]) -> Iterator[Any]:
        """Yield what was made of the part, block by block."""
        while block := part.read(_BLOCK):
            self.parser.Parse(block, False)
            yield from self.done
            self.done.clear()
        self.parser.Parse(b"", True)
        yield from self.done

    def _begin(self, name: str, attributes: dict[str, str]) -> None:
        """Begin an element; the first one determines the namespace of all others."""
        space = name.rpartition(" ")[0]
        self._set_names(f"{space} " if space else "")
        self.parser.StartElementHandler = self._start

    def _set_names(self, space: str) -> None:
        self.t, self.ph = f"{space}t", f"{space}rPh"
        self._set_own_names(space)

    def _set_own_names(self, space: str) -> None:
        raise NotImplementedError

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        raise NotImplementedError

    def _end(self, name: str) -> None:
        raise NotImplementedError

    def _listen(self) -> None:
        self.parser.CharacterDataHandler = self.pieces.append

    def _take(self) -> str:
        """Return the text collected since the last call."""
        self.parser.CharacterDataHandler = None
        text = "".join(self.pieces)
        self.pieces.clear()
        return text


class _SharedTexts(_Texts):
    def _set_own_names(self, space: str) -> None:
        self.si, self.text = f"{space}si", ""

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if name == self.t and not self.phonetic:
            self._listen()
        elif name == self.ph:
            self.phonetic += 1

    def _end(self, name: str) -> None:
        if name == self.t and not self.phonetic:
            self.text += self._take()
        elif name == self.ph:
            self.phonetic -= 1
        elif name == self.si:
            self.done.append(self.text.replace("x005F_", ""))
            self.text = ""


class _Rows(_Texts):
    def _set_own_names(self, space: str) -> None:
        self.row, self.c, self.v = (f"{space}{name}" for name in ("row", "c", "v"))
        self.number = self.column = 0
        self.kind, self.style, self.text = "", 0, ""
        self.is_inline = self.is_cell = False
        self.cells: list[RawCell] = []
        self.columns: dict[str, int] = {}

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if name == self.c:
            self._start_cell(attributes)
        elif name == self.v:
            if self.is_cell and not self.is_inline:
                self._listen()
        elif name == self.row:
            given = attributes.get("r")
            self.number = int(float(given)) if given else self.number + 1
            self.column, self.cells = 0, []
        elif name == self.t and self.is_inline and not self.phonetic:
            self._listen()
        elif name == self.ph:
            self.phonetic += 1

    def _start_cell(self, attributes: dict[str, str]) -> None:
        self.kind = attributes.get("t", "n")
        self.style = int(attributes.get("s") or 0)
        self.is_cell, self.is_inline = True, self.kind == "inlineStr"
        self.text = ""
        place = attributes.get("r")
        if not place:
            self.column += 1
            return
        letters = place.rstrip(_DIGITS)
        column = self.columns.get(letters)
        if column is None:
            column = self.columns[letters] = _read_column(letters)
        self.column = column

    def _end(self, name: str) -> None:
        if name == self.v:
            if self.is_cell and not self.is_inline:
                self.text = self._take()
        elif name == self.c:
            self.is_cell = self.is_inline = False
            if self.text:
                cell = RawCell(self.column, self.kind, self.style, self.text)
                self.cells.append(cell)
        elif name == self.row:
            self.done.append((self.number, self.cells))
        elif name == self.t and self.is_inline and not self.phonetic:
            self.text += self._take()
        elif name == self.ph:
            self.phonetic -= 1


def _read_column(letters: str) -> int:
    """Return the number of a column, from 1.

    >>> _read_column("A"), _read_column("AB")
    (1, 28)
    """
    if not (letters.isascii() and letters.isalpha() and len(letters) <= 3):
        raise ValueError("no column")
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


def read_texts(part: IO[bytes]) -> list[str]:
    """Return the texts that cells share, in their order.

    >>> import io
    >>> part = b"<sst><si><t>a</t></si><si><r><t>b</t></r><r><t>c</t></r>"
    >>> read_texts(io.BytesIO(part + b"<rPh><t>x</t></rPh></si></sst>"))
    ['a', 'bc']
    """
    return list(_SharedTexts().iterate(part))


def read_rows(part: IO[bytes]) -> Iterator[tuple[int, list[RawCell]]]:
    """Yield the rows of a sheet that are present, with their numbers and filled cells.

    >>> import io
    >>> list(read_rows(io.BytesIO(b'<worksheet><sheetData><row r="2"><c r="B2" t="s">'
    ...     b'<v>7</v></c></row></sheetData></worksheet>')))
    [(2, [RawCell(column=2, kind='s', style=0, text='7')])]
    """
    return _Rows().iterate(part)


def find_last_row(head: bytes) -> int:
    """Return the number of rows that a sheet's beginning declares; 0 if it does not.

    >>> find_last_row(b'<worksheet><dimension ref="A1:D30"/>'), find_last_row(b"")
    (30, 0)
    """
    found = _DIMENSION.search(head)
    return int(found[1] or 1) if found else 0
