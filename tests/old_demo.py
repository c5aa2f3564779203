"""A demo that commit 18ad0ab made, to be upgraded.

``data/demo-18ad0ab.tar.xz`` contains it: its database as ``pg_dump`` wrote it, its
keyring, and its own description (``facts.json``). The story of its demo data has 90
people instead of 1,200, to be small; then its participants linked 40 people over REST,
changed ten of these addresses and ended four. It also contains the answers of that
time: each participant's ``resolve`` of these people and of twenty of the story
(``answers.json``), and the history of the forty as an auditor reads it
(``history.json``).
"""

import json
import tarfile
from pathlib import Path

from setup.commands import run
from setup.installation import Installation
from setup.places import write_private

ARCHIVE = Path(__file__).with_name("data") / "demo-18ad0ab.tar.xz"


def unpack(folder: Path, path: Path = ARCHIVE) -> None:
    """Write the files of an archive into a folder."""
    with tarfile.open(path) as archive:
        for name in archive.getnames():
            write_private(folder / name, archive.extractfile(name).read().decode())


def read(folder: Path, name: str) -> dict:
    """Return the content of one of the unpacked files."""
    return json.loads((folder / f"{name}.json").read_text())


def restore(installation: Installation, folder: Path) -> None:
    """Make the unpacked database and keyring those of an installation."""
    server = installation.server
    server.get_answer(f"CREATE DATABASE {installation.database}", "postgres")
    run(
        [server.binaries / "psql", "-Xq", "-v", "ON_ERROR_STOP=1", "-f"]
        + [folder / "database.sql", installation.database],
        log=folder / "restore.log",
        env=server.environment,
        failing="The old database cannot be restored",
    )
    write_private(installation.keyring, (folder / "keyring.json").read_text())
