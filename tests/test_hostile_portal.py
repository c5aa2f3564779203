"""A portal whose code was replaced by a hostile one: two promises, tested apart.

Over HTTP, at a real store and a real ID provider. It cannot read about somebody who has
not logged in there, and it cannot change an account of somebody who does not confirm
that very change on the store's page.
"""

import base64
import json
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from .backend import approve_all, get_backend, make_participant
from .client import Client
from .hostile_portal import CLIENT_ID, HostilePortal, Login, forge
from .people import make_account
from .person import Person, get_attribute
from .portal import RIGHTS, find_address, press, read_digits

RETURN_URL = "https://hostile.example/spar/confirmed"


@pytest.fixture(scope="module")
def portal(server, id_provider) -> HostilePortal:
    """Return a portal that two administrators of the store trusted, until it fell."""
    rights = {**RIGHTS, "may_read_own": 1, "scope": "yes_no"}
    participant = make_participant(server, "hostile", **rights)
    administrator = get_backend(server, "administrator")
    values = {
        "name": "Portal that fell",
        "sender_id": participant.sender_id,
        "return_urls": RETURN_URL,
        "active": True,
    }
    administrator.call("spar.confirmation.portal", "create", [values])
    domain = [("issuer", "=", id_provider.issuer)]
    (issuer,) = administrator.find("spar.proof.issuer", domain)
    portals = {"portal_audiences": CLIENT_ID}
    administrator.call("spar.proof.issuer", "write", [issuer["id"]], portals)
    approve_all(server)
    client = Client(server.api, participant)
    return HostilePortal(client, server.url, id_provider.issuer)


def make_owner(id_provider, programme, number: int) -> tuple[dict, str]:
    """Return somebody with an account, and that account.

    It is not a newcomer: other tests expect newcomers to have none.
    """
    facts = id_provider.people[number]
    fa = f"account:{make_account()}@BR01.DEMO"
    programme.update([{"id": facts["id_value"], "fa": fa}])
    return facts, find_address(programme, facts)


@pytest.fixture
def victim(id_provider, programme) -> tuple[dict, str]:
    return make_owner(id_provider, programme, 15)


@pytest.fixture
def visitor(id_provider, programme) -> tuple[dict, str]:
    """Return somebody who has logged in at the portal, and trusts it."""
    return make_owner(id_provider, programme, 16)


def get_number(fa: str) -> str:
    return fa.partition(":")[2].partition("@")[0]


# === IT READS NOBODY WHO HAS NOT LOGGED IN THERE === #


def allow(portal, person: Person) -> str:
    """Let a person allow a visit on the store's page; return its reference."""
    page = portal.propose(RETURN_URL, visit={})
    back = authenticate_and_leave(person, person.open(begin(person, page)))
    assert back.startswith(f"{RETURN_URL}?"), back
    return page["reference"]


def authenticate_and_leave(person: Person, page) -> str:
    """Authenticate; return where the store leads back to, which nobody serves here."""
    with pytest.raises(requests.ConnectionError) as refused:
        person.authenticate(page)
    return refused.value.request.url


def test_it_reads_who_allowed_the_visit_masked(portal, visitor):
    facts, fa = visitor
    person = Person(facts)
    visit = allow(portal, person)
    found = portal.read(facts["id_value"], portal.log_in_silently(person), visit)
    assert found["result"]["outcome"] == "found", found
    text = json.dumps(found)
    assert get_number(fa) not in text and get_number(fa)[-3:] in text


