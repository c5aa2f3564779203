"""``./spar bench``: it measures what it reports, and notices every wrong answer."""

import doctest
import importlib
import json
import os
import subprocess
import sys
import threading
import time
from contextlib import closing, nullcontext
from dataclasses import replace

import psycopg2
import pytest

from bench import benchmark, people
from bench.accounts import build_account_lines, measure_accounts
from bench.caller import BenchCaller
from bench.clock import Measurement, count_items, get_percentile, repeat
from bench.country import Country
from bench.database import fill, get_floor, make_participant, take_sample
from bench.desk import build_desk_lines, measure_desk
from bench.directory import build_directory_lines, measure_directory
from bench.memory import get_family, get_odoo_memory, get_postgres_memory
from bench.messages import CHECKS, build_messages, count_not_gone, count_wallets
from bench.meter import Meter
from bench.readiness import build_readiness_lines, measure_readiness
from bench.report import GOALS, build_report, build_table, write_report
from bench.tables import Sample, Tables, find_key, set_triggers
from bench.usage import Usage, Watched, read_cpu_seconds
from bench.work import BenchPlan, Seat, get_last, resolve, sign_bodies
from examples.payer.signatures import verify_answer
from setup.cli import build_parser
from setup.errors import Failure
from setup.places import Places
from setup.testing_databases import get_base

ROWS, CLIENTS, SECONDS = 300, 2, 0.2
PEOPLE = 3000
OPERATIONS = ("resolve", "link", "update", "unlink")
WORK = (*OPERATIONS, "signed", "phone")
TABLES = "spar_bench_person, spar_bench_floor"
SENDER = "bench.example"


# === AGAINST A REAL SERVER === #


@pytest.fixture(scope="module")
def target(server):
    """Yield the target in a database in which some people are linked."""
    participant = make_participant(server.installation)
    fill(server.installation, ROWS)
    yield benchmark.build_target(server.port, participant)
    with server.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {TABLES}")


@pytest.fixture(scope="module")
def floor(server):
    """Yield a database beside the server's, for bare rows."""
    made = get_floor(server.installation)
    made.copy_from(get_base(server.installation))
    make_participant(made)
    yield made
    made.drop()


@pytest.fixture(scope="module")
def floor_dsn(floor) -> str:
    return floor.server.get_dsn(floor.database)


@pytest.fixture(scope="module")
def sample(floor) -> dict:
    """Return the rows that the store writes."""
    return take_sample(floor)


@pytest.fixture(scope="module")
def measured(server, target, floor) -> dict:
    """Return the results of a very short bench."""
    plan = {"rows": ROWS, "clients": CLIENTS, "seconds": SECONDS}
    return benchmark.measure(server.installation, target, floor, **plan)


@pytest.fixture
def seat(server, target) -> Seat:
    """Yield a single client in this process."""
    dsn = server.installation.server.get_dsn(server.database)
    run, watched = time.time_ns() // 10**8, Watched(dsn)
    plan = BenchPlan(target, dsn, ROWS, 1, SECONDS, (1, 100), run, watched)
    return Seat(plan, 0, threading.Barrier(1))


def test_every_kind_of_work_is_measured_beside_its_floor(measured):
    kinds = [(row["work"], row["batch"]) for row in measured["work"]]
    expected = [(name, size) for size in benchmark.BATCHES for name in WORK]
    assert sorted(kinds) == sorted(expected)
    for row in (*measured["work"], *(row["floor"] for row in measured["work"])):
        assert row["calls"] >= CLIENTS, row
        assert row["calls_per_second"] > 0 and row["items_per_second"] > 0, row
        assert 0 < row["p50_ms"] <= row["p95_ms"], row


def test_writes_have_three_floors(measured):
    names = ["floor", "floor_without_triggers", "floor_of_one_row"]
    for row in measured["work"]:
        expected = names if row["work"] in ("link", "update", "unlink") else names[:1]
        assert [name for name in names if name in row] == list(expected)


