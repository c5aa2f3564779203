"""Odoo as a running server, and the process that supervises it."""

import os
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path

from .commands import get_output, get_reason
from .errors import Failure
from .postgres import ExternalServer

READY_SECONDS = 120
STOP_SECONDS = 20
WATCH_SECONDS = 0.5
#: They end what a keeper supervises.
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Server:
    """A process group that answers over HTTP."""

    name = ""
    #: The path requested to see whether it responds.
    path = "/"

    def __init__(self, command: Sequence, env: Mapping[str, str], log: Path, port: int):
        self.command = [str(part) for part in command]
        self.env = env
        self.log = log
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.process: subprocess.Popen | None = None

    @property
    def pid(self) -> int | None:
        return self.process.pid if self.is_running() else None

    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        """Start it in a process group of its own, appending its output to the log."""
        with open(
            os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        ) as out:
            self.process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                env=self.env,
                cwd=self.log.parent,
                start_new_session=True,
            )

    def is_answering(self) -> bool:
        """Return whether it answers requests."""
        try:
            with urllib.request.urlopen(f"{self.url}{self.path}", timeout=60) as answer:
                return answer.status == 200
        except (OSError, urllib.error.URLError):
            return False

    def wait(self, ending: threading.Event | None = None) -> None:
        """Wait until it answers, or ``ending`` is set.

        :raises Failure: when it exits, or takes too long
        """
        ending = ending or threading.Event()
        end = time.monotonic() + READY_SECONDS
        while time.monotonic() < end and self.is_running():
            if ending.wait(0.2) or self.is_answering():
                return
        reason = get_reason(self.log)
        raise Failure(f"{self.name} does not start ({reason}; log: {self.log})")

    def stop(self) -> None:
        """Stop it with all its workers; return when none is left."""
        if self.process is None:
            return
        if self.is_running():
            self.process.terminate()
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.process.wait()
        end_group(self.process.pid)


class Companion(Server):
    """A process beside Odoo, identified by the configuration that it is called with."""

    def __init__(self, config: Path, command: Sequence, env: Mapping, port: int):
        self.config, self.pid_file = config, config.with_suffix(".pid")
        super().__init__(command, env, config.with_suffix(".log"), port)

    def start(self) -> None:
        """Start it; its PID file lets a later ``./spar`` end it if ours was killed."""
        super().start()
        self.pid_file.write_text(str(self.process.pid))

    def stop(self) -> None:
        super().stop()
        self.pid_file.unlink(missing_ok=True)


class OdooServer(Server):
    """Odoo's master with its workers; it responds once its database does."""

    name = "Odoo"
    path = "/web/login"


def is_ours(pid: int, config: Path) -> bool:
    """Return whether a process is an Odoo that runs with this configuration."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        words = get_output(["ps", "-o", "args=", "-p", str(pid)]).encode().split()
    return str(config).encode() in words


def end_orphan(pid_file: Path, config: Path) -> None:
    """Kill the Odoo that a dead keeper left behind."""
    try:
        pid = int(pid_file.read_text())
    except (OSError, ValueError):
        return
    if is_ours(pid, config):
        end_group(pid)
    pid_file.unlink(missing_ok=True)


def end_group(group: int) -> None:
    """Kill what is left of a process group; return when it has gone."""
    end = time.monotonic() + STOP_SECONDS
    while time.monotonic() < end:
        try:
            os.killpg(group, signal.SIGKILL)
        except ProcessLookupError:
            return
        time.sleep(0.05)


class Keeper:
    """A supervisor that restarts Odoo, its companions and its PostgreSQL when they end.

    Odoo's master ends when it must replace a worker while PostgreSQL is unavailable.
    """

    def __init__(
        self, odoo: OdooServer, server: ExternalServer, beside: Sequence[Server] = ()
    ):
        self.odoo = odoo
        self.server = server
        self.beside = beside
        self.ending = threading.Event()
        self.keeps_postgres = True

    def check(self) -> None:
        """Restart what has ended."""
        if self.keeps_postgres and not self.server.is_running():
            self.server.start()
        for other in self.beside:
            self._start_again(other)
        if self.server.is_running():
            self._start_again(self.odoo)

    def _start_again(self, process: Server) -> None:
        if process.is_running():
            return
        if process.process:  # the workers of a dead master still occupy the port
            end_group(process.process.pid)
        process.start()

    def keep(self) -> None:
        """Check again and again until ``ending`` is set; a failed start is retried."""
        while not self.ending.wait(WATCH_SECONDS):
            try:
                self.check()
            except Failure:
                self.ending.wait(5)

    def stop(self) -> None:
        """Stop what is supervised, except PostgreSQL."""
        for process in (self.odoo, *self.beside):
            process.stop()