def test_it_reads_nobody_else(portal, victim, visitor, id_provider):
    """It has the login of a visitor, and everything that it can make of it."""
    (facts, fa), (other, _fa) = victim, visitor
    person = Person(other)
    visit = allow(portal, person)
    login = portal.log_in(person)
    own_key, wanted = make_signer(), {"individual_id": facts["individual_id"]}
    attempts: dict[str, Login] = {
        "nobody's login": replace(login, id_token="", userinfo=""),
        "the visitor's login": login,
        "a token that nobody signed": replace(login, id_token=forge(login.id_token)),
        "an unknown key": replace(login, id_token=forge(login.id_token, own_key)),
        "claims that nobody signed": replace(
            login, userinfo=forge(login.userinfo, **wanted)
        ),
        "claims by an unknown key": replace(
            login, userinfo=forge(login.userinfo, own_key, **wanted)
        ),
        "claims in plain JSON": replace(login, userinfo=json.dumps(wanted)),
        "both by an unknown key": Login(
            login.issuer,
            forge(login.id_token, own_key, **wanted),
            forge(login.userinfo, own_key, **wanted),
        ),
        "another issuer": replace(login, issuer="https://hostile.example"),
        "one altered byte": replace(login, userinfo=alter(login.userinfo)),
    }
    for name, attempt in attempts.items():
        found = portal.read(facts["id_value"], attempt, visit)
        assert found == {"error": "owner_login_refused"}, (name, found)
        unknown = portal.read("token:no-such-person-1@nationalId", attempt, visit)
        assert unknown == found, name
    for word in ("resolve", "history", "waiting-changes", "standing", "address-at"):
        answer = portal.send(word, {"id": facts["id_value"]})
        assert answer.status_code == 403, (word, answer.text)
        assert get_number(fa)[-4:] not in answer.text
    with pytest.raises(Exception, match="403"):
        portal.client.resolve([{"id": facts["id_value"]}])


def test_session_for_another_site_shows_it_nothing(portal, victim, visitor):
    """Single sign-on: somebody is logged in at the provider, and merely comes by.

    The portal logs them in without a page. It has a visit of somebody else, and one of
    theirs that they did not allow.
    """
    (facts, _fa), (other, _other_fa) = victim, visitor
    person = Person(facts)
    portal.log_in(person)  # for another site: their session at the provider lasts
    login = portal.log_in_silently(person)
    page = portal.propose(RETURN_URL, visit={})
    begin(person, page)
    for visit in ("", "0" * 32, page["reference"], allow(portal, Person(other))):
        found = portal.read(facts["id_value"], login, visit)
        assert found == {"error": "visit_needed"}, (visit, found)


def test_visit_page_of_its_own_making_shows_it_nothing(portal, victim):
    """It opens the page itself, and sends the person on to the provider."""
    facts, _fa = victim
    robot, person = Person(facts), Person(facts)
    page = portal.propose(RETURN_URL, visit={})
    landed = person.authenticate(person.open(begin(robot, page)))
    assert "Nothing was changed" in landed.text
    assert portal.get_state(page) == "open"
    login = portal.log_in_silently(person)
    found = portal.read(facts["id_value"], login, page["reference"])
    assert found == {"error": "visit_needed"}


def test_visit_that_was_ended_shows_it_nothing(portal, visitor):
    facts, _fa = visitor
    person = Person(facts)
    visit = allow(portal, person)
    login = portal.log_in_silently(person)
    assert portal.read(facts["id_value"], login, visit)["result"]
    portal.ask("end-visit", {"reference": visit})
    assert portal.read(facts["id_value"], login, visit) == {"error": "visit_needed"}


# === IT CHANGES NOTHING THAT THE OWNER DOES NOT CONFIRM === #


def propose(portal, server, facts, fa: str) -> dict:
    found = get_backend(server, "officer").find_mapping(facts["id_value"])
    update = {"id": facts["id_value"], "fa": fa, "expected_version": found["version"]}
    return portal.propose(RETURN_URL, update=update)


def begin(person: Person, page: dict) -> str:
    """Press the button of the page; return the request to the provider."""
    shown = person.open(page["url"])
    form = shown.text[shown.text.index("/login") :]
    token = get_attribute(form[form.index("csrf_token") - 10 :], "value")
    button = form[form.index("<button") :]
    answer = person.browser.post(
        f"{page['url']}/login",
        data={
            "csrf_token": token,
            "digits": read_digits(shown),
            "client": get_attribute(button, "value"),
        },
        allow_redirects=False,
        timeout=60,
    )
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"]


