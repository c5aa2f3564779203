"""Answers against the published contract, if its files lie beside the project.

The files are not copied into the project. The published form rejects every sensible
message (g2p-connect.md 6.3): the overlay below is the one of that page, and nothing
more.
"""

import copy
import json
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft4Validator

from .backend import get_backend, make_participant
from .client import Client, build_items

SPECIFICATION = Path(__file__).parents[2] / "shared/g2p-connect-spec/release/yaml"
OPERATIONS = ("link", "update", "unlink", "resolve")
SYNC = "/mapper/sync/"
#: Codes for cases that the published lists have no code for (6.1, A5 and A6).
MORE_CODES = ["rjct.id.invalid", "rjct.fa.invalid", "rjct.mobile_number.invalid"]

pytestmark = pytest.mark.skipif(
    not SPECIFICATION.is_dir(), reason="the specification lies not beside the project"
)


def overlay(document: dict) -> dict:
    """Return the contract with its defects corrected, by the six points of 6.3."""
    schemas = document["components"]["schemas"]
    for operation in OPERATIONS:
        post = document["paths"][f"{SYNC}{operation}"]["post"]
        set_action(get_json(post["requestBody"]), operation)
        set_action(get_json(post["responses"]["default"]), f"on-{operation}")
    update = schemas["UpdateResponse"]["properties"]["update_response"]["items"]
    fa = {"$ref": "#/components/schemas/cdpi_FinancialAddress"}
    update["properties"]["fa"] = fa
    schemas["AttributeValue"]["anyOf"] = schemas["AttributeValue"].pop("oneOf")
    status = schemas["TxnStatusRequest"]["properties"]["txnstatus_request"]
    value = status["properties"]["attribute_value"]
    value["anyOf"] = value.pop("oneOf")
    error = document["components"]["responses"]["HttpErrorResponse"]
    get_json(error)["properties"]["errors"]["type"] = "array"
    schemas["LanguageCode"]["pattern"] = "^[a-z]{2,3}$"
    for name in ("Update", "Unlink"):
        schemas[f"{name}StatusReasonCode"]["enum"] += MORE_CODES
    return document


def get_json(part: dict) -> dict:
    return part["content"]["application/json"]["schema"]


def set_action(schema: dict, action: str) -> None:
    schema["properties"]["header"]["allOf"][1]["properties"]["action"]["enum"] = [
        action
    ]


@pytest.fixture(scope="module")
def contract() -> dict:
    path = SPECIFICATION / "mapper_core_api_v1.0.0.yaml"
    return overlay(yaml.safe_load(path.read_text()))


@pytest.fixture(scope="module")
def token_contract() -> dict:
    return yaml.safe_load((SPECIFICATION / "authz_core_api_v1.0.0.yaml").read_text())


def check(document: dict, schema: dict, instance: object) -> None:
    """Fail unless ``instance`` matches ``schema`` of the contract ``document``."""
    schema = {**copy.deepcopy(schema), "components": document["components"]}
    errors = [
        f"{'/'.join(map(str, error.absolute_path))}: {error.message}"
        for error in Draft4Validator(schema).iter_errors(instance)
    ]
    assert not errors, "\n".join(errors)


def check_answer(contract: dict, operation: str, answer: dict) -> None:
    post = contract["paths"][f"{SYNC}{operation}"]["post"]
    check(contract, get_json(post["responses"]["default"]), answer)


def check_error(contract: dict, answer: dict) -> None:
    error = contract["components"]["responses"]["HttpErrorResponse"]
    check(contract, get_json(error), answer)


def exchange(contract: dict, client: Client, operation: str, values: list) -> dict:
    """Return the answer to a message; both must match the contract."""
    message = client.build_message(operation, build_items(values))
    post = contract["paths"][f"{SYNC}{operation}"]["post"]
    check(contract, get_json(post["requestBody"]), message)
    answer = client.send(operation, message).json()
    check_answer(contract, operation, answer)
    return answer


def build_address(key: str) -> str:
    return f"account:0001-{key}@BR01.DEMO"


def build_person(key: str, **members) -> dict:
    fa = build_address(key)
    return {"id": f"token:contract-{key}@nationalId", "fa": fa, **members}


