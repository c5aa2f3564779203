"""Odoo's workers for schedules, beside the server: they process what is queued.

They are a separate Odoo. Odoo's master ends when one of these workers has to be
replaced while PostgreSQL is unavailable, and would take the HTTP workers with it.
"""

import contextlib
import threading
from collections.abc import Iterator, Sequence

from setup.odoo_server import Keeper, OdooServer

from .pending_call import wait_until
from .real_server import RealServer

QUEUE_CRONS = ("ir_cron_messages_1", "ir_cron_messages_2")
QUEUE_CRONS += ("ir_cron_callbacks_1", "ir_cron_callbacks_2")
#: Schedules of the store that a test can run as well.
CHECKPOINT, CHECK = "ir_cron_checkpoint", "ir_cron_check"

#: Other schedules would interfere with what tests do to the database.
_ONLY_QUEUES = """
    UPDATE ir_cron SET active = id IN (
        SELECT res_id FROM ir_model_data
         WHERE module IN ('spar_g2p_connect', 'spar_mapper') AND name = ANY(%s))
      WHERE active RETURNING id"""
#: Odoo's connections to this database are those that listen for what is to be done.
_LISTENING = """
    SELECT substr(application_name, 6)::int FROM pg_stat_activity
     WHERE datname = 'postgres' AND application_name ~ '^odoo-[0-9]+$'
       AND state = 'idle' AND query = 'COMMIT'"""


@contextlib.contextmanager
def running_workers(
    server: RealServer, threads: int = 2, schedules: tuple[str, ...] = QUEUE_CRONS
) -> Iterator[Keeper]:
    """Process messages and callbacks during the block; yield the workers' keeper.

    :param schedules: those of the queues or of the store that run
    """
    active = [row[0] for row in server.query(_ONLY_QUEUES, list(schedules))]
    pid_file = server.installation.workers_pid_file
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
        if schedules == QUEUE_CRONS:
            # New ones begin with a minute's sleep.
            wait_for_workers(server, threads)
            wake(server)
        yield keeper
    finally:
        keeper.ending.set()
        keeping.join()
        odoo.stop()
        server.query(
            "UPDATE ir_cron SET active = true WHERE id = ANY(%s) RETURNING id", active
        )


def hurry(server: RealServer, schedule: str) -> None:
    """Make a schedule due, and wake the workers for schedules."""
    server.query(
        """UPDATE ir_cron SET nextcall = now() AT TIME ZONE 'UTC' - interval '1 minute'
            WHERE id = (SELECT res_id FROM ir_model_data
                         WHERE module = 'spar_mapper' AND name = %s) RETURNING id""",
        schedule,
    )
    wake(server)


def wait_for_workers(server: RealServer, count: int, gone: Sequence[int] = ()) -> None:
    """Return when so many workers listen: what is queued before does not wake them.

    :param gone: processes that were killed
    """

    def are_enough() -> bool:
        return (
            len({pid for (pid,) in server.query(_LISTENING)}.difference(gone)) >= count
        )

    wait_until(are_enough, "no workers start", 120)


def wake(server: RealServer) -> None:
    """Wake the workers for schedules: a newly started one sleeps for a minute."""
    with server.autocommit("postgres") as cursor:
        cursor.execute("SELECT pg_notify('cron_trigger', %s)", (server.database,))
