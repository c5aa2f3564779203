"""A registry in front of other mappers: each ID goes to the one that its type names."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from .backend import EVERY_RIGHT, approve_all, get_backend, make_participant
from .callbacks import receiving
from .client import Client, build_items
from .mapper_stub import MapperStub
from .people import Person, make_people
from .real_server import RealServer
from .test_crash import get_children, kill
from .workers import running_workers, wait_for_workers

RETRY = "rjct.unknown.retry"
#: Logged once for each message that a mapper does not answer.
DOWN = r"mapper backend \d+ does not answer"
TIMEOUT = 1
FULL = {**EVERY_RIGHT, "may_resolve_by_fa": 1}


@dataclass
class Arrangement:
    """The store of the registry, and a mapper elsewhere for IDs of no known kind.

    Another backend leads back to the registry itself.
    """

    server: RealServer
    client: Client
    stub: MapperStub
    backends: dict[str, int] = field(default_factory=dict)

    def point_to(self, word: str) -> None:
        """Let the type of IDs of no known kind name a backend, as two people do."""
        staff = get_backend(self.server, "administrator")
        (found,) = staff.find("spar.id.type", [("strategy", "=", False)])
        backend = {"backend_id": self.backends.get(word, False)}
        staff.call("spar.id.type", "write", [found["id"]], backend)
        approve_all(self.server)

    def build_item(self, word: str, person: Person, **members) -> dict:
        """Return an item for a person's ID at ``word``, "" for the store."""
        id_value = f"{word}:{person.value}" if word else person.id
        return {"id": id_value, **members}

    def call(self, operation: str, pairs, **members) -> list[dict]:
        """Return the answers to an item for each ``(word, person)``."""
        items = [
            self.build_item(
                word,
                person,
                **members,
                **({"fa": person.fa} if operation == "link" else {}),
            )
            for word, person in pairs
        ]
        return self.client.call(operation, items)

    def wait_until_rested(self) -> None:
        """Return when mappers that did not answer are called again."""
        time.sleep(5.2)


@pytest.fixture(scope="module")
def arrangement(server) -> Iterator[Arrangement]:
    client = Client(server.api, make_participant(server, "in-front", **FULL))
    made = Arrangement(server, client, MapperStub())
    for word, url in (("second", made.stub.url), ("loop", server.api)):
        made.backends[word] = make_backend(server, word, url)
    made.point_to("second")
    try:
        yield made
    finally:
        made.point_to("")
        made.stub.close()


def make_backend(server, word: str, url: str) -> int:
    """Return a backend that speaks G2P Connect; the loop calls as a participant."""
    staff = get_backend(server, "administrator")
    values = {
        "name": word,
        "implementation": "spar.mapper.g2p_connect",
        "url": url,
        "sender_id": "this.example",
        "authentication": "none",
        "signature_place": False,
        "answer_place": False,
        "timeout": TIMEOUT,
        "chunk_size": 1000,
    }
    if word == "loop":
        rights = {**FULL, "proof": "token", "demo_only": True}
        caller = make_participant(server, "ourselves", **rights)
        values |= {
            "sender_id": caller.sender_id,
            "authentication": "oauth2",
            "token_url": f"{server.api}/oauth2/client/token",
            "client_id": caller.client_id,
            "secret": caller.client_secret,
            "timeout": 10,
        }
    return staff.call("spar.mapper.backend", "create", [values])[0]


def get_codes(answers: list[dict]) -> list[str | None]:
    return [answer.get("status_reason_code") for answer in answers]


# === DIVIDED AND JOINED === #


@pytest.mark.parametrize("order", (("", "second"), ("second", "")), ids=str)
def test_every_operation_in_every_order(arrangement, order):
    pairs = list(zip(order * 3, make_people(6), strict=True))
    answers = arrangement.call("link", pairs)
    assert {each["status"] for each in answers} == {"succ"}, answers
    found = arrangement.call("resolve", pairs, scope="details")
    assert [each["fa"] for each in found] == [person.fa for _word, person in pairs]
    assert [each["reference_id"] for each in found] == list("123456")
    answers = arrangement.call("update", pairs, fa="account:1234567@BR01.DEMO")
    assert {each["status"] for each in answers} == {"succ"}, answers
    found = arrangement.call("resolve", pairs, scope="details")
    assert {each["fa"] for each in found} == {"account:1234567@BR01.DEMO"}
    answers = arrangement.call("unlink", pairs)
    assert {each["status"] for each in answers} == {"succ"}, answers
    missing = arrangement.call("resolve", pairs)
    assert set(get_codes(missing)) == {"succ.id.not_found"}


def test_thousand_items_of_two_mappers(arrangement):
    words = ("", "second", "second")
    pairs = [(words[n % 3], each) for n, each in enumerate(make_people(1000))]
    before = len(arrangement.stub.messages)
    begun = time.monotonic()
    answers = arrangement.call("link", pairs)
    assert {each["status"] for each in answers} == {"succ"}, answers
    found = arrangement.call("resolve", pairs[::-1], scope="details")
    print(f"1,000 linked and resolved in {time.monotonic() - begun:.2f} s")
    assert [each["fa"] for each in found] == [p.fa for _word, p in pairs[::-1]]
    assert len(arrangement.stub.messages) == before + 2, "one for each operation"


