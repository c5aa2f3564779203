"""Guessing does not reveal who is in the registry.

Guesses end soon, and no answer, code or time distinguishes what is unknown from what is
forbidden.
"""

import statistics
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from .answers import check_error
from .backend import get_backend, make_participant
from .client import Client, build_items
from .people import make_people

GUESSES = 600_000
UNKNOWN_COST = 20
PARALLEL = 4
#: All workers together reserve at most this part of a limit (`lib/lots.py`).
LOTS = 20


@pytest.fixture(scope="module")
def known(server):
    """Return people whom the registry has."""
    people = make_people(50)
    server.get_client("programme").link([person.linked for person in people])
    return people


def get_state(client: Client) -> dict:
    answer = client.session.get(
        f"{client.api}/participant", headers=client.get_headers(), timeout=60
    )
    assert answer.status_code == 200, answer.text
    return answer.json()["limits"]


def guess(client: Client) -> int:
    """Return how many IDs a participant learns about until it is stopped."""
    answered = 0
    for _call in range(20):
        items = build_items([{"id": person.id} for person in make_people(1000)])
        answer = client.send("resolve", client.build_message("resolve", items))
        if answer.status_code == 429:
            check_error(answer, 429, "err.request.too_many_requests")
            return answered
        answered += len(answer.json()["message"]["resolve_response"])
    raise AssertionError(f"{answered} guesses were answered")


def test_guessing_is_stopped_within_the_first_minute(server):
    """Bounded calls, and arithmetic for the rest.

    The answers state what a participant owes, which is restored no faster than its
    budget per minute.
    """
    participant = make_participant(server, "guesser", daily_item_limit=0)
    begin = time.monotonic()
    with ThreadPoolExecutor(PARALLEL) as pool:
        clients = [Client(server.api, participant) for _each in range(PARALLEL)]
        answered = sum(pool.map(guess, clients))
    assert time.monotonic() - begin < 60
    client = clients[0]
    budget = get_state(client)["items_a_minute"]["limit"]
    # Simultaneous calls may pass together; each of them pays afterwards.
    assert answered <= budget
    answer = client.send(
        "resolve",
        client.build_message("resolve", build_items([{"id": make_people(1)[0].id}])),
    )
    debt = answered * UNKNOWN_COST - budget
    elapsed = time.monotonic() - begin
    wait = int(answer.headers["Retry-After"])
    assert wait >= (debt / budget) * 60 - elapsed - 2
    minutes_for_all = GUESSES * UNKNOWN_COST / budget
    assert minutes_for_all > 24 * 60, "a day of guessing, without a limit for the day"


def test_daily_limit_rejects_the_remaining_items(server):
    participant = make_participant(server, "daily-guesser")
    limit = get_state(Client(server.api, participant))["items_a_day"]["limit"]
    assert GUESSES / limit >= 60, "days"


def test_existing_ids_are_resolved_at_full_speed(server, known):
    participant = make_participant(server, "asks-right", daily_item_limit=0)
    client = Client(server.api, participant)
    for _call in range(50):
        client.resolve([{"id": person.id} for person in known])
    budget = get_state(client)["items_a_minute"]
    # An item costs one; the workers reserve their lots from the budget in advance.
    requested = 50 * len(known) + budget["limit"] // LOTS
    assert budget["left"] >= budget["limit"] - requested


def resolve_pairs(client: Client, people: list, fa: str) -> list[dict]:
    """Return the answers to whether each person has an address, without the echo."""
    answers = client.resolve([{"id": person.id, "fa": fa} for person in people])
    for item in answers:
        for name in ("id", "fa", "timestamp", "reference_id"):
            del item[name]
    return answers


def test_answers_do_not_distinguish_unknown_from_forbidden(server, known):
    rights = {"daily_item_limit": 0, "items_per_minute": 0}
    client = Client(server.api, make_participant(server, "compares", **rights))
    answers = [
        *resolve_pairs(client, known, known[0].fa),
        *resolve_pairs(client, make_people(len(known)), known[0].fa),
    ]
    assert all(answer == answers[0] for answer in answers)


def test_timing_does_not_distinguish_unknown_from_forbidden(server, known):
    rights = {"daily_item_limit": 0, "items_per_minute": 0, "calls_per_minute": 0}
    client = Client(server.api, make_participant(server, "stopwatch", **rights))
    times: dict[str, list[float]] = {"known": [], "unknown": []}
    for _round in range(60):
        for name, people in (("known", known), ("unknown", make_people(len(known)))):
            begin = time.perf_counter()
            resolve_pairs(client, people, known[0].fa)
            times[name].append(time.perf_counter() - begin)
    existing_time, unexisting_time = (min(times[name]) for name in ("known", "unknown"))
    spread = statistics.pstdev(times["known"])
    # One ID of fifty: the visible difference is far below the noise between calls.
    assert abs(existing_time - unexisting_time) / len(known) < spread


def test_unknown_and_disabled_senders_look_alike(server):
    known = make_participant(server, "will-be-disabled")
    client = Client(server.api, known)
    token = client.get_token()
    backend = get_backend(server, "administrator")
    found = backend.find("spar.participant", [("sender_id", "=", known.sender_id)])
    backend.call("spar.participant", "action_disable", [found[0]["id"]])
    headers = {"Authorization": f"Bearer {token}"}
    disabled = client.post("/mapper/sync/resolve", data=b"{}", headers=headers)
    head, body, mac = token.split(".")
    altered = {"Authorization": f"Bearer {head}.{body}.{mac[::-1]}"}
    unknown = client.post("/mapper/sync/resolve", data=b"{}", headers=altered)
    assert (disabled.status_code, disabled.text) == (401, unknown.text)
    assert disabled.headers["WWW-Authenticate"] == unknown.headers["WWW-Authenticate"]
    refused = [client.request_token(), client.request_token(client_id="nobody")]
    refused.append(client.request_token(client_secret="wrong"))
    assert {answer.status_code for answer in refused} == {401}
    assert len({answer.text for answer in refused}) == 1
