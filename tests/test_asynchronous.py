"""Asynchronous messages and their callbacks between real processes."""

import json
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from examples.payer.callbacks import Listener, send, wait_for_callback
from examples.payer.signatures import verify_answer

from .backend import EVERY_RIGHT, change_participant, get_backend, make_participant
from .callbacks import Receiver, acknowledge, receiving
from .client import Client, build_items
from .people import make_people
from .workers import running_workers

THREADS = 8


@pytest.fixture(scope="module", autouse=True)
def workers(server):
    with running_workers(server) as keeper:
        yield keeper


def make_client(server, name: str, callback: str = "", **values) -> Client:
    rights = {**EVERY_RIGHT, "callback_url": callback, **values}
    return Client(server.api, make_participant(server, name, **rights))


def queue(client: Client, message: dict) -> dict:
    """Return the acknowledgement of a message."""
    action = message["header"]["action"].replace("txn-", "txn/")
    answer = client.post(f"/mapper/{action}", json=message)
    assert answer.status_code == 200, answer.text
    return answer.json()["message"]


def queue_link(client: Client, person) -> dict:
    """Return the message that was accepted."""
    message = client.build_message("link", build_items([person.linked]))
    assert queue(client, message)["ack_status"] == "ACK"
    return message


def count_events(server, message: dict) -> int:
    """Return how often a message changed something."""
    name = message["header"]["message_id"]
    found = server.query(
        "SELECT count(*) FROM spar_event WHERE message_reference = %s", name
    )
    return found[0][0]


def wait_for_problem(server, client: Client, problem: str) -> None:
    """Return when a callback of a participant has failed for this reason."""
    end = time.monotonic() + 90
    seen = []
    while [problem] not in seen:
        assert time.monotonic() < end, seen
        time.sleep(0.1)
        seen = [
            list(row)
            for row in server.query(
                """SELECT c.problem FROM spar_callback c
                     JOIN spar_participant p ON p.id = c.participant_id
                    WHERE p.sender_id = %s AND c.state = 'waiting'""",
                client.participant.sender_id,
            )
        ]


def try_again(server, client: Client) -> None:
    """Make a participant's callbacks due; another message wakes the workers.

    :raises AssertionError: when there were no pending ones
    """
    made_due = server.query(
        """UPDATE spar_callback SET next_try = since WHERE state = 'waiting'
              AND participant_id = (SELECT id FROM spar_participant
                                     WHERE sender_id = %s) RETURNING id""",
        client.participant.sender_id,
    )
    assert made_due
    queue_link(client, make_people(1)[0])


# === THE SAME MESSAGE AT THE SAME TIME === #


def send_together(client: Client, path: str, message: dict) -> list[dict]:
    """Send one message from many threads at once; return the answers.

    These are header and message only (a signature is made anew for each answer).
    """
    message = client.key.sign_message(message)
    token = client.get_token()

    def send(_number: int) -> dict:
        other = Client(client.api, client.participant)
        headers = {"Authorization": f"Bearer {token}"}
        answer = other.session.post(
            f"{client.api}{path}", json=message, headers=headers, timeout=60
        )
        assert answer.status_code == 200, answer.text
        return {**answer.json(), "signature": ""}

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(send, range(THREADS)))


def test_parallel_sends_have_one_effect_and_one_answer(server):
    client = make_client(server, "parallel")
    for _round in range(5):
        people = make_people(20)
        items = build_items([person.linked for person in people])
        message = client.build_message("link", items)
        answers = send_together(client, "/mapper/sync/link", message)
        assert all(answer == answers[0] for answer in answers)
        assert answers[0]["header"]["status"] == "succ"
        assert count_events(server, message) == len(people)


def test_parallel_sends_of_an_asynchronous_message_have_one_effect(server):
    with receiving() as receiver:
        client = make_client(server, "parallel-async", receiver.url)
        (person,) = make_people(1)
        message = client.build_message("link", build_items([person.linked]))
        acks = send_together(client, "/mapper/link", message)
        names = {ack["message"]["correlation_id"] for ack in acks}
        assert len(names) == 1
        (callback,) = receiver.wait(1)
        assert callback["document"]["message"]["correlation_id"] in names
        assert count_events(server, message) == 1
        time.sleep(2)
        assert len(receiver.received) == 1


