"""`./spar test`: the addons' tests in a database, then those against a real server."""

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .demo import SCRIPT, get_digest
from .demo_facts import check_counts
from .errors import Failure
from .id_provider import prepare_id_provider
from .installation import MISSING_ASSETS, Installation
from .locks import hold
from .logs import count_alike, get_allowed, read_alarms
from .odoo_server import end_orphan
from .odoo_source import OdooSource, get_odoo
from .packages import get_node_binaries, get_postgres_binaries, prepare_packages
from .places import Places, get_addons, write_private
from .postgres import OWNER, Cluster, running
from .progress import say, step, warn

ADDONS, SERVER = "spar_test", "spar_test_server"
BUSY = "Another ./spar test is at work in this checkout: wait for its end."
NOTHING_COLLECTED = 5
SHOWN_ALARMS = 20
PAGES = 256  # MiB for PostgreSQL's pages: the databases are small
TAMPERING = f"GRANT SET ON PARAMETER session_replication_role TO {OWNER}"


def split_arguments(
    words: Sequence[str], root: Path, addons: Sequence[str]
) -> tuple[list[str], list[str] | None, list[str] | None]:
    """What goes to which run of pytest.

    :return: options for both, paths of the addons' run, paths of the server's run; None
        for a run that the named paths leave out
    """
    options, ours, theirs = [], [], []
    for word in words:
        path = Path(os.path.normpath(word.split("::")[0]))
        if word.startswith("-") or not (root / path).exists():
            options.append(word)
        elif path.parts and path.parts[0] == "tests":
            theirs.append(word)
        else:
            ours.append(word)
    if not ours and not theirs:
        return options, list(addons), ["tests"]
    return options, ours or None, theirs or None


def get_exit_code(codes: Sequence[int]) -> int:
    """One exit code for several runs; finding nothing is bad only if all do.

    >>> get_exit_code([0, 5]), get_exit_code([5, 5]), get_exit_code([0, 1])
    (0, 5, 1)
    """
    bad = [code for code in codes if code not in (0, NOTHING_COLLECTED)]
    if bad:
        return bad[0]
    return 0 if 0 in codes else NOTHING_COLLECTED


# === DATABASES === #


def _get_installation(
    places: Places, source: OdooSource, database: str
) -> Installation:
    folder = places.state / "test"
    binaries = get_postgres_binaries(places)
    cluster = Cluster(folder / "postgres", binaries, pages=PAGES)
    return Installation(places, source, cluster, folder, database)


def get_base(installation: Installation) -> Installation:
    """The database that each run's own is a copy of; tests never touch it."""
    return Installation(
        installation.places,
        installation.source,
        installation.server,
        installation.folder,
        f"{installation.database}_base",
    )


def _get_facts_file(installation: Installation) -> Path:
    return installation.folder / f"{installation.database}.facts.json"


def _make_base(base: Installation, digest: str, demo: bool) -> None:
    """Install everything in a fresh database, unless that was done with this code."""
    facts_file = _get_facts_file(base)
    if facts_file.exists():
        told = json.loads(facts_file.read_text())
        if told["digest"] == digest and base.server.has_database(base.database):
            return
        facts_file.unlink()
    base.create()
    base.install_suite(demo=demo)
    facts = {}
    if demo:
        facts = base.run_script(SCRIPT)
        check_counts(facts)
    write_private(facts_file, json.dumps({**facts, "digest": digest}))


def _make_databases(wanted: dict[Installation, bool]) -> None:
    """Make the databases of this run, side by side; a fresh copy of each base.

    :param wanted: installation -> whether with demo data
    """
    first = next(iter(wanted))
    scripts = SCRIPT.read_text() + MISSING_ASSETS.read_text()
    digest = get_digest(first.places.root) + scripts
    with (
        step("Installing the addons in test databases"),
        ThreadPoolExecutor(len(wanted)) as pool,
    ):
        bases = {each: get_base(each) for each in wanted}
        made = [
            pool.submit(_make_base, base, digest, wanted[each])
            for each, base in bases.items()
        ]
        for each in made:
            each.result()
    for each, base in bases.items():
        each.copy_from(base)


# === RUNS === #


