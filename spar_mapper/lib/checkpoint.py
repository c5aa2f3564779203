"""Checkpoints: records of the history, kept outside the database.

Anyone who controls the database can cut its newest events, or restore an old copy of
all of it, and everything that remains is valid in itself. A checkpoint records how many
events there were and a hash over their MACs, in chunks; a later check finds what is
missing.

A file is a list of lines, one JSON document each, signed under the audit key. Each line
has a number, names the line before it by its MAC, and contains the chunks that are new
or have grown since then: each closed chunk once, the open one as it stands. A line of
the kind *restore* records that two people declared the history to be correct as it is:
the lines before it no longer count. Lines of the first format have no number; each of
them contains every chunk, and the newest counts.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from odoo.addons.spar_mapper_connector.lib.keyring import OpenKeyring

#: Number of events in a chunk, by id.
CHUNK = 100_000
FORMAT = 2
NO_SETTINGS = (0, "")
NO_KEYS = (0, "")
CHECKPOINT, RESTORE = "checkpoint", "restore"

#: The number of events in a chunk, and the hash over their MACs.
Chunk = tuple[int, str]
Chunks = dict[int, Chunk]

FORGED = "this line of the checkpoint file was not written by this registry"
GAP = "a line of the checkpoint file is missing before this one"
UNRELATED = "this line of the checkpoint file does not follow the one before it"
MISSING = "the checkpoint file is missing"
SHORTENED = "the checkpoint file was shortened: lines after this one are missing"
OLDER = "the database is older than its checkpoint file: it was restored"
SETTINGS_OLDER = "the settings are older than the checkpoint file: seals were removed"
REPLACED = "the last line of the checkpoint file is not the one that was written"


@dataclass(frozen=True)
class Declaration:
    """The statement of two people who declared a restore."""

    reference: str
    lost: list[list[int]]
    reason: str
    declared_by: str
    confirmed_by: str


@dataclass(frozen=True)
class CheckpointLine:
    """One line of the file. ``previous`` and ``mac`` are hexadecimal.

    ``number`` is 0 in the first format.
    """

    number: int
    kind: str
    taken_at: str
    last_event_id: int
    chunks: Chunks
    previous: str = ""
    declaration: Declaration | None = None
    #: Number and MAC of the newest seal of settings; (0, "") if none is recorded.
    settings: tuple[int, str] = NO_SETTINGS
    #: The same of the newest archived key of an issuer.
    keys: tuple[int, str] = NO_KEYS
    mac: str = field(default="", compare=False)

    def sign(self, keyring: OpenKeyring) -> str:
        """Return the text of the line: the document and its MAC."""
        document = self._build_document()
        return json.dumps({**document, "mac": _mac(keyring, document)}, sort_keys=True)

    def _build_document(self) -> dict[str, Any]:
        document: dict[str, Any] = {
            "format": FORMAT,
            "number": self.number,
            "kind": self.kind,
            "taken_at": self.taken_at,
            "last_event_id": self.last_event_id,
            "chunks": {str(n): list(chunk) for n, chunk in self.chunks.items()},
            "previous": self.previous,
        }
        if self.settings != NO_SETTINGS:
            document["settings"] = list(self.settings)
        if self.keys != NO_KEYS:
            document["keys"] = list(self.keys)
        if self.declaration:
            document["declaration"] = self.declaration.__dict__
        return document


def _mac(keyring: OpenKeyring, document: dict[str, Any]) -> str:
    body = json.dumps(document, sort_keys=True)
    return keyring.mac("checkpoint", body.encode()).hex()


def parse(text: str, keyring: OpenKeyring) -> CheckpointLine | None:
    """Return the line in ``text``, or None if this registry did not write it."""
    try:
        document = json.loads(text)
        mac = document.pop("mac")
        if not hmac.compare_digest(_mac(keyring, document), mac):
            return None
        return _build_line(document, mac)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def _read_mark(document: dict[str, Any], name: str) -> tuple[int, str]:
    number, mac = document.get(name, (0, ""))
    return int(number), str(mac)


def _build_line(document: dict[str, Any], mac: str) -> CheckpointLine:
    declaration = document.get("declaration")
    chunks = document["chunks"].items()
    return CheckpointLine(
        number=document.get("number", 0),
        kind=document.get("kind", CHECKPOINT),
        taken_at=document["taken_at"],
        last_event_id=document["last_event_id"],
        chunks={int(n): (count, digest) for n, (count, digest) in chunks},
        previous=document.get("previous", ""),
        declaration=Declaration(**declaration) if declaration else None,
        settings=_read_mark(document, "settings"),
        keys=_read_mark(document, "keys"),
        mac=mac,
    )


@dataclass
class CheckpointReading:
    """The content of a whole file, and what is wrong with it.

    ``problems`` are pairs: the line (its number if it has one, else its position in the
    file), and what is wrong. ``marks`` records how the requested chunks grew: the last
    event and the chunk of each line that contains one.
    """

    wanted: frozenset[int] = frozenset()
    last: CheckpointLine | None = None
    text: str = ""
    chunks: Chunks = field(default_factory=dict)
    marks: dict[int, list[tuple[int, Chunk]]] = field(default_factory=dict)
    problems: list[tuple[int, str]] = field(default_factory=list)

    @property
    def number(self) -> int:
        return self.last.number if self.last else 0

    @property
    def last_event_id(self) -> int:
        return self.last.last_event_id if self.last else 0

    def add(self, place: int, text: str, line: CheckpointLine | None) -> None:
        """Add the next line of the file: ``text``, and the line parsed from it."""
        self.text = text
        if line is None:
            self.problems.append((place, FORGED))
            return
        if line.kind == RESTORE and line.number > self.number:
            self._restart()
        else:
            self._compare_with_last(line)
        self.last = line
        self.chunks.update(line.chunks)
        for number in self.wanted & line.chunks.keys():
            mark = (line.last_event_id, line.chunks[number])
            self.marks.setdefault(number, []).append(mark)

    def _restart(self) -> None:
        self.problems.clear()
        self.chunks.clear()
        self.marks.clear()

    def _compare_with_last(self, line: CheckpointLine) -> None:
        """Record a problem if ``line`` does not follow the line before it."""
        before = self.last.mac if self.last else ""
        if line.number == self.number == 0:
            return
        if line.number > self.number + 1:
            self.problems.append((line.number, GAP))
        elif line.number <= self.number or line.previous != before:
            self.problems.append((line.number, UNRELATED))


def read(
    texts: Iterable[str], keyring: OpenKeyring, wanted: Iterable[int] = ()
) -> CheckpointReading:
    """Return the content of the lines ``texts``, with marks of ``wanted`` chunks."""
    reading = CheckpointReading(wanted=frozenset(wanted))
    for place, text in enumerate(texts, start=1):
        reading.add(place, text, parse(text, keyring))
    return reading


def compare_numbers(
    before: int, last: int | None, after: int
) -> tuple[int, str] | None:
    """Return what is wrong between a database and its file: (line number, problem).

    A line is written to the file first. The file therefore has at least the lines that
    the database knew ``before`` the file was read, and at most one line more than the
    database knows ``after``. ``last`` is the number of the last line, or None if there
    is no file.

    >>> compare_numbers(3, 3, 3), compare_numbers(3, 4, 3), compare_numbers(3, 9, 8)
    (None, None, None)
    >>> compare_numbers(3, None, 3) == (3, MISSING)
    True
    >>> compare_numbers(3, 2, 3) == (2, SHORTENED)
    True
    >>> compare_numbers(3, 5, 3) == (5, OLDER)
    True
    >>> compare_numbers(0, None, 0)
    """
    if last is None:
        return (before, MISSING) if before else None
    if last < before:
        return last, SHORTENED
    return (last, OLDER) if last > after + 1 else None


def list_differing(known: Chunks, present: Chunks) -> list[int]:
    """Return the chunks that differ, including missing and new ones.

    >>> list_differing({0: (7, "aa"), 1: (2, "bb")}, {0: (7, "aa"), 2: (1, "cc")})
    [1, 2]
    """
    both = known.keys() | present.keys()
    return sorted(n for n in both if known.get(n) != present.get(n))


def merge(ranges: Iterable[tuple[int, int]]) -> list[list[int]]:
    """Return ``ranges`` of ids in order, merging adjacent ones.

    >>> merge([(7, 9), (1, 3), (4, 6), (20, 21)])
    [[1, 9], [20, 21]]
    """
    merged: list[list[int]] = []
    for first, last in sorted(ranges):
        if merged and first <= merged[-1][1] + 1:
            merged[-1][1] = max(last, merged[-1][1])
        else:
            merged.append([first, last])
    return merged
