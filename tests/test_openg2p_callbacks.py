"""Callbacks reach participants with only the paths of OpenG2P 1.x, in any profile."""

import json
import time

import pytest

from .backend import EVERY_RIGHT, get_backend, make_participant
from .callbacks import receiving
from .client import Client, build_items, get_timestamp
from .people import make_people
from .workers import running_workers

#: OpenG2P 1.x posts to `<sender_uri>/on-<action>`; a query about a transaction is
#: answered where the specification says (openg2p-spar.md 1.5, g2p-connect.md 1.1).
PATHS = {
    **{action: f"on-{action}" for action in ("link", "update", "resolve", "unlink")},
    "txn-status": "txn/on-status",
}
SPECIFIED, OPENG2P = "/mapper", "/mapper/async"


@pytest.fixture(scope="module", autouse=True)
def workers(server):
    with running_workers(server) as keeper:
        yield keeper


def answer_as_openg2p(path: str, _number: int) -> tuple[int, dict, bytes]:
    """Return the answer of an OpenG2P 1.x receiver: 404 to any path but its own."""
    if path in {f"/callback/{place}" for place in PATHS.values()}:
        ack = {"message": {"ack_status": "ACK", "timestamp": get_timestamp()}}
        return 200, {}, json.dumps(ack).encode()
    return 404, {}, b'{"detail": "Not Found"}'


def get_profiles(server) -> list[str]:
    """Return every profile that an administrator can choose."""
    backend = get_backend(server, "administrator")
    fields = backend.call("spar.participant", "fields_get", ["profile"], ["selection"])
    return [code for code, _label in fields["profile"]["selection"]]


def build_question(client: Client, transaction_id: str) -> dict:
    message = client.build_message("txn-status", [], total_count=1)
    message["message"] = {
        "transaction_id": "a question",
        "txnstatus_request": {
            "reference_id": "q",
            "txn_type": "link",
            "attribute_type": "transaction_id",
            "attribute_value": transaction_id,
        },
    }
    return message


def build_messages(client: Client) -> dict[str, dict]:
    """Return a message for each action, in an order in which each succeeds."""
    (person,) = make_people(1)
    items = {
        "link": person.linked,
        "update": person.with_account("12345678"),
        "resolve": person.resolve_item,
        "unlink": {"id": person.id},
    }
    messages = {
        action: client.build_message(action, build_items([item], get_timestamp()))
        for action, item in items.items()
    }
    asked = messages["link"]["message"]["transaction_id"]
    return {**messages, "txn-status": build_question(client, asked)}


def count_delivered(server, client: Client) -> int:
    rows = server.query(
        """SELECT count(*) FROM spar_callback c
             JOIN spar_participant p ON p.id = c.participant_id
            WHERE p.sender_id = %s AND c.state = 'delivered'""",
        client.participant.sender_id,
    )
    return rows[0][0]


def wait_until_delivered(server, client: Client, count: int) -> None:
    end = time.monotonic() + 60
    while count_delivered(server, client) < count:
        assert time.monotonic() < end, count_delivered(server, client)
        time.sleep(0.1)


@pytest.mark.parametrize("way", [SPECIFIED, OPENG2P], ids=["specified", "openg2p"])
def test_callbacks_arrive_at_the_paths_of_openg2p(server, way):
    for profile in get_profiles(server):
        name = f"{profile.replace('.', '-')}-{way.count('/')}"
        with receiving(answer_as_openg2p) as receiver:
            rights = {**EVERY_RIGHT, "profile": profile, "callback_url": receiver.url}
            client = Client(server.api, make_participant(server, name, **rights))
            messages = build_messages(client)
            for action, message in messages.items():
                place = SPECIFIED if action == "txn-status" else way
                path = f"{place}/{action.replace('txn-', 'txn/')}"
                answer = client.post(path, json=message)
                assert answer.status_code == 200, (profile, action, answer.text)
            callbacks = receiver.wait(len(messages))
            paths = [each["path"] for each in callbacks]
            assert paths == [f"/callback/{PATHS[action]}" for action in messages]
            assert {each["document"]["header"]["status"] for each in callbacks} == {
                "succ"
            }
            wait_until_delivered(server, client, len(messages))
