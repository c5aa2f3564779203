"""A logged-in user reaches only their own subject, by any route or method."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from .beneficiary import build_newcomer
from .people import make_account
from .person import Person

SURFACE = Path(__file__).with_name("surface.py")
#: Logging out would end the walk; it reveals nothing about anyone.
SKIPPED = ("/spar/logout",)


@dataclass
class Victim:
    """A person with an account, a history and a half-finished draft."""

    facts: dict
    account: str
    words: dict[str, str]
    person: Person

    @property
    def secrets(self) -> list[str]:
        grouped = " ".join(
            self.account[i : i + 4] for i in range(0, len(self.account), 4)
        )
        id_value = self.facts["individual_id"]
        return [self.account, grouped, id_value, self.facts["name"]]


@pytest.fixture(scope="module")
def surface(server) -> dict:
    return server.installation.run_script(SURFACE)


@pytest.fixture(scope="module")
def esignet(id_provider) -> dict:
    return id_provider.clients["spar-esignet"]


@pytest.fixture(scope="module")
def victim(server, id_provider, esignet):
    facts, account = build_newcomer(id_provider, 0), make_account()
    programme = server.get_client("programme")
    programme.link([{"id": facts["id_value"], "fa": f"account:{account}@BR01.DEMO"}])
    person = Person(facts)
    page = person.log_in(esignet["login_url"])
    review = person.browser.post(
        f"{server.url}/spar/remove", data={"csrf_token": get_token(page)}, timeout=60
    )
    assert "Remove your account?" in review.text, review.url
    page = person.browser.post(
        f"{server.url}/spar/change", data={"csrf_token": get_token(page)}, timeout=60
    )
    history = person.open(f"{server.url}/spar/history").text
    period, seq = re.search(r"/spar/objection/(\w+)/(\d+)", history).groups()
    draft = page.url.split("/")[-2]
    words = {"uuid": draft, "period": period, "seq": seq}
    words["token"] = review.url.rpartition("/")[2]
    yield Victim(facts, account, words, person)
    programme.unlink([{"id": facts["id_value"]}])


@pytest.fixture
def attacker(id_provider, esignet) -> Person:
    """Return another beneficiary, logged in."""
    person = Person(build_newcomer(id_provider, 1))
    person.page = person.log_in(esignet["login_url"])
    return person


def get_token(page: requests.Response) -> str:
    return re.search(r'name="csrf_token" value="([^"]+)"', page.text)[1]


def get_state(server, victim: Victim) -> list:
    """Return everything that is stored about the victim, as the tables have it."""
    uuid, period = victim.words["uuid"], victim.words["period"]
    return [
        server.query("SELECT version, state FROM spar_draft WHERE uuid = %s", uuid),
        server.query(
            """SELECT m.state, m.version, s.change_lock, s.pay_stop
                 FROM spar_mapping m JOIN spar_subject s ON s.id = m.subject_id
                WHERE m.address_uuid = %s""",
            period,
        ),
        server.query("SELECT count(*) FROM spar_event"),
        server.query("SELECT count(*) FROM spar_objection"),
        server.query(
            "SELECT state, browser_digest FROM spar_confirmation"
            " WHERE token_digest = %s",
            hashlib.sha256(victim.words["token"].encode()).digest(),
        ),
    ]


def test_page_of_review_is_the_victims_alone(server, victim, attacker):
    """What the walk tries is a real page: open for one session, closed for others."""
    path = f"{server.url}/spar/confirm/{victim.words['token']}"
    assert "Remove your account?" in victim.person.open(path).text
    before = get_state(server, victim)
    assert before[-1][0][0] == "open"
    for person in (attacker, Person(attacker.facts)):
        page = person.open(path)
        assert "another browser" in page.text and "Nothing was changed" in page.text
        data = {"csrf_token": get_token(attacker.page), "client": "1"}
        with server.expecting("CSRF validation failed"):
            for button in ("login", "stop"):
                answer = person.browser.post(f"{path}/{button}", data=data, timeout=60)
                assert "Show who you are" not in answer.text
    assert get_state(server, victim) == before


def fill_path(path: str, words: dict[str, str]) -> list[str]:
    """Return the paths of a route with the victim's own references in them."""
    choices = re.findall(r"<any\(([^)]*)\):\w+>", path)
    paths = [path]
    if choices:
        paths = [
            re.sub(r"<any\([^)]*\):\w+>", step, path) for step in choices[0].split(",")
        ]
    words = {"backend_id": "1", "client_id": "1", "action": "on-link", **words}
    words = {"provider_id": "1", "name": "x", "code": "fr_FR", **words}
    words = {"model": "spar.account.import", "job_id": "1", "dispatch_id": "1", **words}
    return [
        re.sub(r"<(?:\w+:)?(\w+)>", lambda found: words[found[1]], path)
        for path in paths
    ]


def test_no_route_shows_or_changes_another_person(server, surface, victim, attacker):
    before, leaks, tried = get_state(server, victim), [], 0
    token = get_token(attacker.page)
    with server.expecting("."):
        for route in surface["routes"]:
            if route["path"] in SKIPPED:
                continue
            for path in fill_path(route["path"], victim.words):
                for method in route["methods"]:
                    answer = call_route(server, attacker, method, path, token, victim)
                    tried += 1
                    leaks += [(path, s) for s in victim.secrets if s in answer.text]
                    assert answer.status_code != 500, path
    assert tried > 30
    assert leaks == []
    assert get_state(server, victim) == before


def call_route(server, attacker, method, path, token, victim) -> requests.Response:
    """Call a route with every parameter that could refer to the victim."""
    form = {**victim.words, "version": "1", "type": "1"}
    words = {"params": form}
    if method == "POST":
        ids = {key: victim.facts[key] for key in ("id_value", "individual_id")}
        words = {"data": {**form, **ids, "csrf_token": token}}
    return attacker.browser.request(
        method, f"{server.url}{path}", timeout=60, allow_redirects=False, **words
    )


def test_no_method_shows_or_changes_another_person(server, surface, victim, attacker):
    before, allowed, tried = get_state(server, victim), [], 0
    with server.expecting("."):
        for model, methods in surface["models"].items():
            for method in methods:
                answer = call_method(server, attacker, model, method)
                tried += 1
                leaks = [s for s in victim.secrets if s in answer.text]
                assert leaks == [], (model, method)
                if "error" not in answer.json():
                    allowed.append((model, method))
    assert tried > 300
    assert allowed == []
    assert get_state(server, victim) == before


def call_method(server, attacker, model: str, method: str) -> requests.Response:
    """Call a method as the web client would, on the first records of the model."""
    ids = [number for number in range(1, 6)]
    arguments = {
        "search_read": [[]],
        "web_search_read": [[], {"display_name": {}}],
        "search_count": [[]],
        "name_search": ["a"],
        "formatted_read_group": [[]],
        "create": [{}],
        "write": [ids, {}],
        "read": [ids],
        "web_read": [ids, {"display_name": {}}],
        "export_data": [ids, ["id"]],
        "message_subscribe": [ids, [1]],
        "message_unsubscribe": [ids, [1]],
    }
    params = {
        "model": model,
        "method": method,
        "args": arguments.get(method, [ids]),
        "kwargs": {},
    }
    return attacker.browser.post(
        f"{server.url}/web/dataset/call_kw/{model}/{method}",
        json={"jsonrpc": "2.0", "method": "call", "params": params},
        timeout=60,
    )
