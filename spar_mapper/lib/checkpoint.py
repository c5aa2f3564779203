"""Checkpoints: what the history was, written down outside the database.

Whoever rules the database can cut its newest events, or bring back an old copy of all
of it, and everything left is true in itself. A checkpoint remembers how many events
there were and a hash over their MACs, in chunks; a later check finds what is gone. A
file is a list of lines, one JSON document each, signed under the audit key; the last
one counts.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from odoo.addons.spar_mapper_connector.lib.keyring import OpenKeyring

#: Events of one chunk, by id.
CHUNK = 100_000

#: How many events there are in a chunk, and the hash over them: as JSON a list.
Chunk = list[int | str]


@dataclass(frozen=True)
class Checkpoint:
    """``chunks`` gives for each chunk number how many events and the hash over them."""

    taken_at: str
    last_event_id: int
    chunks: dict[str, Chunk]

    def sign(self, keyring: OpenKeyring) -> str:
        """The line of the file: the checkpoint and its MAC."""
        return json.dumps({**asdict(self), "mac": self._mac(keyring)}, sort_keys=True)

    def _mac(self, keyring: OpenKeyring) -> str:
        body = json.dumps(asdict(self), sort_keys=True)
        return keyring.mac("checkpoint", body.encode()).hex()

    def differing_chunks(self, present: dict[str, Chunk]) -> list[str]:
        """The chunks that are not as they were.

        >>> then = Checkpoint("", 7, {"0": [7, "aa"]})
        >>> then.differing_chunks({"0": [6, "bb"]}), then.differing_chunks(then.chunks)
        (['0'], [])
        """
        return [n for n, chunk in self.chunks.items() if present.get(n) != chunk]


class CheckpointForged(ValueError):
    """The last line of the file was not written by this registry."""


def read_last(path: Path, keyring: OpenKeyring) -> Checkpoint | None:
    """The newest checkpoint in ``path``, or None where there is no file.

    Raises CheckpointForged when it is damaged or its MAC is wrong.
    """
    try:
        line = path.read_text().strip().rpartition("\n")[2]
    except FileNotFoundError:
        return None
    try:
        document = json.loads(line)
        mac = document.pop("mac")
        checkpoint = Checkpoint(**document)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CheckpointForged("the file of checkpoints is damaged") from error
    if checkpoint._mac(keyring) != mac:
        raise CheckpointForged("a checkpoint is not signed by this registry")
    return checkpoint


def append(path: Path, line: str) -> None:
    """Add ``line`` to the file, safely on disk before this returns."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(line + "\n")
        file.flush()
        os.fsync(file.fileno())
