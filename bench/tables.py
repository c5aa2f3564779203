"""The floor of writes: the rows that the store writes, by bare psycopg2.

``scripts/sample.py`` records which rows a link, an update and an unlink leave in the
store's tables. Here the same rows are written for other people: with their own IDs,
UUIDs and random bytes, by COPY and arrays, in the store's order. There is no Odoo, no
cryptography and no check but the database's own; the rows are prepared before the clock
starts.
"""

import io
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby

import psycopg2

#: In the order in which the store writes them.
TABLES = [
    "spar_subject",
    "spar_subject_id",
    "spar_mapping",
    "spar_mapping_period",
    "spar_event",
    "spar_notice",
    "spar_change",
]
#: Columns that hold the ID of a row of the same person.
REFERENCES = {
    "subject_id": "spar_subject",
    "identifier_id": "spar_subject_id",
    "mapping_id": "spar_mapping",
    "period_id": "spar_mapping_period",
    "event_id": "spar_event",
    "change_id": "spar_change",
}
_UUID = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_BYTES = re.compile(r"\\x(?:[0-9a-f]{2})+")
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_QUOTES = str.maketrans({"\\": "\\\\", '"': '\\"'})

#: A value that differs from person to person: ``(kind, detail, text of the sample)``.
Key = tuple[str, str, str]
Row = list[str | None]


