"""A portal elsewhere, the store's page of review, and the real ID provider.

The portal is a program that has taken over a portal's participant: it can propose, and
send people where it likes.
"""

import copy
import json
import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from .backend import approve_all, get_backend, make_participant
from .beneficiary import build_newcomer
from .client import Client
from .people import make_account
from .person import Person
from .portal import RIGHTS, Portal, find_address, press

#: What differs between any two pages: addresses, CSRF tokens, nonces and digits.
RANDOM = (
    r"/confirm/[\w-]+|%2Fconfirm%2F[\w-]+|\w{40}o\d+|nonce=\"[\w-]+\""
    r"|(digits|heard|sure)-[\w-]+|<strong class=\"digits\".*?</strong>|to type: \d{3}"
)
RETURN_URL = "https://portal.example/spar/confirmed"


@pytest.fixture(scope="module")
def portal(server) -> Portal:
    participant = make_participant(server, "portal", **RIGHTS)
    administrator = get_backend(server, "administrator")
    values = {
        "name": "Portal of Welfare",
        "sender_id": participant.sender_id,
        "return_urls": RETURN_URL,
        "active": True,
    }
    administrator.call("spar.confirmation.portal", "create", [values])
    approve_all(server)
    return Portal(Client(server.api, participant))


@pytest.fixture
def owner(id_provider, programme):
    """Return somebody with an account, and that account.

    What they have confirmed themselves stays, whatever a programme sends later.
    """
    facts = build_newcomer(id_provider, 1)
    fa = f"account:{make_account()}@BR01.DEMO"
    programme.link([{"id": facts["id_value"], "fa": fa}])
    return facts, find_address(programme, facts)


def confirm(person: Person, url: str) -> requests.Response:
    """Press the main button, and authenticate at the provider."""
    return person.authenticate(press(person, person.open(url), "login"))


def propose_change(portal, server, facts):
    """Return the page of a proposal, and the account that is proposed."""
    fa = f"account:{make_account()}@BR01.DEMO"
    found = get_backend(server, "officer").find_mapping(facts["id_value"])
    update = {"id": facts["id_value"], "fa": fa, "expected_version": found["version"]}
    return portal.propose(RETURN_URL, update=update), fa


def test_portal_proposes_and_the_owner_confirms(portal, server, programme, owner):
    facts, before = owner
    page, fa = propose_change(portal, server, facts)
    person = Person(facts)
    review = person.open(page["url"])
    number = fa.partition(":")[2].partition("@")[0]
    grouped = " ".join(number[i : i + 4] for i in range(0, len(number), 4))
    assert grouped in review.text and "Portal of Welfare" in review.text
    assert before.partition(":")[2].partition("@")[0][-4:] not in review.text
    assert find_address(programme, facts) == before
    done = confirm(person, page["url"])
    assert "Your account is saved" in done.text
    back = re.search(r'<a class="button main" href="([^"]+)"', done.text)[1]
    assert back.startswith(f"{RETURN_URL}?")
    assert parse_qs(urlsplit(back).query) == {"confirmation": [page["reference"]]}
    assert portal.get_state(page) == "decided"
    assert find_address(programme, facts) == fa


def test_portal_alone_changes_nothing(portal, server, programme, owner):
    """It walks to the provider by itself, as far as it gets without the person."""
    facts, before = owner
    page, _fa = propose_change(portal, server, facts)
    robot = Person(facts)
    shown = press(robot, robot.open(page["url"]), "login")
    assert "Show who you are" in shown.text
    assert find_address(programme, facts) == before
    assert portal.get_state(page) == "open"


def test_portal_cannot_have_somebody_else_confirm(
    portal, server, programme, owner, id_provider
):
    facts, before = owner
    page, _fa = propose_change(portal, server, facts)
    accomplice = Person(build_newcomer(id_provider, 2))
    refused = confirm(accomplice, page["url"])
    assert "somebody else" in refused.text and "Nothing was changed" in refused.text
    assert find_address(programme, facts) == before


