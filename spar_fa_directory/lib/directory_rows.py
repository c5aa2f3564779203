"""What the rows of a file of providers or branches must hold."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from .csv_file import is_undecoded, unguard_cell

_MOST_CHARACTERS = 250
_SPOILT_NUMBER = re.compile(r"[0-9](?:[.,][0-9]+)?E\+?[0-9]+", re.IGNORECASE)
_IGNORED_MARKS = dict.fromkeys(map(ord, "\u200e\u200f\ufeff\u00ad"))
# Control characters, and marks that turn the letters after them around.
_UNWRITABLE = re.compile("[\0-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True)
class Column:
    """A column that a file may have, and the headers that name it without asking."""

    name: str
    aliases: tuple[str, ...] = ()
    required: bool = False
    is_code: bool = False


class Problem(NamedTuple):
    """What is wrong with a cell: the name of its column ("" for the row), a code."""

    column: str
    code: str
    values: Mapping[str, object] = {}


class Row(NamedTuple):
    """A row of a file: its number, and its cells by the name of their column."""

    number: int
    values: dict[str, str]


def fold_header(header: str) -> str:
    """A header as it is compared.

    >>> fold_header(" Branch-Code "), fold_header("Código")
    ('branch code', 'codigo')
    """
    plain = unicodedata.normalize("NFKD", header)
    plain = "".join(sign for sign in plain if not unicodedata.combining(sign))
    return " ".join(re.sub(r"[^\w]|_", " ", plain).lower().split())


def match_headers(headers: list[str], columns: tuple[Column, ...]) -> list[str]:
    """The name of each header's column, "" for one that is not known; no name twice.

    >>> columns = (Column("code", ("ifsc",)), Column("city", ("town",)))
    >>> match_headers(["Town", "IFSC", "Phone", "code"], columns)
    ['city', 'code', '', '']
    """
    names = {
        fold_header(alias): column.name
        for column in columns
        for alias in (column.name, *column.aliases)
    }
    matched: list[str] = []
    for header in headers:
        name = names.get(fold_header(header), "")
        matched.append("" if name in matched else name)
    return matched


def clean_cell(text: str) -> str:
    """A cell without what cannot be seen.

    >>> clean_cell("  Main\\u200f  \\n Street ")
    'Main Street'
    """
    text = unicodedata.normalize("NFC", unguard_cell(text.strip()))
    return " ".join(text.translate(_IGNORED_MARKS).split())


def check_row(row: Row, columns: tuple[Column, ...]) -> list[Problem]:
    """What is wrong with the cells of a row, in the order of the columns.

    >>> columns = (Column("name", required=True), Column("code", is_code=True))
    >>> [tuple(p)[:2] for p in check_row(Row(2, {"name": "", "code": "A 1"}), columns)]
    [('name', 'missing'), ('code', 'space')]
    """
    problems = []
    for column in columns:
        value = row.values.get(column.name, "")
        if code := _find_problem(column, value):
            problems.append(Problem(column.name, code))
    return problems


def _find_problem(column: Column, value: str) -> str:
    if not value:
        return "missing" if column.required else ""
    if is_undecoded(value):
        return "encoding"
    if len(value) > _MOST_CHARACTERS:
        return "too_long"
    if _UNWRITABLE.search(value):
        return "control"
    return _find_code_problem(value) if column.is_code else ""


def _find_code_problem(code: str) -> str:
    if " " in code:
        return "space"
    if not (code.isascii() and code.isprintable()):
        return "signs"
    return "number" if _SPOILT_NUMBER.fullmatch(code) else ""
