"""Odoo's workers for schedules, beside the server: what waits is worked on by them.

They are an Odoo of their own. Odoo's master ends when one of these workers has to be
replaced while PostgreSQL is away, and would take the HTTP workers with it.
"""

import contextlib
import threading
from collections.abc import Iterator

from setup.odoo_server import Keeper, OdooServer

from .real_server import RealServer

LANES = ("ir_cron_messages_1", "ir_cron_messages_2")
LANES += ("ir_cron_callbacks_1", "ir_cron_callbacks_2")

#: Other schedules would meddle with what tests do to the database.
_ONLY_LANES = """
    UPDATE ir_cron SET active = id IN (
        SELECT res_id FROM ir_model_data
         WHERE module = 'spar_g2p_connect' AND name = ANY(%s))
      WHERE active RETURNING id"""


@contextlib.contextmanager
def running_lanes(server: RealServer, threads: int = 2) -> Iterator[Keeper]:
    """Messages and callbacks get on while the block runs; gives who looks after it."""
    active = [row[0] for row in server.query(_ONLY_LANES, list(LANES))]
    pid_file = server.installation.lanes_pid_file
    command = server.build_command(
        "--no-http", f"--max-cron-threads={threads}", f"--pidfile={pid_file}"
    )
    odoo = OdooServer(command, server.environment, server.log, server.port)
    keeper = Keeper(odoo, server.postgres)
    keeper.keeps_postgres = False
    odoo.start()
    keeping = threading.Thread(target=keeper.keep, daemon=True)
    keeping.start()
    try:
        yield keeper
    finally:
        keeper.ending.set()
        keeping.join()
        odoo.stop()
        server.query(
            "UPDATE ir_cron SET active = true WHERE id = ANY(%s) RETURNING id", active
        )
