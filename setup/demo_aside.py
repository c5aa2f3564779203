"""Setting aside a demo that cannot be upgraded, so that nothing of it is lost.

The content of its folder (database, keyring, checkpoints, files, logs) is moved to a
dated folder beside it. A database on somebody else's server is given a dated name
there. A note in the demo's folder records the operation in progress, so that the next
process can complete it if this one is killed.
"""

import contextlib
import json
import shutil
from datetime import datetime
from pathlib import Path

from .errors import Failure
from .installation import Installation
from .places import Places, write_private
from .postgres import Cluster

NOTE = "aside.json"
DATABASE_NOTE = "database-name"
#: The name of ``.spar/demo.json`` once it is set aside in a folder of its own.
DESCRIPTION = "demo.json"
#: What is not moved: the lock is in use, and the note is read.
STAYS = {"lock", NOTE}


def _get_place(places: Places, stamp: str) -> Path:
    return places.state / f"demo-{stamp}"


def _begin(installation: Installation, **note) -> Path:
    write_private(installation.folder / NOTE, json.dumps(note))
    return finish_moving(installation)


def set_aside(installation: Installation) -> Path:
    """Move the demo out of the way; return the dated folder that it is in now."""
    stamp = f"{datetime.now():%Y-%m-%d-%H%M%S}"
    name = installation.database
    return _begin(installation, stamp=stamp, database=name, back=False)


def take_back(old: Installation, begun: Installation, place: Path) -> None:
    """Put a demo that was set aside back in its place.

    :param begun: the demo that was begun there since; it is removed
    """
    begun.server.stop()
    if not isinstance(begun.server, Cluster):
        with contextlib.suppress(Failure):
            log = begun.places.logs / "dropdb.log"
            begun.server.drop_database(begun.database, log)
    for path in begun.folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name not in STAYS:
            path.unlink()
    stamp = place.name.removeprefix("demo-")
    _begin(old, stamp=stamp, database=old.database, back=True)


def finish_moving(installation: Installation) -> Path | None:
    """Complete a move that may have been interrupted.

    :return: the dated folder; None if there is nothing to complete
    """
    note_file = installation.folder / NOTE
    if not note_file.exists():
        return None
    note = json.loads(note_file.read_text())
    place = _get_place(installation.places, note["stamp"])
    name, dated = note["database"], get_dated_name(note["database"], place)
    if note["back"]:
        _rename(installation, dated, name)
        _move(installation, place, installation.folder)
        shutil.rmtree(place, ignore_errors=True)
    else:
        place.mkdir(exist_ok=True, mode=0o700)
        _move(installation, installation.folder, place)
        _rename(installation, name, dated)
    if not isinstance(installation.server, Cluster):
        here = installation.folder if note["back"] else place
        write_private(here / DATABASE_NOTE, name)
    note_file.unlink()
    return place


def _move(installation: Installation, source: Path, target: Path) -> None:
    """Move everything that a demo consists of, and the file that lists its logins."""
    installation.server.stop()
    if (description := _get_description(installation, source)).exists():
        description.replace(_get_description(installation, target))
    for path in sorted(source.iterdir()) if source.exists() else ():
        if path.name not in STAYS:
            path.rename(target / path.name)


def _get_description(installation: Installation, folder: Path) -> Path:
    """Return the file that lists the logins of the demo in ``folder``."""
    is_here = folder == installation.folder
    return installation.places.demo_file if is_here else folder / DESCRIPTION


# === ON SOMEBODY ELSE'S SERVER === #


def get_dated_name(database: str, place: Path) -> str:
    """Return the name that a database has there while its demo is set aside."""
    return f"{database}_{place.name.removeprefix('demo-')}"


def _rename(installation: Installation, name: str, new_name: str) -> None:
    """Rename a database on somebody else's server, if possible.

    A broken one keeps its name: the new demo has a different name in any case.
    """
    server = installation.server
    if isinstance(server, Cluster) or not server.has_database(name):
        return
    with contextlib.suppress(Failure):
        log = installation.places.logs / "renamedb.log"
        server.rename_databases({name: new_name}, log)