def test_cost_of_every_kind_of_work_is_reported(measured):
    for row in (*measured["work"], measured["empty_route"]):
        assert all(value > 0 for value in row["cpu_us"].values()), row
    for row in measured["work"]:
        bare = row["floor"]["cpu_us"]
        assert bare["client"] > 0 and bare["postgres"] > 0, row
        if row["work"] in ("link", "update", "unlink"):
            assert row["wal_bytes"] >= row["wal_bytes_without_page_images"] > 200, row
            assert row["floor"]["wal_bytes_without_page_images"] > 200, row


def test_items_are_calls_times_their_size(measured):
    sizes = {(row["work"], row["batch"]): row["items"] for row in measured["work"]}
    calls = {(row["work"], row["batch"]): row["calls"] for row in measured["work"]}
    assert sizes == {key: calls[key] * key[1] for key in calls}


def test_no_answer_is_wrong(measured):
    rows = (*measured["work"], measured["empty_route"])
    assert [row for row in rows if row["wrong"]] == []


def test_signed_calls_are_signed_and_get_signed_answers(target):
    signer = target.as_signer()
    batch = [(0, 0)]
    bodies = list(build_messages("resolve", signer.sender_id, [batch]))
    caller = BenchCaller(signer)
    assert b"err.signature.missing" in caller.send("resolve", bodies[0])
    (signed,) = sign_bodies(signer.private_jwk, bodies)
    answer = json.loads(caller.send("resolve", signed))
    keys = caller.client.fetch_keys()
    assert verify_answer(answer, keys)
    assert not verify_answer({**answer, "message": {}}, keys)


def test_people_are_filled_in_once(server, target):
    fill(server.installation, ROWS)
    counted = "SELECT count(*), count(DISTINCT digest) FROM spar_bench_person"
    assert server.query(counted) == [(ROWS, ROWS)]
    linked = """SELECT count(*) FROM spar_bench_person p
                  JOIN spar_subject_id i ON i.digest_a = p.digest AND i.active
                  JOIN spar_mapping m ON m.subject_id = i.subject_id
                   AND m.state = 'active'"""
    assert server.query(linked) == [(ROWS,)]


def test_filled_people_have_history_and_notices(server, target):
    queued = """SELECT count(*) FROM spar_bench_person p
                  JOIN spar_subject_id i ON i.digest_a = p.digest
                  JOIN spar_mapping m ON m.subject_id = i.subject_id
                  JOIN spar_event e ON e.mapping_id = m.id AND e.kind = 'linked'
                  JOIN spar_notice n ON n.event_id = e.id"""
    assert server.query(queued) == [(ROWS,)]


def test_missing_person_counts_as_wrong(seat):
    measured = resolve(seat, 100, "rest")["resolve"]
    assert measured.calls and measured.wrong == 0
    more = replace(seat, plan=replace(seat.plan, rows=ROWS * 1000))
    measured = resolve(more, 100, "rest")["resolve"]
    assert 0 < measured.wrong <= measured.items


def test_refused_clients_fail_in_one_line(server, target, floor):
    wrong = replace(target, client_secret="wrong")
    given = {"rows": ROWS, "clients": 1, "seconds": SECONDS, "batches": (1,)}
    with pytest.raises(Failure, match="The clients failed; log: "):
        benchmark.measure(server.installation, wrong, floor, **given)


def test_memory_of_each_process_is_reported(server):
    odoo = get_odoo_memory(server.keeper.odoo.pid)
    workers = [row for row in odoo if row["process"] == "odoo worker"]
    assert len(workers) >= 2
    assert all(10 < row["rss_mb"] <= row["peak_mb"] for row in odoo)
    (postgres,) = get_postgres_memory(server.postgres.get_pid())
    assert postgres["rss_mb"] > 10


def test_file_of_accounts_is_checked_and_loaded(server):
    measured = measure_accounts(server.installation, 2000)
    assert measured["rows"] == 2000
    assert 10 < measured["memory_before_mb"]
    assert set(measured["runs"]) == {"checked", "loaded"}
    assert all(run["rows_per_second"] > 0 for run in measured["runs"].values())
    assert "file of 2,000 accounts" in "\n".join(build_account_lines(measured))


