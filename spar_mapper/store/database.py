"""The store's requirements of a database cursor, and how rows are passed to it.

COPY takes rows without parsing SQL, and an array is one parameter whatever its length:
both cost a fraction of passing the same values in the text of a statement.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import groupby, repeat
from typing import Any, Protocol

Row = tuple[Any, ...]

_NULL = "\\N"
#: Characters that are sent at once: psycopg2's own 8,192 are a hundred pieces a batch.
_COPY_SIZE = 1 << 18
#: COPY's text format: characters that would end a value or a row are escaped.
_ESCAPES = str.maketrans(
    {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\b": "\\b", "\f": "\\f"}
)


#: Characters that would end a text in an array are escaped.
_QUOTES = str.maketrans({"\\": "\\\\", '"': '\\"'})


class StoreCursor(Protocol):
    """The part of Odoo's cursor that the store uses."""

    def execute(self, query: str, params: Sequence[object] | None = None) -> None:
        """Send one statement."""

    def fetchall(self) -> list[Row]:
        """Return the rows that the last statement found."""

    def copy_expert(self, sql: str, file: io.StringIO, size: int) -> None:
        """Send rows by COPY, in pieces of ``size`` characters."""


def fetch(cr: StoreCursor, query: str, *values: object) -> list[Row]:
    """Execute ``query`` with ``values`` and return its rows."""
    cr.execute(query, values)
    return cr.fetchall()


def copy_rows(
    cr: StoreCursor, table: str, columns: Sequence[str], rows: list[Row]
) -> None:
    """Insert ``rows`` into ``table`` with one COPY; do nothing if there are none."""
    if rows:
        into = f"COPY {table} ({', '.join(columns)}) FROM STDIN"
        cr.copy_expert(into, io.StringIO(format_rows(rows)), _COPY_SIZE)


def format_rows(rows: Sequence[Row]) -> str:
    r"""Return ``rows`` in COPY's text format.

    >>> format_rows([("a\tb", 1, None, b"\x01"), ("c", 2, None, b"\x02")])
    'a\\tb\t1\t\\N\t\\\\x01\nc\t2\t\\N\t\\\\x02\n'
    """
    pieces: list[Iterable[str]] = []
    # Neighbouring columns that are the same in every row are formatted once, as one.
    neighbours = groupby(  # pylint: disable=bad-builtin-groupby
        zip(*rows, strict=True), _is_same
    )
    for is_same, columns in neighbours:
        if is_same:
            text = "\t".join([_format_value(values[0]) for values in columns])
            pieces.append(repeat(text, len(rows)))
        else:
            pieces += map(_format_column, columns)
    return "\n".join(map("\t".join, zip(*pieces, strict=False))) + "\n"


def _is_same(values: Row) -> bool:
    """Return whether all values of a column are the same one."""
    return values[-1] is values[0] and values.count(values[0]) == len(values)


def _format_column(values: Row) -> Iterable[str]:
    """Format one column."""
    first = values[0]
    if first.__class__ is bytes and None not in values:
        return [f"\\\\x{value.hex()}" for value in values]
    if first.__class__ is int and None not in values:
        return map(str, values)
    if first.__class__ is str and None not in values and _is_plain("".join(values)):
        return values
    return map(_format_value, values)


def _is_plain(text: str) -> bool:
    """Return whether COPY takes ``text`` as is; this is cheaper than translating."""
    return text.isprintable() and "\\" not in text


def _format_value(value: object) -> str:
    if value is None:
        return _NULL
    if isinstance(value, str):
        return value if _is_plain(value) else value.translate(_ESCAPES)
    if isinstance(value, bytes):
        return f"\\\\x{value.hex()}"
    if isinstance(value, datetime):
        return value.isoformat(" ")
    return str(value)


def build_bytes_array(values: Iterable[bytes | None]) -> str:
    r"""Return ``values`` as a parameter to be cast to ``bytea[]``.

    >>> build_bytes_array([b"\x01", b"\x02", None])
    '{"\\\\x01","\\\\x02",NULL}'
    >>> build_bytes_array([])
    '{}'
    """
    texts = ["NULL" if v is None else f'"\\\\x{v.hex()}"' for v in values]
    return "{%s}" % ",".join(texts)


def build_texts(values: Iterable[str | None]) -> str:
    r"""Return ``values`` of any kind as a parameter to be cast to ``varchar[]``.

    >>> build_texts(["a,b", 'say "c"', None, ""])
    '{"a,b","say \\"c\\"",NULL,""}'
    """
    texts = ["NULL" if v is None else f'"{v.translate(_QUOTES)}"' for v in values]
    return "{%s}" % ",".join(texts)


def build_array(values: Iterable[object]) -> str:
    """Return numbers or plain words as a parameter to be cast to an array.

    Use it only for internal values (ids, hexadecimal, words of a state), never for
    external input, because nothing is escaped.

    >>> build_array([1, 2, None])
    '{1,2,NULL}'
    """
    return "{%s}" % ",".join(["NULL" if v is None else str(v) for v in values])


def build_moments(values: Iterable[datetime | None]) -> str:
    """Return moments as a parameter to be cast to ``timestamp[]``.

    >>> build_moments([datetime(2026, 3, 1, 12), None])
    '{"2026-03-01 12:00:00",NULL}'
    """
    texts = [f'"{moment.isoformat(" ")}"' if moment else None for moment in values]
    return build_array(texts)
