"""The demo's front as a process beside Odoo."""

import json
import sys
from pathlib import Path

from .odoo_server import Companion
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