def test_large_directory_is_loaded_and_searched(server):
    queries = 200
    measured = measure_directory(server.installation, 300, queries)
    assert measured["loading"]["branches"] == 300
    assert measured["loading"]["memory_most_mb"] > 10
    assert (
        measured["search"]["searches"]
        == queries
        == sum(kind["searches"] for kind in measured["kinds"].values())
    )
    assert 0 < measured["search"]["p50_ms"] <= measured["search"]["p95_ms"]
    table = "\n".join(build_directory_lines(measured))
    for word in ("300 branches", "provider and branch, mistyped", "all searches"):
        assert word in table
    with server.cursor() as cursor:
        cursor.execute("DELETE FROM spar_fsp WHERE code ~ '^BENCH[0-9]{4}$'")


def test_a_clerks_search_and_the_persons_page_are_measured(server, target):
    searches = 61  # more than one clerk may do in an hour without a reason
    measured = measure_desk(server.installation, searches)
    for name in ("search", "name", "page", "empty"):
        assert measured[name]["calls"] == searches
        assert 0 < measured[name]["p50_ms"] <= measured[name]["p95_ms"]
    for name in ("search", "name", "page"):
        assert measured[name]["p50_ms"] < measured["goal_ms"], measured
    table = "\n".join(build_desk_lines(measured))
    for word in ("goal 300", "search by name", "person's page", "empty Odoo form"):
        assert word in table
    with server.cursor() as cursor:
        cursor.execute("SELECT FROM res_partner WHERE name LIKE '% Measured'")
        assert not cursor.fetchall()


