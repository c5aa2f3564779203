"""A real server to test against: PostgreSQL of its own, Odoo with two workers.

Everything lies in one folder below `.spar/` and belongs to the tests alone: they stop
the database, take the keys away and tamper with rows as somebody who rules it.
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

from setup.installation import Installation
from setup.logs import get_alarms, get_allowed
from setup.odoo_server import Keeper
from setup.places import ROOT
from setup.postgres import ADMIN
from setup.serving import build_fronted_odoo

from .client import Client, Participant

WORKERS = 2
API = "/spar/v1"
#: Matches no line of a log.
NOTHING = r"(?!)"


class RealServer:
    """Odoo and its PostgreSQL, and whatever a test must see or break of them."""

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
            told["sender_id"].partition(".")[0]: Participant(
                **told, token_url=f"{self.api}/oauth2/client/token"
            )
            for told in facts["participants"]
        }
        self._expected: list[tuple[int, int]] = []

    # === RUNNING === #

    def start(self) -> None:
        """Start PostgreSQL and Odoo, and look after them until `stop`."""
        self.postgres.start()
        # Odoo's workers for schedules end with PostgreSQL, and Odoo's master with them;
        # tests that need them start others (`lanes.py`).
        self.log.unlink(missing_ok=True)
        words = (self.port, WORKERS, "--max-cron-threads=0")
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
        """PostgreSQL is stopped while the block runs; afterwards all works again."""
        self.keeper.keeps_postgres = False
        self.postgres.stop()
        try:
            yield
        finally:
            self.postgres.start()
            self.keeper.keeps_postgres = True
            self.wait()

    def wait(self) -> None:
        """Return when the registry says that it can work."""
        end = time.monotonic() + 120
        while time.monotonic() < end:
            with contextlib.suppress(requests.RequestException):
                if requests.get(f"{self.api}/health", timeout=60).ok:
                    return
            time.sleep(0.2)
        raise TimeoutError(f"the server does not come back; its log: {self.log}")

    # === CALLING === #

    def get_client(self, name: str) -> Client:
        """A client of the participant whose sender ID begins with `name`."""
        return Client(self.api, self.participants[name])

    def build_command(self, *words: str) -> list[str]:
        """A call of one of our Odoo commands on the server's database."""
        return [str(part) for part in self.installation.get_command(*words)]

    @property
    def environment(self) -> dict[str, str]:
        return self.installation.environment

    def run_command(self, *words: str, **changed: str) -> subprocess.CompletedProcess:
        """Run an Odoo command to its end.

        :param changed: environment variables that are to be others
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
        """How to reach the database as the one who rules the whole of PostgreSQL."""
        told = {**self.postgres.settings, "user": ADMIN, "dbname": self.database}
        return " ".join(f"{key}={value}" for key, value in told.items() if value)

    @contextlib.contextmanager
    def cursor(self) -> Iterator["psycopg2.extensions.cursor"]:
        """A cursor of PostgreSQL's superuser; committed when the block ends well."""
        connection = psycopg2.connect(self.get_dsn())
        try:
            with connection, connection.cursor() as cursor:
                yield cursor
        finally:
            connection.close()

    @contextlib.contextmanager
    def autocommit(self, database: str = "") -> Iterator["psycopg2.extensions.cursor"]:
        """A cursor whose statements stand alone, in this or in another database."""
        told = {"dbname": database} if database else {}
        connection = psycopg2.connect(self.get_dsn(), **told)
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
        """Warnings and errors that the block causes must match one of `patterns`."""
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
        """Warnings and errors of a part of the log that no test has expected yet."""
        text = b""
        with open(self.log, "rb") as log:
            for begin, finish in self._get_gaps(start, end):
                log.seek(begin)
                text += log.read(finish - begin)
        lines = text.decode(errors="replace").splitlines()
        # A failed statement is logged whole: its beginning says enough.
        return [alarm[:500] for alarm in get_alarms(lines, get_allowed(ROOT))]

    def _get_gaps(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """What of a part of the log is in no part that was looked at before."""
        for known_start, known_end in sorted(self._expected):
            if start < min(known_start, end):
                yield start, min(known_start, end)
            start = max(start, known_end)
        if start < end:
            yield start, end

    def get_unexpected(self) -> list[str]:
        """Every warning and error of the log that no test has expected."""
        return self._read_alarming(0, self._get_log_size())

    # === FILES === #

    @contextlib.contextmanager
    def moved_away(self, path: Path) -> Iterator[Path]:
        """A file is elsewhere while the block runs."""
        elsewhere = path.with_name(f"{path.name}.away")
        os.replace(path, elsewhere)
        try:
            yield elsewhere
        finally:
            os.replace(elsewhere, path)
