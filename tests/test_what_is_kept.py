"""What a process keeps of rows holds no longer than they do: whatever another session
changes by plain SQL is seen by the very next call, of every worker.

Of settings that are sealed nothing that SQL changed is believed: the participant is
refused, or the call is. What was put back is used again."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from .backend import EVERY_RIGHT, make_participant
from .client import Client, build_items
from .people import make_people

#: Calls at the same time, over connections of their own: more than one worker takes.
PARALLEL, CALLS = 6, 24

SENDER = "kept.example"


@dataclass(frozen=True)
class Case:
    """A change by SQL, how it is taken back, and what is answered in between."""

    change: str
    back: str
    answer: str
    operation: str = "resolve"


def of_participant(assignment: str, back: str, answer: str) -> Case:
    """A change of the participant's own row."""
    update = f"UPDATE spar_participant SET %s WHERE sender_id = '{SENDER}'"
    return Case(update % assignment, update % back, answer)


def of_key(assignment: str, back: str, answer: str) -> Case:
    """A change of its key."""
    update = f"""UPDATE spar_participant_key SET %s WHERE participant_id = (
        SELECT id FROM spar_participant WHERE sender_id = '{SENDER}')"""
    return Case(update % assignment, update % back, answer)


CASES = {
    "disabled": of_participant("state = 'disabled'", "state = 'active'", "401"),
    "right removed": of_participant("may_resolve = false", "may_resolve = true", "401"),
    "only yes or no": of_participant("scope = 'yes_no'", "scope = 'details'", "401"),
    "token revoked": of_participant(
        "client_id = 'x' || client_id", "client_id = substring(client_id FROM 2)", "401"
    ),
    "proof changed": of_participant(
        "proof = 'token'", "proof = 'token_and_signature'", "401"
    ),
    "address of origin": of_participant(
        "origin_networks = '192.0.2.1'", "origin_networks = NULL", "401"
    ),
    "own providers only": Case(
        f"UPDATE spar_participant SET own_providers_only = true "
        f"WHERE sender_id = '{SENDER}'",
        f"UPDATE spar_participant SET own_providers_only = NULL "
        f"WHERE sender_id = '{SENDER}'",
        "401",
        "link",
    ),
    "key revoked": of_key("revoked_at = now()", "revoked_at = NULL", "401"),
    "key not trusted": of_key("is_trusted = false", "is_trusted = true", "401"),
    "key over": of_key("valid_to = now() AT TIME ZONE 'UTC'", "valid_to = NULL", "401"),
    "tokens are for another database": Case(
        "UPDATE ir_config_parameter SET value = 'x' || value "
        "WHERE key = 'database.uuid'",
        "UPDATE ir_config_parameter SET value = substring(value FROM 2) "
        "WHERE key = 'database.uuid'",
        "401",
    ),
    "provider renamed": Case(
        "UPDATE spar_fsp SET code = 'RENAMED' WHERE code = 'DEMO'",
        "UPDATE spar_fsp SET code = 'DEMO' WHERE code = 'RENAMED'",
        "RENAMED",
    ),
    "ID type changed": Case(
        "UPDATE spar_id_type SET \"check\" = 'regex', check_parameter = '[0-9]' "
        "WHERE code = 'national_id'",
        'UPDATE spar_id_type SET "check" = NULL, check_parameter = NULL '
        "WHERE code = 'national_id'",
        "503",
        "link",
    ),
    "strategy changed": Case(
        "UPDATE spar_fa_strategy SET template = replace(template, ':', 's:') "
        "WHERE number = 1",
        "UPDATE spar_fa_strategy SET template = replace(template, 's:', ':') "
        "WHERE number = 1",
        "503",
        "link",
    ),
    "kind changed": Case(
        "UPDATE spar_fa_type_part SET check_code = 'regex', check_parameter = '[A-Z]' "
        "WHERE key = 'account_number'",
        "UPDATE spar_fa_type_part SET check_code = NULL, check_parameter = NULL "
        "WHERE key = 'account_number'",
        "503",
        "link",
    ),
    "rule changed": Case(
        "UPDATE spar_change_rule SET decision = 'refuse'",
        "UPDATE spar_change_rule SET decision = 'apply'",
        "503",
        "link",
    ),
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
    """Clients with a connection and a token each."""
    clients = [Client(server.api, participant) for _each in range(PARALLEL)]
    for client in clients:
        client.get_token()
    yield clients
    for client in clients:
        client.session.close()


def ask(client: Client, operation: str, person) -> str:
    """What is answered, in one word as far as it goes."""
    values = {
        "resolve": lambda: person.asked,
        "link": lambda: make_people(1)[0].linked,
    }
    message = client.build_message(operation, build_items([values[operation]()]))
    answer = client.send(operation, message)
    client.session.close()  # the next call is another connection's
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


def ask_all(clients: list[Client], operation: str, person) -> set[str]:
    """What the workers answer, to many calls at the same time."""

    def ask_some(client: Client) -> set[str]:
        each = range(CALLS // PARALLEL)
        return {ask(client, operation, person) for _number in each}

    with ThreadPoolExecutor(PARALLEL) as pool:
        return set().union(*pool.map(ask_some, clients))


@contextmanager
def changed(server, case: Case):
    with server.cursor() as cursor:
        cursor.execute(case.change)
        assert cursor.rowcount
    try:
        yield
    finally:
        with server.cursor() as cursor:
            cursor.execute(case.back)


@pytest.mark.parametrize("name", CASES)
def test_a_change_by_sql_holds_in_the_next_call_of_every_worker(
    server, clients, person, name
):
    case = CASES[name]
    before = ask_all(clients, case.operation, person)
    assert len(before) == 1, before
    assert before.pop().startswith("succ")
    with changed(server, case):
        answers = ask_all(clients, case.operation, person)
    assert answers and all(case.answer in answer for answer in answers), answers
    (after,) = ask_all(clients, case.operation, person)
    assert after.startswith("succ")


def test_both_workers_are_asked(server, clients, person):
    """The tests above say what they are meant to: more than one process answers."""
    query = """SELECT count(DISTINCT pid) FROM pg_stat_activity
                WHERE datname = current_database() AND usename <> current_user"""
    ask_all(clients, "resolve", person)
    assert server.query(query)[0][0] >= 2
