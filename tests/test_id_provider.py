"""Logins at a real OpenID provider: every kind of client, and refusals."""

import re

import pytest
import requests

from .chromium import chromium
from .person import FINGERPRINT, Person

KINDS = ("spar-esignet", "spar-keycloak", "spar-esignet-encrypted", "spar-pushed")


@pytest.fixture(params=KINDS)
def client(request, id_provider) -> dict:
    """Return our record of each kind of client, as described by the demo."""
    return id_provider.clients[request.param]


@pytest.fixture
def esignet(id_provider) -> dict:
    return id_provider.clients["spar-esignet"]


@pytest.fixture
def person(id_provider) -> Person:
    return Person(id_provider.people[0])


def is_logged_in(person: Person, server) -> bool:
    return "Sign out" in person.open(f"{server.url}/spar").text


def count_people(server) -> int:
    return server.query("SELECT count(*) FROM spar_identity")[0][0]


def test_demo_shows_ids_in_one_form(id_provider):
    for facts in (*id_provider.people, *id_provider.newcomers):
        assert facts["id_value"] == f"token:{facts['individual_id']}@nationalId"


# === ONE LOGIN === #


def test_login_works_with_every_kind_of_client(server, client, person):
    page = person.log_in(client["login_url"])
    assert page.status_code == 200
    assert page.url == f"{server.url}/spar/address"
    assert "Your account" in page.text
    assert person.facts["individual_id"] not in page.text


def test_second_login_is_the_same_person(server, client, id_provider):
    facts = id_provider.people[1]
    Person(facts).log_in(client["login_url"])
    before = count_people(server)
    Person(facts).log_in(client["login_url"])
    assert count_people(server) == before


def test_fingerprint_login_is_reported_as_such(server, esignet, id_provider):
    facts = id_provider.people[2]
    Person(facts, FINGERPRINT).log_in(esignet["login_url"])
    rows = server.query("SELECT acr FROM spar_identity ORDER BY seen_at DESC LIMIT 1")
    assert rows == [(FINGERPRINT,)]


def test_next_person_in_the_browser_logs_in_again(server, client, person):
    """The provider still has the session of the previous user: phones are shared."""
    person.log_in(client["login_url"])
    person.browser.cookies.clear(domain="127.0.0.1")
    page = person.begin(client["login_url"])
    assert "Show who you are" in page.text
    assert not is_logged_in(person, server)


def test_two_people_have_two_subjects(server, esignet, id_provider):
    before = count_people(server)
    for facts in id_provider.people[3:5]:
        Person(facts).log_in(esignet["login_url"])
    assert count_people(server) == before + 2
    assert server.query(
        "SELECT count(user_id) - count(DISTINCT user_id) FROM spar_identity"
    ) == [(0,)]


def test_newcomer_logs_in_and_has_no_account(id_provider, esignet):
    page = Person(id_provider.newcomers[0]).log_in(esignet["login_url"])
    assert "You have not chosen an account yet" in page.text


# === NO LOGIN === #


def test_wrong_code_leads_nowhere(server, client, id_provider):
    facts = {**id_provider.people[5], "otp": "000000x"}
    stranger = Person(facts)
    page = stranger.log_in(client["login_url"])
    assert page.status_code == 401
    assert 'role="alert"' in page.text
    assert not is_logged_in(stranger, server)


def test_going_back_is_explained(server, client, person):
    page = person.begin(client["login_url"])
    answer = person.send(page, cancel="1")
    assert answer.status_code == 400
    assert "You did not finish signing in at the ID provider" in answer.text
    assert not is_logged_in(person, server)


def test_login_answer_works_once(server, client, person):
    page = person.log_in(client["login_url"])
    answer = next(
        r.headers["Location"]
        for r in page.history
        if "code=" in r.url or "code=" in r.headers.get("Location", "")
    )
    again = person.open(answer)
    assert again.status_code == 400
    assert "already finished" in again.text


def test_login_answer_works_in_one_browser(server, client, id_provider):
    """An attacker has their own login finished in a victim's browser."""
    attacker, victim = (Person(facts) for facts in id_provider.people[6:8])
    page = attacker.begin(client["login_url"])
    form = attacker.browser.post(
        page.url,
        data={"acr": "mosip:idp:acr:generated-code", **attacker.get_proof()},
        allow_redirects=False,
    )
    while "code=" not in form.headers["Location"]:
        form = attacker.browser.get(form.headers["Location"], allow_redirects=False)
    answer = victim.open(form.headers["Location"])
    assert answer.status_code == 400
    assert not is_logged_in(victim, server)


def test_provider_with_pushed_requests_refuses_others(id_provider):
    answer = requests.get(
        f"{id_provider.issuer}/auth",
        params={
            "client_id": "spar-pushed",
            "response_type": "code",
            "scope": "openid",
            "redirect_uri": id_provider.clients["spar-pushed"]["redirect_uri"],
            "code_challenge": "x" * 43,
            "code_challenge_method": "S256",
        },
        allow_redirects=False,
        timeout=30,
    )
    assert "error=invalid_request" in answer.headers.get("Location", "")


def test_log_has_nothing_about_the_person(server, esignet, id_provider):
    facts = id_provider.people[8]
    Person(facts).log_in(esignet["login_url"])
    log = server.log.read_text(errors="replace")
    for known in (facts["individual_id"], facts["name"], facts["otp"]):
        assert known not in log


# === LOGGING OUT === #


def test_logout_leads_to_the_provider_and_back(server, esignet, person):
    page = person.log_in(esignet["login_url"])
    page = person.send(
        page, csrf_token=re.search(r'csrf_token" value="([^"]+)', page.text)[1]
    )
    assert page.url.startswith("http://localhost:")
    assert "Log out of the ID provider, too?" in page.text
    assert not is_logged_in(person, server)


# === CHROMIUM === #


def test_login_in_a_browser(server, esignet, id_provider, browser):
    """Cross-site, as in production: the provider is on another host than Odoo."""
    facts = id_provider.people[9]
    with chromium(browser) as page:
        page.set_size(360, 740)
        page.switch_scripts_off()
        page.open(f"{server.url}/spar")
        page.click("form[action^='/spar/login'] button")
        assert page.url.startswith(id_provider.issuer)
        page.type("#id", facts["individual_id"])
        page.type("#otp", facts["otp"])
        page.click("section[aria-labelledby='by-code'] button")
        assert page.url == f"{server.url}/spar/address"
        assert "Your account" in page.text


def test_staff_login_page_links_to_the_beneficiary_login(server, browser):
    with chromium(browser) as page:
        page.open(f"{server.url}/web/login")
        page.click("a[href='/spar']")
        assert page.url == f"{server.url}/spar"
