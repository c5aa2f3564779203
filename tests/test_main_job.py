"""The main job: link, resolve, change and end over REST, then view as staff."""

from contextlib import contextmanager

import pytest

from .backend import (
    EVERY_RIGHT,
    Refused,
    get_backend,
    let_staff_search_often,
    make_participant,
)
from .client import Client
from .people import make_account, make_card_holders, make_people

RIGHTS = {name: 1 for name in EVERY_RIGHT if name.startswith("may_")}


@pytest.fixture(scope="module", autouse=True)
def often(server):
    """Let staff search for all the people of these tests within an hour."""
    let_staff_search_often(server)


@pytest.fixture(scope="module")
def strict(server):
    """Return a participant of the strict profile with every right."""
    return Client(server.api, make_participant(server, "main-job", **EVERY_RIGHT))


ACCESS_ERROR = "odoo.exceptions.AccessError"
DIRECT_WRITE = "odoo.addons.spar_mapper.exceptions.DirectWriteRefused"


#: The code of each profile for an unknown ID.
NOT_FOUND = {"strict": "succ.id.not_found", "programme": "succ.fa.not_linked_to_id"}


@contextmanager
def refused(server, *names: str):
    """Require that the block is refused with one of these error classes, and logged."""
    logged = ("You are not allowed", "Exception during request handling")
    with server.expecting(*logged), pytest.raises(Refused) as refusal:
        yield
    assert refusal.value.name in names


def get_words(answers: list[dict]) -> set[tuple]:
    return {
        (answer["status"], answer.get("status_reason_code", "")) for answer in answers
    }


def check_resolved(client: Client, people, accounts) -> None:
    answers = client.resolve([person.resolve_item for person in people])
    assert get_words(answers) == {("succ", "succ.id.active")}
    wanted = [
        person.with_account(a)["fa"] for person, a in zip(people, accounts, strict=True)
    ]
    assert [answer["fa"] for answer in answers] == wanted
    assert [answer["id"] for answer in answers] == [person.id for person in people]


@pytest.mark.parametrize("profile", ["strict", "programme"])
def test_thousand_ids_go_through_their_life_in_one_call_each(profile, request):
    client = request.getfixturevalue(profile)
    people = make_people(1000)
    assert get_words(client.link([p.linked for p in people])) == {("succ", "")}
    check_resolved(client, people, [p.account for p in people])
    accounts = [make_account() for _person in people]
    changed = [p.with_account(a) for p, a in zip(people, accounts, strict=True)]
    assert get_words(client.update(changed)) == {("succ", "")}
    check_resolved(client, people, accounts)
    assert get_words(client.unlink([{"id": p.id} for p in people])) == {("succ", "")}
    answers = client.resolve([p.resolve_item for p in people])
    assert get_words(answers) == {("succ", NOT_FOUND[profile])}
    assert not any("fa" in answer for answer in answers)


def test_id_goes_through_its_life_in_calls_of_one(strict):
    for person in make_people(20):
        account = make_account()
        assert get_words(strict.link([person.linked])) == {("succ", "")}
        check_resolved(strict, [person], [person.account])
        assert get_words(strict.update([person.with_account(account)])) == {
            ("succ", "")
        }
        check_resolved(strict, [person], [account])
        assert get_words(strict.unlink([{"id": person.id}])) == {("succ", "")}
        assert get_words(strict.resolve([person.resolve_item])) == {
            ("succ", "succ.id.not_found")
        }


def test_answers_are_in_the_order_of_the_items(strict):
    people = make_people(50)
    items = [{**p.linked, "reference_id": f"ref-{p.value}"} for p in people]
    answers = strict.link(items)
    assert [a["reference_id"] for a in answers] == [a["reference_id"] for a in items]


def test_staff_find_what_was_linked_over_rest_by_its_exact_id_masked(server, strict):
    people = make_people(30)
    strict.link([p.linked for p in people])
    viewer = get_backend(server, "viewer")
    for person in people:
        found = viewer.find_mapping(person.id)
        assert found["state"] == "active"
        shown = str(found)
        assert person.value not in shown and person.account not in shown
        assert "•" in found["id_masked"] and "•" in found["fa_masked"]
        assert found["fa_masked"].startswith("Bank account •")


