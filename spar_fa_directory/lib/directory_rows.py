"""What the rows of a file of providers or branches must contain."""

import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from .cell_rules import (
    EMPTIED,
    clean_code,
    clean_text,
    find_code_problem,
    find_name_problem,
    find_text_problem,
)
from .placeholders import is_name_placeholder

_WORD = re.compile(r"[^\W_]+")
# The word boundaries of a program's identifiers: swiftCode, IFSCCode.
_CAPITAL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


@dataclass(frozen=True)
class Column:
    """A column that a file may have, and the headers by which it is recognised.

    ``rule`` states what its cells contain: a "code", a "name" or any "text". In a
    column that ``may_lack`` a value, what programs write for "nothing" is an empty
    cell.
    """

    name: str
    aliases: tuple[str, ...] = ()
    required: bool = False
    rule: str = "text"
    may_lack: bool = False


class RowProblem(NamedTuple):
    """The problem of a cell: the name of its column ("" for the row), and a code."""

    column: str
    code: str
    values: Mapping[str, object] = {}


class Row(NamedTuple):
    """A row of a file: its number, and its cells by the name of their column."""

    number: int
    values: dict[str, str]


def fold_header(header: str) -> str:
    """Return a header in the form that is compared.

    >>> fold_header(" Branch-Code "), fold_header("Código"), fold_header("swiftCode")
    ('branch code', 'codigo', 'swift code')
    """
    plain = unicodedata.normalize("NFKD", header)
    plain = "".join(sign for sign in plain if not unicodedata.combining(sign))
    return " ".join(_WORD.findall(_CAPITAL.sub(" ", plain))).lower()


def _squash(header: str) -> str:
    """Return a header without gaps, as some programs write it."""
    return fold_header(header).replace(" ", "")


def count_known(headers: list[str], columns: tuple[Column, ...]) -> int:
    """Return how many of the cells are known headers.

    >>> count_known(["BranchCode", "East"], (Column("code", ("branch code",)),))
    1
    """
    return len(set(match_headers(headers, columns)) - {""})


def match_headers(headers: list[str], columns: tuple[Column, ...]) -> list[str]:
    """Return the name of each header's column, "" for an unknown one; no name twice.

    >>> columns = (Column("code", ("ifsc code",)), Column("city", ("town",)))
    >>> match_headers(["Town", "ifscCode", "Phone", "code"], columns)
    ['city', 'code', '', '']
    """
    names = {
        _squash(alias): column.name
        for column in columns
        for alias in (column.name, *column.aliases)
    }
    matched: list[str] = []
    for header in headers:
        name = names.get(_squash(header), "")
        matched.append("" if name in matched else name)
    return matched


def clean_cell(text: str, column: Column | None = None) -> str:
    """Return a cell as it is stored; "" for what programs write for "nothing".

    >>> clean_cell("  Main\\u200f  \\n Street ")
    'Main Street'
    >>> clean_cell("'A44", Column("code", rule="code")), clean_cell("n/a")
    ('A44', 'n/a')
    >>> clean_cell("n/a", Column("city", may_lack=True))
    ''
    """
    if column and column.rule == "code":
        return clean_code(text)
    text = clean_text(text)
    if column and column.may_lack and text.lower() != EMPTIED:
        return "" if is_name_placeholder(text) else text
    return text


def check_row(
    row: Row, columns: tuple[Column, ...], optional: Collection[str] = ()
) -> list[RowProblem]:
    """Return the problems of the cells of a row, in the order of the columns.

    :param optional: columns that may be empty here, though they are required

    >>> columns = (Column("name", required=True), Column("code", rule="code"))
    >>> [tuple(p)[:2] for p in check_row(Row(2, {"name": "", "code": "A 1"}), columns)]
    [('name', 'missing'), ('code', 'space')]
    """
    problems = []
    for column in columns:
        value = row.values.get(column.name, "")
        is_needed = column.required and column.name not in optional
        if code := _find_problem(column, value, is_needed):
            problems.append(RowProblem(column.name, code))
    return problems


def _find_problem(column: Column, value: str, is_needed: bool) -> str:
    if not value:
        return "missing" if is_needed else ""
    return _FINDERS[column.rule](value)


_FINDERS = {
    "code": find_code_problem,
    "name": find_name_problem,
    "text": find_text_problem,
}
