"""A programme that collects accounts, and workers of its outbox that can be killed."""

import random
import subprocess
import time

FIRST_ID = 4_000_000_000

MAKE = """
from odoo.addons.spar_mapper_connector.transactions import use_read_committed
use_read_committed(env.cr)
for earlier in env["spar.programme"].search([("code", "=", "KILLED")]):
    earlier.code = f"KILLED-{{earlier.id}}"
    env["res.partner"].search([("name", "=like", "Killed %")]).name = "Earlier"
env.flush_all()
programme = env["spar.programme"].create({{"name": "Killed", "code": "KILLED"}})
id_type = env.ref("spar_mapper_connector.id_type_national_id")
names = [{{"name": f"Killed {{n}}"}} for n in range({count})]
people = env["res.partner"].create(names)
env["spar.person.identity"].create([
    {{"partner_id": person.id, "id_type_id": id_type.id, "value": str({first} + n)}}
    for n, person in enumerate(people)])
env.cr.commit()
"""
COLLECT = """
programme = env["spar.programme"].search([("code", "=", "KILLED")])
people = env["res.partner"].search([("name", "=like", "Killed %")], order="id")
accounts = env["spar.payment.account"]
for number, person in enumerate(people):
    fa = f"account:{prefix}{{number:08}}@BR01.DEMO"
    accounts._collect(person, fa, programme_id=programme.id)._queue()
    if number % 100 == 99:
        env.cr.commit()
env.cr.commit()
"""
#: What a scheduled worker does, over and over until nothing is due.
WORK = """
import time
from odoo.addons.spar_mapper_connector.expressions import scheduled
from odoo.addons.spar_registry.models.outbox import spar_outbox_worker
spar_outbox_worker.BATCH = 20
worker = env["spar.outbox.worker"]
claim = type(worker)._claim
def _claim(self, number):
    time.sleep(0.2)  # so that there is time to kill it
    return claim(self, number)
type(worker)._claim = _claim
{patch}
with scheduled():
    while True:
        worker._cron_send()
        env.cr.commit()
        env.cr.execute(
            "SELECT count(*) FROM spar_outbox_entry"
            " WHERE state IN ('waiting', 'sending')"
            " AND next_try_at < now() AT TIME ZONE 'UTC' + interval '15 seconds'")
        if not env.cr.fetchone()[0]:
            break
        time.sleep(0.1)
"""
#: Dies after the mapper has committed, and before the outbox has recorded it.
DIE_BETWEEN = """
import os, signal
send_group = type(worker)._send_group
def _send_group(self, mapper, operation, items):
    send_group(self, mapper, operation, items)
    if len(items) > 1:
        os.kill(os.getpid(), signal.SIGKILL)
type(worker)._send_group = _send_group
"""
#: Sends what is due again and again, without its pauses, until nothing is left.
DRAIN = """
import time
from odoo.addons.spar_mapper_connector.expressions import scheduled
worker, end = env["spar.outbox.worker"], time.monotonic() + {seconds}
with scheduled():
    while time.monotonic() < end:
        worker._cron_send()
        env.cr.execute(
            "UPDATE spar_outbox_entry SET next_try_at = now() AT TIME ZONE 'UTC'"
            " WHERE state IN ('waiting', 'sending', 'parked') RETURNING id")
        left = env.cr.fetchall()
        env.cr.commit()
        if not left:
            break
        time.sleep(0.2)
"""
#: Entries of these tests; the demo has others.
OURS = """
    spar_outbox_entry o
      JOIN spar_programme p ON p.id = o.programme_id AND p.code = 'KILLED'
"""
LEFT = f"""
    SELECT count(*) FROM {OURS} WHERE o.state NOT IN ('done', 'superseded')
"""


def run_script(server, script: str) -> None:
    done = subprocess.run(
        server.build_command("shell", "--no-http"),
        input=script,
        env=server.environment,
        cwd=server.installation.folder,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]


def start_worker(server, patch: str = "") -> subprocess.Popen:
    process = subprocess.Popen(
        server.build_command("shell", "--no-http"),
        env=server.environment,
        cwd=server.installation.folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    process.stdin.write(WORK.format(patch=patch).encode())
    process.stdin.close()
    return process


def count(server, query: str) -> int:
    return server.query(query)[0][0]


def kill_while_it_works(server) -> bool:
    """Start two workers, and kill both at work; return whether they were."""
    workers = [start_worker(server) for _number in range(2)]
    before = count(server, LEFT)
    while count(server, LEFT) == before and is_running(workers):
        time.sleep(0.02)
    time.sleep(random.uniform(0, 1))
    was_running = is_running(workers)
    for worker in workers:
        worker.kill()
        worker.wait()
    return was_running


def is_running(workers: list[subprocess.Popen]) -> bool:
    return any(worker.poll() is None for worker in workers)


def finish(server) -> None:
    """Run two workers until nothing is due."""
    workers = [start_worker(server) for _number in range(2)]
    assert [worker.wait(600) for worker in workers] == [0, 0]


def drain(server, seconds: float = 60) -> int:
    """Send for so long, or until nothing is left; return how many entries are left."""
    run_script(server, DRAIN.format(seconds=seconds))
    return count(server, LEFT)


def collect(server, prefix: int) -> None:
    """Let everybody of the programme give an account that begins with ``prefix``."""
    run_script(server, COLLECT.format(prefix=prefix))