def test_contract_can_fail(contract, bank):
    answer = exchange(contract, bank, "resolve", [{"id": "token:none@nationalId"}])
    for spoil in (
        lambda document: document["header"].pop("message_id"),
        lambda document: document["header"].update(status="fine"),
        lambda document: document["message"]["resolve_response"][0].pop("status"),
    ):
        spoiled = copy.deepcopy(answer)
        spoil(spoiled)
        with pytest.raises(AssertionError):
            check_answer(contract, "resolve", spoiled)


def test_link_and_update_of_an_institution(contract, bank):
    info = [{"name": "batch", "value": 7}]
    people = [
        build_person("one", name="A B", phone_number="+1 604 555", locale="eng"),
        build_person("two", additional_info=info),
    ]
    answer = exchange(contract, bank, "link", people)
    assert answer["header"]["status"] == "succ", json.dumps(answer["header"])
    again = exchange(contract, bank, "link", people)
    assert again["header"]["status_reason_code"] == "rjct.errors.too_many"
    exchange(contract, bank, "update", [build_person("one", fa=build_address("9"))])
    unknown = exchange(contract, bank, "update", [build_person("nobody")])
    (item,) = unknown["message"]["update_response"]
    assert item["status_reason_code"] == "rjct.id.invalid"


def test_unlink_and_its_refusals(contract, server):
    rights = {"may_link": 1, "may_unlink": 1, "scope": "details"}
    client = Client(server.api, make_participant(server, "contract", **rights))
    people = [build_person("leaving"), build_person("staying")]
    exchange(contract, client, "link", people)
    wrong = build_person("staying", fa=build_address("other"))
    items = [{"id": people[0]["id"]}, wrong, {"id": "token:none@nationalId"}]
    answer = exchange(contract, client, "unlink", items)
    codes = [
        item.get("status_reason_code") for item in answer["message"]["unlink_response"]
    ]
    assert codes == [None, "rjct.fa.invalid", "rjct.id.invalid"]
    exchange(contract, client, "resolve", people)
    backend = get_backend(server, "officer")
    backend.act_on("suspend", people[1]["id"])
    suspended = exchange(contract, client, "resolve", [{"id": people[1]["id"]}])
    (item,) = suspended["message"]["resolve_response"]
    assert item["status_reason_code"] == "succ.fa.inactive"


def test_resolve_in_every_way(contract, bank, payer):
    exchange(contract, bank, "link", [build_person("three")])
    item = {"id": "token:contract-three@nationalId"}
    exchange(contract, bank, "resolve", [item, {"id": "token:none@nationalId"}])
    for client in (bank, payer):
        exchange(contract, client, "resolve", [{**item, "scope": "details"}])
        exchange(contract, client, "resolve", [build_person("three")])
        exchange(contract, client, "resolve", [{"fa": build_address("three")}])


def test_rejected_headers(contract, bank):
    items = build_items([build_person("four")])
    for header in (
        {"version": "9"},
        {"action": "update"},
        {"action": "pay"},
        {"total_count": 7},
        {"message_ts": "yesterday"},
    ):
        answer = bank.send("link", bank.build_message("link", items, **header)).json()
        assert answer["header"]["status"] == "rjct"
        check_answer(contract, "link", answer)


def test_http_errors(contract, bank, payer):
    items = build_items([build_person("five")])
    message = bank.build_message("link", items)
    for answer, status in (
        (bank.post(f"{SYNC}link", data=b"{"), 400),
        (bank.post(f"{SYNC}link", json=message, headers={"Authorization": ""}), 401),
        (payer.send("link", payer.build_message("link", items)), 403),
        (bank.post("/nothing", json={}), 404),
        (bank.post(f"{SYNC}link", data=b"{}", headers={"Content-Type": "a/b"}), 415),
    ):
        assert answer.status_code == status
        check_error(contract, answer.json())


def test_token(token_contract, bank):
    post = token_contract["paths"]["/oauth2/client/token"]["post"]
    schema = get_json(post["responses"]["200"])
    check(token_contract, schema, bank.request_token().json())
