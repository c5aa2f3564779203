"""`./spar bench`: it measures what it says, and sees every wrong answer."""

import doctest
import importlib
import json
import threading
import time
from dataclasses import replace

import pytest

from setup import bench, bench_people
from setup.bench_caller import Caller
from setup.bench_client import Plan, Seat, get_last, resolve, sign_bodies
from setup.bench_clock import Measurement, count_items, get_percentile, repeat
from setup.bench_database import fill, make_participant
from setup.bench_directory import build_directory_lines, measure_directory
from setup.bench_memory import get_family, get_odoo_memory, get_postgres_memory
from setup.bench_messages import CHECKS, build_messages, count_not_gone
from setup.bench_places import QUERIES, Country
from setup.bench_report import build_report, build_table, write_report
from setup.cli import build_parser
from setup.errors import Failure
from setup.payer import verify_answer
from setup.places import Places

ROWS, CLIENTS, SECONDS = 300, 2, 0.2
OPERATIONS = ("resolve", "link", "update", "unlink")
WORK = (*OPERATIONS, "signed")
TABLES = "spar_bench_person, spar_bench_floor"
SENDER = "bench.example"


# === AGAINST A REAL SERVER === #


@pytest.fixture(scope="module")
def target(server):
    """Who calls in a database in which some people are linked."""
    participant = make_participant(server.installation)
    fill(server.installation, ROWS)
    yield bench.build_target(server.port, participant)
    with server.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {TABLES}")


@pytest.fixture(scope="module")
def told(server, target) -> dict:
    """What a very short bench measures."""
    given = {"rows": ROWS, "clients": CLIENTS, "seconds": SECONDS}
    return bench.measure(server.installation, target, **given)