def test_readiness_of_many_people_is_measured(server, target):
    measured = measure_readiness(server.installation, PEOPLE)
    assert measured["states"] == {"payable": ROWS, "not_linked": PEOPLE - ROWS}
    assert measured["calls"] == -(-PEOPLE // measured["people_a_call"]) == 2
    assert measured["people_per_second"] > 100
    assert measured["memory_end_mb"] < measured["memory_before_mb"] + 60
    table = "\n".join(build_readiness_lines(measured))
    for word in (f"{PEOPLE:,} people", "of resolving alone", "goal 50%"):
        assert word in table
    clean_up_readiness(server)


def clean_up_readiness(server) -> None:
    """Delete the people whose readiness was measured."""
    programmes = "SELECT id FROM spar_programme WHERE code = 'BENCH'"
    with server.cursor() as cursor:
        cursor.execute(
            f"""WITH gone AS (DELETE FROM spar_programme_member
                               WHERE programme_id IN ({programmes})
                           RETURNING partner_id)
                SELECT partner_id FROM gone"""
        )
        partners = [row_id for (row_id,) in cursor.fetchall()]
        cursor.execute(
            f"DELETE FROM spar_readiness_run WHERE programme_id IN ({programmes})"
        )
        cursor.execute("DELETE FROM spar_programme WHERE code = 'BENCH'")
        cursor.execute("DELETE FROM res_partner WHERE id = ANY(%s)", (partners,))


def test_country_depends_only_on_the_number_of_branches():
    one, other = Country(50), Country(50)
    assert (one.providers, one.branches) == (other.providers, other.branches)
    assert list(one.make_queries()) == list(other.make_queries())
    assert len({branch.code for branch in one.branches}) == 50


# === THE FLOOR OF WRITES === #


def count_rows(dsn: str, table: str) -> int:
    with closing(psycopg2.connect(dsn)) as connection, connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")
        return cursor.fetchone()[0]


@pytest.mark.parametrize("triggers", [True, False])
def test_bare_rows_equal_the_rows_of_the_store(floor_dsn, sample, triggers):
    read = Sample.read(sample)
    people = [f"{triggers} {number}" for number in range(7)]
    set_triggers(floor_dsn, on=triggers)
    before = {name: count_rows(floor_dsn, name) for name in read.shapes}
    tables = Tables(floor_dsn, sample)
    tables.prepare(people)
    tables.write("link", people)
    tables.write("update", people[:4])
    tables.write("unlink", people[:4])
    tables.write("unlink", people[4:])
    tables.connection.close()
    for name in read.shapes:
        linked, updated, gone, gone_unchanged = (
            len(read.steps[step][name]["added"])
            - len(read.steps[step][name]["removed"])
            for step in ("link", "update", "unlink", "unlink_unchanged")
        )
        expected = 7 * linked + 4 * (updated + gone) + 3 * gone_unchanged
        assert count_rows(floor_dsn, name) - before[name] == expected, name


def test_sample_has_every_step_of_the_store(sample):
    read = Sample.read(sample)
    for step in ("link", "update", "unlink"):
        assert read.steps[step]["spar_event"]["added"], step
    assert read.steps["update"]["spar_mapping"]["changed"]
    for name in ("spar_subject", "spar_subject_id", "spar_mapping", "spar_notice"):
        assert read.steps["link"][name]["added"], name


def test_triggers_check_bare_rows_only_where_they_are_on(floor_dsn, sample):
    spoiled = json.loads(json.dumps(sample))
    for row in spoiled["steps"]["link"]["spar_event"]["added"]:
        place = spoiled["tables"]["spar_event"]["columns"].index("mac")
        row[place] = "\\x" + "00" * 16  # another provider than its mapping names
    for triggers in (False, True):
        set_triggers(floor_dsn, on=triggers)
        tables = Tables(floor_dsn, spoiled)
        tables.prepare(["somebody"])
        refused = pytest.raises(psycopg2.Error) if triggers else nullcontext()
        with closing(tables.connection), refused:
            tables.write("link", ["somebody"])


@pytest.mark.parametrize(
    "column, text, key",
    [
        ("uuid", "ab" * 16, ("uuid", "", "ab" * 16)),
        ("period", f"{'a' * 8}-bbbb-cccc-dddd-{'e' * 12}", ("uuid", "-")),
        ("sealed", "\\x" + "0f" * 40, ("bytes", "40")),
        ("subject_id", "12", ("id", "spar_subject")),
        ("provider_id", "12", None),
        ("sealed", "\\x", None),
        ("mac", None, None),
    ],
)
def test_personal_values_are_found(column, text, key):
    found = find_key("spar_event", column, text)
    assert (found and found[: len(key)]) == key if key else found is None


# === COSTS === #


def test_processor_time_of_children_that_ended_is_counted():
    burn = "import time\nwhile time.process_time() < 0.35: pass"
    before = read_cpu_seconds(os.getpid())
    subprocess.run([sys.executable, "-c", burn], check=True)
    # Linux counts in ticks of a hundredth of a second, for each of four figures.
    assert read_cpu_seconds(os.getpid()) - before >= 0.3


def test_processor_time_of_a_missing_process_is_none():
    assert read_cpu_seconds(2**30) is None


def test_meter_reports_the_wal_that_was_written(server, floor_dsn):
    watched = benchmark.build_watched(server.installation)
    meter = Meter(replace(watched, dsn=floor_dsn))
    meter.begin()
    with closing(psycopg2.connect(floor_dsn)) as connection:
        with connection, connection.cursor() as cursor:
            cursor.execute(
                "CREATE TABLE measured AS SELECT md5(n::text) FROM "
                "generate_series(1, 200000) n"
            )
        meter.end()
        usage = meter.close()
        with connection, connection.cursor() as cursor:
            cursor.execute("DROP TABLE measured")
    assert usage.wal > 200_000 * 32 and usage.disk > 200_000 * 32
    assert 0 <= usage.wal_images < usage.wal
    assert usage.odoo is not None and usage.postgres > 0


def test_nightly_jobs_are_postponed(floor):
    benchmark.postpone_nightly_jobs(floor)
    query = """SELECT count(*), count(*) FILTER (WHERE nextcall > now() AT TIME ZONE
                      'UTC' + interval '23 hours')
                 FROM ir_cron WHERE interval_type = 'days'"""
    count, later = floor.server.get_answer(query, floor.database).split("|")
    assert int(count) and count == later


def test_unknown_cost_is_none_and_not_zero():
    cost = Usage(odoo=None, wal=100).to_dict(10)
    assert cost["cpu_us"]["odoo"] is None
    assert cost["wal_bytes_without_page_images"] is None
    assert cost["wal_bytes"] == 10


# === RIGHT AND WRONG ANSWERS === #


def build_answer(operation: str, batch, **changed) -> bytes:
    """Return a right answer, with members of its first item changed."""
    found = {"status_reason_code": "succ.id.active"} if operation == "resolve" else {}
    items = [
        {
            "reference_id": str(place),
            "status": "succ",
            "id": people.get_id(number),
            "fa": people.get_fa(number, generation),
            "account_provider_info": {
                "code": people.get_provider_code(people.get_provider(number))
            },
            **found,
        }
        for place, (number, generation) in enumerate(batch, start=1)
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
        {"id": people.get_id(9)},
        {"reference_id": "5"},
        {"status_reason_code": "rjct.id.invalid"},
    ],
)
def test_wrong_answer_is_counted(operation, changed):
    batch = [(7, 0), (8, 1)]
    assert CHECKS[operation](batch, build_answer(operation, batch, **changed)) == 1


