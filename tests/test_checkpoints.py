"""Checkpoints beside writers: they accuse no honest one, and block none."""

import contextlib
import secrets
import subprocess
import threading
import time

import psycopg2

from .callbacks import receiving
from .client import Client
from .pending_call import delaying_commit, wait_until
from .people import make_people
from .test_crash import ANYTHING, Sender, get_children, kill
from .test_tampering import tampered
from .workers import CHECK, CHECKPOINT, QUEUE_CRONS, hurry, running_workers, wake

WAITING_FOR_WRITERS = 3


def make_link(client):
    """Return a function that links a new ID."""
    number = secrets.token_hex(6)
    item = {
        "id": f"token:{number}@nationalId",
        "fa": f"account:{secrets.randbelow(10**12):012}@BR01.DEMO",
    }
    return lambda: client.link([item])


def run(server, action):
    done = server.run_command("spar_audit", action)
    return done.returncode, done.stdout + done.stderr


@contextlib.contextmanager
def checkpoint_at_work(server):
    """Run a checkpoint in another process during the block."""
    process = subprocess.Popen(
        server.build_command("spar_audit", "checkpoint"),
        env=server.environment,
        cwd=server.installation.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def wait_for_session(server):
    """Return when the checkpoint has begun its work in the database."""
    query = """
        SELECT count(*) FROM pg_stat_activity
         WHERE datname = %s AND pid <> pg_backend_pid()
           AND (query LIKE '%%pg_locks%%' OR query LIKE 'LOCK TABLE%%SHARE MODE')"""
    wait_until(
        lambda: server.query(query, server.database)[0][0], "no checkpoint begins"
    )
    time.sleep(0.5)


def test_event_that_commits_late_is_included(server, programme, bank):
    """Event n is open, n + 1 is committed, a checkpoint starts, n commits."""
    sender = bank.participant.sender_id
    with delaying_commit(server, sender, make_link(bank)) as pending:
        assert make_link(programme)()[0]["status"] == "succ"
        with checkpoint_at_work(server) as process:
            wait_for_session(server)
            assert pending.finish()[0]["status"] == "succ"
            output, _nothing = process.communicate(timeout=60)
            assert process.returncode == 0, output
    code, output = run(server, "check")
    assert code == 0, output
    code, output = run(server, "checkpoint")
    assert code == 0, output


def test_writers_do_not_wait_for_a_waiting_checkpoint(server, programme, bank):
    sender = bank.participant.sender_id
    with delaying_commit(server, sender, make_link(bank)) as pending:
        with checkpoint_at_work(server) as process:
            wait_for_session(server)
            begun = time.monotonic()
            assert make_link(programme)()[0]["status"] == "succ"
            assert time.monotonic() - begun < WAITING_FOR_WRITERS
            pending.finish()
            output, _nothing = process.communicate(timeout=60)
            assert process.returncode == 0, output


# === FROM A SCHEDULE === #


@contextlib.contextmanager
def open_write_elsewhere(server):
    """Keep a transaction open that has written in another database of the cluster."""
    with server.autocommit("postgres") as cursor:
        cursor.execute("DROP DATABASE IF EXISTS elsewhere")
        cursor.execute("CREATE DATABASE elsewhere")
    connection = psycopg2.connect(server.get_dsn(), dbname="elsewhere")
    try:
        with connection.cursor() as cursor:
            cursor.execute("CREATE TABLE spar_event AS SELECT 1 AS id")
            yield
    finally:
        connection.close()
        with server.autocommit("postgres") as cursor:
            cursor.execute("DROP DATABASE elsewhere")


@contextlib.contextmanager
def busy_queue(server, senders=2):
    """Queue messages that are processed during the block."""
    with receiving() as receiver:
        busy = [Sender(server, receiver.url, f"beside-{n}") for n in range(senders)]
        threads = [threading.Thread(target=sender.send_all) for sender in busy]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            for thread in threads:
                thread.join()


def get_number(server):
    return server.query("SELECT number FROM spar_checkpoint")[0][0]


def test_scheduled_checkpoints_run_beside_a_busy_queue(server, programme):
    schedules = (*QUEUE_CRONS, CHECKPOINT)
    with (
        open_write_elsewhere(server),
        running_workers(server, threads=3, schedules=schedules),
        busy_queue(server),
    ):
        for _time in range(3):
            before = get_number(server)
            assert make_link(programme)()[0]["status"] == "succ"
            hurry(server, CHECKPOINT)
            wait_until(
                lambda n=before: wake(server) or get_number(server) > n, "no checkpoint"
            )
    code, output = run(server, "check")
    assert code == 0, output


# === MANY === #

TAKE_MANY = """
from time import sleep
for number in range({times}):
    env["spar.checkpoint"]._take_or_alarm()
    env.cr.rollback()
    if (number + 1) % {pace} == 0:
        env["spar.audit"]._check_store()
        env.cr.commit()
"""


def take_many(server, times, pace):
    done = subprocess.run(
        server.build_command("shell", "--no-http", "--log-level=critical"),
        env=server.environment,
        cwd=server.installation.folder,
        input=TAKE_MANY.format(times=times, pace=pace),
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert "Traceback" not in done.stdout + done.stderr, done.stderr
    assert done.returncode == 0, done.stderr


@contextlib.contextmanager
def writing(server):
    """Let two callers link and change during the block: few people, many calls.

    Their rows make every later check of the whole store slower.
    """
    ending, lost = threading.Event(), []

    def write(name):
        client = Client(server.api, server.participants[name])
        while not ending.is_set():
            people = make_people(2)
            client.link([person.linked for person in people])
            wires = client.update([p.with_account("12" * 7) for p in people])
            lost.extend(wire for wire in wires if wire["status"] != "succ")

    threads = [threading.Thread(target=write, args=("programme",)) for _n in range(2)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ending.set()
        for thread in threads:
            thread.join()
    assert not lost


def count_alarms(server):
    return server.query("SELECT count(*) FROM spar_alarm")[0][0]


def test_two_hundred_checkpoints_beside_writers_raise_no_alarm(server):
    before, number = count_alarms(server), get_number(server)
    with writing(server):
        take_many(server, 200, 40)
    assert count_alarms(server) == before
    assert get_number(server) > number + 50


def test_removed_row_is_one_alarm(server, programme):
    make_link(programme)()
    assert run(server, "checkpoint")[0] == 0
    event = server.query("SELECT max(id) FROM spar_event")[0][0]
    server.query("DELETE FROM spar_alarm RETURNING id")
    with tampered(server, ("DELETE FROM spar_event WHERE id = %s", (event,))):
        take_many(server, 5, 10**6)
        assert server.query("SELECT table_name, problem FROM spar_alarm") == [
            (
                "spar_event",
                "events of this range were removed or altered since the checkpoint",
            )
        ]
    assert run(server, "check")[0] == 0


# === KILLED === #


def get_run(server):
    """Return the id, people checked and end of the newest nightly check."""
    return server.query(
        """SELECT id, subjects_checked, finished_at FROM spar_audit_run
            WHERE is_nightly ORDER BY id DESC LIMIT 1"""
    )


def is_at_work(server):
    """Return whether a nightly check has checked anyone."""
    return any(checked for _id, checked, _end in get_run(server))


def test_killed_check_continues_where_it_was(server, programme):
    for _batch in range(6):
        programme.link([person.linked for person in make_people(1000)])
    with (
        server.expecting(*ANYTHING),
        running_workers(server, threads=1, schedules=(CHECK,)) as workers,
    ):
        hurry(server, CHECK)
        wait_until(lambda: wake(server) or is_at_work(server), "no check")
        kill(get_children(workers.odoo.pid))
        ((killed, checked, finished),) = get_run(server)
        assert checked and not finished, "it was over before"
        wait_until(
            lambda: wake(server) or get_run(server)[0][2], "it does not go on", 180
        )
        # The check names the jobs that this test has switched off.
        ((switched_off,),) = server.query(
            """SELECT count(*) FROM ir_cron c JOIN ir_model_data d
                   ON d.model = 'ir.cron' AND d.res_id = c.id
                WHERE NOT c.active AND (left(d.module, 5) = 'spar_'
                                        OR d.name = 'autovacuum_job')"""
        )
    ((row, _checked, _finished),) = get_run(server)
    assert row == killed
    covered, total, findings = server.query(
        """SELECT subjects_checked, subjects_total, findings
             FROM spar_audit_run WHERE id = %s""",
        row,
    )[0]
    assert (covered, findings) == (total, switched_off)