def test_login_for_another_reason_confirms_nothing(portal, server, programme, visitor):
    """It walks to the provider itself, and has the person log in "to see benefits".

    The code of that login, at its own client and with any nonce, is of no use to the
    login that it began at the store.
    """
    facts, before = visitor
    robot = Person(facts)
    page = propose(portal, server, facts, f"account:{make_account()}@BR01.DEMO")
    asked = {
        name: values[0]
        for name, values in parse_qs(urlsplit(begin(robot, page)).query).items()
    }
    code, _verifier = portal.get_code(
        Person(facts),
        nonce=asked["nonce"],
        state=asked["state"],
        code_challenge=asked["code_challenge"],
    )
    back = {"code": code, "state": asked["state"], "iss": portal.issuer}
    with server.expecting("."):
        answer = robot.browser.get(asked["redirect_uri"], params=back, timeout=60)
    assert "Nothing was changed" in answer.text
    assert find_address(programme, facts) == before
    assert portal.get_state(page) == "open"


def test_link_of_its_own_making_confirms_nothing(portal, server, programme, victim):
    """It sends the person the address at the provider: they have seen no page.

    They log in there, for exactly its change; but the store's page was opened in
    another browser, which never gets the answer.
    """
    facts, before = victim
    robot, person = Person(facts), Person(facts)
    page = propose(portal, server, facts, f"account:{make_account()}@BR01.DEMO")
    sent = begin(robot, page)
    landed = person.authenticate(person.open(sent))
    assert "Nothing was changed" in landed.text
    assert find_address(programme, facts) == before
    # Even with the answer's address, taken from the person's browser.
    stolen = robot.open(landed.url)
    assert "Your account is saved" not in stolen.text
    assert find_address(programme, facts) == before
    assert portal.get_state(page) == "open"


def test_change_after_the_review_is_another_one(portal, server, programme, victim):
    facts, _before = victim
    seen, wanted = (f"account:{make_account()}@BR01.DEMO" for _each in range(2))
    person = Person(facts)
    page = propose(portal, server, facts, seen)
    shown = press(person, person.open(page["url"]), "login")
    other = propose(portal, server, facts, wanted)
    done = person.authenticate(shown)
    assert "Your account is saved" in done.text
    assert find_address(programme, facts) == seen
    assert portal.get_state(other) == "open"
    count = server.query("SELECT count(*) FROM spar_event")
    robot = Person(facts)
    for again in (person.open(done.url), robot.open(done.url)):
        assert again.status_code in (200, 400)
    assert server.query("SELECT count(*) FROM spar_event") == count
    assert find_address(programme, facts) == seen


def test_it_makes_no_change_by_itself(portal, server, programme, victim):
    """It has no right to change, whatever login it has."""
    facts, before = victim
    portal.log_in(Person(facts))
    fa = f"account:{make_account()}@BR01.DEMO"
    for word, request in (
        ("link", {"id": facts["id_value"], "fa": fa}),
        ("update", {"id": facts["id_value"], "fa": fa}),
        ("unlink", {"id": facts["id_value"]}),
        ("suspend", {"id": facts["id_value"]}),
    ):
        assert portal.send(word, request).status_code == 403, word
    assert find_address(programme, facts) == before


# === KEYS AND BYTES === #


def make_signer():
    """Return a function that signs with a key that no provider has."""
    key = ec.generate_private_key(ec.SECP256R1())

    def sign(data: bytes) -> str:
        r, s = decode_dss_signature(key.sign(data, ec.ECDSA(SHA256())))
        raw = r.to_bytes(32, "big") + s.to_bytes(32, "big")
        return base64.urlsafe_b64encode(raw).decode().rstrip("=")

    return sign


def alter(token: str) -> str:
    """Return a signed document with one byte of its claims altered."""
    head, payload, signature = token.split(".")
    changed = "A" if payload[10] != "A" else "B"
    return f"{head}.{payload[:10]}{changed}{payload[11:]}.{signature}"
