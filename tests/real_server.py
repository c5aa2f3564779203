"""A real server to test against: a PostgreSQL of its own, Odoo with two workers.

Everything is in one folder below ``.spar/`` and belongs to the tests alone: they stop
the database, remove the keys and tamper with rows as its superuser.
"""

import contextlib
import os
import re
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import requests

from setup.front_server import build_fronted_odoo
from setup.installation import Installation
from setup.logs import get_alarms, get_allowed
from setup.odoo_server import Keeper
from setup.places import ROOT
from setup.postgres import ADMIN

from .client import Client, Participant

WORKERS = 2
API = "/spar/v1"
#: Matches no line of a log.
NOTHING = r"(?!)"


class RealServer:
    """Odoo and its PostgreSQL, and everything that a test must see or break."""

    workers = WORKERS

    def __init__(self, installation: Installation, facts: dict, port: int):
        self.installation = installation
        self.postgres = installation.server
        self.database = installation.database
        self.keyring = installation.keyring
        self.data = installation.data
        self.port = port
        self.facts = facts
        self.url = f"http://127.0.0.1:{port}"
        self.api = f"{self.url}{API}"
        self.log = installation.folder / "odoo.log"
        self.staff = {person["role"]: person for person in facts["staff"]}
        self.participants = {
            values["sender_id"].partition(".")[0]: Participant(**values)
            for values in facts["participants"]
        }
        self._expected: list[tuple[int, int]] = []

    # === RUNNING === #

    def start(self) -> None:
        """Start PostgreSQL and Odoo, and keep them running until ``stop``."""
        self.postgres.start()
        # Odoo's workers for schedules end with PostgreSQL, and Odoo's master with them;
        # tests that need them start others (`workers.py`).
        self.log.unlink(missing_ok=True)
        words = (self.port, self.workers, "--max-cron-threads=0")
        odoo, self.front = build_fronted_odoo(self.installation, *words)
        self.keeper = Keeper(odoo, self.postgres, (self.front,))
        self.front.start()
        odoo.start()
        odoo.wait()
        self.front.wait()
        self._keeping = threading.Thread(target=self.keeper.keep, daemon=True)
        self._keeping.start()

    def stop(self) -> None:
        self.keeper.ending.set()
        self._keeping.join()
        self.front.stop()
        self.keeper.odoo.stop()
        self.postgres.stop()

    @contextlib.contextmanager
    def without_postgres(self) -> Iterator[None]:
        """Stop PostgreSQL for the block; afterwards everything works again."""
        self.keeper.keeps_postgres = False
        self.postgres.stop()
        try:
            yield
        finally:
            self.postgres.start()
            self.keeper.keeps_postgres = True
            self.wait()

    def wait(self) -> None:
        """Return when the registry reports that it can work."""
        end = time.monotonic() + 120
        while time.monotonic() < end:
            with contextlib.suppress(requests.RequestException):
                if requests.get(f"{self.api}/health", timeout=60).ok:
                    return
            time.sleep(0.2)
        raise TimeoutError(f"the server does not come back; its log: {self.log}")

    # === CALLING === #

    def get_client(self, name: str) -> Client:
        """Return a client of the participant whose sender ID begins with ``name``."""
        return Client(self.api, self.participants[name])

    def build_command(self, *words: str) -> list[str]:
        """Return a call of one of our Odoo commands on the server's database."""
        return [str(part) for part in self.installation.get_command(*words)]

    @property
    def environment(self) -> dict[str, str]:
        return self.installation.environment

    def run_command(self, *words: str, **changed: str) -> subprocess.CompletedProcess:
        """Run an Odoo command to its end.

        :param changed: environment variables to replace
        """
        return subprocess.run(
            self.build_command(*words),
            env={**self.environment, **changed},
            cwd=self.installation.folder,
            capture_output=True,
            text=True,
            timeout=600,
        )

    # === THE DATABASE === #

    def get_dsn(self) -> str:
        """Return the DSN of the database for PostgreSQL's superuser."""
        settings = {**self.postgres.settings, "user": ADMIN, "dbname": self.database}
        return " ".join(f"{key}={value}" for key, value in settings.items() if value)

    @contextlib.contextmanager
    def cursor(self) -> Iterator["psycopg2.extensions.cursor"]:
        """Yield a cursor of PostgreSQL's superuser; commit if the block succeeds."""
        connection = psycopg2.connect(self.get_dsn())
        try:
            with connection, connection.cursor() as cursor:
                yield cursor
        finally:
            connection.close()

    @contextlib.contextmanager
    def autocommit(self, database: str = "") -> Iterator["psycopg2.extensions.cursor"]:
        """Yield a cursor in autocommit mode, for this or another database."""
        changed = {"dbname": database} if database else {}
        connection = psycopg2.connect(self.get_dsn(), **changed)
        connection.autocommit = True
        try:
            with connection.cursor() as cursor:
                yield cursor
        finally:
            connection.close()

    def query(self, statement: str, *values) -> list[tuple]:
        with self.cursor() as cursor:
            cursor.execute(statement, values or None)
            return cursor.fetchall()

    # === THE LOG === #

    @contextlib.contextmanager
    def expecting(self, *patterns: str) -> Iterator[None]:
        """Require that the block's warnings and errors match one of ``patterns``."""
        start = self._get_log_size()
        yield
        end = self._get_log_size()
        known = "|".join(patterns)
        unexpected = [
            line
            for line in self._read_alarming(start, end)
            if not re.search(known, line)
        ]
        assert not unexpected, unexpected
        self._expected.append((start, end))

    def _get_log_size(self) -> int:
        return self.log.stat().st_size

    def _read_alarming(self, start: int, end: int) -> list[str]:
        """Return unexpected warnings and errors of a part of the log."""
        text = b""
        with open(self.log, "rb") as log:
            for begin, finish in self._get_gaps(start, end):
                log.seek(begin)
                text += log.read(finish - begin)
        lines = text.decode(errors="replace").splitlines()
        # A failed statement is logged whole: its beginning is enough.
        return [alarm[:500] for alarm in get_alarms(lines, get_allowed(ROOT))]

    def _get_gaps(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """Yield the subranges of a part of the log that were not examined before."""
        for known_start, known_end in sorted(self._expected):
            if start < min(known_start, end):
                yield start, min(known_start, end)
            start = max(start, known_end)
        if start < end:
            yield start, end

    def get_unexpected(self) -> list[str]:
        """Return every warning and error of the log that no test has expected."""
        return self._read_alarming(0, self._get_log_size())

    # === FILES === #

    @contextlib.contextmanager
    def moved_aside(self, path: Path) -> Iterator[Path]:
        """Move a file elsewhere for the block."""
        elsewhere = path.with_name(f"{path.name}.away")
        os.replace(path, elsewhere)
        try:
            yield elsewhere
        finally:
            os.replace(elsewhere, path)
