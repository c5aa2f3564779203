"""The portal's whole walk on a phone, with portal and store apart, in Chromium.

The portal's database has no store, and the store is another server. A person reviews
and confirms each change on a page of the store.
"""

from collections.abc import Callable, Iterator

import pytest

from .apart import PortalApart, portal_apart
from .backend import get_backend
from .beneficiary import FIELD, Visitor
from .chromium import Page, chromium
from .people import make_account

PHONE = (390, 844)
#: Of the store's page: its button leads to the ID provider, and its link back.
YES, BACK = "form[action$='/login'] button", "main a.main"
#: The button is hidden for over a second, whatever was pressed before.
WAITS = """document.querySelector(".unhurried").getAnimations().some(each =>
    each.effect.getComputedTiming().delay >= 1000
    && each.effect.getKeyframes()[0].visibility === "hidden")"""
#: Whether clicks in the middle of elements hit the form as the window gets the focus.
HITS = """(selectors => {
    const form = document.querySelector(".unhurried");
    const isHit = selector => {
        const aim = document.querySelector(selector);
        aim.scrollIntoView({block: "center"});
        const box = aim.getBoundingClientRect();
        const x = box.x + box.width / 2, y = box.y + box.height / 2;
        return form.contains(document.elementFromPoint(x, y));
    };
    const before = selectors.map(isHit);
    window.dispatchEvent(new Event("focus"));
    return [before, selectors.map(isHit)];
})"""
#: Makes an open proposal older than the store permits.
AGE = """UPDATE spar_confirmation SET proposed_at = proposed_at - interval '1 hour'
          WHERE state = 'open' RETURNING id"""


@pytest.fixture(scope="module")
def portal(server, second) -> Iterator[PortalApart]:
    with portal_apart(server, second) as running:
        yield running


@pytest.fixture
def visit(portal, browser, programme) -> Iterator[Callable[[int], Visitor]]:
    """Return a function that opens a window for somebody without an account.

    Tests of other files may have linked that person in the same store.
    """
    opened = []

    def open_window(number: int) -> Visitor:
        window = chromium(browser)
        page = window.__enter__()
        opened.append(window)
        page.set_size(*PHONE)
        facts = portal.newcomers[number]
        if find_address(programme, facts):
            (answer,) = programme.unlink([{"id": facts["id_value"]}])
            assert answer["status"] == "succ", answer
        return Visitor(page, portal.url, facts, others=(portal.store.url,))

    yield open_window
    for window in opened:
        window.__exit__(None, None, None)


def find_address(programme, facts: dict) -> str | None:
    (answer,) = programme.resolve([{"id": facts["id_value"], "scope": "details"}])
    return answer.get("fa")


def group(number: str) -> str:
    return " ".join(number[at : at + 4] for at in range(0, len(number), 4))


def review(visitor: Visitor, portal: PortalApart, number: str) -> str:
    """Choose an account at the portal; return the address of the store's page."""
    visitor.choose_account(number)
    address = visitor.page.url
    assert address.startswith(f"{portal.store.url}/spar/confirm/"), address
    assert group(number) in visitor.page.text
    assert "Payments of Tavoria" in visitor.page.text
    assert visitor.page.evaluate(WAITS), "a double click elsewhere presses the button"
    return address


def confirm(visitor: Visitor, portal: PortalApart) -> None:
    """Confirm on the store's page, and go back to the portal."""
    visitor.press_yes()
    visitor.authenticate()
    assert visitor.page.url.startswith(portal.store.url), visitor.page.text
    visitor.press(BACK)
    assert visitor.page.url.startswith(portal.url), visitor.page.text


def find_hits_at_the_front(page: Page) -> list[list[bool]]:
    """Return whether clicks hit what confirms, before and when the window gets focus.

    It gets the focus when another site's window, which covered it, closes under the
    first of two clicks. Without a screen, Chromium has no windows that do so.
    """
    for selector in (FIELD, YES):
        page.wait_until_visible(selector)
    return page.evaluate(f"{HITS}({[FIELD, YES]})")


