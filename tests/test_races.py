"""Many callers, the same IDs, at the same time."""

import multiprocessing
import random
import secrets
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from .backend import Refused, get_backend, in_force
from .client import Client
from .people import make_account, make_card_holders

PROCESSES, BATCHES, SIZE = 2, 30, 100
CHANGES = ("link", "update", "unlink")


def _call_batches(api, participant, operations, ids, seed, answers):
    """Send random batches of ``ids``, each for one of ``operations``.

    Puts ``(status, operation, IDs of the batch, answers to the items)`` of each batch.
    """
    client, chance = Client(api, participant), random.Random(seed)
    sent = []
    for number in range(BATCHES):
        operation, batch = chance.choice(operations), chance.sample(ids, SIZE)
        items = [
            {
                "reference_id": str(place),
                "timestamp": "2026-01-01 00:00:00",
                "id": id_value,
                "scope": "details",
                "fa": f"account:{seed}{number:03}{place:03}@BR01.DEMO",
            }
            for place, id_value in enumerate(batch)
        ]
        if operation not in ("link", "update"):
            items = [{k: v for k, v in item.items() if k != "fa"} for item in items]
        answer = client.send(operation, client.build_message(operation, items))
        wires = answer.json().get("message", {}).get(f"{operation}_response", [])
        sent.append((answer.status_code, operation, batch, wires))
    answers.put(sent)


def race(server, operations, ids):
    """Return the answers to every batch of every process; none lost, none failed."""
    context = multiprocessing.get_context("spawn")
    answers = context.Queue()
    participant = server.participants["programme"]
    processes = [
        context.Process(
            target=_call_batches,
            args=(server.api, participant, operations, ids, seed, answers),
        )
        for seed in range(1, PROCESSES + 1)
    ]
    for process in processes:
        process.start()
    batches = [batch for _process in processes for batch in answers.get(timeout=300)]
    for process in processes:
        process.join()
    assert len(batches) == PROCESSES * BATCHES
    assert {status for status, *_rest in batches} == {200}
    for _status, _operation, batch, wires in batches:
        assert [wire["id"] for wire in wires] == batch, "an item has no answer"
    return batches


def make_ids(count):
    return [f"token:race-{secrets.token_hex(5)}@nationalId" for _number in range(count)]


def get_items(batches):
    """Return ``(operation, answer)`` of every item of every batch."""
    return [(operation, wire) for _s, operation, _b, wires in batches for wire in wires]


def get_word(wire):
    return wire["status"], wire.get("status_reason_code", "")


def count_done(batches, operation):
    """Return how often each ID was changed by an operation."""
    return Counter(
        wire["id"]
        for done, wire in get_items(batches)
        if done == operation and wire["status"] == "succ"
    )


def resolve(client, ids):
    answers = client.resolve([{"id": id_value, "scope": "details"} for id_value in ids])
    return {wire["id"]: wire.get("fa") for wire in answers}


def check_history(server):
    done = server.run_command("spar_audit", "check")
    assert done.returncode == 0, done.stdout


def test_sixty_parallel_batches_win_each_id_once(server, programme):
    ids = make_ids(400)
    items = get_items(race(server, ["link"], ids))
    wins = [wire for _operation, wire in items if wire["status"] == "succ"]
    lost = {get_word(wire) for _op, wire in items if wire["status"] != "succ"}
    tried = {wire["id"] for _operation, wire in items}
    assert Counter(wire["id"] for wire in wins) == Counter(tried)
    assert lost == {("rjct", "rjct.reference_id.duplicate")}
    assert resolve(programme, tried) == {wire["id"]: wire["fa"] for wire in wins}
    check_history(server)


def test_no_update_of_sixty_parallel_batches_is_lost(server, programme):
    ids = make_ids(300)
    programme.link([{"id": i, "fa": "account:100001@BR01.DEMO"} for i in ids])
    last = server.query("SELECT max(id) FROM spar_mapping_period")[0][0]
    batches = race(server, ["update"], ids)
    assert {get_word(wire) for _operation, wire in get_items(batches)} == {("succ", "")}
    found, offered = resolve(programme, ids), {}
    for _operation, wire in get_items(batches):
        offered.setdefault(wire["id"], set()).add(wire["fa"])
    assert all(found[id_value] in offered[id_value] for id_value in offered)
    # Each update began a period, which ended the previous one.
    query = "SELECT count(*) FROM spar_mapping_period WHERE id > %s"
    opened = server.query(query, last)
    assert opened == [(PROCESSES * BATCHES * SIZE,)]
    check_history(server)


def test_mixed_batches_of_two_processes_match_their_answers(server, programme):
    ids = make_ids(200)
    batches = race(server, [*CHANGES, "resolve"], ids)
    words = {}
    for operation, wire in get_items(batches):
        words.setdefault(operation, set()).add(get_word(wire))
    # In the words of OpenG2P 1.x, which is the profile of the programme.
    duplicate = ("rjct", "rjct.reference_id.duplicate")
    refusals = {"link": duplicate, "update": duplicate}
    assert {operation: words[operation] for operation in CHANGES} == {
        operation: {("succ", ""), refusals.get(operation, ("rjct", "rjct.id.invalid"))}
        for operation in CHANGES
    }
    asked = {("succ", "succ.id.active"), ("succ", "succ.fa.not_linked_to_id")}
    assert words["resolve"] <= asked
    linked, unlinked = count_done(batches, "link"), count_done(batches, "unlink")
    found = resolve(programme, ids)
    for id_value in ids:
        left = linked[id_value] - unlinked[id_value]
        assert left == int(found[id_value] is not None), id_value
    check_history(server)


ATTEMPTS = 12


def test_only_three_of_many_guesses_at_once_are_answered(server):
    """A supervisor retypes wrong characters of a change in many windows at once."""
    officer, supervisor = (get_backend(server, r) for r in ("officer", "supervisor"))
    (person,) = make_card_holders(1)
    officer.act("link", id_value=person.id, fa_text=person.fa)
    new = person.with_account(make_account())["fa"]
    rule = {"name": "Seen", "sequence": 1, "decision": "approve", "channel": "staff"}
    with in_force(server, operation="update", **rule):
        officer.act_on("update", person.id, fa_text=new)
    waiting = [("state", "=", "waiting")]
    change = supervisor.find("spar.change", waiting, order="id desc")[0]["id"]
    supervisor.call("spar.change", "action_review", [change])
    values = [{"change_id": change, "typed": "none"} for _each in range(ATTEMPTS)]
    wizards = supervisor.call("spar.change.wizard", "create", values)

    def guess(wizard) -> str:
        try:
            supervisor.call("spar.change.wizard", "action_approve", [wizard])
        except Refused as refusal:
            return str(refusal)
        return "answered"

    refused = server.expecting("can no longer be retyped")
    with refused, ThreadPoolExecutor(ATTEMPTS) as pool:
        answers = Counter(pool.map(guess, wizards))
    refusal = next(answer for answer in answers if answer != "answered")
    assert "can no longer be retyped" in refusal
    assert answers == {"answered": 3, refusal: ATTEMPTS - 3}
    kinds = server.query(
        "SELECT kind, count(*) FROM spar_change_look WHERE change_id = %s GROUP BY 1",
        change,
    )
    assert dict(kinds) == {"opened": 1, "mistyped": 3}
