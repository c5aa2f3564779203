"""The databases to measure in: made once, filled by the store's own code, and kept."""

import json
import os
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from pathlib import Path

from setup.commands import run
from setup.demo import get_database_name, get_digest
from setup.installation import AGAIN, Installation
from setup.machine import check_disk
from setup.odoo_source import get_odoo
from setup.packages import get_postgres_binaries, prepare_packages
from setup.places import Places, get_addons, write_private
from setup.postgres import get_server, running
from setup.progress import say, step

SCRIPTS = Path(__file__).with_name("scripts")
PARTICIPANT = SCRIPTS / "participant.py"
SAMPLE = SCRIPTS / "sample.py"
FILL = SCRIPTS / "fill.py"
SHARES = 2
PAGES = 8192  # MiB of shared buffers for PostgreSQL, at most
PROGRESS_SECONDS = 5
GIBIBYTES_PER_MILLION = 6.0  # three times the size of the rows: a run works in copies


def get_installations(places: Places, rows: int) -> tuple[Installation, Installation]:
    """Return the database with the given number of rows, and the one that runs use.

    :raises Failure: when a requirement is not met
    """
    source = get_odoo(places)
    prepare_packages(places, source, testing=False)
    folder = places.state / "bench"
    binaries = get_postgres_binaries(places)
    server = get_server(folder / "postgres", binaries, pages=PAGES)
    name = get_database_name(folder, server, "spar_bench")
    filled = Installation(places, source, server, folder, f"{name}_{rows}")
    return filled, Installation(places, source, server, folder, name)


def get_floor(installation: Installation) -> Installation:
    """Return the database beside the measured one that bare rows go to."""
    return replace(installation, database=f"{installation.database}_floor")


def _get_facts_file(folder: Path, rows: int) -> Path:
    """Return a database's facts file, which exists once the database is complete."""
    return folder / f"rows-{rows}.json"


def get_participant(folder: Path, rows: int) -> dict:
    """Return the participant that calls in a database that was made."""
    return json.loads(_get_facts_file(folder, rows).read_text())["participant"]


def make_participant(installation: Installation) -> dict:
    """Make the providers and the participant, with a new secret; return the latter."""
    words = {"SPAR_ROOT": str(installation.places.root)}
    return installation.run_script(PARTICIPANT, **words)


def take_sample(floor: Installation) -> dict:
    """Return the rows that the store writes for a person, for ``tables.py``."""
    return floor.run_script(SAMPLE, SPAR_ROOT=str(floor.places.root))


# === FILLING === #


def _fill_share(installation: Installation, rows: int, share: int) -> None:
    words = {
        "SPAR_ROOT": str(installation.places.root),
        "BENCH_ROWS": str(rows),
        "BENCH_SHARE": str(share),
        "BENCH_SHARES": str(SHARES),
    }
    run(
        installation.get_command("shell", "--no-http"),
        log=installation.folder / f"{installation.database}.fill-{share}.log",
        failing=f"Cannot fill the benchmark database. {AGAIN}",
        env={**installation.environment, **words},
        cwd=installation.folder,
        stdin=FILL,
    )


def _show_progress(installation: Installation, rows: int, filling: list[Future]):
    """Show progress until filling is complete or one of the processes has failed."""
    query = "SELECT count(*) FROM spar_bench_person"
    left = set(filling)
    while left:
        done, left = wait(left, PROGRESS_SECONDS, FIRST_EXCEPTION)
        if any(each.exception() for each in done):
            return
        count = int(installation.server.get_answer(query, installation.database) or 0)
        say(f"    {count:,} of {rows:,}")


def fill(installation: Installation, rows: int) -> None:
    """Link people until there are enough, continuing where an earlier run ended.

    :raises Failure: when the store rejects them
    """
    with ThreadPoolExecutor(SHARES) as pool:
        shares = range(SHARES)
        filling = [pool.submit(_fill_share, installation, rows, n) for n in shares]
        _show_progress(installation, rows, filling)
    for each in filling:
        each.result()
    installation.server.get_answer("VACUUM ANALYZE", installation.database)


# === MAKING === #


def _make(filled: Installation, facts_file: Path) -> None:
    """Make the database with all addons and the participant, but no rows yet."""
    with step("Making the benchmark database (takes a minute or two)"):
        filled.create()
        filled.install_suite(demo=False)
        participant = make_participant(filled)
    _write_facts(filled, facts_file, participant, complete=False)


def _upgrade(filled: Installation) -> None:
    with step("The addons have changed: upgrading the benchmark database"):
        filled.upgrade(get_addons(filled.places.root))


def _write_facts(
    filled: Installation, facts_file: Path, participant: dict, *, complete: bool
) -> None:
    os.sync()  # written with fsync off: flush it before it counts as made
    digest = get_digest(filled.places.root)
    facts = {"participant": participant, "digest": digest, "complete": complete}
    write_private(facts_file, json.dumps(facts))


def make_filled(filled: Installation, rows: int) -> None:
    """Make the database with the given number of rows, or bring it up to date.

    :raises Failure: stating what to do
    """
    facts_file = _get_facts_file(filled.folder, rows)
    facts = json.loads(facts_file.read_text()) if facts_file.exists() else {}
    digest = get_digest(filled.places.root)
    if facts.get("complete") and facts["digest"] == digest:
        return
    check_disk(filled.places.state, 0.5 + GIBIBYTES_PER_MILLION * rows / 10**6)
    with running(filled.server, hasty=True):
        if not facts:
            _make(filled, facts_file)
        elif facts["digest"] != digest:
            _upgrade(filled)
        facts = json.loads(facts_file.read_text())
        with step(f"Filling it with {rows:,} mappings"):
            fill(filled, rows)
        _write_facts(filled, facts_file, facts["participant"], complete=True)