# === FROM MESSAGE TO CALLBACK === #


def test_operations_are_answered_in_order(server):
    with receiving() as receiver:
        client = make_client(server, "whole-path", receiver.url)
        (person,) = make_people(1)
        sent = [
            client.build_message(operation, build_items([item]))
            for operation, item in (
                ("link", person.linked),
                ("update", person.with_account("12345678")),
                ("resolve", person.resolve_item),
                ("unlink", {"id": person.id}),
                ("resolve", person.resolve_item),
            )
        ]
        acks = [queue(client, message) for message in sent]
        callbacks = receiver.wait(len(sent))
        paths = [each["path"].rpartition("/")[2] for each in callbacks]
        assert paths == ["on-link", "on-update", "on-resolve", "on-unlink"] + [
            "on-resolve"
        ]
        documents = receiver.get_documents()
        correlations = [d["message"]["correlation_id"] for d in documents]
        assert correlations == [ack["correlation_id"] for ack in acks]
        found, gone = documents[2], documents[4]
        assert found["message"]["resolve_response"][0]["fa"].startswith(
            "account:12345678"
        )
        code = gone["message"]["resolve_response"][0]["status_reason_code"]
        assert code == "succ.id.not_found"


def test_status_is_answered_synchronously_and_by_callback(server):
    with receiving() as receiver:
        client = make_client(server, "asks-status", receiver.url)
        (person,) = make_people(1)
        ack = queue(client, client.build_message("link", build_items([person.linked])))
        receiver.wait(1)
        message = client.build_message("txn-status", [], total_count=1)
        message["message"] = {
            "transaction_id": "about-it",
            "txnstatus_request": {
                "reference_id": "q",
                "txn_type": "link",
                "attribute_type": "correlation_id",
                "attribute_value": ack["correlation_id"],
            },
        }
        for path in ("/mapper/sync/txn/status", "/registry/sync/txn/status"):
            answer = client.post(path, json=message).json()
            status = answer["message"]["txnstatus_response"]["txn_status"]
            assert status["link_response"][0]["status"] == "succ"
        assert queue(client, message)["ack_status"] == "ACK"
        callback = receiver.wait(2)[1]
        assert callback["path"].endswith("/txn/on-status")
        later = callback["document"]["message"]["txnstatus_response"]["txn_status"]
        assert later == status


def test_participants_do_not_wait_for_each_other(server):
    """A slow target delays only its own callbacks."""

    def dawdle(path, number):
        time.sleep(6)
        return acknowledge(path, number)

    with receiving(dawdle) as slow, receiving() as fast:
        slow_client = make_client(server, "slow-target", slow.url)
        fast_client = make_client(server, "fast-target", fast.url)
        for person in make_people(3):
            queue_link(slow_client, person)
        slow.wait(1)
        begin = time.monotonic()
        for person in make_people(5):
            queue_link(fast_client, person)
        fast.wait(5, seconds=30)
        assert time.monotonic() - begin < 6
        assert len(slow.received) < 3
        slow.wait(3)


# === TARGETS THAT MISBEHAVE === #


def test_callback_is_delivered_when_the_target_is_back(server):
    receiver = Receiver()
    client = make_client(server, "down-target", receiver.url)
    receiver.close()
    (person,) = make_people(1)
    message = queue_link(client, person)
    wait_for_problem(server, client, "unreachable")
    again = Receiver()
    change_participant(server, "down-target.example", callback_url=again.url)
    try_again(server, client)
    # The message that woke the workers is answered there, too.
    received = {c["document"]["message"]["transaction_id"] for c in again.wait(2)}
    assert message["message"]["transaction_id"] in received
    again.close()