def test_whole_way(portal, visit, programme):
    """First account, another one, history, "this was not me"."""
    visitor, first, second = visit(0), make_account(), make_account()
    page, facts = visitor.page, visitor.facts
    visitor.sign_in()
    review(visitor, portal, first)
    assert find_address(programme, facts) is None
    confirm(visitor, portal)
    assert "Your account is saved" in page.text
    visitor.press("main a.main")
    assert "Harbour Bank" in page.text and first not in page.text
    review(visitor, portal, second)
    assert "It replaces the account" in page.text and first[-3:] not in page.text
    confirm(visitor, portal)
    assert f"account:{second}@" in find_address(programme, facts)
    visitor.open("/spar/history")
    assert first[-3:] in page.text and second[-3:] in page.text
    assert page.has(".events li:nth-child(2)")
    visitor.press(".events li:first-child a[href^='/spar/objection/']")
    visitor.press("main form button")
    assert "asks to undo a change" in page.text
    confirm(visitor, portal)
    assert "We have noted that this was not you" in page.text
    assert f"account:{first}@" in find_address(programme, facts)
    visitor.open("/spar/address")
    assert "Nobody can change your account" in page.text
    assert not page.has("form[action='/spar/change']")
    assert visitor.barriers == []


def test_browser_that_comes_back_twice_or_elsewhere(portal, visit, programme):
    visitor, stranger, number = visit(1), visit(3), make_account()
    visitor.sign_in()
    address = review(visitor, portal, number)
    stranger.page.open(address)
    assert "another browser" in stranger.page.text
    assert not stranger.page.has(YES)
    assert find_hits_at_the_front(visitor.page) == [[True, True], [False, False]]
    visitor.type_digits()
    typed = f'document.querySelector("{FIELD}").value'
    for key, kept in (("7", True), ("a", False)):
        visitor.page.press(key, ord(key.upper()), key)
        assert bool(visitor.page.evaluate(typed)) is kept, key
    visitor.press_yes()
    visitor.authenticate()
    before, returned = portal.count_events(), visitor.find_return(portal.store.url)
    for who in (visitor, stranger):
        who.page.open(returned)
        assert "code=" not in who.page.url or who is stranger
    assert "Your account is saved" in visitor.page.text
    assert "Nothing was changed" in stranger.page.text
    visitor.press(BACK)
    done = visitor.find_return(portal.url)
    for _time in range(2):
        visitor.page.open(done)
        assert "Your account is saved" in visitor.page.text
    stranger.sign_in()
    stranger.page.open(done)
    assert "Your account is saved" not in stranger.page.text
    assert portal.count_events() == before
    assert f"account:{number}@" in find_address(programme, visitor.facts)


def test_browser_that_comes_back_late(portal, visit, programme):
    """The page was open for too long, before and during the login."""
    visitor = visit(2)
    visitor.sign_in()
    before = portal.count_events()
    address = review(visitor, portal, make_account())
    assert portal.store.query(AGE)
    visitor.page.open(address)
    assert "open for too long" in visitor.page.text and not visitor.page.has(YES)
    visitor.press(BACK)
    assert visitor.page.url.startswith(portal.url)
    assert visitor.page.has("#account_number"), "what was typed is kept"
    visitor.press("main form button.main")
    visitor.press_yes()
    assert portal.store.query(AGE)
    visitor.authenticate()
    assert "open for too long" in visitor.page.text
    assert portal.count_events() == before
    assert find_address(programme, visitor.facts) is None


def test_person_who_stops_changes_nothing(portal, visit, programme):
    visitor = visit(3)
    visitor.sign_in()
    address = review(visitor, portal, make_account())
    visitor.press("form[action$='/stop'] button")
    assert visitor.page.url.startswith(portal.url)
    visitor.page.open(address)
    assert "You stopped this change" in visitor.page.text
    assert find_address(programme, visitor.facts) is None
    assert visitor.barriers == []


def test_officer_helps_a_person_at_the_portal(portal, visit, programme):
    """The portal's staff fill in, and the person confirms on the store's page."""
    visitor, number = visit(3), make_account()
    officer = get_backend(portal.server, "officer")
    cookie = {"name": "session_id", "value": officer.session.cookies["session_id"]}
    visitor.page.call("Network.setCookie", url=portal.url, **cookie)
    visitor.open("/spar/agent")
    visitor.press("main form button.main")
    visitor.answer_questions(number)
    visitor.confirm()
    assert visitor.page.url.startswith(f"{portal.store.url}/spar/confirm/")
    assert group(number) in visitor.page.text
    assert find_address(programme, visitor.facts) is None
    confirm(visitor, portal)
    assert "Your account is saved" in visitor.page.text
    assert f"account:{number}@" in find_address(programme, visitor.facts)
    query = "SELECT actor, on_behalf_of FROM spar_event ORDER BY id DESC LIMIT 1"
    ((actor, helped_by),) = portal.store.query(query)
    assert actor == "participant:portal.demo.example"
    assert helped_by.startswith("user:"), helped_by
    visitor.open("/spar/address")
    assert visitor.page.url.startswith(f"{portal.url}/spar?said=ended")
    assert visitor.barriers == []
