"""Runs of pytest: one in the terminal, or several in parallel with one result."""

import os
import re
import shutil
import signal
import subprocess
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from .installation import Installation
from .packages import get_node_binaries
from .progress import say
from .testing_databases import ADDONS, REGISTRIES, copied
from .testing_tally import Tally, read_tally

#: A heading of pytest.
HEADING = re.compile(r"^=+ (.*?) =+$")
BEGINNING = "test session starts"
#: The databases whose tests run within Odoo; others are for a real server.
IN_ODOO = (ADDONS, *(other.database for other in REGISTRIES))

#: How many people some tests have, where it is not as many as usual.
COUNTS = ("SPAR_OUTBOX_PEOPLE", "SPAR_READINESS_PEOPLE")


@dataclass(frozen=True)
class Run:
    """One call of pytest with a database of its own."""

    name: str
    installation: Installation
    words: tuple[str, ...]

    @property
    def log(self) -> Path:
        """Return Odoo's log of the addons' run; a real server has its own log."""
        return self.installation.folder / f"{self.installation.database}.pytest.log"

    @property
    def tally(self) -> Path:
        return self.installation.folder / "tally.json"

    def build_command(self) -> list[str]:
        """Return the call: the addons' own tests, or those that need a real server."""
        plugins = ["-p", "setup.pytest_tally"]
        if self.installation.database in IN_ODOO:
            plugins += ["-p", "setup.pytest_spar"]
            plugins += [f"--odoo-config={self.installation.config}", "--odoo-http"]
            plugins += ["--odoo-log-level=warn", f"--odoo-extra=logfile={self.log}"]
            # One process runs every test; Odoo's limit is for a worker that is
            # recycled.
            plugins += ["--odoo-extra=limit-memory-hard=0"]
        else:
            plugins += ["-p", "no:odoo"]
        python = self.installation.places.python
        return [str(python), "-m", "pytest", *plugins, *self.words]

    def build_environment(self) -> dict[str, str]:
        """Return Odoo's environment, in which programs and Node are also found."""
        places = self.installation.places
        path = [str(places.python.parent), os.environ.get("PATH", os.defpath)]
        if not (shutil.which("node") and shutil.which("npm")):
            path.insert(1, str(get_node_binaries(places)))
        counts = {name: os.environ[name] for name in COUNTS if name in os.environ}
        # The addons' tests also try the guards on code that is in the database.
        code = (
            {"SPAR_ADDON_CODE_ONLY": "off"}
            if self.installation.database in IN_ODOO
            else {}
        )
        return {
            **self.installation.environment,
            **counts,
            **code,
            "PATH": os.pathsep.join(path),
            "SPAR_TALLY": str(self.tally),
            "SPAR_TEST_RUN": self.name,
        }

    def prepare(self) -> None:
        self.log.unlink(missing_ok=True)
        self.tally.unlink(missing_ok=True)


def run_in_terminal(run: Run) -> int:
    """Run the tests with full use of the terminal; return pytest's exit code."""
    say(f"- Testing {' '.join(run.words)}")
    with copied(run.installation):
        run.prepare()
        return subprocess.run(
            run.build_command(),
            cwd=run.installation.places.root,
            env=run.build_environment(),
        ).returncode


class SideBySide:
    """Parallel runs of pytest, each line of output prefixed with the name of its run.

    The output at the end of a run, from its failures on, stays together.
    """

    def __init__(self):
        self.tally = Tally()
        self.codes: list[int] = []
        self._lock = threading.Lock()
        self._processes: set[subprocess.Popen] = set()
        self._ending = False

    def run(self, runs: Sequence[Run], at_once: int) -> None:
        """Run them all, a limited number at once; list the longest ones first."""
        pool = ThreadPoolExecutor(at_once)
        try:
            for done in [pool.submit(self._run, run) for run in runs]:
                done.result()
        except BaseException:  # also Ctrl-C
            self._stop()
            raise
        finally:
            pool.shutdown(cancel_futures=True)

    def add(self, run: Run, code: int) -> None:
        """Add what a run has counted."""
        with self._lock:
            self.codes.append(code)
            self.tally += read_tally(run.tally, run.name, code)

    def _stop(self) -> None:
        """Stop the remaining runs, and what they started, as Ctrl-C would."""
        with self._lock:
            self._ending = True
            for process in self._processes:
                process.send_signal(signal.SIGINT)

    def _run(self, run: Run) -> None:
        with copied(run.installation):
            run.prepare()
            code = self._follow(run)
        self.add(run, code)

    def _follow(self, run: Run) -> int:
        """Run pytest, print its output and return its exit code."""
        with self._lock:
            if self._ending:
                return 1
            process = subprocess.Popen(
                run.build_command(),
                cwd=run.installation.places.root,
                env=run.build_environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
            )
            self._processes.add(process)
        ending: list[str] = []
        for line in process.stdout:
            line = line.rstrip("\n")
            if ending or is_ending(line):
                ending.append(line)
            else:
                say(f"{run.name:8} | {line}")
        code = process.wait()
        with self._lock:
            self._processes.discard(process)
            say("\n".join(build_ending(run.name, ending)))
        return code


def is_ending(line: str) -> bool:
    """Return whether a line is a heading of pytest's closing output.

    >>> is_ending("=== FAILURES ==="), is_ending("=== test session starts ===")
    (True, False)
    """
    found = HEADING.match(line)
    return bool(found) and found[1] != BEGINNING


def build_ending(name: str, lines: Sequence[str]) -> list[str]:
    """Return a run's closing output; only the combined result has pytest's last line.

    >>> build_ending("x", ["= FAILURES =", "why", "= 1 failed in 2.00s ="])
    ['= FAILURES =', 'why', 'x: 1 failed in 2.00s']
    """
    if not lines or not (closing := HEADING.match(lines[-1])):
        return [*lines, f"{name}: ended without a last word"]
    return [*lines[:-1], f"{name}: {closing[1]}"]
