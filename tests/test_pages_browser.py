"""The beneficiary's pages in Chromium, with the real ID provider and the real store."""

import json
import time

import pytest

from .accessibility import find_barriers
from .backend import get_backend
from .beneficiary import Visitor
from .chromium import chromium
from .people import make_account

PHONE, DESK = (360, 740), (1280, 900)
#: Every line of an address begins where the words above it do.
FROM_THE_RIGHT = """new Set([...document.querySelectorAll(".events .what, .events bdi")]
    .map(each => {
        const range = document.createRange();
        range.selectNodeContents(each);
        return Math.round(range.getBoundingClientRect().right);
    })).size === 1"""
MOST_BYTES = 60_000


@pytest.fixture
def visit(server, id_provider, browser):
    """Return a function that opens a window for a known or unknown person."""
    opened = []

    def open_window(facts, size=PHONE, **how) -> Visitor:
        window = chromium(browser)
        page = window.__enter__()
        opened.append(window)
        page.set_size(*size)
        return Visitor(page, server.url, facts, **how)

    yield open_window
    for window in opened:
        window.__exit__(None, None, None)


def find_address(client, facts: dict) -> str | None:
    """Return the address that a payer receives for a person of the ID provider."""
    (answer,) = client.resolve([{"id": facts["id_value"], "scope": "details"}])
    return answer.get("fa")


def walk(visitor: Visitor, programme) -> None:
    """First login, choose, sign out, sign in, change, history, remove."""
    facts, first, second = visitor.facts, make_account(), make_account()
    visitor.sign_in()
    visitor.choose_account(first)
    grouped = " ".join(first[i : i + 4] for i in range(0, len(first), 4))
    assert grouped in visitor.page.text
    visitor.confirm()
    assert f"account:{first}@" in find_address(programme, facts)
    visitor.sign_out()
    visitor.page.call("Network.clearBrowserCookies")
    language = visitor.page.evaluate("document.documentElement.lang")
    visitor.sign_in()
    assert language
    assert first not in visitor.page.evaluate("document.documentElement.innerHTML")
    visitor.choose_account(second)
    visitor.confirm()
    assert f"account:{second}@" in find_address(programme, facts)
    visitor.open("/spar/history")
    assert visitor.page.has(".events li:nth-child(2)")
    visitor.remove_account()
    assert find_address(programme, facts) is None
    assert visitor.barriers == []


@pytest.mark.parametrize(
    ("number", "size"), [(0, PHONE), (1, DESK)], ids=["phone", "desk"]
)
def test_whole_way(visit, id_provider, programme, number, size):
    walk(visit(id_provider.newcomers[number], size), programme)


def test_whole_way_in_arabic(visit, id_provider, programme):
    visitor = visit(id_provider.newcomers[2])
    visitor.open("/spar/language/ar_001?back=/spar")
    assert visitor.page.evaluate("document.documentElement.dir") == "rtl"
    visitor.sign_in()
    number = make_account()
    visitor.choose_account(number)
    visitor.confirm()
    assert "حُفظ حسابك" in visitor.page.text
    assert f"account:{number}@" in find_address(programme, visitor.facts)
    visitor.open("/spar/history")
    assert visitor.page.evaluate(FROM_THE_RIGHT)
    visitor.remove_account()
    assert visitor.barriers == []


def test_whole_way_without_scripts(visit, id_provider, programme):
    visitor = visit(id_provider.newcomers[3], checks=False)
    visitor.page.switch_scripts_off()
    walk(visitor, programme)


def test_whole_way_by_keyboard(visit, id_provider, programme):
    visitor = visit(id_provider.newcomers[0], DESK, is_by_keyboard=True, checks=False)
    visitor.sign_in()
    number = make_account()
    visitor.choose_account(number)
    visitor.confirm()
    assert f"account:{number}@" in find_address(programme, visitor.facts)
    visitor.remove_account()


@pytest.mark.parametrize("code", ["fr_FR", "es_ES", "hi_IN", "tl_PH"])
def test_every_language_is_translated(visit, id_provider, code):
    visitor = visit(id_provider.people[11])
    visitor.open(f"/spar/language/{code}?back=/spar")
    assert "Where your payments go" not in visitor.page.text
    assert visitor.page.evaluate("document.documentElement.lang") == code.replace(
        "_", "-"
    )
    assert visitor.barriers == []


# === A SLOW CONNECTION === #


def test_first_visit_is_light(server, id_provider, visit):
    """Measure all that a page loads with an empty cache, as transferred."""
    visitor = visit(id_provider.people[12], checks=False)
    visitor.sign_in()
    visitor.press("form[action='/spar/change'] button")
    paths = ["/spar/address", "/spar/history", "/spar/language", "/spar"]
    for path in [*paths, visitor.page.url.removeprefix(server.url)]:
        assert weigh(visitor, path) < MOST_BYTES, path


def weigh(visitor: Visitor, path: str) -> int:
    page = visitor.page
    page.call("Network.clearBrowserCache")
    page.events.clear()
    page.open(f"{visitor.url}{path}")
    sizes = [
        event["params"]["encodedDataLength"]
        for event in page.events
        if event.get("method") == "Network.loadingFinished"
    ]
    assert len(sizes) >= 2
    return sum(sizes)