@pytest.mark.parametrize(
    "changed",
    [
        {"fa": people.get_fa(7, 1)},
        {"fa": None},
        {"account_provider_info": {"code": "other"}},
    ],
)
def test_wrong_address_is_counted(changed):
    batch = [(7, 0), (8, 0)]
    assert CHECKS["resolve"](batch, build_answer("resolve", batch, **changed)) == 1


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize(
    "answer", [b"", b"<html>", b'{"header": {"status": "rjct"}}', b'{"message": {}}']
)
def test_refused_message_is_wrong_for_all_its_items(operation, answer):
    assert CHECKS[operation]([(7, 0), (8, 0)], answer) == 2


def test_missing_and_surplus_answers_are_wrong():
    two, three = [(7, 0), (8, 0)], [(7, 0), (8, 0), (9, 0)]
    assert CHECKS["link"](three, build_answer("link", two)) == 1
    assert CHECKS["link"](two, build_answer("link", three)) == 1


def test_address_after_unlink_is_wrong():
    gone = {"status_reason_code": "succ.id.not_found"}
    assert count_not_gone([(7, 0)], build_answer("resolve", [(7, 0)])) == 1
    assert count_not_gone([(7, 0)], build_answer("resolve", [(7, 0)], **gone)) == 1


def test_wallet_is_right_only_in_canonical_form():
    batch = [(7, 0)]
    wallet = {"code": people.get_wallet_code()}
    right = {
        "fa": people.get_stored_wallet_fa(7),
        "account_provider_info": wallet,
    }
    assert count_wallets(batch, build_answer("resolve", batch, **right)) == 0
    right["fa"] = people.get_wallet_fa(7)
    assert count_wallets(batch, build_answer("resolve", batch, **right)) == 1
    (message,) = build_messages("phone", SENDER, [batch])
    (item,) = json.loads(message)["message"]["link_request"]
    assert item["fa"] == people.get_wallet_fa(7)


def test_messages_have_one_item_for_each_person():
    (body,) = build_messages("link", SENDER, [[(7, 0), (8, 3)]])
    message = json.loads(body)
    assert message["header"]["total_count"] == 2
    items = message["message"]["link_request"]
    assert [item["id"] for item in items] == [people.get_id(n) for n in (7, 8)]
    assert items[1]["fa"] == people.get_fa(8, 3) != people.get_fa(8, 2)


def test_clients_have_different_new_people(seat):
    other = replace(seat, number=1)
    made = [
        number
        for each in (seat, other)
        for size in seat.plan.batches
        for batch in each.make_people(size, 3)
        for number, _generation in batch
    ]
    assert len(set(made)) == len(made) == 2 * 3 * sum(seat.plan.batches)


def test_updated_people_are_unlinked_with_their_new_account():
    linked = [[(7, 0)], [(8, 0)]]
    assert get_last(linked, [[(7, 1)], [(8, 1)], [(7, 2)]]) == [[(7, 2)], [(8, 1)]]


# === FIGURES === #


def test_repeating_ends_after_the_last_body():
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


def test_family_begins_with_its_root():
    assert get_family(2**30) == [2**30]
    assert get_odoo_memory(2**30) == []


@pytest.mark.parametrize(
    "name",
    ["people", "country", "clock", "work", "load", "report", "tables", "usage"],
)
def test_doctests_pass(name):
    done = doctest.testmod(importlib.import_module(f"bench.{name}"))
    assert done.attempted and not done.failed