def test_an_address_is_looked_up_everywhere(arrangement):
    pairs = list(zip(("", "second"), make_people(2), strict=True))
    arrangement.call("link", pairs)
    for word, person in pairs:
        (answer,) = arrangement.client.resolve([{"fa": person.fa, "scope": "details"}])
        assert answer["status_reason_code"] == "succ.fa.active", answer
        expected = arrangement.build_item(word, person)["id"].lower()
        assert answer["id"].lower() == expected


def test_a_repeat_is_answered_without_asking_again(arrangement):
    (person,) = make_people(1)
    stub = arrangement.stub
    item = arrangement.build_item("second", person, fa=person.fa)
    message = arrangement.client.build_message("link", build_items([item]))
    first = arrangement.client.send("link", message).json()
    asked = len(stub.messages)
    again = arrangement.client.send("link", message).json()
    assert {**again, "signature": ""} == {**first, "signature": ""}
    assert len(stub.messages) == asked


def test_one_message_id_has_one_effect_at_a_time(arrangement):
    """The same message, or another one with its ID, meanwhile: *try again*."""
    stub = arrangement.stub
    people = make_people(8)
    first = people[0]
    item = arrangement.build_item("second", first, fa=first.fa)
    message = arrangement.client.build_message("link", build_items([item]))
    others = [
        {
            **message,
            "message": {
                **message["message"],
                "link_request": build_items(
                    [arrangement.build_item("second", person, fa=person.fa)]
                ),
            },
        }
        for person in people[1:]
    ]
    stub.delay, before = 0.5 * TIMEOUT, stub.count_items("link")

    def send(document: dict):
        client = Client(arrangement.client.api, arrangement.client.participant)
        return client.send("link", document)

    try:
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(send, [message, *others]))
    finally:
        stub.delay = 0
    assert {each.status_code for each in answers} <= {200, 503}
    accepted = [
        each.json()
        for each in answers
        if each.status_code == 200 and "message" in each.json()
    ]
    assert len(accepted) == 1, [each.text for each in answers]
    assert stub.count_items("link") == before + 1


# === FAILURES === #


@pytest.mark.parametrize("order", ((0, 1), (1, 0)), ids=str)
def test_a_mapper_that_is_down_concerns_its_own_items(arrangement, order):
    pairs = list(zip(("", "second"), make_people(2), strict=True))
    arrangement.call("link", pairs)
    old = arrangement.stub
    old.close()
    try:
        chosen = [pairs[place] for place in order]
        with arrangement.server.expecting(DOWN):
            answers = arrangement.call("resolve", chosen)
        expected = [
            RETRY if word == "second" else "succ.id.active" for word, _person in chosen
        ]
        assert get_codes(answers) == expected
    finally:
        arrangement.stub = MapperStub(old.port)
        arrangement.stub.fas = old.fas
    arrangement.wait_until_rested()
    assert set(get_codes(arrangement.call("resolve", pairs))) == {"succ.id.active"}


@pytest.mark.parametrize("rubbish", (b"<html>busy</html>", b"{", b"{}", b"[]"), ids=str)
def test_what_is_no_answer_is_no_success(arrangement, rubbish):
    stub = arrangement.stub
    (person, other) = make_people(2)
    stub.rubbish = rubbish
    try:
        with arrangement.server.expecting(DOWN):
            here, there = arrangement.call("link", [("", person), ("second", other)])
    finally:
        stub.rubbish = b""
    assert here["status"] == "succ"
    assert there["status_reason_code"] == RETRY
    arrangement.wait_until_rested()


def test_a_slow_mapper_delays_nobody_else(arrangement):
    """Its items are given up; meanwhile nothing that the message names is locked."""
    stub = arrangement.stub
    (person, other) = make_people(2)
    linked = arrangement.call("link", [("", person), ("second", other)])
    assert {each["status"] for each in linked} == {"succ"}, linked
    stub.delay = 5 * TIMEOUT
    stub.is_busy.clear()
    pairs = [("", person), ("second", other)]
    with ThreadPoolExecutor(1) as pool, arrangement.server.expecting(DOWN):
        begun = time.monotonic()
        slow = pool.submit(
            arrangement.call, "update", pairs, fa="account:1234567@BR01.DEMO"
        )
        assert stub.is_busy.wait(10), slow.result()
        other_client = Client(arrangement.client.api, arrangement.client.participant)
        moment = time.monotonic()
        (quick,) = other_client.update([person.with_account("7654321")])
        assert time.monotonic() - moment < TIMEOUT
        assert quick["status"] == "succ"
        idle = arrangement.server.query(
            """SELECT count(*) FROM pg_stat_activity
                WHERE datname = current_database() AND state LIKE 'idle in trans%%'
                  AND backend_xid IS NOT NULL"""
        )
        assert idle == [(0,)], "nothing is written in an open transaction"
        answers = slow.result()
        assert time.monotonic() - begun < 4 * TIMEOUT
    stub.delay = 0
    # The quick one made the later statement.
    assert answers[0]["status_reason_code"] == "rjct.timestamp.invalid"
    assert answers[1]["status_reason_code"] == RETRY
    moment = time.monotonic()
    answers = arrangement.call("resolve", pairs)
    assert answers[0]["status_reason_code"] == "succ.id.active"
    assert time.monotonic() - moment < TIMEOUT
    arrangement.wait_until_rested()


