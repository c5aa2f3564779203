"""Checkpoints beside writers: they accuse nobody who is honest, and stop nobody."""

import contextlib
import secrets
import subprocess
import time

from .held import holding, wait_until

WAITING_FOR_WRITERS = 3


def make_link(client):
    """A call that links a new ID."""
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
    """A checkpoint that another process takes while the block runs."""
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


def test_event_that_commits_late_is_not_left_out(server, programme, bank):
    """Event n is open, n + 1 is committed, a checkpoint starts, n commits."""
    sender = bank.participant.sender_id
    with holding(server, sender, make_link(bank)) as held:
        assert make_link(programme)()[0]["status"] == "succ"
        with checkpoint_at_work(server) as process:
            wait_for_session(server)
            assert held.finish()[0]["status"] == "succ"
            told, _nothing = process.communicate(timeout=60)
            assert process.returncode == 0, told
    code, told = run(server, "check")
    assert code == 0, told
    code, told = run(server, "checkpoint")
    assert code == 0, told


def test_writers_do_not_wait_for_a_checkpoint_that_waits(server, programme, bank):
    sender = bank.participant.sender_id
    with holding(server, sender, make_link(bank)) as held:
        with checkpoint_at_work(server) as process:
            wait_for_session(server)
            begun = time.monotonic()
            assert make_link(programme)()[0]["status"] == "succ"
            assert time.monotonic() - begun < WAITING_FOR_WRITERS
            held.finish()
            told, _nothing = process.communicate(timeout=60)
            assert process.returncode == 0, told
