"""No typed text is lost: forms are filled in, refused, corrected and confirmed."""

import json
import time
from itertools import combinations

import pytest

from .backend import Backend
from .chromium import chromium
from .desk import Desk, get_input
from .people import make_account, make_card_holders, make_people

ROOT = "spar_fa_directory.menu_root"
TEXTS = ("id_value", "fa_text", "reason")
#: Odoo logs its refusals, with their text.
REFUSED = r"WARNING \S+ odoo\.http: "
REASON = "Asked at the counter"
IS_COVERED = "document.body.classList.contains('spar_locked')"
#: Any tab of the origin can announce this.
ANNOUNCE = """(() => {
    new BroadcastChannel("check_identity").postMessage("identityChecked");
})()"""
#: Whether a form sends what was typed when its page is left.
CLOSE = """new Promise(tell => {
    navigator.sendBeacon = () => window.isSent = true;
    window.dispatchEvent(new Event("beforeunload", {cancelable: true}));
    setTimeout(() => tell(!!window.isSent), 500);
})"""
#: The clock of a computer that was asleep for longer than the time without activity.
SLEEP = """(() => {
    const now = Date.now.bind(Date);
    Date.now = () => now() + 31 * 60 * 1000;
})()"""
#: In a session: when its user was last active.
SEEN_AT = "spar_seen_at"


@pytest.fixture
def officer(server, browser):
    with server.expecting(REFUSED), chromium(browser) as page:
        page.set_size(1280, 800)
        desk = Desk(page, server.url, server.staff["officer"])
        desk.log_in()
        yield desk


def fill(desk: Desk, values: dict[str, str]) -> None:
    """Type the values, an address twice."""
    for name, value in values.items():
        desk.type(name, value)
        if name == "fa_text":
            desk.type("fa_text_again", value)


def read(desk: Desk, names) -> dict[str, str]:
    """Return the contents of the fields of the open form."""
    selector = ".o_field_widget[name='{}'] input"
    return {
        name: desk.page.evaluate(
            f'document.querySelector("{selector.format(name)}").value'
        )
        for name in names
    }


def confirm_and_be_refused(desk: Desk) -> None:
    # What the form says about a text that was just typed moves the button.
    desk.rest()
    desk.press("Confirm", ".modal button")
    desk.wait("!!document.querySelector('.o_error_dialog')", "nothing was refused")
    desk.press(None, ".o_error_dialog .modal-footer button", 0)
    desk.wait("!document.querySelector('.o_error_dialog')")


def correct(desk: Desk, names, right: dict[str, str], wrong: dict[str, str]) -> None:
    """Have some fields refused, correct one after the other, and confirm."""
    fill(desk, {**right, **{name: wrong[name] for name in names}})
    confirm_and_be_refused(desk)
    for name in names:
        fill(desk, {name: right[name]})
        kept = [each for each in right if each not in names or each == name]
        assert read(desk, kept) == {each: right[each] for each in kept}
    assert read(desk, right) == right
    desk.press("Confirm", ".modal button")
    desk.wait("!document.querySelector('.modal')", "the form is still open")


def get_fa(client, person) -> str | None:
    (answer,) = client.resolve([person.resolve_item])
    return answer.get("fa")


def test_link_is_corrected_pair_by_pair(officer, programme):
    people = make_card_holders(3)
    for pair, person in zip(combinations(TEXTS, 2), people, strict=True):
        right = {"id_value": person.id, "fa_text": person.fa, "reason": REASON}
        wrong = {
            "id_value": f"token:{person.value}\u200b@nationalId",
            "fa_text": "account:",
            "reason": f"is number {person.account}",
        }
        officer.open_app(ROOT)
        officer.press_at_start("Link a person")
        officer.wait_for_dialog("Link a person")
        correct(officer, pair, right, wrong)
        assert get_fa(programme, person) == person.fa