@pytest.mark.parametrize(
    ("name", "behave", "problem"),
    [
        (
            "redirecting",
            lambda path, number: (307, {"Location": "http://127.0.0.1:1/x"}, b""),
            "redirected",
        ),
        ("page", lambda path, number: (200, {}, b"<html>hi"), "no_acknowledgement"),
        ("endless", lambda path, number: (200, {}, b"x" * 10**6), "answer_too_large"),
        ("broken", lambda path, number: (500, {}, b"no"), "http_500"),
        (
            "refusing",
            lambda path, number: (
                200,
                {},
                json.dumps({"message": {"ack_status": "ERR"}}).encode(),
            ),
            "not_accepted",
        ),
    ],
)
def test_callback_is_retried_without_acknowledgement(server, name, behave, problem):
    with receiving(behave) as receiver:
        client = make_client(server, f"target-{name}", receiver.url)
        (person,) = make_people(1)
        queue_link(client, person)
        wait_for_problem(server, client, problem)
        receiver.behave = acknowledge
        before = len(receiver.received)
        try_again(server, client)
        receiver.wait(before + 2)
        times = Counter(d["header"]["message_id"] for d in receiver.get_documents())
        assert sorted(times.values()) == [1, before + 1]


def test_target_that_never_answers_times_out(server):
    def hang(path, number):
        time.sleep(14)
        return acknowledge(path, number)

    with receiving(hang) as receiver:
        client = make_client(server, "hanging", receiver.url)
        queue_link(client, make_people(1)[0])
        wait_for_problem(server, client, "too_slow")


def test_callback_target_is_called_with_a_token(server):
    with receiving() as receiver:
        token_url = receiver.url.replace("/callback", "/token")
        settings = {"callback_auth": "oauth2", "callback_token_url": token_url}
        client = make_client(
            server,
            "with-token",
            receiver.url,
            **{**settings, "callback_client_id": "spar", "callback_secret": "hidden"},
        )
        for person in make_people(5):
            queue_link(client, person)
        headers = {each["headers"]["Authorization"] for each in receiver.wait(5)}
        # Each of the two workers keeps the token that it received.
        assert receiver.tokens_given == len(headers) <= 2
        assert headers <= {"Bearer token-1", "Bearer token-2"}


def test_message_cannot_redirect_its_answer(server):
    with receiving() as agreed, receiving() as other:
        client = make_client(server, "elsewhere", agreed.url)
        items = build_items([make_people(1)[0].linked])
        message = client.build_message("link", items, sender_uri=other.url)
        answer = client.post("/mapper/link", json=message)
        assert answer.status_code == 403
        assert answer.json()["errors"][0]["code"] == "err.sender_uri.invalid"
        assert count_events(server, message) == 0
        assert not other.received


def test_refusals_are_stored_with_their_reason_and_no_body(server):
    client = make_client(server, "refused-often", may_unlink=0)
    (person,) = make_people(1)
    items = build_items([person.linked])
    refused = [
        client.post("/mapper/sync/link", data=f'{{"id": "{person.id}"'.encode()),
        client.send("unlink", client.build_message("unlink", items)),
        client.send("link", client.build_message("link", items, sender_id="x")),
        client.send("link", client.build_message("link", items, receiver_id="x")),
    ]
    assert [answer.status_code for answer in refused] == [400, 403, 403, 403]
    client.send("link", client.build_message("link", items, message_ts="2020"))
    found = get_backend(server, "auditor").find(
        "spar.message",
        [
            ("participant_id.sender_id", "=", client.participant.sender_id),
            ("state", "=", "refused"),
        ],
        "reason_code",
        "reason",
        "message_id",
        order="id",
    )
    assert [row["reason_code"] for row in found] == [
        "err.request.bad",
        "err.request.forbidden",
        "err.sender_id.invalid",
        "err.receiver_id.invalid",
        "rjct.message_ts.invalid",
    ]
    assert person.value not in str(found)


def test_example_payer_receives_its_callback(server):
    listener = Listener(0)
    try:
        url = f"http://127.0.0.1:{listener.port}/callback"
        client = make_client(server, "readme-payer", url)
        ack = send(client, "link", [make_people(1)[0].linked])
        assert ack["message"]["ack_status"] == "ACK"
        correlation_id = ack["message"]["correlation_id"]
        callback = wait_for_callback(client, listener, correlation_id)
    finally:
        listener.close()
    callback["message"]["link_response"][0]["status"] = "rjct"
    assert not verify_answer(callback, client.fetch_keys())