def test_staff_find_an_address_by_its_exact_text_only(server, strict):
    (person,) = make_people(1)
    strict.link([person.linked])
    viewer = get_backend(server, "viewer")
    by_fa = viewer.find("spar.mapping", [("fa_value", "=", person.fa)], "state")
    assert [found["state"] for found in by_fa] == ["active"]
    for name, part in (("fa_value", person.fa[:-1]), ("id_value", person.id[:-13])):
        assert viewer.find("spar.mapping", [(name, "=", part)], "state") == []


def test_staff_see_every_period_of_a_life(server, strict):
    (person,) = make_people(1)
    strict.link([person.linked])
    strict.update([person.with_account(make_account())])
    strict.unlink([{"id": person.id}])
    domain = [("id_value", "=", person.id)]
    viewer = get_backend(server, "viewer")
    (found,) = viewer.find("spar.mapping", domain, "state", "event_ids", "period_ids")
    assert found["state"] == "ended"
    assert (len(found["event_ids"]), len(found["period_ids"])) == (3, 3)
    periods = viewer.find("spar.mapping.period", domain, "state", order="seq")
    assert [p["state"] for p in periods] == ["active", "active", "ended"]


def test_change_by_an_officer_is_resolved_over_rest(server, strict):
    (person,) = make_card_holders(1)
    officer = get_backend(server, "officer")
    officer.act("link", id_value=person.id, fa_text=person.fa)
    check_resolved(strict, [person], [person.account])
    officer.act_on("suspend", person.id)
    (answer,) = strict.resolve([person.resolve_item])
    assert (answer["status_reason_code"], "fa" in answer) == ("succ.fa.inactive", False)
    officer.act_on("resume", person.id)
    account = make_account()
    officer.act_on("update", person.id, fa_text=person.with_account(account)["fa"])
    check_resolved(strict, [person], [account])
    officer.act_on("unlink", person.id)
    assert get_words(strict.resolve([person.resolve_item])) == {
        ("succ", "succ.id.not_found")
    }


@pytest.mark.parametrize("role", ["viewer", "supervisor", "auditor", "administrator"])
@pytest.mark.parametrize("operation", ["link", "suspend", "unlink"])
def test_only_an_officer_acts_for_a_person(server, strict, role, operation):
    (person,) = make_people(1)
    strict.link([person.linked])
    values = {"operation": operation, "reason": "curious", "id_value": person.id}
    with refused(server, ACCESS_ERROR):
        wizard = get_backend(server, role).call(
            "spar.mapping.wizard", "create", [values]
        )
        get_backend(server, role).call("spar.mapping.wizard", "action_confirm", wizard)
    check_resolved(strict, [person], [person.account])


@pytest.mark.parametrize("role", ["viewer", "officer", "supervisor", "administrator"])
def test_only_an_auditor_reveals(server, strict, role):
    (person,) = make_people(1)
    strict.link([person.linked])
    row_id = get_backend(server, "viewer").find_mapping(person.id)["id"]
    values = {"mapping_id": row_id, "reason": "curious"}
    with refused(server, ACCESS_ERROR):
        get_backend(server, role).call("spar.reveal.wizard", "create", [values])


def test_reveal_is_recorded(server, strict):
    (person,) = make_people(1)
    strict.link([person.linked])
    auditor = get_backend(server, "auditor")
    row_id = auditor.find_mapping(person.id)["id"]
    shown = {}
    for what in ("id", "fa"):
        values = {"mapping_id": row_id, "reason": "complaint 12", "what": what}
        (wizard,) = auditor.call("spar.reveal.wizard", "create", [values])
        auditor.call("spar.reveal.wizard", "action_reveal", [wizard])
        names = ["id_value", "fa_value"]
        (read,) = auditor.call("spar.reveal.wizard", "read", [wizard], names)
        # One at a time.
        assert [name for name in names if read[name]] == [f"{what}_value"]
        shown |= {f"{what}_value": read[f"{what}_value"]}
    # The type and the provider of an ID are stored folded.
    assert shown["id_value"].casefold() == person.id.casefold()
    assert person.value in shown["id_value"]
    assert shown["fa_value"] == person.fa
    domain = [("mapping_id", "=", row_id), ("kind", "=", "revealed")]
    events = auditor.find("spar.event", domain, "reason", "message_reference")
    assert {event["reason"] for event in events} == {"complaint 12"}
    assert {event["message_reference"] for event in events} == {"id", "address"}


