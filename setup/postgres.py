"""PostgreSQL: one of the checkout's own, or the one that PGHOST names."""

import contextlib
import json
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from .commands import get_output, get_reason, run
from .errors import Failure, ServerUnavailable
from .machine import GIBIBYTE, get_free_port, get_memory_bytes, is_port_free
from .places import write_private

ADMIN = "spar_admin"
OWNER = "spar"  # owns the databases; no superuser, as in production
START_SECONDS = 60
STOP_SECONDS = 30
MEBIBYTE = GIBIBYTE // 1024
#: The share of the machine's memory for shared buffers, and their minimum in MiB.
PAGES_SHARE, MIN_PAGES = 4, 128
MAX_PAGES = 2048  # the default maximum
#: For tests: data survives a killed process, but not a power cut.
UNSYNCED = ("fsync=off", "full_page_writes=off")
# While databases are made: a second run can make again whatever is lost.
HASTY = (*UNSYNCED, "synchronous_commit=off")


def get_unprivileged(binaries: Path, folder: Path) -> tuple[list[str], int | None]:
    """Return how to run PostgreSQL's programs, which refuse to be run by root.

    As root they are run as an ordinary user, which keeps the single capability to reach
    a folder below root's home if the checkout is there.

    :return: the prefix of the command, and the owner that ``folder`` must have
    :raises Failure: for root without ``setpriv``
    """
    if os.geteuid() != 0:
        return [], None
    if not shutil.which("setpriv"):
        raise Failure("As root this needs `setpriv` (package util-linux): install it.")
    names = {entry.pw_name: entry for entry in pwd.getpwall()}
    user = names.get("postgres") or names["nobody"]
    prefix = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}"]
    prefix.append("--clear-groups")
    os.chown(folder, user.pw_uid, user.pw_gid)
    reaches = [*prefix, "test", "-x", binaries / "postgres", "-a", "-w", folder]
    if subprocess.run(reaches, stderr=subprocess.DEVNULL).returncode:
        prefix += ["--inh-caps=+dac_override", "--ambient-caps=+dac_override"]
        prefix.append("--securebits=+no_setuid_fixup")  # also affects access(2)
    return prefix, user.pw_uid


def get_shared_buffers(memory: int, most: int) -> str:
    """Return PostgreSQL's setting for a machine with the given bytes of memory.

    :param most: in MiB

    >>> get_shared_buffers(4 * GIBIBYTE, 2048), get_shared_buffers(64 * GIBIBYTE, 2048)
    ('1024MB', '2048MB')
    >>> get_shared_buffers(0, 2048)
    '128MB'
    """
    part = memory // PAGES_SHARE // MEBIBYTE
    return f"{max(MIN_PAGES, min(part, most))}MB"