# === REPORT === #


@pytest.fixture
def report() -> dict:
    """Return a small report in which one answer was wrong."""
    served = Usage(odoo=0.02, postgres=0.01, wal=400_000, wal_images=100_000)
    bare = Usage(odoo=0.0, postgres=0.012)
    fast = Measurement(1, 100, 0, 4.0, 400.0, client_seconds=0.003, usage=bare)
    slow = Measurement(1, 100, 1, 2.0, 200.0, usage=served)
    row = {"work": "link", "batch": 1000, **slow.to_dict(), "floor": fast.to_dict()}
    row["floor_without_triggers"] = row["floor_of_one_row"] = fast.to_dict()
    measured = {"empty_route": fast.to_dict(), "work": [row]}
    about = {"rows": 300, "mappings": 300, "clients": 2, "workers": 2, "seconds": 1.0}
    memory = [{"process": "odoo worker", "rss_mb": 111.0, "peak_mb": 120.0}]
    about |= {"python": "Python 3.11.2, optimised (/usr/bin/python3)"}
    return build_report(measured, **about, cpus=2, memory=memory)


def test_report_compares_with_the_floor(report):
    (row,) = report["work"]
    assert (row["of_floor"], row["of_empty_route"]) == (0.5, 0.5)
    assert report["wrong"] == 1


def test_report_compares_the_cost_of_an_item(report):
    (row,) = report["work"]
    assert (row["cpu_us_served"], row["cpu_us_floor"]) == (300.0, 150.0)
    assert row["cpu_of_floor"] == 2.0
    assert row["wal_bytes_without_page_images"] == 3000
    assert row["goals"] == GOALS["link", 1000]


def test_report_without_postgres_processes_is_complete(report):
    (row,) = report["work"]
    row["cpu_us"]["postgres"] = row["floor"]["cpu_us"]["postgres"] = None
    measured = {"empty_route": report["empty_route"], "work": [row]}
    about = {name: report[name] for name in ("mappings", "clients", "workers", "cpus")}
    about |= {name: report[name] for name in ("seconds", "python", "memory")}
    again = build_report(measured, **about)
    assert again["work"][0]["cpu_of_floor"] is None
    assert "  -" in "\n".join(build_table(again))


def test_table_shows_each_row(report):
    table = "\n".join(build_table(report))
    assert "300 mappings, 2 clients, 2 workers, 1 s each, 2 processors" in table
    words = ("link", "50%", "empty", "odoo worker", "(at most 120)", "12,000", "130")
    for word in (*words, "2.00", "3,000", "with triggers 400/s", "Python 3.11.2"):
        assert word in table


def test_report_is_written_under_its_time_and_as_the_latest(report, tmp_path):
    path = write_report(tmp_path, report)
    latest = tmp_path / "latest.json"
    assert json.loads(path.read_text()) == json.loads(latest.read_text()) == report
    assert path != latest


def test_bench_with_a_wrong_answer_fails(report, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(benchmark, "_run", lambda *_given: report)
    places = Places(tmp_path, tmp_path)
    with pytest.raises(Failure, match="1 answers were wrong: see "):
        plan = {"rows": 300, "clients": 2, "seconds": 1, "workers": 2}
        benchmark.bench(places, **plan, branches=0, people=0, accounts=0, searches=0)
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
def test_impossible_plan_is_refused(changed, named):
    given = {"rows": 300, "clients": 2, "seconds": 1.0, "workers": 2, **changed}
    with pytest.raises(Failure, match=named):
        benchmark.check_plan(**given)


def test_command_has_the_options_of_the_plan():
    given = vars(build_parser().parse_args(["bench", "--rows=7", "--seconds=0.5"]))
    assert given.pop("call") == "bench"
    assert given.pop("branches") == 170_000
    assert given.pop("people") == 100_000
    assert given.pop("accounts") == 100_000
    assert given.pop("searches") == 100
    assert given == {"rows": 7, "clients": 4, "seconds": 0.5, "workers": 2}
    benchmark.check_plan(**given)