def test_name_is_not_an_id_and_a_grouped_number_is(officer, programme):
    (person,) = make_card_holders(1)
    officer.press_at_start("Link a person")
    officer.wait_for_dialog("Link a person")
    fill(officer, {"id_value": "John Smith", "fa_text": person.fa, "reason": REASON})
    confirm_and_be_refused(officer)
    assert read(officer, TEXTS)["id_value"] == "John Smith"
    in_groups = f"{person.value[:4]} {person.value[4:7]}-{person.value[7:]}"
    fill(officer, {"id_value": in_groups})
    officer.press("Confirm", ".modal button")
    officer.wait("!document.querySelector('.modal')", "the form is still open")
    assert get_fa(programme, person) == person.fa


def test_letters_in_a_number_are_questioned_and_kept(officer, programme):
    (person,) = make_people(1)
    typed = {"id_value": f"vid:{person.value}", "fa_text": person.fa, "reason": REASON}
    officer.press_at_start("Link a person")
    officer.wait_for_dialog("Link a person")
    fill(officer, typed)
    officer.press("Confirm", ".modal button")
    officer.wait_for_text("it may be mistyped")
    assert read(officer, TEXTS) == typed
    officer.press(None, ".o_field_widget[name='is_id_right'] input")
    officer.press("Confirm", ".modal button")
    officer.wait("!document.querySelector('.modal')", "the form is still open")
    (answer,) = programme.resolve([{"id": typed["id_value"], "scope": "details"}])
    assert answer["fa"] == person.fa


def test_change_is_corrected(officer, programme):
    (person,) = make_people(1)
    programme.link([person.linked])
    officer.find_person(person.value)
    officer.press("Change", ".o_statusbar_buttons button")
    account = make_account()
    right = {"fa_text": f"account:{account}@BR01.DEMO", "reason": REASON}
    wrong = {"fa_text": "account:", "reason": f"is number {account}"}
    fill(officer, {**right, "reason": wrong["reason"]})
    confirm_and_be_refused(officer)
    correct(officer, ("fa_text",), right, wrong)
    assert get_fa(programme, person) == right["fa_text"]


def lock(desk: Desk, server) -> None:
    """Let the server lock the session, as it does after a time without activity."""
    cookies = desk.page.call("Network.getCookies")["cookies"]
    (sid,) = [each["value"] for each in cookies if each["name"] == "session_id"]
    (path,) = (server.data / "sessions").glob(f"*/{sid}")
    session = json.loads(path.read_text())
    session[SEEN_AT] = time.time() - 31 * 60
    path.write_text(json.dumps(session))


def is_visible(desk: Desk, selector: str) -> bool:
    script = f"""(() => {{
        const found = document.querySelector({json.dumps(selector)});
        return found && getComputedStyle(found).visibility !== "hidden";
    }})()"""
    return bool(desk.page.evaluate(script))


def test_locked_screen_keeps_what_was_typed_and_next_person_destroys_it(
    officer, server
):
    (person,) = make_card_holders(1)
    typed = {"id_value": person.id, "fa_text": person.fa, "reason": REASON}
    drafts = "SELECT count(*) FROM spar_mapping_wizard WHERE sealed IS NOT NULL"
    before = server.query(drafts)
    officer.press_at_start("Link a person")
    officer.wait_for_dialog("Link a person")
    fill(officer, {**typed, "reason": f"is number {person.account}"})
    confirm_and_be_refused(officer)
    assert server.query(drafts) != before, "no draft is stored that could be destroyed"
    fill(officer, {"reason": REASON})
    officer.rest()
    lock(officer, server)
    officer.press("Confirm", ".modal button")
    password = ".o_check_identity_form input[name='password']"
    officer.wait(f'!!document.querySelector("{password}")', "it is not locked")
    assert is_visible(officer, password)
    officer.page.press("Escape", 27)
    officer.rest()
    assert officer.page.has(password)
    for hidden in (get_input("id_value"), ".o_navbar", ".o_action_manager"):
        assert not is_visible(officer, hidden), hidden
    for word, is_open in (("wrong", False), (officer.person["password"], True)):
        officer.page.type(password, word)
        officer.page.press("Enter", 13, "\r")
        officer.wait(
            f'!document.querySelector("{password}") === {json.dumps(is_open)}'
            f" && {IS_COVERED} !== {json.dumps(is_open)}"
            " && !!document.querySelector('.o_form_view')"
        )
        officer.rest()
        assert is_visible(officer, get_input("id_value")) == is_open
    assert read(officer, typed) == typed
    officer.press("Next person", ".modal button")
    officer.wait("!document.querySelector('.modal')", "the form is still open")
    assert read(officer, ("typed",)) == {"typed": ""}
    assert officer.path == "/odoo/spar-find/new"
    assert server.query(drafts) == before


