"""``./spar bench``: how fast the registry is on this machine, compared with the floor.

The benchmark has its own PostgreSQL, databases and keys in ``.spar/bench``. A database
of a given size is made once; each run measures in a copy of it, so that all runs start
from the same state.
"""

import json
import os
import subprocess
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from setup.demo_facts import API
from setup.errors import Failure
from setup.installation import Installation
from setup.interpreter import get_interpreter
from setup.locks import hold
from setup.machine import get_free_port
from setup.odoo_server import OdooServer, end_group, end_orphan
from setup.places import Places
from setup.postgres import Cluster, running
from setup.progress import say

from .accounts import measure_accounts
from .database import (
    get_floor,
    get_installations,
    get_participant,
    make_filled,
    take_sample,
)
from .desk import measure_desk
from .directory import measure_directory
from .memory import get_cpu_count, get_odoo_memory, get_postgres_memory
from .readiness import measure_readiness
from .report import build_report, build_table, write_report
from .target import BenchTarget
from .usage import Watched

BATCHES = (1, 100, 1000)
BUSY = "Another ./spar bench is running in this checkout: wait until it ends."
MAX_PAIRS = 1000  # pairs of client and batch size that new people are numbered for


def check_plan(rows: int, clients: int, seconds: float, workers: int) -> None:
    """Check that a plan can be measured.

    :raises Failure: when it cannot
    """
    counts = {"--rows": rows, "--clients": clients, "--workers": workers}
    for option, value in counts.items():
        if value < 1:
            raise Failure(f"{option} must be 1 or more.")
    if clients * len(BATCHES) > MAX_PAIRS:
        raise Failure(f"--clients must be at most {MAX_PAIRS // len(BATCHES)}.")
    if seconds <= 0:
        raise Failure("--seconds must be more than 0.")


def build_target(port: int, participant: dict) -> BenchTarget:
    """Return the server to call and the participant to call it as.

    :param participant: what ``scripts/participant.py`` returned
    """
    return BenchTarget(f"http://127.0.0.1:{port}{API}", **participant)


def _run_clients(places: Places, plan: dict, log: Path) -> int:
    """Run the clients to completion, leaving none behind; return the exit code."""
    with (
        open(log, "wb") as err,
        subprocess.Popen(
            [str(places.python), "-m", "bench.load"],
            stdin=subprocess.PIPE,
            stderr=err,
            cwd=places.root,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
            start_new_session=True,
        ) as clients,
    ):
        try:
            clients.communicate(json.dumps(plan).encode())
        finally:
            end_group(clients.pid)
    return clients.returncode


def measure(
    installation: Installation,
    target: BenchTarget,
    floor: Installation,
    *,
    rows: int,
    clients: int,
    seconds: float,
    batches: Sequence[int] = BATCHES,
) -> dict:
    """Measure a running server whose database has ``rows`` linked people.

    :param floor: a copy of the database, to write bare rows to
    :raises Failure: when a client ends without a result
    """
    places, file = installation.places, installation.folder / "measured.json"
    plan = {
        "target": asdict(target),
        "dsn": installation.server.get_dsn(installation.database),
        "rows": rows,
        "clients": clients,
        "seconds": seconds,
        "batches": list(batches),
        "watched": asdict(build_watched(installation)),
        "floor_dsn": floor.server.get_dsn(floor.database),
        "sample": take_sample(floor),
        "file": str(file),
    }
    log = installation.folder / "clients.log"
    if _run_clients(places, plan, log):
        raise Failure(f"The clients failed; log: {log}")
    measured = json.loads(file.read_text())
    file.unlink()
    return measured


def build_watched(installation: Installation) -> Watched:
    """Return what to measure; of a foreign PostgreSQL, only WAL and size."""
    server, pid_file = installation.server, installation.pid_file
    dsn = server.get_dsn(installation.database)
    odoo = int(pid_file.read_text()) if pid_file.exists() else None
    if not isinstance(server, Cluster):
        return Watched(dsn, odoo)
    server.run_as_admin("CREATE EXTENSION IF NOT EXISTS pg_walinspect")
    return Watched(dsn, odoo, server.get_pid(), server.admin_dsn)


def get_memory(installation: Installation, odoo: OdooServer) -> list[dict]:
    """Return the current memory use of the server, without a foreign PostgreSQL's."""
    server, memory = installation.server, get_odoo_memory(odoo.pid)
    if isinstance(server, Cluster):
        memory += get_postgres_memory(server.get_pid())
    return memory


