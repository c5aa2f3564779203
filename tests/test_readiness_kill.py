"""A readiness run whose worker is killed goes on where it stopped, and ends."""

import contextlib
import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from .people import make_card_holders

START = Path(__file__).with_name("readiness_start.py")
WORK = Path(__file__).with_name("readiness_work.py")
PEOPLE, LINKED = 300, 130
KILLS = 3
WAIT_SECONDS = 90


class Work:
    """A process that checks people."""

    def __init__(self, server, pause: float):
        command = [str(part) for part in server.build_command("shell", "--no-http")]
        with open(WORK, "rb") as script:
            self.process = subprocess.Popen(
                command,
                stdin=script,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={**server.environment, "SPAR_PAUSE": str(pause)},
                cwd=server.installation.folder,
                start_new_session=True,
            )

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@pytest.fixture
def run(server, programme):
    """Yield the id of a run of people of whom some are linked."""
    people = make_card_holders(PEOPLE)
    answers = programme.link([person.linked for person in people[:LINKED]])
    assert {answer["status"] for answer in answers} == {"succ"}
    ids = json.dumps([person.value for person in people])
    made = server.installation.run_script(START, SPAR_IDS=ids)
    yield made["run_id"]
    clean_up(server, **made)


def clean_up(server, run_id: int, programme_id: int) -> None:
    with server.cursor() as cursor:
        cursor.execute(
            """SELECT partner_id FROM spar_programme_member WHERE programme_id = %s""",
            (programme_id,),
        )
        partners = [row_id for (row_id,) in cursor.fetchall()]
        for query, value in (
            ("DELETE FROM spar_readiness_run WHERE id = %s", run_id),
            ("DELETE FROM spar_programme_member WHERE programme_id = %s", programme_id),
            ("DELETE FROM spar_programme WHERE id = %s", programme_id),
            ("DELETE FROM res_partner WHERE id = ANY(%s)", partners),
        ):
            cursor.execute(query, (value,))


def count_done(server, run: int) -> int:
    query = """SELECT coalesce(sum(people_count), 0) FROM spar_readiness_chunk
                WHERE run_id = %s AND is_done"""
    ((count,),) = server.query(query, run)
    return count


def count_states(server, run: int) -> dict[str, int]:
    query = """SELECT state, count(*) FROM spar_readiness_line
                WHERE run_id = %s GROUP BY state"""
    return dict(server.query(query, run))


def wait_for(done, what: str) -> None:
    end = time.monotonic() + WAIT_SECONDS
    while not done():
        assert time.monotonic() < end, what
        time.sleep(0.05)


def test_killed_run_goes_on_and_its_totals_are_right(server, run):
    assert count_states(server, run) == {"waiting": PEOPLE}
    for kill in range(KILLS):
        before = count_done(server, run)
        work = Work(server, pause=0.4)
        wait_for(lambda b=before: count_done(server, run) > b, "nothing is checked")
        work.kill()
        assert before < count_done(server, run) < PEOPLE, kill
    both = [Work(server, pause=0), Work(server, pause=0)]
    for work in both:
        assert work.process.wait(WAIT_SECONDS) == 0
    assert count_done(server, run) == PEOPLE
    assert count_states(server, run) == {
        "payable": LINKED,
        "not_linked": PEOPLE - LINKED,
    }
    query = "SELECT state, totals, people_count FROM spar_readiness_run WHERE id = %s"
    ((state, totals, count),) = server.query(query, run)
    assert (state, count) == ("done", PEOPLE)
    assert totals["states"] == count_states(server, run)
    # What a kill interrupted was attempted once more, and nothing else was.
    query = "SELECT sum(attempts - 1) FROM spar_readiness_chunk WHERE run_id = %s"
    ((repeated,),) = server.query(query, run)
    assert 1 <= repeated <= KILLS