# === LOOPS === #


def test_a_request_that_comes_back_is_refused(arrangement):
    (person, looping) = make_people(2)
    arrangement.call("link", [("", person)])
    arrangement.point_to("loop")
    try:
        with arrangement.server.expecting("a message came back"):
            for operation, members in (
                ("link", {}),
                ("update", {"fa": "account:1234567@BR01.DEMO"}),
                ("resolve", {}),
                ("unlink", {}),
            ):
                looped, found = arrangement.call(
                    operation, [("loop", looping), ("", person)], **members
                )
                assert looped["status_reason_code"] == "rjct.other.error", looped
                assert "already passed" in looped["status_reason_message"]
                assert found.get("status_reason_code") != "rjct.other.error"
            by_address = [{"fa": make_people(1)[0].fa}]
            (answer,) = arrangement.client.resolve(by_address)
            assert answer["status_reason_code"] == "succ.fa.not_found"
    finally:
        arrangement.point_to("second")


# === IN THE QUEUE === #


def test_queued_messages_are_divided_and_answered_by_callback(arrangement):
    server = arrangement.server
    with receiving() as receiver, running_workers(server):
        rights = {**FULL, "callback_url": receiver.url}
        client = Client(
            server.api, make_participant(server, "in-front-async", **rights)
        )
        words = ("second", "", "second", "")
        pairs = list(zip(words, make_people(4), strict=True))
        items = [
            arrangement.build_item(word, person, fa=person.fa) for word, person in pairs
        ]
        message = client.build_message("link", build_items(items))
        assert client.send_asynchronously("link", message).ok
        (callback,) = receiver.wait(1)
        found = callback["document"]["message"]["link_response"]
        assert [(each["id"], each["status"]) for each in found] == [
            (item["id"], "succ") for item in items
        ]


def test_a_worker_that_is_killed_while_it_waits_loses_nothing(arrangement):
    """Another worker takes the message; the mapper is asked again."""
    server, stub = arrangement.server, arrangement.stub
    (person,) = make_people(1)
    with receiving() as receiver, server.expecting("."):
        rights = {**FULL, "callback_url": receiver.url}
        sender = make_participant(server, "in-front-kill", **rights)
        client = Client(server.api, sender)
        item = arrangement.build_item("second", person, fa=person.fa)
        message = client.build_message("link", build_items([item]))
        stub.delay = 0.8 * TIMEOUT
        with running_workers(server) as keeper:
            stub.is_busy.clear()
            client.send_asynchronously("link", message)
            assert stub.is_busy.wait(120)
            killed = get_children(keeper.odoo.pid)
            kill(killed)
            stub.delay = 0
            wait_for_workers(server, 2, killed)
            assert server.query(
                """UPDATE spar_message SET next_try = now() AT TIME ZONE 'UTC'
                    WHERE message_id = %s AND state = 'waiting' RETURNING attempts""",
                message["header"]["message_id"],
            ) == [(1,)]
            # Another message wakes the workers.
            item = arrangement.build_item("", make_people(1)[0])
            again = client.build_message("resolve", build_items([item]))
            client.send_asynchronously("resolve", again)
            first, _second = receiver.wait(2)
    assert first["path"].endswith("/on-link"), "the order is kept"
    assert stub.fas[f"second:{person.value}"] == person.fa
    assert stub.count_items("link") >= 2


def test_many_messages_side_by_side(arrangement):
    """Mixed messages from many threads: every item gets its own answer."""
    rounds, threads = 5, 6
    errors: list = []

    def work(number: int) -> None:
        client = Client(arrangement.client.api, arrangement.client.participant)
        for _round in range(rounds):
            pairs = list(zip(("", "second"), make_people(2), strict=True))
            items = [
                arrangement.build_item(word, person, fa=person.fa)
                for word, person in pairs
            ]
            answers = client.link(items)
            queries = [{"id": item["id"], "scope": "details"} for item in items]
            found = client.resolve(queries)
            if [each.get("fa") for each in found] != [item["fa"] for item in items]:
                errors.append((number, answers, found))

    workers = [threading.Thread(target=work, args=(n,)) for n in range(threads)]
    for each in workers:
        each.start()
    for each in workers:
        each.join()
    assert not errors, errors[0]