def test_guesses_at_once_are_counted_one_after_another(
    portal, server, programme, owner
):
    """A script in the person's browser has five guesses, however it sends them."""
    facts, before = owner
    page, _fa = propose_change(portal, server, facts)
    person = Person(facts)
    shown = person.open(page["url"])
    token = re.search(r'name="csrf_token" value="([^"]+)"', shown.text)[1]
    form = {"csrf_token": token, "digits": "x"}

    def guess(_number: int) -> int:
        cookies = person.browser.cookies.get_dict()
        return requests.post(
            f"{page['url']}/login",
            data=form,
            cookies=cookies,
            allow_redirects=False,
            timeout=60,
        ).status_code

    # Odoo logs that a row was locked, and runs the request again.
    with server.expecting("bad query"), ThreadPoolExecutor(8) as pool:
        statuses = Counter(pool.map(guess, range(8)))
    assert (statuses[422], statuses[410]) == (4, 1), statuses
    late = press(person, shown, "login")
    assert "typed too many times" in late.text
    assert portal.get_state(page) == "cancelled"
    assert find_address(programme, facts) == before


def test_portal_reads_nothing_by_proposing(portal, server, programme, owner):
    """Its page is the same for an ID with and without an account."""
    facts, before = owner
    pages = []
    for id_value in (facts["id_value"], "token:no-such-person-1@nationalId"):
        fa = "account:123456789012@BR01.DEMO"
        page = portal.propose(
            RETURN_URL, update={"id": id_value, "fa": fa, "expected_version": 1}
        )
        text = Person(facts).open(page["url"]).text
        pages.append(re.sub(RANDOM, "", text))
    assert pages[0] == pages[1]
    for name in ("resolve", "history"):
        assert portal.send(name, {"id": facts["id_value"]}).status_code == 403


def test_portal_cannot_lead_people_elsewhere(portal, owner):
    facts, _before = owner
    link = {"id": facts["id_value"], "fa": "account:123456789012@BR01.DEMO"}
    for evil in ("https://evil.example/spar/confirmed", f"{RETURN_URL}/x", "/spar"):
        assert portal.propose(evil, link=link) == {"error": "proposal_refused"}


def test_second_browser_and_second_return_change_nothing(
    portal, server, programme, owner
):
    facts, _before = owner
    page, fa = propose_change(portal, server, facts)
    person = Person(facts)
    confirm(person, page["url"])
    count = server.query("SELECT count(*) FROM spar_event")
    assert "another browser" in Person(facts).open(page["url"]).text
    assert "Your account is saved" in person.open(page["url"]).text
    assert server.query("SELECT count(*) FROM spar_event") == count
    assert find_address(programme, facts) == fa


def test_every_confirmed_change_has_its_proof(portal, server, programme, owner):
    facts, _before = owner
    page, _fa = propose_change(portal, server, facts)
    before = server.query("SELECT count(*) FROM spar_owner_proof")[0][0]
    confirm(Person(facts), page["url"])
    assert server.query("SELECT count(*) FROM spar_owner_proof") == [(before + 1,)]


def test_every_proof_is_verified_after_the_keys_were_rotated(
    portal, server, programme, owner, id_provider, tmp_path
):
    """By the command alone, from an export; one altered byte is named."""
    facts, _before = owner
    page, fa = propose_change(portal, server, facts)
    confirm(Person(facts), page["url"])
    id_provider.rotate_keys()
    done = server.run_command("spar_audit", "proof")
    assert re.fullmatch(r"All \d+ owners' proofs are verified\.", done.stdout.strip())
    (uuid,) = server.query(
        """SELECT e.uuid FROM spar_event e
             JOIN spar_owner_proof p ON p.event_id = e.id ORDER BY e.id DESC LIMIT 1"""
    )[0]
    file = tmp_path / "proof.json"
    options = ("--event", uuid, "--to", str(file))
    exported = server.run_command("spar_audit", "proof", *options)
    assert exported.returncode == 0, exported.stdout + exported.stderr
    assert fa in exported.stdout and "The proof is verified." in exported.stdout
    whole = json.loads(file.read_text())
    for name, words in (
        ("id_token", "the ID token: it was altered"),
        ("userinfo", "the userinfo: it was altered"),
        ("salt", "the salt: it was altered"),
        ("fa", "the change: it was altered"),
    ):
        altered = copy.deepcopy(whole)
        part = altered["kept"]["change"]["item"]
        part = part if name == "fa" else altered["kept"]["proof"]
        part[name] = replace_byte(part[name])
        file.write_text(json.dumps(altered))
        refused = server.run_command("spar_audit", "proof", "--file", str(file))
        assert refused.returncode == 1 and words in refused.stdout, name


def replace_byte(text: str) -> str:
    """Return a text with one byte in its middle replaced by another one."""
    middle = len(text) // 2
    return text[:middle] + ("1" if text[middle] != "1" else "2") + text[middle + 1 :]
