"""Rows that a process caches are valid only as long as they are unchanged.

The next call of every worker sees any change that another session makes by plain SQL.
Sealed settings that SQL changed are not trusted: the participant is refused, or the
call is. Restored values are used again.
"""

import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from .backend import EVERY_RIGHT, make_participant
from .client import Client, build_items
from .people import make_people
from .real_server import WORKERS

#: Parallel calls over separate connections: several workers accept them.
PARALLEL, CALLS = 6, 24

SENDER = "kept.example"


@dataclass(frozen=True)
class Case:
    """A change by SQL, columns to expressions, and the expected answer."""

    table: str
    where: str
    columns: dict[str, str]
    answer: str
    operation: str = "resolve"


def of_participant(answer: str, operation: str = "resolve", **columns: str) -> Case:
    """Return a change of the participant's own row."""
    where = f"sender_id = '{SENDER}'"
    return Case("spar_participant", where, columns, answer, operation)


def of_key(**columns: str) -> Case:
    """Return a change of its key."""
    where = f"""participant_id = (
        SELECT id FROM spar_participant WHERE sender_id = '{SENDER}')"""
    return Case("spar_participant_key", where, columns, "401")


def of_setting(table: str, where: str, **columns: str) -> Case:
    """Return a change of a setting that decides where money goes."""
    return Case(table, where, columns, "503", "link")


CASES = {
    "disabled": of_participant("401", state="'disabled'"),
    "right removed": of_participant("401", may_resolve="false"),
    "only yes or no": of_participant("401", scope="'yes_no'"),
    "token revoked": of_participant("401", client_id="'x' || client_id"),
    "proof changed": of_participant("401", proof="'token'"),
    "address of origin": of_participant("401", origin_networks="'192.0.2.1'"),
    "own providers only": of_participant("401", "link", own_providers_only="true"),
    "key revoked": of_key(revoked_at="now()"),
    "key not trusted": of_key(is_trusted="false"),
    "key over": of_key(valid_to="now() AT TIME ZONE 'UTC'"),
    "tokens are for another database": Case(
        "ir_config_parameter", "key = 'database.uuid'", {"value": "'x' || value"}, "401"
    ),
    "provider renamed": Case(
        "spar_fsp", "code = 'DEMO'", {"code": "'RENAMED'"}, "RENAMED"
    ),
    "ID type changed": of_setting(
        "spar_id_type",
        "code = 'national_id'",
        check="'regex'",
        check_parameter="'[0-9]'",
    ),
    "strategy changed": of_setting(
        "spar_fa_strategy", "number = 1", template="replace(template, ':', 's:')"
    ),
    "kind changed": of_setting(
        "spar_fa_type_part",
        "key = 'account_number'",
        check_code="'regex'",
        check_parameter="'[A-Z]'",
    ),
    "rule changed": of_setting("spar_change_rule", "true", decision="'refuse'"),
}


@pytest.fixture(scope="module")
def participant(server):
    return make_participant(server, SENDER.partition(".")[0], **EVERY_RIGHT)


@pytest.fixture(scope="module")
def person(server):
    (person,) = make_people(1)
    server.get_client("programme").link([person.linked])
    return person


@pytest.fixture
def clients(server, participant):
    """Return clients with a connection and a token each."""
    clients = [Client(server.api, participant) for _each in range(PARALLEL)]
    for client in clients:
        client.get_token()
    yield clients
    for client in clients:
        client.session.close()


def call(client: Client, operation: str, person) -> str:
    """Return the answer, in one word as far as possible."""
    values = {
        "resolve": lambda: person.resolve_item,
        "link": lambda: make_people(1)[0].linked,
    }
    message = client.build_message(operation, build_items([values[operation]()]))
    answer = client.send(operation, message)
    client.session.close()  # the next call uses another connection
    if answer.status_code != 200:
        return str(answer.status_code)
    document = answer.json()
    items = (document.get("message") or {}).get(f"{operation}_response")
    if not items:
        return document["header"]["status"]
    (item,) = items
    shown = (item.get("account_provider_info") or {}).get("code", "")
    code = item.get("status_reason_code", "")
    fa = "" if item.get("fa") else "no fa"
    return " ".join(filter(None, (item["status"], code, shown, fa)))


def call_all(clients: list[Client], operation: str, person) -> set[str]:
    """Return the workers' answers to many simultaneous calls."""

    def call_some(client: Client) -> set[str]:
        each = range(CALLS // PARALLEL)
        return {call(client, operation, person) for _number in each}

    with ThreadPoolExecutor(PARALLEL) as pool:
        return set().union(*pool.map(call_some, clients))


@contextmanager
def changed(server, case: Case):
    names = [f'"{name}"' for name in case.columns]
    values = ", ".join(
        f"{name} = {value}"
        for name, value in zip(names, case.columns.values(), strict=True)
    )
    with server.cursor() as cursor:
        cursor.execute(
            f"SELECT {', '.join(names)}, id FROM {case.table} WHERE {case.where}"
        )
        before = cursor.fetchall()
        assert before
        cursor.execute(f"UPDATE {case.table} SET {values} WHERE {case.where}")
    try:
        yield
    finally:
        back = ", ".join(f"{name} = %s" for name in names)
        with server.cursor() as cursor:
            cursor.executemany(f"UPDATE {case.table} SET {back} WHERE id = %s", before)


@pytest.mark.parametrize("name", CASES)
def test_change_by_sql_applies_to_the_next_call_of_every_worker(
    server, clients, person, name
):
    case = CASES[name]
    before = call_all(clients, case.operation, person)
    assert len(before) == 1, before
    assert before.pop().startswith("succ")
    logged = ("SPAR ALARM", "integrity alarm", "Exception during request handling")
    with server.expecting(*logged), changed(server, case):
        answers = call_all(clients, case.operation, person)
    assert answers and all(case.answer in answer for answer in answers), answers
    (after,) = call_all(clients, case.operation, person)
    assert after.startswith("succ")


def test_both_workers_answer(server, clients, person):
    """The tests above cover what they should: each worker answers some of the calls."""
    start = server.log.stat().st_size
    call_all(clients, "resolve", person)
    lines = server.log.read_bytes()[start:].decode(errors="replace")
    request = r"^\S+ \S+ (\d+) INFO \S+ werkzeug: .*POST \S+/sync/resolve "
    assert len(set(re.findall(request, lines, re.M))) == WORKERS
