"""The demo's front as a process beside Odoo."""

import json
import sys
from pathlib import Path

from .installation import Installation
from .machine import get_free_ports
from .odoo_server import Companion, OdooServer
from .places import ROOT, write_private

#: It runs where its log is, so this package has to be put on its path.
SCRIPT = f"import sys; sys.path.insert(0, {str(ROOT)!r}); "
SCRIPT += "from setup.front import main; main(sys.argv[1])"


class FrontServer(Companion):
    """The process that listens on the demo's port; see ``front.py``."""

    name = "The demo's front"
    #: The part of Odoo behind it that is available last.
    path = "/websocket/health"

    def __init__(self, folder: Path, port: int, http: int, websocket: int):
        config = folder / "front.conf"
        values = {"port": port, "http": http, "websocket": websocket}
        write_private(config, json.dumps(values))
        command = [sys.executable, "-B", "-c", SCRIPT, config]
        super().__init__(config, command, {}, port)


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