def _get_environment(installation: Installation) -> dict[str, str]:
    """Odoo's environment, with the environment's programs and a Node to be found."""
    places = installation.places
    path = [str(places.python.parent), os.environ.get("PATH", os.defpath)]
    if not (shutil.which("node") and shutil.which("npm")):
        path.insert(1, str(get_node_binaries(places)))
    return {**installation.environment, "PATH": os.pathsep.join(path)}


def _run_pytest(installation: Installation, words: list[str], **env: str) -> int:
    command = [str(installation.places.python), "-m", "pytest", *words]
    return subprocess.run(
        command,
        cwd=installation.places.root,
        env={**_get_environment(installation), **env},
    ).returncode


def _get_log(installation: Installation) -> Path:
    return installation.folder / f"{installation.database}.pytest.log"


def _test_addons(installation: Installation, words: list[str]) -> int:
    """The addons' own tests and the examples in their docstrings."""
    log = _get_log(installation)
    log.unlink(missing_ok=True)
    odoo = [f"--odoo-config={installation.config}", "--odoo-http"]
    odoo += ["--odoo-log-level=warn", f"--odoo-extra=logfile={log}"]
    return _run_pytest(installation, ["-p", "setup.pytest_spar", *odoo, *words])


def _test_server(installation: Installation, words: list[str]) -> int:
    """What needs a real server; tests/conftest.py starts it when it is asked for."""
    facts = str(_get_facts_file(get_base(installation)))
    try:
        return _run_pytest(
            installation,
            ["-p", "no:odoo", *words],
            SPAR_TEST_DATABASE=installation.database,
            SPAR_TEST_FACTS=facts,
        )
    finally:
        end_orphan(installation.pid_file, installation.config)
        end_orphan(installation.lanes_pid_file, installation.config)
        front = installation.folder / "front.pid"
        end_orphan(front, front.with_suffix(".conf"))


def _check_logs(installations: Sequence[Installation]) -> int:
    """Whatever warned while the addons were installed and tested; 1 if anything did."""
    logs = [_get_log(each) for each in installations]
    for each in installations:
        logs += each.folder.glob(f"{get_base(each).database}.*.log")
    root = installations[0].places.root
    alarms = read_alarms(logs, get_allowed(root))
    counted = count_alike(alarms)
    for alarm, times in list(counted.items())[:SHOWN_ALARMS]:
        warn(f"spar: unexpected in Odoo's log ({times} times): {alarm}")
    if (more := len(counted) - SHOWN_ALARMS) > 0:
        warn(f"spar: and {more} more kinds of them; logs: {installations[0].folder}")
    return 1 if alarms else 0


def get_test_server(places: Places) -> tuple[Installation, dict]:
    """For tests/conftest.py: the real server's installation, and what its demo holds.

    :raises Failure: outside `./spar test`
    """
    if "SPAR_TEST_DATABASE" not in os.environ:
        raise Failure("These tests need a server: run them by ./spar test tests")
    database = os.environ["SPAR_TEST_DATABASE"]
    installation = _get_installation(places, get_odoo(places), database)
    return installation, json.loads(Path(os.environ["SPAR_TEST_FACTS"]).read_text())


def _run(places: Places, source: OdooSource, words: Sequence[str]) -> int:
    options, ours, theirs = split_arguments(words, places.root, get_addons(places.root))
    runs = []
    if ours:
        runs.append((_test_addons, ADDONS, ours))
    if theirs:
        runs.append((_test_server, SERVER, theirs))
    found = [_get_installation(places, source, name) for _run, name, _paths in runs]
    with running(found[0].server, hasty=True):
        # Tests that tamper switch triggers off, as somebody who rules PostgreSQL can.
        found[0].server.run_as_admin(TAMPERING)
        _make_databases({each: each.database == SERVER for each in found})
        codes = []
        for installation, (test, _name, paths) in zip(found, runs, strict=True):
            say(f"- Testing {' '.join(paths)}")
            codes.append(test(installation, [*options, *paths]))
    return get_exit_code([*codes, _check_logs(found)])


def test(places: Places, words: Sequence[str]) -> int:
    """Run every test, or those that pytest's arguments name; the exit code.

    :raises Failure: when something for it cannot be had
    """
    with hold(places.state / "test" / "lock", BUSY):
        source = get_odoo(places)
        prepare_packages(places, source, testing=True)
        prepare_id_provider(places)
        return _run(places, source, words)
