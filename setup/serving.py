"""``./spar demo``, ``./spar stop``, and Odoo's commands on the demo: its processes."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace

from .commands import get_reason
from .demo import (
    get_facts_file,
    get_folder,
    get_installation,
    prepare_demo,
    record_addresses,
)
from .demo_facts import build_demo_file, build_greeting
from .errors import Failure
from .front_server import FrontServer
from .id_provider import IdProvider, build_config, choose_port
from .installation import Installation
from .locks import get_holder, hold
from .machine import check_port, get_free_ports
from .odoo_server import Keeper, OdooServer, end_orphan
from .places import Places, write_private
from .postgres import Cluster, running
from .progress import say, step

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
STOP_SECONDS = 60
BUSY = "Another ./spar is running the demo: wait for it, or stop it with ./spar stop."
NO_DEMO = "There is no demo yet: run ./spar demo."


def _get_lock(places: Places):
    return get_folder(places) / "lock"


def _get_ready_file(places: Places):
    """Return the file that exists while the demo is responding."""
    return get_folder(places) / "ready"


def _greet(places: Places) -> None:
    for line in build_greeting(json.loads(places.demo_file.read_text())):
        say(line)


def _is_served(places: Places) -> bool:
    return (
        get_holder(_get_lock(places)) is not None and _get_ready_file(places).exists()
    )


def _end_orphans(places: Places) -> None:
    """Kill the Odoo that a killed ``./spar`` left running; needs only its folder."""
    for pid_file in get_folder(places).glob("*.pid"):
        end_orphan(pid_file, pid_file.with_suffix(".conf"))


# === SERVING === #


def _write_demo_file(installation: Installation, url: str, issuer: str) -> None:
    facts = json.loads(get_facts_file(installation.places).read_text())
    name = installation.database
    dsn = installation.server.get_dsn(name)
    document = build_demo_file(facts, url, issuer, name, dsn)
    write_private(installation.places.demo_file, json.dumps(document, indent=2) + "\n")


def _build_id_provider(installation: Installation, url: str) -> IdProvider:
    facts = json.loads(get_facts_file(installation.places).read_text())
    folder = installation.folder
    config = build_config(facts, url, choose_port(folder))
    return IdProvider(installation.places, folder, config)


def build_fronted_odoo(
    installation: Installation, port: int, workers: int, *arguments: str
) -> tuple[OdooServer, FrontServer]:
    """Return Odoo, and the front that listens on its port for it.

    :param arguments: further arguments of Odoo's command
    """
    http, websocket = get_free_ports(2)
    installation.write_config(
        port=http, workers=workers, websocket=websocket, fronted=True
    )
    command = installation.get_command(*arguments)
    log = installation.folder / "odoo.log"
    odoo = OdooServer(command, installation.environment, log, http)
    # Without workers Odoo is one process, which also serves websockets.
    ports = (port, http, websocket if workers else http)
    return odoo, FrontServer(installation.folder, *ports)


def _build_keeper(
    installation: Installation, port: int, workers: int
) -> tuple[Keeper, FrontServer, IdProvider]:
    odoo, front = build_fronted_odoo(installation, port, workers)
    id_provider = _build_id_provider(installation, front.url)
    keeper = Keeper(odoo, installation.server, (front, id_provider))
    return keeper, front, id_provider


def _start(
    keeper: Keeper,
    front: FrontServer,
    id_provider: IdProvider,
    installation: Installation,
) -> None:
    """Start the ID provider, record both URLs in Odoo, start Odoo and its front."""
    id_provider.start()
    id_provider.wait(keeper.ending)
    record_addresses(installation, front.url, id_provider.issuer)
    front.start()
    keeper.odoo.start()
    keeper.odoo.wait(keeper.ending)
    front.wait(keeper.ending)
    _write_demo_file(installation, front.url, id_provider.issuer)


def serve(
    installation: Installation, port: int, workers: int, ready: Callable[[], None]
) -> None:
    """Serve the demo until a signal ends it, leaving no process behind.

    :param ready: called once, when Odoo responds
    """
    with running(installation.server):
        keeper, front, id_provider = _build_keeper(installation, port, workers)
        for number in SIGNALS:
            signal.signal(number, lambda *_received: keeper.ending.set())
        try:
            _start(keeper, front, id_provider, installation)
            ready()
            keeper.keep()
        finally:
            for process in (keeper.odoo, *keeper.beside):
                process.stop()


def _detach(places: Places, port: int, workers: int, second_factor: bool) -> None:
    """Serve the demo in a process that outlives this one; wait until it is up.

    :raises Failure: with what that process reported
    """
    log = get_folder(places) / "serve.log"
    command = [sys.executable, places.root / "spar", "_serve"]
    words = [f"--port={port}", f"--workers={workers}"]
    words += ["--second-factor"] if second_factor else []
    with open(log, "wb") as out:
        process = subprocess.Popen(
            [*command, *words],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    while process.poll() is None:
        if _get_ready_file(places).exists():
            return
        time.sleep(0.1)
    raise Failure(get_reason(log) or f"The demo stopped at once; log: {log}")


def _get_served(places: Places, second_factor: bool) -> Installation:
    return replace(get_installation(places), second_factor=second_factor)


def serve_prepared(
    places: Places, port: int, workers: int, second_factor: bool
) -> None:
    """Serve an existing demo, as a detached process does."""
    ready = _get_ready_file(places)
    with hold(_get_lock(places), BUSY):
        ready.unlink(missing_ok=True)
        try:
            served = _get_served(places, second_factor)
            serve(served, port, workers, ready.touch)
        finally:
            ready.unlink(missing_ok=True)


def _serve_here(places: Places, port: int, workers: int, second_factor: bool) -> None:
    def announce() -> None:
        _get_ready_file(places).touch()
        _greet(places)
        say("Press Ctrl-C to stop it.")

    try:
        serve(_get_served(places, second_factor), port, workers, announce)
    finally:
        _get_ready_file(places).unlink(missing_ok=True)
    say("The demo has stopped.")


def demo(
    places: Places, *, port: int, workers: int, detach: bool, second_factor: bool
) -> None:
    """Make the demo if there is none, and serve it.

    :raises Failure: stating what to do
    """
    if _is_served(places):
        say("The demo is already running.")
        return _greet(places)
    with hold(_get_lock(places), BUSY):
        _end_orphans(places)
        check_port(port)
        _get_ready_file(places).unlink(missing_ok=True)
        prepare_demo(places)
        if not detach:
            say("- Starting Odoo")
            return _serve_here(places, port, workers, second_factor)
    with step("Starting Odoo"):
        _detach(places, port, workers, second_factor)
    _greet(places)


# === STOPPING === #


def _end_holder(places: Places) -> bool:
    """Ask the process that serves the demo to end; return whether there was one."""
    end = time.monotonic() + STOP_SECONDS
    if not (holder := get_holder(_get_lock(places))):
        return False
    os.kill(holder, signal.SIGTERM)
    while get_holder(_get_lock(places)) == holder:
        if time.monotonic() > end:
            os.kill(holder, signal.SIGKILL)
        time.sleep(0.1)
    return True


def stop(places: Places) -> None:
    """Stop the demo and everything that a killed one left behind."""
    if not get_folder(places).exists():
        return say(NO_DEMO)
    was_served = _end_holder(places)
    _end_orphans(places)
    Cluster(get_folder(places) / "postgres", get_folder(places)).stop()
    say("The demo has stopped." if was_served else "No demo was running.")


def run_odoo(places: Places, *words: str) -> int:
    """Run an Odoo command on the demo's database, served or not; return its exit code.

    :raises Failure: when there is no demo
    """
    if not get_facts_file(places).exists():
        raise Failure(NO_DEMO)
    command, *rest = words
    if any(word.startswith(("-d", "--database")) for word in rest):
        raise Failure("This works on the demo's database: leave out -d.")
    installation = get_installation(places)
    with running(installation.server):
        if not get_holder(_get_lock(places)):
            installation.write_config(port=8069, workers=0)
        called_as = f"./spar {command.removeprefix('spar_')}"
        # In the caller's working directory: the words may name files relative to it.
        return subprocess.call(
            [*map(str, installation.get_command(command)), *rest],
            env={**installation.environment, "SPAR_CALLED_AS": called_as},
        )
