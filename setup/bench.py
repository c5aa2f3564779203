"""`./spar bench`: how fast the registry is on this machine, beside the floor.

It has a PostgreSQL, databases and keys of its own in `.spar/bench`. A database with so
many rows is made once; each run measures in a copy of it, so that all begin alike.
"""

import json
import os
import subprocess
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from .bench_caller import Target
from .bench_database import (
    get_floor,
    get_installations,
    get_participant,
    make_filled,
    take_sample,
)
from .bench_directory import measure_directory
from .bench_memory import get_cpu_count, get_odoo_memory, get_postgres_memory
from .bench_report import build_report, build_table, write_report
from .bench_usage import Watched
from .demo_facts import API
from .errors import Failure
from .installation import Installation
from .interpreter import get_interpreter
from .locks import hold
from .machine import get_free_port
from .odoo_server import OdooServer, end_group, end_orphan
from .places import Places
from .postgres import Cluster, running
from .progress import say

BATCHES = (1, 100, 1000)
BUSY = "Another ./spar bench is at work in this checkout: wait for its end."
ROOM = 1000  # clients count in the numbers of new people


def check_plan(rows: int, clients: int, seconds: float, workers: int) -> None:
    """:raises Failure: for what cannot be measured"""
    least = {"--rows": rows, "--clients": clients, "--workers": workers}
    for option, value in least.items():
        if value < 1:
            raise Failure(f"{option} must be 1 or more.")
    if clients * len(BATCHES) > ROOM:
        raise Failure(f"--clients must be at most {ROOM // len(BATCHES)}.")
    if seconds <= 0:
        raise Failure("--seconds must be more than 0.")


def build_target(port: int, participant: dict) -> Target:
    """Where and as whom to call.

    :param participant: as `bench_participant.py` tells it
    """
    return Target("127.0.0.1", port, API, **participant)


def _run_clients(places: Places, plan: dict, log: Path) -> int:
    """Run the clients to their end; none is left, whatever ends this. The exit code."""
    with (
        open(log, "wb") as err,
        subprocess.Popen(
            [str(places.python), "-m", "setup.bench_load"],
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
    target: Target,
    floor: Installation,
    *,
    rows: int,
    clients: int,
    seconds: float,
    batches: Sequence[int] = BATCHES,
) -> dict:
    """Measure a server that runs; `rows` people are linked in its database.

    :param floor: a copy of the database, to write bare rows to
    :raises Failure: when a client ends otherwise than with its answers
    """
    places, answer = installation.places, installation.folder / "measured.json"
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
        "answer": str(answer),
    }
    log = installation.folder / "clients.log"
    if _run_clients(places, plan, log):
        raise Failure(f"The clients could not measure; log: {log}")
    told = json.loads(answer.read_text())
    answer.unlink()
    return told


def build_watched(installation: Installation) -> Watched:
    """Return whose costs to look at; of a foreign PostgreSQL only WAL and size."""
    server, pid_file = installation.server, installation.pid_file
    dsn = server.get_dsn(installation.database)
    odoo = int(pid_file.read_text()) if pid_file.exists() else None
    if not isinstance(server, Cluster):
        return Watched(dsn, odoo)
    server.run_as_admin("CREATE EXTENSION IF NOT EXISTS pg_walinspect")
    return Watched(dsn, odoo, server.get_pid(), server.admin_dsn)


def get_memory(installation: Installation, odoo: OdooServer) -> list[dict]:
    """What the server's processes use now; of a PostgreSQL that is not ours nothing."""
    server, memory = installation.server, get_odoo_memory(odoo.pid)
    if isinstance(server, Cluster):
        memory += get_postgres_memory(server.get_pid())
    return memory


def put_off_nightly_work(installation: Installation) -> None:
    """Have what is done each night not begin at once, because the copy is old.

    What is done every few minutes, and what messages set off, runs as it always does.
    """
    installation.server.get_answer(
        """UPDATE ir_cron SET nextcall = now() AT TIME ZONE 'UTC' + interval '1 day'
            WHERE interval_type IN ('days', 'weeks', 'months')""",
        installation.database,
    )


def _count_mappings(installation: Installation) -> int:
    query = "SELECT count(*) FROM spar_mapping WHERE state IN ('active', 'suspended')"
    return int(installation.server.get_answer(query, installation.database))


def tell_python(places: Places) -> str:
    """Return which Python everything runs with."""
    told = get_interpreter(places.python)
    return told.words if told else "an unknown Python"


def _serve(installation: Installation, workers: int) -> OdooServer:
    """Start Odoo on a port of its own."""
    port = get_free_port()
    installation.write_config(port=port, workers=workers)
    log = installation.folder / "odoo.log"
    command = installation.get_command()
    return OdooServer(command, installation.environment, log, port)


def _measure_served(
    installation: Installation, floor: Installation, plan: dict, workers: int
) -> dict:
    """Serve, measure, end the server; the report."""
    about = {"mappings": _count_mappings(installation), "workers": workers, **plan}
    about |= {"cpus": get_cpu_count(), "load_before": os.getloadavg()}
    about["python"] = tell_python(installation.places)
    odoo = _serve(installation, workers)
    try:
        odoo.start()
        odoo.wait()
        port = int(odoo.url.rpartition(":")[2])
        target = build_target(port, get_participant(installation.folder, plan["rows"]))
        told = measure(installation, target, floor, **plan)
        memory = get_memory(installation, odoo)
    finally:
        odoo.stop()
    return build_report(told, **about, memory=memory)


def _settle(installation: Installation) -> None:
    """Have on the disk what copying left to do: it is no part of what is measured."""
    if isinstance(installation.server, Cluster):
        installation.server.run_as_admin("CHECKPOINT")


def _run(places: Places, plan: dict, workers: int, branches: int) -> dict:
    filled, installation = get_installations(places, plan["rows"])
    end_orphan(installation.pid_file, installation.config)
    make_filled(filled, plan["rows"])
    with running(installation.server):
        say("- Measuring in a fresh copy of the database")
        installation.copy_from(filled)
        put_off_nightly_work(installation)
        floor = get_floor(installation)
        floor.copy_from(filled)
        _settle(installation)
        try:
            report = _measure_served(installation, floor, plan, workers)
        finally:
            floor.drop()
        if branches:
            say(f"    the directory: {branches:,} branches")
            report["directory"] = measure_directory(installation, branches)
    return report


def bench(
    places: Places,
    *,
    rows: int,
    clients: int,
    seconds: float,
    workers: int,
    branches: int,
) -> Path:
    """Measure, print the table, write the report; the report's place.

    :param branches: how many the directory is to have; 0 leaves it out

    :raises Failure: when something cannot be had, or any answer was wrong
    """
    check_plan(rows, clients, seconds, workers)
    folder = places.state / "bench"
    plan = {"rows": rows, "clients": clients, "seconds": seconds}
    with hold(folder / "lock", BUSY):
        report = _run(places, plan, workers, branches)
        path = write_report(folder, report)
    for line in build_table(report):
        say(line)
    say(f"All of it for programs: {path}")
    if report["wrong"]:
        raise Failure(f"{report['wrong']:,} answers were wrong: see {path}")
    return path