def test_slow_connection_is_fast_enough(visit, id_provider):
    """At 400 kbit/s and 400 ms, the pages of a change load in seconds."""
    visitor = visit(id_provider.people[13], checks=False)
    visitor.sign_in()
    visitor.page.set_line(400, 400)
    for path in ("/spar/address", "/spar/history", "/spar/address"):
        began = time.monotonic()
        visitor.open(path)
        assert time.monotonic() - began < 5, path


# === ERRORS ON THE WAY === #


def test_back_button_and_double_confirmation_do_it_once(visit, id_provider, server):
    visitor = visit(id_provider.newcomers[1], checks=False)
    visitor.sign_in()
    visitor.choose_account(make_account())
    visitor.confirm()
    done = visitor.page.url
    count = count_events(server)
    visitor.open(done.removeprefix(server.url).replace("/done", "/finish"))
    assert visitor.page.url == done
    visitor.page.evaluate("history.back()")
    time.sleep(1)
    visitor.open(done.removeprefix(server.url).replace("/done", "/review"))
    assert visitor.page.url == done
    assert count_events(server) == count
    visitor.remove_account()


def count_events(server) -> int:
    return server.query("SELECT count(*) FROM spar_event")[0][0]


def test_registry_becomes_unavailable_in_the_middle(
    visit, id_provider, server, programme
):
    visitor = visit(id_provider.newcomers[2])
    visitor.sign_in()
    number = make_account()
    visitor.choose_account(number)
    review = visitor.page.url
    with server.expecting("keyring", "service_unavailable", "SPAR"):
        with server.moved_aside(server.keyring):
            visitor.page.open(review)
            assert "Nothing was changed" in visitor.page.text
            visitor.barriers += find_barriers(visitor.page)
    visitor.page.open(review)
    visitor.confirm()
    assert f"account:{number}@" in find_address(programme, visitor.facts)
    visitor.remove_account()
    assert visitor.barriers == []


# === THIS WAS NOT ME === #


def test_objection_restores_the_account(visit, id_provider, programme, server):
    facts = id_provider.people[14]
    before = find_address(programme, facts)
    account = make_account()
    programme.update([{"id": facts["id_value"], "fa": f"account:{account}@BR01.DEMO"}])
    visitor = visit(facts)
    visitor.sign_in()
    visitor.press("a[href^='/spar/objection/']")
    visitor.press("main form button")
    (answer,) = programme.update([{"id": facts["id_value"], "fa": before}])
    assert answer["status"] == "rjct"
    assert find_address(programme, facts) != before
    visitor.confirm()
    reference = visitor.page.evaluate("document.querySelector('.whole bdi').innerText")
    assert find_address(programme, facts) == before
    (answer,) = programme.update([{"id": facts["id_value"], "fa": before}])
    assert answer["status"] == "rjct"
    close_case(server, reference)
    assert visitor.barriers == []


def close_case(server, reference: str) -> None:
    """Decide a case as a supervisor in the backend: it was somebody else."""
    supervisor = get_backend(server, "supervisor")
    domain = [("uuid", "=ilike", f"{reference}%")]
    (case,) = supervisor.find("spar.objection", domain, "state", "remedy")
    assert (case["state"], case["remedy"]) == ("open", "restored")
    values = {"objection_id": case["id"], "decision": "upheld", "reason": "seen her"}
    values |= {"answer": "The address is as before.", "answered_how": "present"}
    (wizard,) = supervisor.call("spar.objection.wizard", "create", [values])
    supervisor.call("spar.objection.wizard", "action_close", [wizard])
    (case,) = supervisor.find("spar.objection", domain, "state")
    assert case["state"] == "upheld"


# === AN OFFICER HELPS === #


def take_session(page, backend) -> None:
    """Turn the window into that of a member of staff who has logged in."""
    cookie = {"name": "session_id", "value": backend.session.cookies["session_id"]}
    page.call("Network.setCookie", url=backend.url, **cookie)


def test_officer_helps_a_person_at_the_counter(visit, id_provider, server, programme):
    facts = id_provider.newcomers[3]
    visitor = visit(facts, DESK)
    page, number = visitor.page, make_account()
    take_session(page, get_backend(server, "officer"))
    visitor.open("/spar/agent")
    visitor.press("main form button.main")
    visitor.answer_questions(number)
    visitor.confirm()
    assert "A member of staff filled this in with you" in page.text
    visitor.confirm()
    assert "Your account is saved" in page.text
    assert "Give the device back" in page.text
    assert f"account:{number}@" in find_address(programme, facts)
    visitor.open("/spar/address")
    assert page.url.startswith(f"{server.url}/spar?said=ended")
    rows = server.query(
        "SELECT actor, on_behalf_of, channel FROM spar_event ORDER BY id DESC LIMIT 1"
    )
    actor, person, channel = rows[0]
    assert actor.startswith("user:")
    assert person.startswith("person:")
    assert channel == "agent"
    assert visitor.barriers == []
    assert json.dumps(facts["individual_id"]) not in page.text