class ExternalServer:
    """The server of the libpq environment: PGHOST, PGPORT, PGUSER, PGPASSWORD."""

    def __init__(self, binaries: Path):
        self.binaries = binaries

    @property
    def settings(self) -> dict[str, str]:
        """Return host, port, user and password, named as in Odoo and libpq settings."""
        return {
            "host": os.environ["PGHOST"],
            "port": os.environ.get("PGPORT", "5432"),
            "user": os.environ.get("PGUSER", OWNER),
            "password": os.environ.get("PGPASSWORD", ""),
        }

    def is_running(self) -> bool:
        return "accepting" in get_output(
            [self.binaries / "pg_isready"], self.environment
        )

    def start(self, *, hasty: bool = False) -> None:
        """Do nothing but check that the server answers: it is not ours to start.

        :raises ServerUnavailable: when the server does not answer
        """
        if self.get_answer("SELECT 1", "postgres") != "1":
            raise ServerUnavailable(
                f"PostgreSQL at {self.settings['host']} does not accept "
                f"{self.settings['user']}: check PGHOST, PGPORT, PGUSER, PGPASSWORD."
            )

    def stop(self) -> None:
        """Do nothing: the server is not ours to stop."""

    @property
    def environment(self) -> dict[str, str]:
        """Return the environment in which libpq's programs find the server."""
        variables = {f"PG{key.upper()}": value for key, value in self.settings.items()}
        return {
            **os.environ,
            **{key: value for key, value in variables.items() if value},
        }

    def get_dsn(self, name: str) -> str:
        """Return a libpq connection string for a database."""
        settings = {**self.settings, "dbname": name}
        return " ".join(f"{key}={value}" for key, value in settings.items() if value)

    def get_answer(self, query: str, name: str) -> str:
        """Return a query's result, unaligned; empty if the server does not answer."""
        psql = [self.binaries / "psql", "-XAtq", "-c", query, name]
        return get_output(psql, self.environment)

    def has_database(self, name: str) -> bool:
        query = f"SELECT 1 FROM pg_database WHERE datname = '{name}'"
        return self.get_answer(query, "postgres") == "1"

    def drop_database(self, name: str, log: Path) -> None:
        """Drop a database, ending its connections first.

        Not by ``--force``, which is refused while autovacuum is at work there;
        PostgreSQL ends autovacuum by itself for a plain drop.
        """
        self.end_sessions(name)
        run(
            [self.binaries / "dropdb", "--if-exists", name],
            log=log,
            env=self.environment,
            failing=f"Cannot drop the database {name}",
        )

    def end_sessions(self, name: str) -> None:
        """End the connections to a database, as far as they are the same user's."""
        self.get_answer(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            f" WHERE datname = '{name}' AND usename = current_user",
            "postgres",
        )

    def rename_databases(self, names: dict[str, str], log: Path) -> None:
        """Rename databases, in that order: all of them or none."""
        for name in names:
            self.end_sessions(name)
        statements = [f'ALTER DATABASE "{a}" RENAME TO "{b}"' for a, b in names.items()]
        run(
            [self.binaries / "psql", "-XqAt", "-v", "ON_ERROR_STOP=1"]
            + ["-c", "; ".join(statements), "postgres"],
            log=log,
            env=self.environment,
            failing=f"Cannot rename the database {', '.join(names)}",
        )

    def copy_database(self, source: str, name: str, log: Path) -> None:
        """Copy a database, to which nothing may be connected."""
        self.drop_database(name, log)
        run(
            [self.binaries / "createdb", f"--template={source}", name],
            log=log,
            env=self.environment,
            failing=f"Cannot copy the database {source}",
        )


