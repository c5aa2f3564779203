"""The databases that tests run on: each run has a PostgreSQL of its own.

The base, in which everything is installed, is made once and kept for as long as the
code is the same. Each run starts with a copy of it, so that nothing that one run does
to its database or to PostgreSQL affects another one in parallel.
"""

import contextlib
import hashlib
import json
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from .apart import LOGINS_SCRIPT
from .demo import SCRIPT, get_digest
from .demo_facts import check_counts
from .installation import MISSING_ASSETS, Installation
from .odoo_server import end_orphan
from .odoo_source import OdooSource
from .packages import PINS, get_postgres_binaries
from .places import GLUE, Places, get_addon_folders, write_private
from .postgres import OWNER, UNSYNCED, Cluster, running
from .progress import step

#: So that no test waits for bundles, and each group's server need not make them.
BUNDLES_SCRIPT = Path(__file__).with_name("asset_bundles.py")
ADDONS, SERVER = "spar_test", "spar_test_server"
#: Programmes and pages without the store, which is elsewhere; beside the real server.
APART = "spar_test_apart"
APART_ADDONS = ("spar_self_service", "spar_registry", "spar_mapper_foreign")
APART_SCRIPT = LOGINS_SCRIPT
EXAMPLES = Path("examples")


@dataclass(frozen=True)
class OtherRegistry:
    """A registry of others, of which stubs are installed in a database of its own.

    :param stub: the stub that needs all others
    :param glue: the addons that install themselves beside it
    """

    name: str
    stub: str
    glue: tuple[str, ...]

    @property
    def database(self) -> str:
        return f"spar_test_{self.name}"

    def get_stubs(self, root: Path) -> Path:
        return root / STUBS / self.name


MANIFEST = "__manifest__.py"
#: Two of them define the same fields of contacts, so they never share a database.
REGISTRIES = (
    OtherRegistry(
        "openspp", "spp_programs", ("spar_registry_openspp", "spar_programme_openspp")
    ),
    OtherRegistry(
        "openg2p", "g2p_programs", ("spar_registry_openg2p", "spar_programme_openg2p")
    ),
)
STUBS = Path("tests/stub_addons")
#: What their databases have beside the stubs: the programme side, and the store.
BESIDE_STUBS = ("spar_registry", "spar_mapper")
PAGES = 256  # MiB of shared buffers for PostgreSQL: the databases are small
# Tests that tamper disable triggers, as an attacker who controls PostgreSQL can.
TAMPERING = f"GRANT SET ON PARAMETER session_replication_role TO {OWNER}"


def get_folder(places: Places) -> Path:
    return places.state / "test"


def get_installation(
    places: Places, source: OdooSource, database: str, name: str
) -> Installation:
    """Return the installation of one run.

    :param name: of the run, and of its folder
    """
    folder = get_folder(places) / name
    binaries = get_postgres_binaries(places)
    cluster = Cluster(folder / "postgres", binaries, pages=PAGES, options=UNSYNCED)
    stubs = find_stubs(places.root, database)
    return Installation(places, source, cluster, folder, database, stubs=stubs)


def find_stubs(root: Path, database: str) -> tuple[Path, ...]:
    """Return the folders with more addons that a database, or its base, has."""
    if database.startswith(APART):
        return (root / EXAMPLES,)
    other = find_other(database)
    return (other.get_stubs(root),) if other else ()


def find_other(database: str) -> OtherRegistry | None:
    """Return the registry whose stubs a database, or its base, has.

    >>> find_other("spar_test_openspp_base").stub, find_other("spar_test")
    ('spp_programs', None)
    """
    names = (database, database.removesuffix("_base"))
    return next((other for other in REGISTRIES if other.database in names), None)


def get_base(installation: Installation) -> Installation:
    """Return the base that a run's database is a copy of; tests never touch it.

    Its database is in the run's own PostgreSQL, its files are where it was made.
    """
    name = f"{installation.database}_base"
    folder = get_folder(installation.places) / name
    return replace(installation, folder=folder, database=name)


def get_facts_file(base: Installation) -> Path:
    """Return the file of the base's facts, which exists once the base is complete."""
    return base.folder / f"{base.database}.facts.json"


# === MAKING === #


def _build_digest(places: Places, database: str) -> str:
    """Return a digest that changes when the base of a database must be remade."""
    paths = [SCRIPT, MISSING_ASSETS, BUNDLES_SCRIPT, places.root / PINS]
    paths += [folder / MANIFEST for folder in get_addon_folders(places.root).values()]
    if database.startswith(APART):
        paths += [APART_SCRIPT, *_list_files(places.root / EXAMPLES)]
    if find_other(database):
        paths += _list_files(places.root / GLUE) + _list_files(places.root / STUBS)
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in paths))
    return get_digest(places.root) + digest.hexdigest()


def _list_files(folder: Path) -> list[Path]:
    """Return the files of which a database is made: no tests but the stubs."""
    return [
        path
        for path in sorted(folder.rglob("*.*"))
        if path.is_file()
        and "tests" not in path.relative_to(folder).parts
        and path.suffix != ".pyc"
    ]


def _is_made(base: Installation) -> bool:
    file = get_facts_file(base)
    if not file.exists():
        return False
    digest = _build_digest(base.places, base.database)
    return json.loads(file.read_text())["digest"] == digest


def _make_base(base: Installation) -> None:
    """Install everything in a fresh database; the real server's has demo data."""
    digest = _build_digest(base.places, base.database)
    demo = base.database.startswith(SERVER)
    get_facts_file(base).unlink(missing_ok=True)
    with running(base.server, hasty=True):
        base.server.run_as_admin(TAMPERING)
        base.create()
        other = find_other(base.database)
        facts = {}
        if other:
            base.install_suite(demo=False, only=BESIDE_STUBS)
            base.install_beside([other.stub])
        elif base.database.startswith(APART):
            base.install_suite(demo=True, only=APART_ADDONS)
            facts = base.run_script(APART_SCRIPT)
        else:
            base.install_suite(demo=demo)
        if demo:
            facts = base.run_script(SCRIPT)
            check_counts(facts)
            base.run_script(BUNDLES_SCRIPT)
    text = json.dumps({**facts, "digest": digest})
    write_private(get_facts_file(base), text)


def make_bases(places: Places, source: OdooSource, databases: Iterable[str]) -> None:
    """Make the missing bases of the runs' databases, in parallel."""
    bases = [
        get_installation(places, source, f"{name}_base", f"{name}_base")
        for name in databases
    ]
    missing = [base for base in bases if not _is_made(base)]
    if not missing:
        return
    with (
        step("Installing the addons in test databases"),
        ThreadPoolExecutor(len(missing)) as pool,
    ):
        for made in [pool.submit(_make_base, base) for base in missing]:
            made.result()


# === A RUN'S OWN === #


def end_orphans(installation: Installation) -> None:
    """Kill every Odoo and front that a run left behind."""
    end_orphan(installation.workers_pid_file, installation.config)
    for pid_file in installation.folder.glob("*.pid"):
        end_orphan(pid_file, pid_file.with_suffix(".conf"))


@contextlib.contextmanager
def copied(installation: Installation) -> Iterator[None]:
    """Run a PostgreSQL with a fresh copy of the base while the block runs."""
    end_orphans(installation)
    base = get_base(installation)
    made = Cluster(base.folder / "postgres", installation.server.binaries)
    installation.server.copy_from(made)
    try:
        installation.server.start()
        installation.copy_from(base)
        yield
    finally:
        end_orphans(installation)
        installation.server.stop()
