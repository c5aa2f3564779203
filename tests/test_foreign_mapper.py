"""Programmes and pages on a mapper of others, which has a protocol of its own.

It has neither versions nor history, and makes changes some time after it has accepted
them. The store is not installed.
"""

import doctest
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from examples.foreign_mapper import accounts
from examples.foreign_mapper.accounts import Accounts
from examples.foreign_mapper.server import ForeignMapper, serving

from .beneficiary import Visitor
from .chromium import chromium
from .outbox import FIRST_ID, MAKE, OURS, collect, drain, run_script
from .people import make_account
from .person import Person
from .test_readiness_kill import START, WORK, count_states
from .test_without_store import read_installed

QUESTIONS = Path(__file__).with_name("foreign_questions.py")
TOKEN = "a-token-of-the-tests"
PEOPLE = 30
#: Seconds until an accepted change is visible.
DELAY = 1.0
#: What a mapper can do wrong with every request.
FAULTS = (
    {"status": 500},
    {"status": 403},
    {"token": "another one"},
    {"rubbish": b"<html>busy</html>"},
    {"rubbish": b'{"answers": []}'},
)
#: Logged once for each call that fails while the pages wait for it.
DOWN = r"does not answer|cannot answer|mapper"
IDS = [f"token:{FIRST_ID + number}@nationalid" for number in range(PEOPLE)]


@pytest.fixture(scope="module")
def mapper(second) -> Iterator[ForeignMapper]:
    """Yield the foreign mapper, which the second server calls for every ID."""
    with serving(TOKEN, accounts=Accounts(delay=DELAY)) as running:
        values = {
            "url": running.url,
            "authentication": "static",
            "secret": TOKEN,
            "signature_place": False,
            "answer_place": False,
            "timeout": 5,
        }
        assert second.set_backend("spar.mapper.foreign", **values) == ""
        run_script(second, MAKE.format(count=PEOPLE, first=FIRST_ID))
        yield running


def build_fa(prefix: int, number: int) -> str:
    return f"account:{prefix}{number:08}@BR01.DEMO"


def count_changes(mapper: ForeignMapper, person: str) -> int:
    """Return how many changes of a person's account the mapper has accepted."""
    return sum(each.person == person for each in mapper.accounts.changes.values())


def find_all(mapper: ForeignMapper) -> list:
    return [mapper.accounts.find(person) for person in IDS]


def test_the_store_is_absent(second, mapper):
    """Otherwise these tests prove nothing."""
    settings = {**second.postgres.settings, "dbname": second.database}
    installed = read_installed(settings)
    assert {"spar_self_service", "spar_registry", "spar_mapper_foreign"} <= installed
    assert not installed & {"spar_mapper", "spar_g2p_connect"}


def test_the_mapper_does_what_its_docstrings_show():
    found = doctest.testmod(accounts)
    assert found.attempted and not found.failed


# === PROGRAMMES === #


def test_collected_accounts_arrive_once(second, mapper):
    for prefix in (1, 2):
        collect(second, prefix)
        assert drain(second) == 0
        assert find_all(mapper) == [build_fa(prefix, n) for n in range(PEOPLE)]
    assert {count_changes(mapper, person) for person in IDS} == {2}


def test_lost_answers_change_nothing_twice(second, mapper):
    before = len(mapper.accounts.changes)
    collect(second, 3)
    mapper.losing = 1
    assert drain(second) == 0
    assert mapper.losing == 0
    assert find_all(mapper) == [build_fa(3, n) for n in range(PEOPLE)]
    assert len(mapper.accounts.changes) == before + PEOPLE


def test_wrong_answers_are_no_success(second, mapper):
    """A code that is not agreed, no answer, and what is no code."""
    collect(second, 4)
    mapper.faults = {IDS[0]: 99, IDS[1]: None, IDS[2]: [1], IDS[3]: {"a": True}}
    try:
        assert drain(second, 8) == len(mapper.faults)
    finally:
        mapper.faults = {}
    assert drain(second) == 0
    assert find_all(mapper) == [build_fa(4, n) for n in range(PEOPLE)]


@pytest.mark.parametrize(("prefix", "fault"), tuple(enumerate(FAULTS, 50)), ids=str)
def test_failures_are_no_success(second, mapper, prefix, fault):
    as_usual = {name: getattr(mapper, name) for name in fault}
    collect(second, prefix)
    before = len(mapper.accounts.changes)
    for name, value in fault.items():
        setattr(mapper, name, value)
    try:
        assert drain(second, 3) == PEOPLE
    finally:
        for name, value in as_usual.items():
            setattr(mapper, name, value)
    assert drain(second) == 0
    assert find_all(mapper) == [build_fa(prefix, n) for n in range(PEOPLE)]
    assert len(mapper.accounts.changes) == before + PEOPLE


