"""``./spar test``: the addons' tests in a database, and those against a real server.

Named files run one after the other in the terminal; the full suite runs in parallel.
"""

import json
import os
import time
from collections.abc import Sequence
from pathlib import Path

from .errors import Failure
from .id_provider import prepare_id_provider
from .installation import Installation
from .locks import hold
from .logs import count_alike, get_allowed, read_alarms
from .odoo_source import OdooSource, get_odoo
from .packages import prepare_packages
from .places import GLUE, Places, get_addons
from .progress import say, warn
from .testing_databases import (
    ADDONS,
    APART,
    REGISTRIES,
    SERVER,
    get_base,
    get_facts_file,
    get_folder,
    get_installation,
    make_bases,
)
from .testing_groups import LAST, TESTS, WITH_SECOND, get_groups, get_test_files
from .testing_runs import Run, SideBySide, run_in_terminal
from .testing_tally import build_summary, get_exit_code

BUSY = "Another ./spar test is running in this checkout: wait until it ends."
MAX_ALARMS = 20
ADDONS_RUN, SERVER_RUN = "addons", "server"
#: The databases of the runs that are within Odoo.
DATABASES = {ADDONS_RUN: ADDONS, **{other.name: other.database for other in REGISTRIES}}
RUNS = (*DATABASES, SERVER_RUN)
#: What the addons for other registries share: pure code, tested with the others.
COMMON = (f"{GLUE}/spar_registry_source/lib",)
#: Tests wait for servers and browsers, so more of them run than there are cores.
AT_ONCE = max(3, min(6, (os.cpu_count() or 1) + 1))


def split_arguments(
    words: Sequence[str], root: Path, addons: Sequence[str]
) -> tuple[list[str], dict[str, list[str]]]:
    """Split the arguments between the runs of pytest.

    :return: options for all; the paths of each run that has any, by its name: the
        addons' run, those of other registries, and the server's
    """
    options: list[str] = []
    paths: dict[str, list[str]] = {}
    glue = {
        other.name: [f"{GLUE}/{name}" for name in other.glue] for other in REGISTRIES
    }
    for word in words:
        path = Path(os.path.normpath(word.split("::")[0]))
        if word.startswith("-") or not (root / path).exists():
            options.append(word)
        elif path.parts == (GLUE,):
            paths |= glue
        else:
            paths.setdefault(find_run(path), []).append(word)
    if paths:
        return options, {name: paths[name] for name in RUNS if name in paths}
    return options, {ADDONS_RUN: [*addons, *COMMON], **glue, SERVER_RUN: [TESTS]}


def find_run(path: Path) -> str:
    """Return the name of the run that has the tests of a path.

    >>> find_run(Path("spar_mapper")), find_run(Path("tests/test_keys.py"))
    ('addons', 'server')
    >>> find_run(Path("glue/spar_registry_openspp/tests"))
    'openspp'
    """
    if path.parts[:1] == (TESTS,):
        return SERVER_RUN
    for other in REGISTRIES:
        if path.parts[:1] == (GLUE,) and path.parts[1] in other.glue:
            return other.name
    return ADDONS_RUN


def get_test_server(places: Places) -> tuple[Installation, dict]:
    """Return the real server's installation and demo facts, for ``tests/conftest.py``.

    :raises Failure: outside ``./spar test``
    """
    if "SPAR_TEST_RUN" not in os.environ:
        raise Failure("These tests need a server: run them with ./spar test tests")
    source, name = get_odoo(places), os.environ["SPAR_TEST_RUN"]
    installation = get_installation(places, source, SERVER, name)
    facts = get_facts_file(get_base(installation)).read_text()
    return installation, json.loads(facts)


# === RUNS === #


