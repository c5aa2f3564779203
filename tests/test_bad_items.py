"""Answers to bad items: each names the member; the good items are processed."""

import json

import pytest

from .answers import check_item
from .backend import EVERY_RIGHT, make_participant
from .client import Client, build_items, get_timestamp
from .people import make_account, make_people


@pytest.fixture(scope="module")
def strict(server):
    """Return a participant of the strict profile with every right."""
    return Client(server.api, make_participant(server, "bad-items", **EVERY_RIGHT))


# === ITEMS: THE GOOD ONES OF THE SAME BATCH ARE DONE === #

ID_CODE, FA_CODE = "rjct.id.invalid", "rjct.fa.invalid"
BAD_ITEMS = [
    *[({"id": bad}, ID_CODE, "id:") for bad in ("", None, 7, [], {}, "\x00", "a\nb")],
    *[
        ({"id": bad}, ID_CODE, "id:")
        for bad in ("x" * 100_000, "a\u200bb", " ", "\u202e")
    ],
    *[
        ({"id": bad}, ID_CODE, "id:")
        for bad in ("token:{sub}@nationalId", "token:4711", "null", "1.23E+11")
    ],
    *[
        ({"fa": bad}, FA_CODE, "fa:")
        for bad in ("null", "account:undefined@BR01.DEMO", "account:{n}@br01.demo")
    ],
    *[
        ({"fa": bad}, FA_CODE, "fa:")
        for bad in ("", None, 7, [], "x" * 100_000, "a\tb")
    ],
    ({"timestamp": None}, "rjct.timestamp.invalid", "timestamp:"),
    ({"timestamp": "now"}, "rjct.timestamp.invalid", "timestamp:"),
    ({"timestamp": "2026-01-01 10:00:00"}, "rjct.timestamp.invalid", "timestamp:"),
    ({"reference_id": ""}, "rjct.reference_id.invalid", "reference_id:"),
    ({"reference_id": None}, "rjct.reference_id.invalid", "reference_id:"),
    ({"reference_id": "good-0"}, "rjct.reference_id.duplicate", "reference_id:"),
    ({"name": 7}, "rjct.name.invalid", "name:"),
    ({"name": "x" * 100_000}, "rjct.name.invalid", "name:"),
    ({"phone_number": []}, "rjct.mobile_number.invalid", "phone_number:"),
    ({"additional_info": "x"}, "rjct.other.error", "additional_info:"),
    ({"additional_info": [{"key": 1}]}, "rjct.other.error", "additional_info:"),
]


def build_bad(changed: dict) -> dict:
    (person,) = make_people(1)
    item = {"reference_id": "bad", "timestamp": get_timestamp(), **person.linked}
    return {**item, **changed}


def test_bad_items_are_named_and_the_good_ones_are_linked(strict):
    good = make_people(len(BAD_ITEMS))
    items = []
    for number, (person, (changed, _code, _member)) in enumerate(
        zip(good, BAD_ITEMS, strict=True)
    ):
        items += build_items([{**person.linked, "reference_id": f"good-{number}"}])
        items.append(build_bad({"reference_id": f"bad-{number}", **changed}))
    # NUL and lone surrogates stop the message before it is processed.
    clean = json.loads(json.dumps(items).replace("\\u0000", "\\u0001"))
    answer = strict.send("link", strict.build_message("link", clean))
    assert answer.status_code == 200, answer.text[:500]
    answers = answer.json()["message"]["link_response"]
    assert [item["status"] for item in answers[::2]] == ["succ"] * len(good)
    for item, (_changed, code, member) in zip(answers[1::2], BAD_ITEMS, strict=True):
        check_item(item, code, member)
    found = strict.resolve([person.resolve_item for person in good])
    assert [item["fa"] for item in found] == [person.fa for person in good]


@pytest.mark.parametrize("item", [7, None, "x", [], True])
def test_item_that_is_not_an_object_is_the_only_one_rejected(strict, item):
    (person,) = make_people(1)
    items = [item, *build_items([person.linked])]
    answer = strict.send("link", strict.build_message("link", items))
    bad, good = answer.json()["message"]["link_response"]
    assert bad["status"] == "rjct"
    assert good["status"] == "succ"


@pytest.mark.parametrize("scope", ["all", 7, None, []])
def test_unknown_scope_is_rejected(strict, scope):
    (answer,) = strict.resolve([{"id": "token:1@nationalId", "scope": scope}])
    check_item(answer, "rjct.resolve_type.not_supported", "scope:")


def test_item_without_id_and_address_is_rejected(strict):
    check_item(strict.resolve([{"scope": "details"}])[0], ID_CODE, "id:")


# === REFUSALS OF THE STORE === #


def test_duplicate_id_in_a_batch_gets_two_answers(strict):
    first, second = make_people(2)
    twice = first.with_account(make_account())
    answers = strict.link([first.linked, second.linked, twice])
    assert [item["status"] for item in answers] == ["succ", "succ", "rjct"]
    assert answers[2]["status_reason_code"] == ID_CODE
    assert strict.resolve([first.resolve_item])[0]["fa"] == first.fa


@pytest.mark.parametrize("same", [True, False])
def test_link_of_a_linked_id_changes_nothing(strict, same):
    person, other = make_people(2)
    strict.link([person.linked])
    again = person.linked if same else person.with_account(make_account())
    bad, good = strict.link([again, other.linked])
    where = "already linked to this" if same else "linked to another"
    check_item(bad, ID_CODE, f"The ID is {where} address")
    assert good["status"] == "succ"
    assert strict.resolve([person.resolve_item])[0]["fa"] == person.fa


@pytest.mark.parametrize("operation", ["update", "unlink"])
def test_change_of_an_unknown_id_is_the_only_one_rejected(strict, operation):
    known, unknown = make_people(2)
    strict.link([known.linked])
    bad, good = strict.call(operation, [unknown.linked, known.linked])
    check_item(bad, ID_CODE, "The ID is not linked")
    assert good["status"] == "succ"


def test_unlink_with_another_address_ends_nothing(strict):
    person, other = make_people(2)
    strict.link([person.linked, other.linked])
    wrong = person.with_account(make_account())
    bad, good = strict.unlink([wrong, other.linked])
    check_item(bad, FA_CODE, "fa:")
    assert good["status"] == "succ"
    assert strict.resolve([person.resolve_item])[0]["fa"] == person.fa


def test_lenient_profile_accepts_messages_of_openg2p(programme):
    (person,) = make_people(1)
    items = [{"reference_id": "string", "timestamp": "2024-08-08 12:34:56.789"}]
    items[0] |= {**person.linked, "name": None, "additional_info": [{"strategy_id": 3}]}
    message = programme.build_message("link", items, total_count=0)
    (item,) = programme.send("link", message).json()["message"]["link_response"]
    assert item["status"] == "succ"
