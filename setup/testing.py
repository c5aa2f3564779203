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
from .places import Places, get_addons
from .progress import say, warn
from .testing_databases import (
    ADDONS,
    SERVER,
    get_base,
    get_facts_file,
    get_folder,
    get_installation,
    make_bases,
)
from .testing_groups import TESTS, get_groups, get_test_files
from .testing_runs import Run, SideBySide, run_in_terminal
from .testing_tally import build_summary, get_exit_code

BUSY = "Another ./spar test is running in this checkout: wait until it ends."
MAX_ALARMS = 20
#: Tests wait for servers and browsers, so more of them run than there are cores.
AT_ONCE = max(3, min(6, (os.cpu_count() or 1) + 1))


def split_arguments(
    words: Sequence[str], root: Path, addons: Sequence[str]
) -> tuple[list[str], list[str] | None, list[str] | None]:
    """Split the arguments between the runs of pytest.

    :return: options for both, paths of the addons' run, paths of the server's run; None
        for a run that the named paths leave out
    """
    options, ours, theirs = [], [], []
    for word in words:
        path = Path(os.path.normpath(word.split("::")[0]))
        if word.startswith("-") or not (root / path).exists():
            options.append(word)
        elif path.parts and path.parts[0] == TESTS:
            theirs.append(word)
        else:
            ours.append(word)
    if not ours and not theirs:
        return options, list(addons), [TESTS]
    return options, ours or None, theirs or None


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
    """Return the runs; ``tests`` as a whole is several, the last one run alone."""
    options, ours, theirs = split_arguments(words, places.root, get_addons(places.root))

    def build(name: str, database: str, paths: Sequence[str]) -> Run:
        installation = get_installation(places, source, database, name)
        return Run(name, installation, (*options, *paths))

    runs = [build("addons", ADDONS, ours)] if ours else []
    if theirs and is_whole(theirs):
        for name, files in get_groups(get_test_files(places.root)).items():
            paths = [f"{TESTS}/{file}" for file in files]
            runs.append(build(name, SERVER, paths))
    elif theirs:
        runs.append(build("server", SERVER, theirs))
    return runs


def is_whole(paths: Sequence[str]) -> bool:
    """Return whether the paths mean every test that needs a real server.

    >>> is_whole(["tests"]), is_whole(["./tests/"]), is_whole(["tests/test_x.py"])
    (True, True, False)
    """
    return any(os.path.normpath(path) == TESTS for path in paths)


def _run_all(runs: Sequence[Run]) -> SideBySide:
    """Run in parallel what may run in parallel, then the last one alone."""
    *together, alone = runs
    say(f"- Testing {', '.join(run.name for run in together)} in parallel")
    running = SideBySide(AT_ONCE)
    running.run(together)
    say(f"- Testing {' '.join(alone.words)}")
    running.run([alone])
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
    make_bases(places, source, {run.installation.database for run in runs})
    started = time.monotonic()
    if len(runs) > 2:
        done = _run_all(runs)
    else:
        done = SideBySide(1)
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