@pytest.fixture
def seat(server, target) -> Seat:
    """A single client in this process."""
    dsn = server.installation.server.get_dsn(server.database)
    plan = Plan(target, dsn, ROWS, 1, SECONDS, (1, 100), time.time_ns() // 10**8)
    return Seat(plan, 0, threading.Barrier(1))


def test_every_kind_of_work_is_measured_beside_its_floor(told):
    measured = [(row["work"], row["batch"]) for row in told["work"]]
    expected = [(name, size) for size in bench.BATCHES for name in WORK]
    assert sorted(measured) == sorted(expected)
    for row in (*told["work"], *(row["floor"] for row in told["work"])):
        assert row["calls"] >= CLIENTS, row
        assert row["calls_per_second"] > 0 and row["items_per_second"] > 0, row
        assert 0 < row["p50_ms"] <= row["p95_ms"], row


def test_items_are_calls_times_their_size(told):
    sizes = {(row["work"], row["batch"]): row["items"] for row in told["work"]}
    calls = {(row["work"], row["batch"]): row["calls"] for row in told["work"]}
    assert sizes == {key: calls[key] * key[1] for key in calls}


def test_no_answer_is_wrong(told):
    rows = (*told["work"], told["empty_route"])
    assert [row for row in rows if row["wrong"]] == []


def test_what_is_measured_as_signed_is_signed_and_answered_signed(server, target, seat):
    signer = target.as_signer()
    batch = [(0, 0)]
    bodies = list(build_messages("resolve", signer.sender_id, [batch]))
    caller = Caller(signer)
    assert b"err.signature.missing" in caller.send("resolve", bodies[0])
    (signed,) = sign_bodies(signer.private_jwk, bodies)
    answer = json.loads(caller.send("resolve", signed))
    keys = json.loads(caller._ask("GET", "/.well-known/jwks.json"))["keys"]
    assert verify_answer(answer, keys)
    assert not verify_answer({**answer, "message": {}}, keys)


def test_people_are_filled_in_once(server, target):
    fill(server.installation, ROWS)
    counted = "SELECT count(*), count(DISTINCT digest) FROM spar_bench_person"
    assert server.query(counted) == [(ROWS, ROWS)]
    linked = """SELECT count(*) FROM spar_bench_person p
                  JOIN spar_subject_id i ON i.digest_a = p.digest AND i.active
                  JOIN spar_mapping m ON m.identifier_id = i.id
                   AND m.state = 'active'"""
    assert server.query(linked) == [(ROWS,)]


def test_what_was_filled_has_its_history_and_notices(server, target):
    queued = """SELECT count(*) FROM spar_bench_person p
                  JOIN spar_subject_id i ON i.digest_a = p.digest
                  JOIN spar_mapping m ON m.identifier_id = i.id
                  JOIN spar_event e ON e.mapping_id = m.id AND e.kind = 'linked'
                  JOIN spar_notice n ON n.event_id = e.id"""
    assert server.query(queued) == [(ROWS,)]


def test_somebody_who_is_gone_counts_as_wrong(seat):
    measured = resolve(seat, 100, "rest")["resolve"]
    assert measured.calls and measured.wrong == 0
    more = replace(seat, plan=replace(seat.plan, rows=ROWS * 1000))
    measured = resolve(more, 100, "rest")["resolve"]
    assert 0 < measured.wrong <= measured.items


def test_clients_that_are_refused_are_one_line(server, target):
    wrong = replace(target, client_secret="wrong")
    given = {"rows": ROWS, "clients": 1, "seconds": SECONDS, "batches": (1,)}
    with pytest.raises(Failure, match="clients could not measure; log: "):
        bench.measure(server.installation, wrong, **given)


def test_memory_of_each_process_is_told(server):
    odoo = get_odoo_memory(server.keeper.odoo.pid)
    workers = [row for row in odoo if row["process"] == "odoo worker"]
    assert len(workers) >= 2
    assert all(10 < row["rss_mb"] <= row["peak_mb"] for row in odoo)
    (postgres,) = get_postgres_memory(server.postgres.get_pid())
    assert postgres["rss_mb"] > 10


def test_a_large_directory_is_loaded_and_searched(server):
    told = measure_directory(server.installation, 300)
    assert told["loading"]["branches"] == 300
    assert told["loading"]["memory_most_mb"] > 10
    assert (
        told["search"]["searches"]
        == QUERIES
        == sum(kind["searches"] for kind in told["kinds"].values())
    )
    assert 0 < told["search"]["p50_ms"] <= told["search"]["p95_ms"]
    table = "\n".join(build_directory_lines(told))
    for word in ("300 branches", "provider and branch, mistyped", "all searches"):
        assert word in table
    with server.cursor() as cursor:
        cursor.execute("DELETE FROM spar_fsp WHERE code ~ '^BENCH[0-9]{4}$'")


def test_the_same_number_of_branches_is_the_same_country():
    one, other = Country(50), Country(50)
    assert (one.providers, one.branches) == (other.providers, other.branches)
    assert list(one.make_queries()) == list(other.make_queries())
    assert len({branch.code for branch in one.branches}) == 50


# === RIGHT AND WRONG ANSWERS === #


def build_answer(operation: str, batch, **changed) -> bytes:
    """A right answer, with members of its first item changed."""
    found = {"status_reason_code": "succ.id.active"} if operation == "resolve" else {}
    items = [
        {
            "reference_id": str(place),
            "status": "succ",
            "id": bench_people.get_id(number),
            "fa": bench_people.get_fa(number, generation),
            "account_provider_info": {
                "code": bench_people.get_provider_code(
                    bench_people.get_provider(number)
                )
            },
            **found,
        }
        for place, (number, generation) in enumerate(batch)
    ]
    items[0].update(changed)
    return json.dumps({"message": {f"{operation}_response": items}}).encode()


@pytest.mark.parametrize("operation", OPERATIONS)
def test_right_answers_are_right(operation):
    batch = [(7, 0), (8, 1)]
    assert CHECKS[operation](batch, build_answer(operation, batch)) == 0


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize(
    "changed",
    [
        {"status": "rjct"},
        {"id": bench_people.get_id(9)},
        {"reference_id": "5"},
        {"status_reason_code": "rjct.id.invalid"},
    ],
)
def test_a_wrong_answer_is_counted(operation, changed):
    batch = [(7, 0), (8, 1)]
    assert CHECKS[operation](batch, build_answer(operation, batch, **changed)) == 1


@pytest.mark.parametrize(
    "changed",
    [
        {"fa": bench_people.get_fa(7, 1)},
        {"fa": None},
        {"account_provider_info": {"code": "other"}},
    ],
)
def test_a_wrong_address_is_counted(changed):
    batch = [(7, 0), (8, 0)]
    assert CHECKS["resolve"](batch, build_answer("resolve", batch, **changed)) == 1


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize(
    "answer", [b"", b"<html>", b'{"header": {"status": "rjct"}}', b'{"message": {}}']
)
def test_a_refused_message_is_wrong_for_all_its_items(operation, answer):
    assert CHECKS[operation]([(7, 0), (8, 0)], answer) == 2


def test_missing_and_surplus_answers_are_wrong():
    two, three = [(7, 0), (8, 0)], [(7, 0), (8, 0), (9, 0)]
    assert CHECKS["link"](three, build_answer("link", two)) == 1
    assert CHECKS["link"](two, build_answer("link", three)) == 1


def test_an_address_after_unlink_is_wrong():
    gone = {"status_reason_code": "succ.id.not_found"}
    assert count_not_gone([(7, 0)], build_answer("resolve", [(7, 0)])) == 1
    assert count_not_gone([(7, 0)], build_answer("resolve", [(7, 0)], **gone)) == 1


def test_messages_hold_one_item_for_each_person():
    (body,) = build_messages("link", SENDER, [[(7, 0), (8, 3)]])
    message = json.loads(body)
    assert message["header"]["total_count"] == 2
    items = message["message"]["link_request"]
    assert [item["id"] for item in items] == [bench_people.get_id(n) for n in (7, 8)]
    assert items[1]["fa"] == bench_people.get_fa(8, 3) != bench_people.get_fa(8, 2)


def test_no_two_clients_have_the_same_new_people(seat):
    other = replace(seat, number=1)
    made = [
        number
        for each in (seat, other)
        for size in seat.plan.batches
        for batch in each.make_people(size, 3)
        for number, _generation in batch
    ]
    assert len(set(made)) == len(made) == 2 * 3 * sum(seat.plan.batches)


def test_who_was_updated_is_unlinked_with_the_new_account():
    linked = [[(7, 0)], [(8, 0)]]
    assert get_last(linked, [[(7, 1)], [(8, 1)], [(7, 2)]]) == [[(7, 2)], [(8, 1)]]


# === FIGURES === #


def test_repeating_ends_when_there_is_nothing_left_to_send():
    answers, measured = repeat(bytes.upper, [b"a", b"b"], 60)
    assert answers == [b"A", b"B"]
    assert measured.calls == len(measured.latencies) == 2


def test_repeating_calls_at_least_once():
    answers, _measured = repeat(bytes.upper, [b"a", b"b"], 0)
    assert answers == [b"A"]


def test_items_per_second_follow_from_the_calls():
    measured = count_items(Measurement(calls=2, calls_per_second=5.0), 200, 3)
    assert (measured.items, measured.wrong) == (200, 3)
    assert measured.items_per_second == 500


@pytest.mark.parametrize("percent, expected", [(50, 2000.0), (95, 4000.0)])
def test_percentiles(percent, expected):
    assert get_percentile([1.0, 2.0, 3.0, 4.0], percent) == expected


def test_a_family_begins_with_its_root():
    assert get_family(2**30) == [2**30]
    assert get_odoo_memory(2**30) == []


@pytest.mark.parametrize("name", ["people", "places", "clock", "client", "load"])
def test_examples_in_docstrings_hold(name):
    done = doctest.testmod(importlib.import_module(f"setup.bench_{name}"))
    assert done.attempted and not done.failed


# === REPORT === #


@pytest.fixture
def report() -> dict:
    """A small report in which one answer was wrong."""
    fast, slow = Measurement(1, 100, 0, 4.0, 400.0), Measurement(1, 100, 1, 2.0, 200.0)
    row = {"work": "link", "batch": 100, **slow.to_dict(), "floor": fast.to_dict()}
    told = {"empty_route": fast.to_dict(), "work": [row]}
    about = {"rows": 300, "mappings": 300, "clients": 2, "workers": 2, "seconds": 1.0}
    memory = [{"process": "odoo worker", "rss_mb": 111.0, "peak_mb": 120.0}]
    return build_report(told, **about, cpus=2, memory=memory)


def test_the_report_compares(report):
    (row,) = report["work"]
    assert (row["of_floor"], row["of_empty_route"]) == (0.5, 0.5)
    assert report["wrong"] == 1


def test_the_table_shows_each_row(report):
    table = "\n".join(build_table(report))
    assert "300 mappings, 2 clients, 2 workers, 1 s each, 2 processors" in table
    for word in ("link", "50%", "empty", "odoo worker", "(at most 120)"):
        assert word in table


def test_the_report_is_kept_under_its_time_and_as_the_latest(report, tmp_path):
    path = write_report(tmp_path, report)
    latest = tmp_path / "latest.json"
    assert json.loads(path.read_text()) == json.loads(latest.read_text()) == report
    assert path != latest


def test_a_bench_with_a_wrong_answer_fails(report, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(bench, "_run", lambda *_given: report)
    places = Places(tmp_path, tmp_path)
    with pytest.raises(Failure, match="1 answers were wrong: see "):
        bench.bench(places, rows=300, clients=2, seconds=1, workers=2, branches=0)
    assert "300 mappings" in capsys.readouterr().out
    assert (places.state / "bench" / "latest.json").exists()


@pytest.mark.parametrize(
    "changed, named",
    [
        ({"rows": 0}, "--rows"),
        ({"clients": 0}, "--clients"),
        ({"clients": 5000}, "--clients"),
        ({"workers": -1}, "--workers"),
        ({"seconds": 0}, "--seconds"),
    ],
)
def test_what_cannot_be_measured_is_refused(changed, named):
    given = {"rows": 300, "clients": 2, "seconds": 1.0, "workers": 2, **changed}
    with pytest.raises(Failure, match=named):
        bench.check_plan(**given)


def test_the_command_has_the_options_of_the_plan():
    given = vars(build_parser().parse_args(["bench", "--rows=7", "--seconds=0.5"]))
    assert given.pop("call") == "bench"
    assert given.pop("branches") == 170_000
    assert given == {"rows": 7, "clients": 4, "seconds": 0.5, "workers": 2}
    bench.check_plan(**given)