class Cluster(ExternalServer):
    """A PostgreSQL of our own: its data, log and settings are in one folder.

    It listens on this machine only, requires a password, and is started and stopped by
    us; ``postmaster.pid`` identifies the running server, no matter who started it.
    """

    def __init__(
        self,
        folder: Path,
        binaries: Path,
        *,
        pages: int = MAX_PAGES,
        options: tuple[str, ...] = (),
    ):
        """Describe the cluster in ``folder``.

        :param pages: maximum memory for shared buffers, in MiB
        :param options: PostgreSQL options for every start
        """
        super().__init__(binaries)
        self.pages = pages
        self.options = options
        self.folder = folder
        self.data = folder / "data"
        self.log = folder / "postgres.log"
        self._settings_file = folder / "settings.json"

    @property
    def settings(self) -> dict[str, str]:
        return json.loads(self._settings_file.read_text())

    def _create(self) -> None:
        """Create the cluster and the role that owns the databases."""
        if self.data.exists():
            shutil.rmtree(self.data)
        password = secrets.token_urlsafe(24)
        settings = {
            "host": "127.0.0.1",
            "port": "0",
            "user": OWNER,
            "password": password,
        }
        prefix, owner = get_unprivileged(self.binaries, self.folder)
        secret = self.folder / "password"
        write_private(secret, password)
        if owner is not None:
            os.chown(secret, owner, -1)
        try:
            run(
                [*prefix, self.binaries / "initdb", "-D", self.data, "-U", ADMIN]
                + ["-E", "UTF8", "--locale=C.UTF-8", "--auth=scram-sha-256"]
                + [f"--pwfile={secret}", "--no-sync"],
                log=self.folder / "initdb.log",
                failing="PostgreSQL cannot make its data folder",
            )
        finally:
            secret.unlink()
        write_private(self._settings_file, json.dumps({**settings, "user": ADMIN}))
        self._start(HASTY)
        self.run_as_admin(f"CREATE ROLE {OWNER} LOGIN CREATEDB PASSWORD '{password}'")
        self._write_settings(user=OWNER)

    def copy_from(self, other: "Cluster") -> None:
        """Become a copy of another cluster, which is not running, on its own port."""
        self.stop()
        if self.folder.exists():
            shutil.rmtree(self.folder)
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        run(
            ["cp", "-a", other.folder, self.folder],  # keeps the owner, too
            log=self.folder.with_suffix(".log"),
            failing="Cannot copy PostgreSQL's data folder",
        )
        self._write_settings(port="0")

    @property
    def admin_dsn(self) -> str:
        """Return the superuser's libpq connection string for ``postgres``."""
        settings = {**self.settings, "user": ADMIN, "dbname": "postgres"}
        return " ".join(f"{key}={value}" for key, value in settings.items())

    def run_as_admin(self, statement: str) -> None:
        """Run one statement as the superuser, whose password is the owner's."""
        run(
            [self.binaries / "psql", "-XqAt", "-c", statement, "postgres"],
            log=self.folder / "admin.log",
            env={**self.environment, "PGUSER": ADMIN},
            failing="PostgreSQL refused a statement of its administrator",
        )

    def _write_settings(self, **changed: str) -> None:
        write_private(self._settings_file, json.dumps({**self.settings, **changed}))

    def _is_created(self) -> bool:
        return self._settings_file.exists() and self.settings["user"] == OWNER

    def get_pid(self) -> int | None:
        """Return the process that runs on the data folder now."""
        try:
            pid = int((self.data / "postmaster.pid").read_text().split()[0])
            os.kill(pid, 0)
        except (OSError, ValueError, IndexError):
            return None
        return pid

    def is_running(self) -> bool:
        return self.get_pid() is not None

    def start(self, *, hasty: bool = False) -> None:
        """Start the server, on the previous port if it is free.

        :param hasty: without waiting for the disk
        :raises Failure: with the relevant line of its log
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.is_running() and self._is_created():
            return
        if not self._is_created():
            self.stop()
            self._create()
            self.stop()
        self._start(HASTY if hasty else ())

    def _get_port(self) -> int:
        """Return the previous port if it is free, because clients know it."""
        port = int(self.settings["port"])
        return port if port and is_port_free(port) else get_free_port()

    def _start(self, options: tuple[str, ...]) -> None:
        port = self._get_port()
        prefix, _owner = get_unprivileged(self.binaries, self.folder)
        given = [
            "listen_addresses=127.0.0.1",
            "unix_socket_directories=",
            f"port={port}",
        ]
        buffers = get_shared_buffers(get_memory_bytes(), self.pages)
        given += [f"shared_buffers={buffers}", "max_connections=200"]
        given += ["random_page_cost=1.1"]  # no disk that has to seek
        given += [*self.options, *options]
        command = [*prefix, self.binaries / "postgres", "-D", self.data]
        command += [part for option in given for part in ("-c", option)]
        with open(self.log, "ab") as out:
            process = subprocess.Popen(
                [str(part) for part in command],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
                cwd=self.folder,
            )
        self._write_settings(port=str(port))
        self._wait_until_ready(process)

    def _wait_until_ready(self, process: subprocess.Popen) -> None:
        end = time.monotonic() + START_SECONDS
        ready = [self.binaries / "pg_isready", "-t", "1"]
        while time.monotonic() < end and process.poll() is None:
            if "accepting" in get_output(ready, self.environment):
                return
            time.sleep(0.05)
        reason = get_reason(self.log)
        raise Failure(f"PostgreSQL does not start ({reason}; log: {self.log})")

    def stop(self) -> None:
        """Stop the server, gracefully at first, then at once; wait until it is gone."""
        for how in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
            end = time.monotonic() + STOP_SECONDS
            if (pid := self.get_pid()) is None:
                return
            os.kill(pid, how)
            while time.monotonic() < end and self.get_pid() is not None:
                _reap(pid)
                time.sleep(0.05)


def _reap(pid: int) -> None:
    """Reap an ended process if it was our child."""
    try:
        os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return


@contextlib.contextmanager
def running(server: ExternalServer, *, hasty: bool = False) -> Iterator[None]:
    """Run the server while the block runs; leave it as it was found."""
    found = server.is_running()
    server.start(hasty=hasty)
    try:
        yield
    finally:
        if hasty or not found:
            server.stop()


def get_server(
    folder: Path, binaries: Path, *, pages: int = MAX_PAGES
) -> ExternalServer:
    """Return the PostgreSQL to use: PGHOST's, else the cluster in ``folder``.

    :param pages: maximum memory for the shared buffers of that cluster, in MiB
    """
    if os.environ.get("PGHOST"):
        return ExternalServer(binaries)
    return Cluster(folder, binaries, pages=pages)