def test_a_change_that_is_dropped_later_is_for_staff(second, mapper):
    kept = find_all(mapper)
    mapper.accounts.closed = {build_fa(9, 0)}
    collect(second, 9)
    drain(second, 15)
    assert mapper.accounts.find(IDS[0]) == kept[0]
    assert find_all(mapper)[1:] == [build_fa(9, n) for n in range(1, PEOPLE)]
    query = f"""SELECT o.state, o.reason FROM {OURS}
                 WHERE o.state NOT IN ('done', 'superseded')"""
    assert second.query(query) == [("conflict", "refused")]


def test_forms_and_the_nightly_comparison(second, mapper):
    found = ask(second, ["Killed 1", "Killed 2"])
    assert found["buttons"][0]["state"] == "Linked"
    text = found["buttons"][0]["text"]
    assert text.startswith("Bank account ••"), text
    assert "Harbour Bank" in text, text
    assert "90000" not in found["buttons"][0]["text"]
    assert found["sweep"]["drift"] == 0
    mapper.accounts.accounts[IDS[1]] = "account:777777777777@BR01.DEMO"
    del mapper.accounts.accounts[IDS[2]]
    found = ask(second, ["Killed 1", "Killed 2"])
    assert [each["state"] for each in found["buttons"]] == ["Linked", "Not linked"]
    assert found["sweep"]["drift"] == 2
    mapper.status = 503
    try:
        found = ask(second, ["Killed 1"])
    finally:
        mapper.status = 0
    assert found["buttons"] == [{"state": "Cannot be shown now", "text": ""}]
    assert (found["sweep"]["same"], found["sweep"]["drift"]) == (0, 0)


def ask(second, names: list[str]) -> dict:
    return second.installation.run_script(QUESTIONS, SPAR_IDS=json.dumps(names))


def test_payment_readiness(second, mapper):
    numbers = [str(FIRST_ID + 100_000 + number) for number in range(40)]
    for number in numbers[:25]:
        person = f"token:{number}@nationalid"
        mapper.accounts.accounts[person] = "account:1234567@BR01.DEMO"
    mapper.faults = {f"token:{numbers[0]}@nationalid": 99}
    made = second.installation.run_script(START, SPAR_IDS=json.dumps(numbers))
    try:
        second.installation.run_script(WORK, SPAR_PAUSE="0")
    finally:
        mapper.faults = {}
    states = count_states(second, made["run_id"])
    assert states == {"payable": 24, "not_linked": 15, "unknown": 1}


# === PAGES === #


@pytest.fixture(scope="module")
def people(second, server, mapper):
    """Yield people whom nobody knows yet; they can log in."""
    with second.id_provider(server.facts["idp"]["newcomers"]) as provider:
        yield provider.newcomers


def get_id(facts: dict) -> str:
    return facts["id_value"].lower()


def wait_for(mapper: ForeignMapper, facts: dict, wanted) -> None:
    """Return when what is visible at the mapper is ``wanted``."""
    end = time.monotonic() + 10
    while mapper.accounts.find(get_id(facts)) != wanted:
        assert time.monotonic() < end, mapper.accounts.find(get_id(facts))
        time.sleep(0.1)


def test_whole_way_in_the_browser(second, mapper, people, browser):
    """First address, another one, removal; pages offer only what the mapper can do."""
    facts, first, second_one = people[0], make_account(), make_account()
    with chromium(browser) as page:
        page.set_size(360, 740)
        visitor = Visitor(page, second.url, facts)
        visitor.sign_in()
        visitor.choose_account(first)
        visitor.confirm()
        assert "Your change has to wait" in page.text
        assert "It takes effect once it has been processed." in page.text
        wait_for(mapper, facts, f"account:{first}@{get_branch(mapper)}")
        visitor.open("/spar/address")
        assert first[-3:] in page.text and first not in page.text
        assert not page.has("a[href='/spar/history']")
        assert not page.has("[href^='/spar/objection']")
        visitor.choose_account(second_one)
        visitor.confirm()
        wait_for(mapper, facts, f"account:{second_one}@{get_branch(mapper)}")
        visitor.remove_account()
        wait_for(mapper, facts, 32)
        visitor.open("/spar/address")
        assert second_one[-3:] not in page.text
        assert not page.has("form[action='/spar/remove']")
        assert visitor.barriers == []
    assert count_changes(mapper, get_id(facts)) == 3


def get_branch(mapper: ForeignMapper) -> str:
    """Return the branch and provider of the newest change."""
    return list(mapper.accounts.changes.values())[-1].account.partition("@")[2]


def test_pages_without_the_mapper_say_so(second, mapper, people):
    person = Person(people[1])
    mapper.status = 503
    try:
        with second.expecting(DOWN):
            page = person.log_in(f"{second.url}/spar")
        assert page.status_code in (200, 503)
        assert 'action="/spar/change"' not in page.text
    finally:
        mapper.status = 0
    assert "/spar/change" in person.open(f"{second.url}/spar/address").text


def test_history_that_is_not_there(second, mapper, people):
    person = Person(people[2])
    person.log_in(f"{second.url}/spar")
    page = person.open(f"{second.url}/spar/history")
    assert re.search(r'<ol class="events">\s*</ol>', page.text)
