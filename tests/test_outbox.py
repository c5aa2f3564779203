"""Collected accounts reach the store in order, though workers are killed."""

import os
import random
import subprocess
import time

import pytest

#: 10,000 were tried; a run of CI takes fewer.
PEOPLE = int(os.environ.get("SPAR_OUTBOX_PEOPLE", "600"))
FIRST_ID = 4_000_000_000
KILLS = 6

_MAKE = """
from odoo.addons.spar_mapper_connector.transactions import use_read_committed
use_read_committed(env.cr)
programme = env["spar.programme"].create({{"name": "Killed", "code": "KILLED"}})
id_type = env.ref("spar_mapper_connector.id_type_national_id")
names = [{{"name": f"Killed {{n}}"}} for n in range({count})]
people = env["res.partner"].create(names)
env["spar.person.identity"].create([
    {{"partner_id": person.id, "id_type_id": id_type.id, "value": str({first} + n)}}
    for n, person in enumerate(people)])
env.cr.commit()
"""
_COLLECT = """
import datetime
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
_WORK = """
import datetime, time
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
_DIE_BETWEEN = """
import os, signal
send_group = type(worker)._send_group
def _send_group(self, mapper, operation, items):
    send_group(self, mapper, operation, items)
    if len(items) > 1:
        os.kill(os.getpid(), signal.SIGKILL)
type(worker)._send_group = _send_group
"""
#: Entries of these tests; the demo has others.
_OURS = """
    spar_outbox_entry o
      JOIN spar_programme p ON p.id = o.programme_id AND p.code = 'KILLED'
"""
_BETWEEN = f"""
    SELECT count(*) FROM {_OURS}
     WHERE o.state = 'sending' AND EXISTS (
           SELECT FROM spar_event e WHERE e.message_reference = o.message_id)
"""
_LEFT = f"""
    SELECT count(*) FROM {_OURS} WHERE o.state NOT IN ('done', 'superseded')
"""
#: People whose address the registry's side changed more than so many times.
_CHANGED = f"""
    SELECT count(*) FROM (
           SELECT e.subject_id FROM spar_event e
            WHERE e.kind IN ('linked', 'updated') AND e.channel = 'registry'
              AND e.subject_id IN (
                  SELECT subject_id FROM spar_event WHERE message_reference IN (
                         SELECT o.message_id FROM {_OURS}))
            GROUP BY e.subject_id HAVING count(*) > {{times}}) changed
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
    process.stdin.write(_WORK.format(patch=patch).encode())
    process.stdin.close()
    return process


def count(server, query: str) -> int:
    return server.query(query)[0][0]


def kill_while_it_works(server) -> bool:
    """Start two workers, and kill both at work; return whether they were."""
    workers = [start_worker(server) for _number in range(2)]
    before = count(server, _LEFT)
    while count(server, _LEFT) == before and is_running(workers):
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
    # The pauses of entries that failed once are over.
    workers = [start_worker(server) for _number in range(2)]
    assert [worker.wait(600) for worker in workers] == [0, 0]


@pytest.fixture(scope="module")
def survived(server):
    """Return how many entries were sent and not recorded when a worker died.

    And how often the other workers were killed at work.
    """
    run_script(server, _MAKE.format(count=PEOPLE, first=FIRST_ID))
    run_script(server, _COLLECT.format(prefix=1))
    died = start_worker(server, _DIE_BETWEEN)
    died.wait(300)
    between = count(server, _BETWEEN)
    kills = [kill_while_it_works(server) for _number in range(KILLS // 2)]
    run_script(server, _COLLECT.format(prefix=2))
    kills += [kill_while_it_works(server) for _number in range(KILLS // 2)]
    finish(server)
    return between, sum(kills)


def test_a_worker_died_between_the_two_commits(survived):
    between, _kills = survived
    assert between > 1


def test_workers_were_killed_at_work(survived):
    _between, kills = survived
    assert kills >= KILLS // 2


def test_every_entry_has_ended(server, survived):
    assert count(server, _LEFT) == 0


def test_every_id_resolves_to_the_last_account(server, survived, programme):
    ids = [f"token:{FIRST_ID + n}@nationalId" for n in range(PEOPLE)]
    found = []
    for start in range(0, PEOPLE, 500):
        asked = ids[start : start + 500]
        found += programme.resolve([{"id": i, "scope": "details"} for i in asked])
    wanted = [f"account:2{n:08}@BR01.DEMO" for n in range(PEOPLE)]
    assert [item.get("fa") for item in found] == wanted


def test_no_change_was_made_twice(server, survived):
    assert count(server, _CHANGED.format(times=2)) == 0
    assert count(server, _CHANGED.format(times=0)) == PEOPLE
