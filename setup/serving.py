"""``./spar demo``, ``./spar stop``, and Odoo's commands on the demo: its processes."""

import os
import signal
import subprocess
import sys
import time

from .apart import PORTAL, STORE, get_apart
from .commands import get_reason
from .demo import get_facts_file, get_installation
from .demo_kind import DemoKind, ServingOptions
from .errors import Failure
from .installation import Installation
from .locks import get_holder, hold
from .machine import check_port
from .odoo_server import end_orphan
from .places import Places
from .postgres import Cluster, running
from .progress import say, step
from .serving_apart import APART
from .serving_one import ONE

KINDS = (ONE, APART)
STOP_SECONDS = 60
BUSY = "Another ./spar is running the demo: wait for it, or stop it with ./spar stop."
NO_DEMO = "There is no demo yet: run ./spar demo."
TWO_DATABASES = (
    "The demo has two databases: choose one, as in ./spar shell --apart store."
)


def _get_kind(apart: bool) -> DemoKind:
    return APART if apart else ONE


def _greet(kind: DemoKind, places: Places) -> None:
    for line in kind.describe(places):
        say(line)


def _is_served(kind: DemoKind, places: Places) -> bool:
    is_held = get_holder(kind.get_lock(places)) is not None
    return is_held and kind.get_ready_file(places).exists()


def _end_orphans(kind: DemoKind, places: Places) -> None:
    """Kill the servers that a killed ``./spar`` left running; needs only its folder."""
    for pid_file in kind.get_pid_files(places):
        end_orphan(pid_file, pid_file.with_suffix(".conf"))


# === SERVING === #


def _detach(kind: DemoKind, places: Places, options: ServingOptions) -> None:
    """Serve the demo in a process that outlives this one; wait until it is up.

    :raises Failure: with what that process reported
    """
    log = kind.get_folder(places) / "serve.log"
    command = [sys.executable, places.root / "spar", "_serve", *kind.words]
    words = [f"--port={options.port}", f"--workers={options.workers}"]
    words += ["--second-factor"] if options.second_factor else []
    with open(log, "wb") as out:
        process = subprocess.Popen(
            [*command, *words],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    while process.poll() is None:
        if kind.get_ready_file(places).exists():
            return
        time.sleep(0.1)
    raise Failure(get_reason(log) or f"The demo stopped at once; log: {log}")


def serve_prepared(
    places: Places, *, port: int, workers: int, second_factor: bool, apart: bool
) -> None:
    """Serve an existing demo, as a detached process does."""
    kind, options = _get_kind(apart), ServingOptions(port, workers, second_factor)
    ready = kind.get_ready_file(places)
    with hold(kind.get_lock(places), BUSY):
        ready.unlink(missing_ok=True)
        try:
            kind.serve(places, options, ready.touch)
        finally:
            ready.unlink(missing_ok=True)


def _serve_here(kind: DemoKind, places: Places, options: ServingOptions) -> None:
    ready = kind.get_ready_file(places)

    def announce() -> None:
        ready.touch()
        _greet(kind, places)
        say("Press Ctrl-C to stop it.")

    try:
        kind.serve(places, options, announce)
    finally:
        ready.unlink(missing_ok=True)
    say("The demo has stopped.")


def demo(
    places: Places,
    *,
    port: int,
    workers: int,
    detach: bool,
    second_factor: bool,
    apart: bool,
) -> None:
    """Make the demo if there is none, and serve it.

    :param apart: store and portal are two servers with two databases
    :raises Failure: stating what to do
    """
    kind, options = _get_kind(apart), ServingOptions(port, workers, second_factor)
    if _is_served(kind, places):
        say("The demo is already running.")
        return _greet(kind, places)
    with hold(kind.get_lock(places), BUSY):
        _end_orphans(kind, places)
        for number in range(port, port + kind.ports):
            check_port(number)
        kind.get_ready_file(places).unlink(missing_ok=True)
        kind.prepare(places)
        if not detach:
            say("- Starting Odoo")
            return _serve_here(kind, places, options)
    with step("Starting Odoo"):
        _detach(kind, places, options)
    _greet(kind, places)


# === STOPPING === #


def _end_holder(kind: DemoKind, places: Places) -> bool:
    """Ask the process that serves the demo to end; return whether there was one."""
    end = time.monotonic() + STOP_SECONDS
    lock = kind.get_lock(places)
    if not (holder := get_holder(lock)):
        return False
    os.kill(holder, signal.SIGTERM)
    while get_holder(lock) == holder:
        if time.monotonic() > end:
            os.kill(holder, signal.SIGKILL)
        time.sleep(0.1)
    return True


def _stop(kind: DemoKind, places: Places) -> bool:
    """Stop one kind of demo; return whether it was served."""
    was_served = _end_holder(kind, places)
    _end_orphans(kind, places)
    folder = kind.get_folder(places)
    Cluster(folder / "postgres", folder).stop()
    return was_served


def stop(places: Places) -> None:
    """Stop every demo and everything that a killed one left behind."""
    made = [kind for kind in KINDS if kind.get_folder(places).exists()]
    if not made:
        return say(NO_DEMO)
    stopped = [_stop(kind, places) for kind in made]
    say("The demo has stopped." if any(stopped) else "No demo was running.")


def _choose(places: Places, part: str) -> tuple[DemoKind, Installation]:
    """Return a demo and the installation in it: the only one, or one of the two.

    :param part: which of the demo in two databases; "" for the demo in one
    :raises Failure: when there is no such demo
    """
    if part:
        apart = get_apart(places)
        apart.get_facts()
        return APART, {STORE: apart.store, PORTAL: apart.portal}[part]
    if get_facts_file(places).exists():
        return ONE, get_installation(places)
    raise Failure(TWO_DATABASES if APART.get_folder(places).exists() else NO_DEMO)


def run_odoo(places: Places, *words: str, part: str = "") -> int:
    """Run an Odoo command on the demo's database, served or not; return its exit code.

    :param part: see ``_choose``
    :raises Failure: when there is no demo
    """
    kind, installation = _choose(places, part)
    command, *rest = words
    if any(word.startswith(("-d", "--database")) for word in rest):
        raise Failure("This works on the demo's database: leave out -d.")
    with running(installation.server):
        if not get_holder(kind.get_lock(places)):
            installation.write_config(port=8069, workers=0)
        called_as = f"./spar {command.removeprefix('spar_')}"
        called_as += f" --apart {part}" if part else ""
        # In the caller's working directory: the words may name files relative to it.
        return subprocess.call(
            [*map(str, installation.get_command(command)), *rest],
            env={**installation.environment, "SPAR_CALLED_AS": called_as},
        )