PASSWORD = ".o_check_identity_form input[name='password']"


def is_hidden(desk: Desk) -> bool:
    """Return whether nothing is visible of what was open."""
    shown = ".o_navbar, .o_action_manager, .o_data_row, .modal-body:not(:has(form))"
    script = f"""[...document.querySelectorAll({json.dumps(shown)})].every(
        each => getComputedStyle(each).visibility === "hidden")"""
    return bool(desk.page.evaluate(script))


def wait_for_question(desk: Desk) -> None:
    desk.wait(f'!!document.querySelector("{PASSWORD}")', "it is not locked")
    desk.wait(IS_COVERED, "it is not covered")
    assert is_hidden(desk)


def unlock(desk: Desk, password: str) -> None:
    desk.page.type(PASSWORD, password)
    desk.page.press("Enter", 13, "\r")


def log_in_in_another_tab(desk: Desk, server, role: str) -> str:
    """Log somebody else in, in the same browser; return their password."""
    session = Backend(server, role).session
    sid = session.cookies["session_id"]
    desk.page.call("Network.setCookie", name="session_id", value=sid, url=desk.url)
    return server.staff[role]["password"]


def test_locked_screen_opens_for_nobody_else_and_by_no_other_way(officer, server):
    (person,) = make_card_holders(1)
    officer.press_at_start("Link a person")
    officer.wait_for_dialog("Link a person")
    typed = {"id_value": person.id, "fa_text": person.fa, "reason": REASON}
    fill(officer, typed)
    officer.rest()
    lock(officer, server)
    officer.press("Confirm", ".modal button")
    wait_for_question(officer)
    officer.page.evaluate(ANNOUNCE)
    time.sleep(1)
    wait_for_question(officer)
    assert not officer.page.evaluate(CLOSE)
    password = log_in_in_another_tab(officer, server, "supervisor")
    with officer.page.loading():
        unlock(officer, password)
    officer.wait("!!document.querySelector('.spar_find')", "no page of the supervisor")
    officer.rest()
    assert not officer.page.has(get_input("id_value"))
    assert officer.path.startswith("/odoo/spar-find")
    # A list that was seen is not kept for whoever goes back without a network.
    officer.open_entry("Registry", "Financial addresses")
    officer.rest()
    officer.press(None, ".o_data_row .o_data_cell", 0)
    officer.rest()
    lock(officer, server)
    officer.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    wait_for_question(officer)
    set_offline(officer, True)
    officer.page.evaluate("history.back()")
    officer.wait("!!document.querySelector('.spar_unreachable')", "it opened")
    assert is_hidden(officer)
    assert not officer.page.has(".o_data_row")
    set_offline(officer, False)
    wait_for_question(officer)
    unlock(officer, password)
    officer.wait(f"!{IS_COVERED}", "it stays locked")
    officer.rest()
    lock(officer, server)
    officer.page.evaluate(SLEEP)
    wait_for_question(officer)


def set_offline(desk: Desk, is_offline: bool) -> None:
    desk.page.call(
        "Network.emulateNetworkConditions",
        offline=is_offline,
        latency=0,
        downloadThroughput=-1,
        uploadThroughput=-1,
    )
