"""Acknowledgements, callbacks and status against the published contract."""

import pytest

from .backend import EVERY_RIGHT, make_participant
from .callbacks import receiving
from .client import Client, build_items
from .people import make_people
from .test_contract import (
    SPECIFICATION,
    build_person,
    check,
    check_error,
    contract,
    get_json,
)
from .workers import running_workers

__all__ = ["contract"]
pytestmark = pytest.mark.skipif(
    not SPECIFICATION.is_dir(), reason="the specification lies not beside the project"
)


@pytest.fixture(scope="module")
def exchanged(server, contract):
    """Yield a client with its receiver, whose traffic must match the contract."""
    with running_workers(server), receiving() as receiver:
        rights = {**EVERY_RIGHT, "callback_url": receiver.url}
        participant = make_participant(server, "contract-async", **rights)
        yield Client(server.api, participant), receiver


def check_ack(contract: dict, document: dict, status: str) -> None:
    check(contract, get_json(contract["components"]["responses"]["Response"]), document)
    assert document["message"]["ack_status"] == status


def check_callback(contract: dict, path: str, document: dict) -> None:
    post = contract["paths"][f"/mapper/{path}"]["post"]
    check(contract, get_json(post["requestBody"]), document)


def queue(contract: dict, client: Client, path: str, message: dict) -> dict:
    post = contract["paths"][f"/mapper/{path}"]["post"]
    check(contract, get_json(post["requestBody"]), message)
    answer = client.post(f"/mapper/{path}", json=message).json()
    check_ack(contract, answer, "ACK")
    return answer["message"]


def build_question(client: Client, attribute: str, value) -> dict:
    message = client.build_message("txn-status", [], total_count=1)
    message["message"] = {
        "transaction_id": "question",
        "txnstatus_request": {
            "reference_id": "q",
            "txn_type": "link",
            "attribute_type": attribute,
            "attribute_value": value,
        },
    }
    return message


def test_callbacks_match_the_contract(contract, exchanged):
    client, receiver = exchanged
    person = build_person("async")
    lookup = {"id": person["id"], "scope": "details"}
    acks = {}
    for operation, item in (
        ("link", person),
        ("update", build_person("async", fa="account:70007@BR01.DEMO")),
        ("resolve", lookup),
        ("unlink", {"id": person["id"]}),
        ("update", person),
    ):
        items = build_items([item])
        message = client.build_message(operation, items)
        acks[operation] = queue(contract, client, operation, message)
    callbacks = receiver.wait(5)
    for callback in callbacks:
        path = callback["path"].removeprefix("/callback/")
        check_callback(contract, path, callback["document"])
    rejected = callbacks[-1]["document"]
    assert rejected["header"]["status_reason_code"] == "rjct.errors.too_many"
    for attribute, value in (
        ("correlation_id", acks["link"]["correlation_id"]),
        ("reference_id_list", ["1"]),
    ):
        question = build_question(client, attribute, value)
        post = contract["paths"]["/registry/sync/txn/status"]["post"]
        check(contract, get_json(post["requestBody"]), question)
        answer = client.post("/registry/sync/txn/status", json=question)
        check(contract, get_json(post["responses"]["default"]), answer.json())
        queue(contract, client, "txn/status", question)
    for callback in receiver.wait(7)[5:]:
        check_callback(contract, "txn/on-status", callback["document"])


def test_refusals_match_the_contract(contract, server, exchanged):
    client, _receiver = exchanged
    items = build_items([make_people(1)[0].linked])
    for header in ({"version": "9"}, {"action": "pay"}, {"total_count": 5}):
        message = client.build_message("link", items, **header)
        answer = client.post("/mapper/link", json=message)
        check_ack(contract, answer.json(), "ERR")
    for body, status in ((b"{", 400), (b"[]", 400)):
        answer = client.post("/mapper/link", data=body)
        assert answer.status_code == status
        check_ack(contract, answer.json(), "ERR")
        check_error(contract, answer.json())
    lonely = Client(server.api, make_participant(server, "lonely", **EVERY_RIGHT))
    answer = lonely.post("/mapper/link", json=lonely.build_message("link", items))
    check_ack(contract, answer.json(), "NACK")
    headers = {"Authorization": "Bearer x"}
    answer = client.post("/mapper/link", json={}, headers=headers)
    assert answer.status_code == 401
    check_error(contract, answer.json())


def test_status_of_an_unknown_message_matches_the_contract(contract, exchanged):
    client, _receiver = exchanged
    question = build_question(client, "transaction_id", "never was")
    answer = client.post("/mapper/sync/txn/status", json=question).json()
    assert answer["header"]["status"] == "rjct"
    post = contract["paths"]["/registry/sync/txn/status"]["post"]
    check(contract, get_json(post["responses"]["default"]), answer)
