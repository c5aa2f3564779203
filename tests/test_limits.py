"""Limits apply to all workers together, though each reserves a part in advance."""

from concurrent.futures import ThreadPoolExecutor

from .backend import EVERY_RIGHT, change_participant, make_participant
from .client import Client, build_items
from .people import make_people
from .real_server import WORKERS

PARALLEL = 6
#: A worker reserves five of these in advance.
LIMIT, LOT = 200, 5


def resolve_until_refused(client: Client, person) -> int:
    """Return how many calls of one item were answered before the first refusal."""
    for number in range(LIMIT + 1):
        items = build_items([person.resolve_item])
        answer = client.send("resolve", client.build_message("resolve", items))
        if answer.status_code == 429:
            return number
        assert answer.status_code == 200, answer.text
    raise AssertionError("nothing was refused")


def test_limit_is_never_exceeded_and_almost_used_up(server, programme):
    (person,) = make_people(1)
    programme.link([person.linked])
    limits = {**EVERY_RIGHT, "daily_item_limit": LIMIT}
    participant = make_participant(server, "lots", **limits)
    clients = [Client(server.api, participant) for _each in range(PARALLEL)]
    with ThreadPoolExecutor(PARALLEL) as pool:
        answered = sum(pool.map(resolve_until_refused, clients, [person] * PARALLEL))
    assert LIMIT - WORKERS * LOT <= answered <= LIMIT
    query = """SELECT items, taken_items FROM spar_participant_usage u
                 JOIN spar_participant p ON p.id = u.participant_id
                WHERE sender_id = 'lots.example'"""
    items, taken = server.query(query)[0]
    assert answered - WORKERS * LOT <= items <= answered <= taken <= LIMIT


def test_lowered_limit_applies_to_the_next_call(server, programme):
    (person,) = make_people(1)
    programme.link([person.linked])
    participant = make_participant(server, "lowered", **EVERY_RIGHT)
    client = Client(server.api, participant)
    for _number in range(2 * WORKERS):
        items = build_items([person.resolve_item])
        message = client.build_message("resolve", items)
        assert client.send("resolve", message).status_code == 200
    change_participant(server, participant.sender_id, daily_item_limit=1)
    assert resolve_until_refused(client, person) == 0