def postpone_nightly_jobs(installation: Installation) -> None:
    """Keep nightly jobs from starting at once just because the copy is old.

    Jobs that run every few minutes, and those triggered by messages, run as usual.
    """
    installation.server.get_answer(
        """UPDATE ir_cron SET nextcall = now() AT TIME ZONE 'UTC' + interval '1 day'
            WHERE interval_type IN ('days', 'weeks', 'months')""",
        installation.database,
    )


def _count_mappings(installation: Installation) -> int:
    query = "SELECT count(*) FROM spar_mapping WHERE state IN ('active', 'suspended')"
    return int(installation.server.get_answer(query, installation.database))


def describe_python(places: Places) -> str:
    """Return a description of the Python that everything runs with."""
    interpreter = get_interpreter(places.python)
    return interpreter.description if interpreter else "an unknown Python"


def _serve(installation: Installation, workers: int) -> OdooServer:
    """Return an Odoo server, configured on a port of its own."""
    port = get_free_port()
    installation.write_config(port=port, workers=workers)
    log = installation.folder / "odoo.log"
    command = installation.get_command()
    return OdooServer(command, installation.environment, log, port)


def _measure_served(
    installation: Installation, floor: Installation, plan: dict, workers: int
) -> dict:
    """Serve, measure and stop the server; return the report."""
    about = {"mappings": _count_mappings(installation), "workers": workers, **plan}
    about |= {"cpus": get_cpu_count(), "load_before": os.getloadavg()}
    about["python"] = describe_python(installation.places)
    odoo = _serve(installation, workers)
    try:
        odoo.start()
        odoo.wait()
        port = int(odoo.url.rpartition(":")[2])
        target = build_target(port, get_participant(installation.folder, plan["rows"]))
        measured = measure(installation, target, floor, **plan)
        memory = get_memory(installation, odoo)
    finally:
        odoo.stop()
    return build_report(measured, **about, memory=memory)


def _settle(installation: Installation) -> None:
    """Flush to disk what the copying left behind, so that it is not measured."""
    if isinstance(installation.server, Cluster):
        installation.server.run_as_admin("CHECKPOINT")


def _run(
    places: Places,
    plan: dict,
    workers: int,
    branches: int,
    people: int,
    accounts: int,
    searches: int,
) -> dict:
    filled, installation = get_installations(places, plan["rows"])
    end_orphan(installation.pid_file, installation.config)
    make_filled(filled, plan["rows"])
    with running(installation.server):
        say("- Measuring in a fresh copy of the database")
        installation.copy_from(filled)
        postpone_nightly_jobs(installation)
        floor = get_floor(installation)
        floor.copy_from(filled)
        _settle(installation)
        try:
            report = _measure_served(installation, floor, plan, workers)
        finally:
            floor.drop()
        if searches:
            say(f"    the desk: {searches} searches and pages")
            report["desk"] = measure_desk(installation, searches)
        if people:
            say(f"    payment readiness: {people:,} people")
            report["readiness"] = measure_readiness(installation, people)
        if branches:
            say(f"    the directory: {branches:,} branches")
            report["directory"] = measure_directory(installation, branches)
        if accounts:
            say(f"    a file of {accounts:,} accounts")
            report["accounts"] = measure_accounts(installation, accounts)
    return report


def bench(
    places: Places,
    *,
    rows: int,
    clients: int,
    seconds: float,
    workers: int,
    branches: int,
    people: int,
    accounts: int,
    searches: int,
) -> Path:
    """Measure, print the table and write the report; return the report's path.

    :param branches: the number of branches in the directory; 0 leaves it out
    :param people: the number of people whose payment readiness is checked, likewise
    :param accounts: the number of rows in the file of accounts; 0 leaves it out
    :param searches: a clerk's searches for a person, likewise
    :raises Failure: when a requirement is not met, or any answer was wrong
    """
    check_plan(rows, clients, seconds, workers)
    folder = places.state / "bench"
    plan = {"rows": rows, "clients": clients, "seconds": seconds}
    with hold(folder / "lock", BUSY):
        report = _run(places, plan, workers, branches, people, accounts, searches)
        path = write_report(folder, report)
    for line in build_table(report):
        say(line)
    say(f"The whole report as JSON: {path}")
    if report["wrong"]:
        raise Failure(f"{report['wrong']:,} answers were wrong: see {path}")
    return path