@pytest.mark.parametrize(
    "role", ["viewer", "officer", "supervisor", "auditor", "administrator", "odoo"]
)
@pytest.mark.parametrize("method", ["create", "write", "unlink"])
def test_remote_calls_cannot_write_the_store(server, strict, role, method):
    (person,) = make_people(1)
    strict.link([person.linked])
    row_id = get_backend(server, "viewer").find_mapping(person.id)["id"]
    words = {"create": [{}], "write": [[row_id], {"state": "ended"}]}
    with refused(server, ACCESS_ERROR, DIRECT_WRITE):
        get_backend(server, role).call(
            "spar.mapping", method, *words.get(method, [[row_id]])
        )
    check_resolved(strict, [person], [person.account])


@pytest.mark.parametrize("role", ["viewer", "officer", "auditor", "supervisor"])
def test_only_an_administrator_makes_participants(server, role):
    values = {"name": "mine", "sender_id": f"{role}.mine.example"}
    with refused(server, ACCESS_ERROR):
        get_backend(server, role).call("spar.participant", "create", [values])


@pytest.mark.parametrize("right", sorted(RIGHTS))
def test_missing_right_is_refused_at_once(server, right):
    operation = right.removeprefix("may_")
    name = f"without-{operation}"
    rights = {**RIGHTS, right: 0}
    client = Client(server.api, make_participant(server, name, **rights))
    (person,) = make_people(1)
    message = client.build_message(operation, [])
    answer = client.send(operation, message)
    assert answer.status_code == 403
    assert answer.json()["errors"][0]["code"] == "err.request.forbidden"
    granted = next(o for o in ("resolve", "link") if o != operation)
    assert client.call(granted, [person.linked])


def test_token_of_a_disabled_participant_is_refused(server):
    client = Client(server.api, make_participant(server, "leaving"))
    (person,) = make_people(1)
    assert client.resolve([{"id": person.id}])
    backend = get_backend(server, "administrator")
    domain = [("sender_id", "=", client.participant.sender_id)]
    (found,) = backend.find("spar.participant", domain, "state")
    backend.call("spar.participant", "action_disable", [found["id"]])
    answer = client.send("resolve", client.build_message("resolve", []))
    assert answer.status_code == 401
    assert client.request_token().status_code == 401


def test_scope_yes_no_reveals_nothing_else(server, strict):
    (person,) = make_people(1)
    strict.link([person.linked])
    shy = Client(server.api, make_participant(server, "shy"))
    (answer,) = shy.resolve([{"id": person.id}])
    assert answer["status_reason_code"] == "succ.id.active"
    assert "fa" not in answer
    (answer,) = shy.resolve([person.resolve_item])
    assert answer["status_reason_code"] == "rjct.resolve_type.not_supported"
    assert "fa" not in answer


def test_daily_limit_stops_a_participant(server):
    values = {"daily_item_limit": 5}
    client = Client(server.api, make_participant(server, "limited", **values))
    asked = [{"id": person.id} for person in make_people(5)]
    assert len(client.resolve(asked)) == 5
    items = client.build_message("resolve", [])
    items["message"]["resolve_request"] = [
        {"reference_id": "1", "timestamp": "2026-01-01T00:00:00Z", **asked[0]}
    ]
    items["header"]["total_count"] = 1
    answer = client.send("resolve", items)
    assert answer.status_code == 429
    assert answer.json()["errors"][0]["code"] == "err.request.too_many_requests"
    assert int(answer.headers["Retry-After"]) > 0
