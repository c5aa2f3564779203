"""One Odoo with its database: configuration, addons, keys.

All of it is in one folder below ``.spar/``; demos and test runs share this layout.
"""

import json
import os
import secrets
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .commands import run
from .machine import get_free_port
from .odoo_source import OdooSource
from .places import GLUE, Places, get_addons, write_private
from .postgres import ExternalServer

# Odoo's own default is "base,rpc,web". The server's routes must exist before a database
# is chosen, so that a request for an unknown one is answered in its protocol, too.
SERVER_WIDE = ("base", "rpc", "web")
SERVER_ADDONS = ("spar_g2p_connect", "spar_staff_login")
KEYRING_ADDON = "spar_mapper_connector"
#: Odoo's login page is only styled where this addon is installed: without it, variables
#: of its bundle are used before they are defined.
LOGIN_STYLE_ADDON = "portal"
#: Files that Odoo's package left out are not bundled.
MISSING_ASSETS = Path(__file__).with_name("missing_assets.py")
AGAIN = "Run this again; if it fails again, read the log"


@dataclass(frozen=True)
class Installation:
    """A database and what its Odoo needs beside it."""

    places: Places
    source: OdooSource
    server: ExternalServer
    folder: Path
    database: str
    #: whether staff need one to log in
    second_factor: bool = False
    #: more folders with addons: stubs of other registries
    stubs: tuple[Path, ...] = ()

    @property
    def config(self) -> Path:
        return self.folder / f"{self.database}.conf"

    @property
    def keyring(self) -> Path:
        return self.folder / f"{self.database}.keyring.json"

    @property
    def pid_file(self) -> Path:
        return self.folder / f"{self.database}.pid"

    @property
    def workers_pid_file(self) -> Path:
        """Return the PID file of the Odoo that only runs scheduled jobs, in tests."""
        return self.folder / f"{self.database}.workers.pid"

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def filestore(self) -> Path:
        return self.data / "filestore" / self.database

    @property
    def checkpoints(self) -> Path:
        """Return the file to which Odoo writes the history's checkpoints by default."""
        return self.folder / "checkpoints" / f"{self.database}.jsonl"

    @property
    def log(self) -> Path:
        return self.folder / f"{self.database}.install.log"

    @property
    def environment(self) -> dict[str, str]:
        """Return the environment of Odoo.

        SPAR_DEMO permits what is only allowed in demos and tests. ODOO_RC is for Odoo's
        search for an addon's command, which creates folders before it reads ``-c``.
        """
        kept = {
            key: value
            for key, value in os.environ.items()
            if not key.startswith(("PG", "ODOO", "SPAR_"))
        }
        ours = {
            "ODOO_RC": self.config,
            "SPAR_KEYRING": self.keyring,
            "SPAR_DEMO": "1",
            "SPAR_OUTGOING_ALLOW": "127.0.0.0/8,::1/128",
            "SPAR_SECOND_FACTOR": "on" if self.second_factor else "off",
        }
        return kept | {key: str(value) for key, value in ours.items()}

    def _get_addons_path(self) -> str:
        root = self.places.root
        glue = (root / GLUE,) if (root / GLUE).exists() else ()
        return ",".join(map(str, (root, *glue, *self.stubs, *self.source.addons)))

    def write_config(
        self, *, port: int, workers: int, websocket: int = 0, fronted: bool = False
    ) -> None:
        """Write Odoo's configuration, with a random master password that is not kept.

        :param websocket: the port of websockets, if there are workers; 0 for any
        :param fronted: whether a front stands before it and sets the client's address
        """
        settings = self.server.settings
        addons = get_addons(self.places.root)
        wide = SERVER_WIDE + tuple(name for name in SERVER_ADDONS if name in addons)
        options = {
            "addons_path": self._get_addons_path(),
            "admin_passwd": secrets.token_urlsafe(32),
            "data_dir": self.data,
            **{f"db_{key}": value for key, value in settings.items() if value},
            # No ``dbfilter``: with one, Odoo opens a new connection to PostgreSQL to
            # list the databases, for each request without a session.
            "db_name": self.database,
            "list_db": False,
            "http_interface": "127.0.0.1",
            "http_port": port,
            "gevent_port": websocket or get_free_port(),
            # Pending messages and callbacks: each has its own workers.
            "max_cron_threads": 2,
            "pidfile": self.pid_file,
            "proxy_mode": fronted,
            "server_wide_modules": ",".join(wide),
            "workers": workers,
        }
        lines = [f"{key} = {value}" for key, value in options.items()]
        write_private(self.config, "\n".join(["[options]", *lines, ""]))

    def get_command(self, *arguments: str) -> list[str | Path]:
        """Return Odoo's command by its script: ``python -m odoo`` loses its workers."""
        named = arguments and not arguments[0].startswith("-")
        name = (
            [f"--addons-path={self._get_addons_path()}", arguments[0]] if named else []
        )
        rest = arguments[1:] if named else arguments
        options = ["-c", self.config, "-d", self.database]
        place = [*name, *rest, *options] if named else [*options, *rest]
        return [self.places.python, self.source.script, *place]

    def _run(self, *arguments: str, failing: str, **options) -> None:
        run(
            self.get_command(*arguments),
            failing=f"{failing}. {AGAIN}",
            **{"log": self.log, "env": self.environment, "cwd": self.folder, **options},
        )

    def create(self) -> None:
        """Start afresh, without a previous installation's database, files and keys."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.server.drop_database(self.database, self.folder / "dropdb.log")
        shutil.rmtree(self.filestore, ignore_errors=True)
        self.keyring.unlink(missing_ok=True)
        self.checkpoints.unlink(missing_ok=True)
        self.write_config(port=get_free_port(), workers=0)

    def copy_from(self, other: "Installation") -> None:
        """Become a copy of another installation: its database, files and keys."""
        self.server.copy_database(
            other.database, self.database, self.folder / "createdb.log"
        )
        shutil.rmtree(self.filestore, ignore_errors=True)
        if other.filestore.exists():
            shutil.copytree(other.filestore, self.filestore)
        write_private(self.keyring, other.keyring.read_text())
        self.checkpoints.unlink(missing_ok=True)
        if other.checkpoints.exists():
            write_private(self.checkpoints, other.checkpoints.read_text())
        self.write_config(port=get_free_port(), workers=0)

    def drop(self) -> None:
        """Remove everything but the logs."""
        self.server.drop_database(self.database, self.folder / "dropdb.log")
        shutil.rmtree(self.filestore, ignore_errors=True)
        for path in (self.keyring, self.config, self.checkpoints):
            path.unlink(missing_ok=True)

    def install(self, addons: list[str], *, demo: bool) -> None:
        """Install addons and their dependencies, without Odoo's auto-installed ones.

        :raises Failure: when Odoo reports a failure
        """
        given = ["--stop-after-init", "--no-http", "--skip-auto-install"]
        given += ["--with-demo"] if demo else []
        log = self.folder / f"{self.database}.{addons[0]}.log"
        failing = f"Odoo cannot install {', '.join(addons)}"
        self._run("-i", ",".join(addons), *given, failing=failing, log=log)

    def install_beside(self, addons: list[str]) -> None:
        """Install addons of others, and with them ours that install themselves.

        :raises Failure: when Odoo reports a failure
        """
        given = ["--stop-after-init", "--no-http"]
        log = self.folder / f"{self.database}.{addons[0]}.log"
        failing = f"Odoo cannot install {', '.join(addons)}"
        self._run("-i", ",".join(addons), *given, failing=failing, log=log)

    def upgrade(self, addons: list[str]) -> None:
        """Upgrade installed addons to the state of the checkout."""
        given = ["--stop-after-init", "--no-http", "--skip-auto-install"]
        failing = f"Odoo cannot upgrade {', '.join(addons)}"
        self._run("-u", ",".join(addons), *given, failing=failing)
        self.run_script(MISSING_ASSETS)

    def make_keyring(self) -> None:
        """Make the keys that the database is sealed with.

        :raises Failure: when the command refuses
        """
        log = self.folder / f"{self.database}.keyring.log"
        self._run("spar_keyring", "init", failing="Cannot make the keys", log=log)

    def migrate_store(self) -> None:
        """Migrate a legacy store to the current layout; nothing of the old one remains.

        :raises Failure: when the command refuses
        """
        log = self.folder / f"{self.database}.migrate.log"
        failing = "The store cannot be migrated"
        self._run("spar_migrate", failing=failing, log=log)
        self._run("spar_migrate", "--drop-old", failing=failing, log=log)

    def run_script(self, script: Path, **words: str) -> dict:
        """Run a Python file in Odoo's shell on this database.

        :param words: environment variables of the script
        :return: the JSON object that it wrote to the file named by SPAR_ANSWER
        """
        answer = self.folder / f"{self.database}.answer.json"
        write_private(answer, "{}")
        env = {**self.environment, "SPAR_ANSWER": str(answer), **words}
        log = self.folder / f"{self.database}.{script.stem}.log"
        failing = f"{script.name} failed"
        self._run("shell", "--no-http", failing=failing, stdin=script, env=env, log=log)
        result = json.loads(answer.read_text())
        answer.unlink()
        return result

    def install_suite(self, *, demo: bool, only: Sequence[str] = ()) -> None:
        """Install the addons of the checkout, first the one that makes the keys.

        :param only: install these and what they need, instead of every one
        """
        addons = only or get_addons(self.places.root)
        self.install([KEYRING_ADDON], demo=demo)
        self.make_keyring()
        others = [name for name in addons if name != KEYRING_ADDON]
        self.install([*others, LOGIN_STYLE_ADDON] if demo else others, demo=demo)
        self.run_script(MISSING_ASSETS)