def build_runs(places: Places, source: OdooSource, words: Sequence[str]) -> list[Run]:
    """Return the runs; ``tests`` as a whole is several, with ``LAST`` at the end."""
    options, paths = split_arguments(words, places.root, get_addons(places.root))

    def build(name: str, database: str, words: Sequence[str]) -> Run:
        installation = get_installation(places, source, database, name)
        return Run(name, installation, (*options, *words))

    theirs = paths.pop(SERVER_RUN, [])
    runs = [build(name, DATABASES[name], words) for name, words in paths.items()]
    if theirs and is_whole(theirs):
        for name, files in get_groups(get_test_files(places.root)).items():
            runs.append(build(name, SERVER, [f"{TESTS}/{file}" for file in files]))
    elif theirs:
        runs.append(build(SERVER_RUN, SERVER, theirs))
    return runs


def is_whole(paths: Sequence[str]) -> bool:
    """Return whether the paths mean every test that needs a real server.

    >>> is_whole(["tests"]), is_whole(["./tests/"]), is_whole(["tests/test_x.py"])
    (True, True, False)
    """
    return any(os.path.normpath(path) == TESTS for path in paths)


def has_second(run: Run) -> bool:
    """Return whether a run needs a second server."""
    return any(name in word for name in WITH_SECOND for word in run.words)


def get_second_server(places: Places) -> Installation:
    """Return the installation of the second server."""
    name = f"{os.environ['SPAR_TEST_RUN']}-apart"
    return get_installation(places, get_odoo(places), APART, name)


def _run_all(runs: Sequence[Run]) -> SideBySide:
    """Run in parallel what may, then those of ``LAST``, each with a processor."""
    first = [run for run in runs if run.name not in LAST]
    last = [run for run in runs if run.name in LAST]
    running = SideBySide()
    for some, at_once in ((first, AT_ONCE), (last, len(LAST))):
        say(f"- Testing {', '.join(run.name for run in some)} in parallel")
        running.run(some, at_once)
    return running


def _get_alarms(runs: Sequence[Run]) -> dict[str, int]:
    """Return the alarms, with counts, logged while addons were installed and tested."""
    logs = [run.log for run in runs]
    for run in runs:
        base = get_base(run.installation)
        logs += base.folder.glob(f"{base.database}.*.log")
    places = runs[0].installation.places
    return count_alike(read_alarms(dict.fromkeys(logs), get_allowed(places.root)))


def _report_alarms(alarms: dict[str, int], folder: Path) -> None:
    for alarm, times in list(alarms.items())[:MAX_ALARMS]:
        warn(f"spar: unexpected in Odoo's log ({times} times): {alarm}")
    if (more := len(alarms) - MAX_ALARMS) > 0:
        warn(f"spar: and {more} more kinds; logs: {folder}")


def _run(places: Places, source: OdooSource, words: Sequence[str]) -> int:
    """Run the tests; one closing line, like pytest's, summarises all runs."""
    runs = build_runs(places, source, words)
    databases = {run.installation.database for run in runs}
    if any(map(has_second, runs)):
        databases.add(APART)
    make_bases(places, source, databases)
    started = time.monotonic()
    if runs[-1].name in LAST:
        done = _run_all(runs)
    else:
        done = SideBySide()
        for run in runs:
            done.add(run, run_in_terminal(run))
    alarms = _get_alarms(runs)
    _report_alarms(alarms, get_folder(places))
    if len(runs) > 1:
        if alarms:
            done.tally.add_error("Odoo's log has unexpected warnings or errors")
        for line in build_summary(done.tally, time.monotonic() - started):
            say(line)
    return get_exit_code([*done.codes, 1 if alarms else 0])


def test(places: Places, words: Sequence[str]) -> int:
    """Run every test, or those that pytest's arguments name; return the exit code.

    :raises Failure: when a requirement is not met
    """
    with hold(get_folder(places) / "lock", BUSY):
        source = get_odoo(places)
        prepare_packages(places, source, testing=True)
        prepare_id_provider(places)
        return _run(places, source, words)