def find_key(table: str, column: str, text: str | None) -> Key | None:
    """Return the key of a value that differs from person to person, or None.

    >>> find_key("spar_event", "mapping_id", "7")
    ('id', 'spar_mapping', '7')
    >>> find_key("spar_event", "mac", "\\\\x0102")
    ('bytes', '2', '\\\\x0102')
    >>> find_key("spar_event", "kind", "linked")
    """
    if text is None:
        return None
    if column == "id" or column in REFERENCES:
        return "id", table if column == "id" else REFERENCES[column], text
    if _UUID.fullmatch(text):
        return "uuid", "-" if "-" in text else "", text
    if _BYTES.fullmatch(text):
        return "bytes", str(len(text) // 2 - 1), text
    return None


def escape(text: str | None) -> str:
    r"""Return a value as COPY reads it.

    >>> escape("a\tb"), escape(None)
    ('a\\tb', '\\N')
    """
    return "\\N" if text is None else text.translate(_ESCAPES)


def quote(text: str | None) -> str:
    r"""Return a value as it is written in an array literal.

    >>> quote('say "a"'), quote(None)
    ('"say \\"a\\""', 'NULL')
    """
    return "NULL" if text is None else f'"{text.translate(_QUOTES)}"'


@dataclass(frozen=True)
class Cell:
    """One value of a row of the sample."""

    text: str | None
    key: Key | None


@dataclass(frozen=True)
class Statement:
    """The statement for a row of the sample, batched with the same row of other people.

    :param copies: whether it is a COPY
    """

    sql: str
    copies: bool
    cells: tuple[Cell, ...]

    def build(self, values: "Values") -> list[str]:
        """Return the texts of one person's row, ready to be sent."""
        texts = [c.text if c.key is None else values.get(c.key) for c in self.cells]
        return list(map(escape if self.copies else quote, texts))


@dataclass
class Values:
    """One person's own values; equal values of the sample map to equal values here."""

    ids: dict[str, Iterator[int]]
    known: dict[Key, str] = field(default_factory=dict)

    def get(self, key: Key) -> str:
        if key not in self.known:
            self.known[key] = self._make(*key[:2])
        return self.known[key]

    def _make(self, kind: str, detail: str) -> str:
        if kind == "id":
            return str(next(self.ids[detail]))
        if kind == "bytes":
            return f"\\x{os.urandom(int(detail)).hex()}"
        text = os.urandom(16).hex()
        if not detail:
            return text
        return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


# === THE SAMPLE === #


@dataclass(frozen=True)
class Shape:
    """A table: its columns, their types, and those that identify a row."""

    name: str
    columns: list[str]
    types: list[str]
    keys: list[str]

    def build_cells(self, row: Row) -> dict[str, Cell]:
        """Return the cells of a row by their columns."""
        return {
            column: Cell(text, find_key(self.name, column, text))
            for column, text in zip(self.columns, row, strict=True)
        }

    def add(self, row: Row) -> Statement:
        """Return the statement that inserts a row."""
        names = ", ".join(self.columns)
        cells = self.build_cells(row).values()
        return Statement(f"COPY {self.name} ({names}) FROM STDIN", True, tuple(cells))

    def change(self, before: Row, after: Row) -> Statement:
        """Return the statement that brings a row from one state to the next."""
        old, new = self.build_cells(before), self.build_cells(after)
        moved = [name for name in self.columns if old[name] != new[name]]
        names, given = self._name_given([*self.keys, *moved])
        sets = ", ".join(f"{name} = {self._cast(name)}" for name in moved)
        sql = f"""UPDATE {self.name} t SET {sets} FROM unnest({given}) AS v ({names})
                   WHERE {self._build_match()}"""
        cells = (*(old[name] for name in self.keys), *(new[name] for name in moved))
        return Statement(sql, False, cells)

    def remove(self, row: Row) -> Statement:
        """Return the statement that deletes a row."""
        names, given = self._name_given(self.keys)
        sql = f"""DELETE FROM {self.name} t USING unnest({given}) AS v ({names})
                   WHERE {self._build_match()}"""
        cells = self.build_cells(row)
        return Statement(sql, False, tuple(cells[name] for name in self.keys))

    def _get_type(self, column: str) -> str:
        return self.types[self.columns.index(column)]

    def _cast(self, column: str) -> str:
        """Return the column, cast from text if an array: unnest would flatten it."""
        kind = self._get_type(column)
        return f"v.{column}::{kind}" if kind.endswith("[]") else f"v.{column}"

    def _name_given(self, columns: list[str]) -> tuple[str, str]:
        types = [self._get_type(column) for column in columns]
        plain = ["text" if kind.endswith("[]") else kind for kind in types]
        return ", ".join(columns), ", ".join(f"%s::{kind}[]" for kind in plain)

    def _build_match(self) -> str:
        return " AND ".join(f"t.{name} = v.{name}" for name in self.keys)


@dataclass(frozen=True)
class Sample:
    """The statements of each operation, as recorded by ``scripts/sample.py``."""

    shapes: dict[str, Shape]
    steps: dict[str, dict[str, dict]]

    @classmethod
    def read(cls, document: dict) -> "Sample":
        """Return the sample that ``scripts/sample.py`` wrote."""
        tables = document["tables"].items()
        return cls(
            {name: Shape(name, **rest) for name, rest in tables}, document["steps"]
        )

    def get_statements(self, step: str) -> list[Statement]:
        """Return the statements of a step, in the store's order."""
        found: list[Statement] = []
        for name, shape in self.shapes.items():
            rows = self.steps[step][name]
            found += [shape.change(*pair) for pair in rows["changed"]]
            found += [shape.remove(row) for row in rows["removed"]]
            found += [shape.add(row) for row in rows["added"]]
        return found

    def get_unlink_unchanged(self) -> list[Statement]:
        """Return the unlink of a person never updated, in terms of the first person."""
        same = {}
        for one, other in zip(
            self.get_statements("link_only"), self.get_statements("link"), strict=True
        ):
            pairs = zip(one.cells, other.cells, strict=True)
            same |= {cell.key: match for cell, match in pairs if cell.key}
        return [
            Statement(
                each.sql,
                each.copies,
                tuple(same.get(cell.key, cell) for cell in each.cells),
            )
            for each in self.get_statements("unlink_unchanged")
        ]


# === WRITING === #


class Tables:
    """One process with one connection that writes what the store would write."""

    def __init__(self, dsn: str, document: dict):
        sample = Sample.read(document)
        self.connection = psycopg2.connect(dsn)
        self.plans = {
            name: sample.get_statements(name) for name in ("link", "update", "unlink")
        }
        self.plans["unlink_unchanged"] = sample.get_unlink_unchanged()
        self._ready: dict[str, dict[str, list[list[str]]]] = {}
        self._updated: set[str] = set()

    def prepare(self, people: Iterable[str]) -> None:
        """Prepare the rows of people, given by ID, as far as possible in advance."""
        names = list(people)
        ids = self._take_ids(len(names))
        for name in names:
            values = Values(ids)
            self._ready[name] = {
                step: [statement.build(values) for statement in plan]
                for step, plan in self.plans.items()
            }

    def _take_ids(self, count: int) -> dict[str, Iterator[int]]:
        """Return new IDs in each table for the given number of people."""
        cells = [c for plan in self.plans.values() for s in plan for c in s.cells]
        keys = {cell.key for cell in cells if cell.key and cell.key[0] == "id"}
        tables = [table for _kind, table, _text in keys]
        taken = {}
        with self.connection, self.connection.cursor() as cursor:
            for table in set(tables):
                cursor.execute(
                    """SELECT nextval(pg_get_serial_sequence(%s, 'id'))
                         FROM generate_series(1, %s)""",
                    (table, count * tables.count(table)),
                )
                taken[table] = iter([number for (number,) in cursor.fetchall()])
        return taken

    def write(self, operation: str, people: list[str]) -> None:
        """Write the rows of an operation for people who are all at the same point."""
        step = operation
        if operation == "unlink" and people[0] not in self._updated:
            step = "unlink_unchanged"
        with self.connection, self.connection.cursor() as cursor:
            for statement, places in self._group(step):
                rows = [self._ready[name][step][at] for at in places for name in people]
                self._send(cursor, statement, rows)
        if operation == "update":
            self._updated.update(people)

    def _group(self, step: str) -> Iterator[tuple[Statement, list[int]]]:
        """Yield each statement of a step once, with the positions of its rows."""
        plan = self.plans[step]
        for _sql, places in groupby(range(len(plan)), lambda place: plan[place].sql):
            together = list(places)
            yield plan[together[0]], together

    def _send(self, cursor, statement: Statement, rows: list[list[str]]) -> None:
        if statement.copies:
            lines = "\n".join(map("\t".join, rows))
            cursor.copy_expert(statement.sql, io.StringIO(f"{lines}\n"))
        else:
            arrays = [f"{{{','.join(cells)}}}" for cells in zip(*rows, strict=True)]
            cursor.execute(statement.sql, arrays)


def set_triggers(dsn: str, *, on: bool) -> None:
    """Turn the store's own triggers on or off, for every user of that database."""
    how = "ENABLE" if on else "DISABLE"
    with psycopg2.connect(dsn) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT tablename FROM pg_tables WHERE tablename = ANY(%s)", (TABLES,)
        )
        for (table,) in cursor.fetchall():
            cursor.execute(f"ALTER TABLE {table} {how} TRIGGER USER")
    connection.close()
