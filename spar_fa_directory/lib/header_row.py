"""Finding the header row of a table: seldom the first one, and sometimes absent."""

import re
from collections.abc import Callable

from .csv_file import Record

#: Returns how many of the given cells are known headers.
CountKnown = Callable[[list[str]], int]
_DIGIT = re.compile(r"\d")


def guess_header(records: list[Record], count_known: CountKnown) -> tuple[int, bool]:
    """Return the row with the headers (0 if there is none), and whether it is certain.

    >>> def known(cells):
    ...     return len({"Name", "Code"} & {*cells})
    >>> def rows(*rows):
    ...     return [Record(n, "", row.split(","), 0) for n, row in enumerate(rows, 1)]
    >>> guess_header(rows("Our branches", "", "Name,Code", "East,1"), known)
    (3, True)
    >>> guess_header(rows("East,B01", "West,B02"), known)
    (0, False)
    >>> guess_header(rows("Filiale,Nummer", "East,B01", "West,B02"), known)
    (1, True)
    """
    filled = [record for record in records if any(map(str.strip, record.cells))]
    best = max(filled, key=lambda r: count_known(r.cells), default=None)
    if not best:
        return 1, False
    count = count_known(best.cells)
    if count > 1 or (count and len(best.cells) == 1):
        return best.row, True
    if count:
        return best.row, False
    return _guess_by_shape(filled)


def _guess_by_shape(filled: list[Record]) -> tuple[int, bool]:
    """Recognise a header by the shape of its cells, if none of its words is known."""
    widths = [len(record.cells) for record in filled]
    usual = max(set(widths), key=lambda width: (widths.count(width), width))
    first, *rest = (record for record in filled if len(record.cells) == usual)
    columns = [[record.cells[place] for record in rest] for place in range(usual)]
    pairs = list(zip(first.cells, columns, strict=True))
    if any(_looks_like(cell, column) for cell, column in pairs):
        return 0, False
    titled = all(map(str.strip, first.cells)) and not _DIGIT.search(
        "".join(first.cells)
    )
    return first.row, titled and any(_has_digits(column) for _cell, column in pairs)


def _looks_like(cell: str, column: list[str]) -> bool:
    """Return whether a cell with digits is shaped like most of those below it.

    >>> _looks_like("B01", ["B02", "C17"]), _looks_like("Code 1", ["B02", "C17"])
    (True, False)
    """
    shapes = [_get_shape(below) for below in column]
    same = shapes.count(_get_shape(cell))
    return bool(_DIGIT.search(cell)) and bool(same) and 2 * same >= len(shapes)


def _get_shape(cell: str) -> str:
    return re.sub(r"[^\W\d_]", "A", re.sub(r"\d", "9", cell.strip()))


def _has_digits(column: list[str]) -> bool:
    return len(column) > 1 and all(map(_DIGIT.search, column))
