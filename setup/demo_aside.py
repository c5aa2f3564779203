"""A demo that cannot be upgraded is set aside: nothing of it is lost.

Its folder's content (database, keyring, checkpoints, files, logs) is moved to a dated
folder beside it. A database on a server of somebody else's gets a dated name there.
A note in the demo's folder says what is under way: whoever is killed is followed by
somebody who ends it.
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
#: What `.spar/demo.json` is called in a folder of its own.
TOLD = "demo.json"
#: What stays: the lock is held, and the note is read.
STAYS = {"lock", NOTE}


def _get_place(places: Places, stamp: str) -> Path:
    return places.state / f"demo-{stamp}"


def _begin(installation: Installation, **note) -> Path:
    write_private(installation.folder / NOTE, json.dumps(note))
    return finish_moving(installation)


def set_aside(installation: Installation) -> Path:
    """Move the demo out of the way; the dated folder where it is then."""
    stamp = f"{datetime.now():%Y-%m-%d-%H%M%S}"
    name = installation.database
    return _begin(installation, stamp=stamp, database=name, back=False)


def take_back(old: Installation, begun: Installation, place: Path) -> None:
    """Put a demo that was set aside where it was.

    :param begun: what was begun there since, and is removed
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
    """End what was begun and perhaps killed; the dated folder, None where there is
    nothing to end."""
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
    """Move what a demo is made of, and what tells its logins."""
    installation.server.stop()
    if (told := _get_told(installation, source)).exists():
        told.replace(_get_told(installation, target))
    for path in sorted(source.iterdir()) if source.exists() else ():
        if path.name not in STAYS:
            path.rename(target / path.name)


def _get_told(installation: Installation, folder: Path) -> Path:
    """Where the logins of the demo in `folder` are told."""
    is_here = folder == installation.folder
    return installation.places.demo_file if is_here else folder / TOLD


# === ON A SERVER OF OTHERS === #


def get_dated_name(database: str, place: Path) -> str:
    """What a database is called there while its demo is set aside."""
    return f"{database}_{place.name.removeprefix('demo-')}"


def _rename(installation: Installation, name: str, new_name: str) -> None:
    """Give a database another name, where others have theirs; a broken one keeps its
    own: the new demo has another one in any case."""
    server = installation.server
    if isinstance(server, Cluster) or not server.has_database(name):
        return
    with contextlib.suppress(Failure):
        log = installation.places.logs / "renamedb.log"
        server.rename_databases({name: new_name}, log)
