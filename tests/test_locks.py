"""A lock of another session: callers that need it learn so, all others are served.

Previously, two such requests blocked everyone, for as long as Odoo let them wait.
"""

import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from .backend import EVERY_RIGHT, get_backend, make_participant
from .callbacks import acknowledge, receiving
from .client import Client, build_items
from .locks import count_backends, holding_row, holding_table
from .people import make_people
from .real_server import WORKERS
from .test_crash import get_children, kill
from .workers import running_workers, wake

#: SPAR_LOCK_SECONDS of the server, and the delay that a busy machine adds.
LOCK_SECONDS, SLACK = 5, 6
#: The longest wait of a participant that does not need the lock.
SOON = 5


def link(client: Client, person) -> dict:
    """Return the message by which a person was linked."""
    message = client.build_message("link", build_items([person.linked]))
    answer = client.send("link", message)
    assert answer.status_code == 200, answer.text
    return message


def update(api: str, participant, person, account="70012345") -> requests.Response:
    """Change a person's account at once, over a separate connection."""
    client = Client(api, participant)
    items = build_items([person.with_account(account)])
    return client.send("update", client.build_message("update", items))


def assert_retry_requested(answer: requests.Response) -> None:
    assert answer.status_code == 503, answer.text
    assert int(answer.headers["Retry-After"]) > 0
    (error,) = answer.json()["errors"]
    assert error["code"] == "err.service.unavailable"
    assert "had no effect" in error["message"]


def count_events(server, person_message: dict) -> int:
    query = """SELECT count(*) FROM spar_event o JOIN spar_event e
                   ON e.subject_id = o.subject_id WHERE o.message_reference = %s"""
    return server.query(query, person_message["header"]["message_id"])[0][0]


# === AT ONCE === #


def test_locked_id_is_to_be_retried_and_others_continue(server, programme, payer):
    people = make_people(WORKERS + 1)
    messages = [link(programme, person) for person in people]
    before = count_events(server, messages[0])
    with holding_row(server, messages[0]), ThreadPoolExecutor(8) as pool:
        begin = time.monotonic()
        held = [
            pool.submit(update, server.api, programme.participant, people[0])
            for _worker in range(2 * WORKERS)
        ]
        assert payer.resolve([people[1].resolve_item])[0]["fa"] == people[1].fa
        assert requests.get(f"{server.api}/health", timeout=60).ok
        # Each request waits for those that already wait, and then for the lock.
        assert time.monotonic() - begin < 2 * LOCK_SECONDS + SLACK
        for each in held:
            assert_retry_requested(each.result())
        assert time.monotonic() - begin < 4 * LOCK_SECONDS + SLACK
    assert count_events(server, messages[0]) == before
    assert update(server.api, programme.participant, people[0]).status_code == 200


def test_locked_table_is_to_be_retried_and_others_continue(server, programme, payer):
    (person,) = make_people(1)
    link(programme, person)
    with holding_table(server, "spar_message"):
        assert payer.resolve([person.resolve_item])[0]["fa"] == person.fa
        begin = time.monotonic()
        assert_retry_requested(update(server.api, programme.participant, person))
        assert time.monotonic() - begin < LOCK_SECONDS + SLACK
        assert payer.resolve([person.resolve_item])[0]["fa"] == person.fa
    assert update(server.api, programme.participant, person).status_code == 200


def test_staff_see_our_page_while_a_table_is_locked(server):
    session = get_backend(server, "administrator").session
    with holding_table(server, "res_users"):
        begin = time.monotonic()
        answer = session.get(f"{server.url}/odoo", timeout=60)
        assert time.monotonic() - begin < LOCK_SECONDS + SLACK
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    assert "Please try again" in answer.text
    assert session.get(f"{server.url}/odoo", timeout=60).ok


def test_beneficiary_sees_our_page_while_a_table_is_locked(server):
    with holding_table(server, "auth_oauth_provider"):
        answer = requests.get(f"{server.url}/spar", timeout=60)
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    assert "<h1" in answer.text and "Traceback" not in answer.text


def test_staff_see_that_they_should_try_again(server, programme):
    (person,) = make_people(1)
    message = link(programme, person)
    officer = get_backend(server, "officer")
    words = {"fa_text": "account:123454321@BR01.DEMO", "has_evidence": True}
    with holding_row(server, message):
        begin = time.monotonic()
        with pytest.raises(Exception, match="try again"):
            officer.act_on("update", person.id, **words)
        assert time.monotonic() - begin < LOCK_SECONDS + SLACK
    officer.act_on("update", person.id, **words)


# === A WORKER THAT IS KILLED === #


def test_query_of_a_killed_worker_is_cancelled(server, programme):
    """Its backend used to survive, and each retry added one."""
    (person,) = make_people(1)
    message = link(programme, person)
    with server.expecting("."), holding_row(server, message):
        asking = threading.Thread(
            target=lambda: pytest.raises(
                requests.RequestException,
                update,
                server.api,
                programme.participant,
                person,
            )
        )
        asking.start()
        end = time.monotonic() + SLACK
        while not count_backends(server):
            assert time.monotonic() < end
            time.sleep(0.05)
        kill(get_children(server.keeper.odoo.pid))
        begin = time.monotonic()
        while count_backends(server):
            assert time.monotonic() - begin < LOCK_SECONDS - 1
            time.sleep(0.05)
        asking.join()
        server.wait()


