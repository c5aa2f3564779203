"""Finding an Odoo 19, or getting one."""

import importlib.util
import os
import re
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from . import debian
from .commands import run
from .errors import Failure
from .machine import check_disk
from .places import Places
from .progress import step

REPOSITORY = "https://github.com/odoo/odoo.git"
BRANCH = "19.0"
DISK_GIBIBYTES = 2.0


@dataclass(frozen=True)
class OdooSource:
    """An Odoo on this machine: its script, its Python path, its addons."""

    script: Path
    python_path: Path
    addons: tuple[Path, ...]


def is_odoo_19(package: Path) -> bool:
    """Return whether the folder is the ``odoo`` package of a 19.0."""
    try:
        release = (package / "release.py").read_text()
    except OSError:
        return False
    return bool(re.search(r"^version_info = \(19, 0,", release, re.MULTILINE))


def read_home(home: Path) -> OdooSource | None:
    """Return the Odoo 19 in a folder: a repository checkout, or an unpacked package."""
    packaged = home / "usr/lib/python3/dist-packages"
    if (home / "odoo-bin").is_file() and is_odoo_19(home / "odoo"):
        return OdooSource(
            home / "odoo-bin", home, (home / "odoo/addons", home / "addons")
        )
    if (home / "usr/bin/odoo").is_file() and is_odoo_19(packaged / "odoo"):
        return OdooSource(home / "usr/bin/odoo", packaged, (packaged / "odoo/addons",))
    return None


def _read_importable() -> OdooSource | None:
    """Return the Odoo 19 that the running Python imports, with its script."""
    spec = importlib.util.find_spec("odoo")
    for place in (spec and spec.submodule_search_locations) or ():
        package = Path(place)
        if source := read_home(package.parent):
            return source
        script = shutil.which("odoo", path=f"{Path(sys.prefix) / 'bin'}:/usr/bin")
        if script and is_odoo_19(package):
            return OdooSource(Path(script), package.parent, (package / "addons",))
    return None


def _read_cache(cache: Path) -> OdooSource | None:
    homes = sorted(cache.glob("odoo-19.0-*"), reverse=True)
    return next(filter(None, map(read_home, homes)), None)


def find_odoo(cache: Path) -> OdooSource | None:
    """Return a local Odoo 19: of ``$ODOO_HOME``, else importable, else the cache's.

    :raises Failure: when ``$ODOO_HOME`` is set and contains none
    """
    if home := os.environ.get("ODOO_HOME"):
        if source := read_home(Path(home).expanduser().absolute()):
            return source
        raise Failure(
            f"ODOO_HOME={home} does not contain Odoo 19: correct it, or unset it."
        )
    return _read_importable() or _read_cache(cache)


def _find_broken_link(home: Path) -> Path | None:
    """Return a broken link of Odoo's web addon."""
    web = home / "usr/lib/python3/dist-packages/odoo/addons/web"
    return next(
        (path for path in web.rglob("*") if path.is_symlink() and not path.exists()),
        None,
    )


def _clone(folder: Path, log: Path) -> Path:
    target = folder / "clone"
    run(
        [
            "git",
            "clone",
            "--quiet",
            "--depth=1",
            f"--branch={BRANCH}",
            REPOSITORY,
            target,
        ],
        log=log,
        failing="Cannot clone Odoo's repository",
    )
    return target


def _download(folder: Path, log: Path) -> tuple[str, Path]:
    """Download Debian's package, or else clone Odoo's public repository.

    :raises Failure: when neither can be had
    """
    reason = "This machine has no apt"
    if debian.is_offered():
        try:
            home = debian.download(folder, log)
            if not (broken := _find_broken_link(home)):
                return "odoo-19.0-debian", home
            reason = f"Debian's package lacks what {broken.name} links to"
        except Failure as error:
            reason = str(error)
    try:
        return "odoo-19.0-git", _clone(folder, folder.parent / "git.log")
    except Failure as error:
        raise Failure(f"{reason.rstrip('.')}. {error}") from error


def get_odoo(places: Places) -> OdooSource:
    """Return the Odoo 19 to run, downloaded into the cache if there is none.

    :raises Failure: stating what to do
    """
    if source := find_odoo(places.cache):
        return source
    check_disk(places.cache, DISK_GIBIBYTES)
    with (
        step("Getting Odoo 19 (about 130 MB, once for all checkouts)"),
        tempfile.TemporaryDirectory(dir=places.cache, prefix="odoo-new-") as folder,
    ):
        name, home = _download(Path(folder), places.logs / "odoo-download.log")
        home.chmod(0o755)
        target = places.cache / name
        if not target.exists():
            home.rename(target)
    source = read_home(target)
    if source is None:
        raise Failure(
            f"{target} does not contain Odoo 19: delete it and run this again."
        )
    return source
