"""After kill -9 amid 200 asynchronous messages, none is lost or processed twice."""

import contextlib
import os
import random
import signal
import threading
import time
from collections import Counter
from pathlib import Path

import pytest
import requests

from .backend import EVERY_RIGHT, get_backend, make_participant
from .callbacks import receiving
from .client import Client, build_items
from .people import make_people
from .workers import running_workers

SENDERS, MESSAGES, PEOPLE = 4, 50, 5
ROUNDS = 3
#: Anything is logged while processes are killed and PostgreSQL is unavailable.
ANYTHING = (".",)


def get_children(pid: int) -> list[int]:
    """Return the child processes of a process that it has not reaped."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, parent = stat.read_text().rpartition(")")[2].split()[:2]
            if int(parent) == pid and state != "Z":
                found.append(int(stat.parent.name))
    return found


def kill(pids: list[int]) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


class Killer:
    """A killer of HTTP workers, workers for schedules and PostgreSQL, in turn."""

    def __init__(self, server, workers, receiver):
        self.server = server
        self.workers = workers
        self.receiver = receiver
        self.killed = Counter()
        #: The number of callbacks that had arrived at each kill.
        self.moments: list[int] = []

    def kill_workers(self, name: str, keeper) -> bool:
        pids = get_children(keeper.odoo.pid) if keeper.odoo.pid else []
        kill(pids)
        self.killed[name] += bool(pids)
        return bool(pids)

    def kill_postgres(self) -> bool:
        pid = self.server.postgres.get_pid()
        if pid is None:
            return False
        kill([pid, *get_children(pid)])
        os.waitpid(pid, 0)
        self.killed["postgres"] += 1
        return True

    def run(self) -> None:
        """Kill one after the other, with pauses in which they restart."""
        for _round in range(ROUNDS):
            for act in (
                lambda: self.kill_workers("http", self.server.keeper),
                lambda: self.kill_workers("workers", self.workers),
                self.kill_postgres,
            ):
                time.sleep(random.uniform(0.5, 2))
                while not act():
                    time.sleep(0.2)
                self.moments.append(len(self.receiver.received))


class Sender:
    """One participant that sends its messages in order, each until it is accepted."""

    def __init__(self, server, callback: str, number: int):
        self.participant = make_participant(
            server, f"crash-{number}", callback_url=callback, **EVERY_RIGHT
        )
        self.client = Client(server.api, self.participant)
        self.people = make_people(PEOPLE)
        self.messages = [self.build(place) for place in range(MESSAGES)]

    def build(self, place: int) -> dict:
        """Return a message: a person's first one links, all others update."""
        person = self.people[place % PEOPLE]
        operation = "link" if place < PEOPLE else "update"
        items = build_items([person.with_account(f"7{place:010}")])
        return self.client.build_message(operation, items)

    def send_all(self) -> None:
        for message in self.messages:
            time.sleep(random.uniform(0, 0.6))
            while not self.send(message):
                time.sleep(0.1)

    def send(self, message: dict) -> bool:
        """Return whether the message was accepted; after an error, that is unknown."""
        try:
            answer = self.client.post(f"/mapper/{get_action(message)}", json=message)
        except requests.RequestException:
            return False
        if answer.status_code != 200:
            assert answer.status_code >= 500, answer.text
            return False
        assert answer.json()["message"]["ack_status"] == "ACK", answer.text
        return True


def get_action(message: dict) -> str:
    return message["header"]["action"]


def get_transaction(document: dict) -> str:
    return document["message"]["transaction_id"]


@pytest.fixture(scope="module")
def survived(server):
    """Return what was sent and received for 200 messages amid the killing."""
    # PostgreSQL becomes a child of this process, which can reap it.
    with server.expecting(*ANYTHING), server.without_postgres():
        pass
    with receiving() as receiver:
        senders = [Sender(server, receiver.url, n) for n in range(SENDERS)]
        with server.expecting(*ANYTHING), running_workers(server) as workers:
            killer = Killer(server, workers, receiver)
            threads = [threading.Thread(target=sender.send_all) for sender in senders]
            threads.append(threading.Thread(target=killer.run))
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            server.wait()
            wait_for_all(receiver, senders)
            yield senders, list(receiver.get_documents()), killer


def wait_for_all(receiver, senders) -> None:
    """Return when each message has its callback; claims of killed workers expire."""
    wanted = {get_transaction(m) for sender in senders for m in sender.messages}
    end = time.monotonic() + 300
    while missing := wanted - set(map(get_transaction, receiver.get_documents())):
        assert time.monotonic() < end, f"{len(missing)} callbacks are missing"
        time.sleep(0.2)


def test_every_process_was_killed(survived):
    _senders, _documents, killer = survived
    assert killer.killed == dict.fromkeys(("http", "workers", "postgres"), ROUNDS)
    assert max(killer.moments) < SENDERS * MESSAGES, "it was over before"


def test_each_message_has_exactly_one_effect_in_order(server, survived):
    senders, _documents, _killer = survived
    for sender in senders:
        events = server.query(
            """SELECT message_reference FROM spar_event
                WHERE actor = %s AND kind IN ('linked', 'updated') ORDER BY id""",
            f"participant:{sender.participant.sender_id}",
        )
        sent = [message["header"]["message_id"] for message in sender.messages]
        assert [row[0] for row in events] == sent


def test_last_message_about_a_person_decides(survived):
    senders, _documents, _killer = survived
    for sender in senders:
        found = sender.client.resolve([person.resolve_item for person in sender.people])
        last = range(MESSAGES - PEOPLE, MESSAGES)
        wanted = [
            person.with_account(f"7{place:010}")["fa"]
            for person, place in zip(sender.people, last, strict=True)
        ]
        assert [item["fa"] for item in found] == wanted


def test_callbacks_of_a_message_share_one_id_and_succeed(survived):
    senders, documents, _killer = survived
    ids: dict[str, set[str]] = {}
    for document in documents:
        names = ids.setdefault(get_transaction(document), set())
        names.add(document["header"]["message_id"])
        assert document["header"]["status"] == "succ", document["header"]
    assert len(ids) == SENDERS * MESSAGES
    assert {len(names) for names in ids.values()} == {1}


def test_no_message_is_left_waiting(server, survived):
    assert server.query(
        "SELECT count(*) FROM spar_message WHERE state = 'waiting'"
    ) == [(0,)]
    backend = get_backend(server, "administrator")
    failed = [("state", "=", "failed")]
    assert backend.find("spar.callback", failed, "problem") == []


def test_history_is_intact(server, survived):
    done = server.run_command("spar_audit", "check")
    # The check names the jobs that these tests have switched off, and nothing else.
    found = [line for line in done.stdout.splitlines() if ", row " in line]
    assert [line for line in found if not line.startswith("ir_cron")] == [], done.stdout
    assert done.returncode in (0, 1) and (found or done.returncode == 0), done.stderr