# === QUEUED MESSAGES === #


@pytest.fixture(scope="module")
def workers(server):
    with running_workers(server) as keeper:
        yield keeper


@pytest.fixture(scope="module")
def receiver(server):
    with receiving() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def queues(server, receiver):
    """Return participants that request answers by callback."""
    rights = {**EVERY_RIGHT, "callback_url": receiver.url}
    return [make_participant(server, f"locked-{n}", **rights) for n in range(3)]


def queue(server, participant, person, account="70012345") -> dict:
    client = Client(server.api, participant)
    items = build_items([person.with_account(account)])
    message = client.build_message("update", items)
    answer = client.post("/mapper/update", json=message)
    assert answer.json()["message"]["ack_status"] == "ACK", answer.text
    return message


def get_state(server, message: dict) -> tuple[str, int]:
    query = "SELECT state, attempts FROM spar_message WHERE message_id = %s"
    return server.query(query, message["header"]["message_id"])[0]


def wait_until_done(server, message: dict, seconds: float) -> float:
    """Return how long it took."""
    begin = time.monotonic()
    while get_state(server, message)[0] == "waiting":
        assert time.monotonic() - begin < seconds, get_state(server, message)
        time.sleep(0.05)
    return time.monotonic() - begin


def test_locked_id_waits_in_its_queue_and_others_continue(
    server, programme, workers, queues
):
    people = make_people(3)
    messages = [link(programme, person) for person in people]
    first, end = queue(server, queues[2], people[2]), time.monotonic() + 90
    while get_state(server, first)[0] == "waiting":
        assert time.monotonic() < end
        wake(server)  # a new worker sleeps for a minute
        time.sleep(1)
    with holding_row(server, messages[0]), holding_row(server, messages[1]):
        held = [queue(server, queues[n], people[n]) for n in (0, 1)]
        time.sleep(1)
        for number in range(8):
            message = queue(server, queues[2], people[2], f"8801234{number}")
            # Two others look for their lock meanwhile, a moment each.
            assert wait_until_done(server, message, 2 * SOON) < 2 * SOON
            time.sleep(1)
        for message in held:
            assert get_state(server, message)[0] == "waiting"
    for message in held:
        wait_until_done(server, message, 2 * SOON)
        # It was processed once more, and no attempt failed.
        assert get_state(server, message) == ("done", 1)


def test_queue_continues_at_once_when_a_table_is_free(
    server, programme, workers, queues
):
    (person,) = make_people(1)
    link(programme, person)
    message = queue(server, queues[0], person)
    wait_until_done(server, message, 60)
    with holding_table(server, "spar_event"):
        message = queue(server, queues[0], person, "990012345")
        time.sleep(12)  # longer than a worker stays with one queue
        assert get_state(server, message)[0] == "waiting"
    assert wait_until_done(server, message, LOCK_SECONDS + SLACK) >= 0


def test_message_that_kills_its_worker_is_abandoned(server, programme, workers, queues):
    """Each unfinished attempt counts, so that the messages behind it progress."""
    people = make_people(2)
    messages = [link(programme, person) for person in people]
    with server.expecting("."):
        with holding_row(server, messages[0]):
            deadly = queue(server, queues[0], people[0])
            behind = queue(server, queues[0], people[1])
            end, kills = time.monotonic() + 120, 0
            while get_state(server, deadly)[0] == "waiting":
                assert time.monotonic() < end, (kills, get_state(server, deadly))
                for pid in get_waiting_workers(server, workers):
                    os.kill(pid, signal.SIGKILL)
                    kills += 1
                wake(server)  # a new worker sleeps for a minute
                time.sleep(0.2)
        wait_until_done(server, behind, 60)
    assert kills >= 8
    state = "SELECT reason FROM spar_message WHERE message_id = %s"
    ((reason,),) = server.query(state, deadly["header"]["message_id"])
    assert "had no effect" in reason


def get_waiting_workers(server, workers) -> list[int]:
    """Return the workers for schedules, while one of them waits for the lock."""
    query = """SELECT count(*) FROM pg_stat_activity a
                WHERE wait_event_type = 'Lock' AND datname = current_database()
                  AND query LIKE '%%spar_subject%%'"""
    if not server.query(query)[0][0] or not workers.odoo.pid:
        return []
    return get_children(workers.odoo.pid)


# === CALLBACKS === #


def test_hanging_callbacks_delay_no_message(server, programme, workers, queues):
    """Both background workers used to wait for targets that did not answer."""

    def hang(path, number):
        time.sleep(9)
        return acknowledge(path, number)

    with receiving(hang) as hanging:
        rights = {**EVERY_RIGHT, "callback_url": hanging.url}
        others = [make_participant(server, f"hanging-{n}", **rights) for n in range(6)]
        people = make_people(len(others) + 1)
        for person in people:
            link(programme, person)
        for _round in range(2):
            for participant, person in zip(others, people, strict=False):
                queue(server, participant, person, f"5501234{_round}")
        hanging.wait(len(others))
        for number in range(6):
            message = queue(server, queues[2], people[-1], f"6601234{number}")
            assert wait_until_done(server, message, SOON) < SOON
            time.sleep(1)
