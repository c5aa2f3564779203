"""No typed text is lost: forms are filled in, refused, corrected and confirmed.

By mouse, and by keyboard alone.
"""

import json
import time
from contextlib import ExitStack
from datetime import date, timedelta
from itertools import combinations

import pytest

from .backend import in_force
from .chromium import chromium
from .desk import Desk, get_input
from .keyboard import KeyboardDesk
from .people import make_account, make_card_holders, make_people

ROOT = "spar_fa_directory.menu_root"
TEXTS = ("id_value", "fa_text", "reason")
#: Odoo logs its refusals, with their text.
REFUSED = r"WARNING \S+ odoo\.http: "
REASON = "Asked at the counter"
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


def correct(desk: Desk, pair, right: dict[str, str], wrong: dict[str, str]) -> None:
    """Have ``pair`` refused, correct one field after the other, and confirm."""
    fill(desk, {**right, **{name: wrong[name] for name in pair}})
    confirm_and_be_refused(desk)
    for name in pair:
        fill(desk, {name: right[name]})
        kept = [each for each in right if each not in pair or each == name]
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
    correct(officer, ("fa_text", "reason"), right, wrong)
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
    officer.press_at_start("Link a person")
    officer.wait_for_dialog("Link a person")
    fill(officer, typed)
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
            " && !!document.querySelector('.o_form_view')"
        )
        officer.rest()
        assert is_visible(officer, get_input("id_value")) == is_open
    assert read(officer, typed) == typed
    officer.press("Next person", ".modal button")
    officer.wait("!document.querySelector('.modal')", "the form is still open")
    assert read(officer, ("typed",)) == {"typed": ""}
    assert officer.path == "/odoo/spar-find/new"
    with server.cursor() as cr:
        cr.execute("SELECT count(*) FROM spar_mapping_wizard WHERE sealed IS NOT NULL")
        assert cr.fetchone() == (0,)


# === BY KEYBOARD ALONE === #

SIZES = {"desk": (1366, 768), "phone": (390, 844)}


@pytest.fixture
def without_mouse(server, browser):
    """Return a function that lets a role sit down at a window with a keyboard."""
    with server.expecting(REFUSED), ExitStack() as windows:

        def sit_down(role: str, size: str = "desk") -> KeyboardDesk:
            page = windows.enter_context(chromium(browser))
            page.set_size(*SIZES[size])
            desk = KeyboardDesk(page, server.url, server.staff[role], size == "phone")
            desk.log_in()
            assert desk.focused == "typed"
            return desk

        yield sit_down


def find_by_keyboard(desk: KeyboardDesk, typed: str) -> str:
    """Type into the box, again if it was left; return the title of the page."""
    if desk.focused != "typed":
        if desk.title != "Find a person":
            desk.choose_button("Find a person")
        desk.go_to_field("typed")
    desk.write_anew(typed)
    desk.enter()
    desk.wait_for_text("Is money paid?")
    return desk.title


def confirm_by_keyboard(desk: KeyboardDesk) -> None:
    desk.choose_button("Confirm")
    desk.wait("!document.querySelector('.modal')", "the form is still open")
    desk.rest()


def write_day(days_ago: int) -> str:
    return (date.today() - timedelta(days=days_ago)).strftime("%m/%d/%Y")


def link_by_keyboard(desk: KeyboardDesk, person) -> None:
    """Link a person with a typing error in each field, corrected one by one."""
    right = {"id_value": person.value, "fa_text_again": person.fa, "reason": REASON}
    desk.choose_button("Link a person")
    desk.wait_for_dialog("Link a person")
    assert desk.focused == "id_value"
    desk.fill_in(
        id_value="John Smith",
        fa_text=person.fa,
        fa_text_again=f"{person.fa}X",
        reason=f"is number {person.account}",
    )
    for name, text in right.items():
        desk.choose_button("Confirm")
        desk.wait("!!document.querySelector('.o_error_dialog')", "nothing was refused")
        assert desk.focused == "Close"
        desk.enter()
        desk.wait("!document.querySelector('.o_error_dialog')")
        assert desk.focused == "Confirm", "the focus comes back to the form"
        desk.go_to_field(name, back=True)
        desk.write_anew(text)
    confirm_by_keyboard(desk)
    desk.wait_for_text("Linked. Payments go to this address from now on.")


def ask_to_suspend(desk: KeyboardDesk) -> None:
    desk.choose_button("Suspend")
    desk.wait_for_dialog("Suspend the address")
    assert desk.focused == "has_evidence"
    desk.go_to_field("suspend_reason")
    desk.press_key(" ")
    confirm_by_keyboard(desk)
    waiting = ".o_field_widget[name='waiting_ids'] .o_data_row"
    desk.wait(f'!!document.querySelector("{waiting}")', "nothing waits")


def complain_by_keyboard(desk: KeyboardDesk) -> None:
    desk.choose_button("I was not paid")
    desk.wait_for_dialog("Record a complaint")
    assert desk.focused == "missed_on"
    desk.write(write_day(10))
    desk.fill_in(statement="Nothing came")
    desk.choose_button("Record the complaint")
    desk.wait_for_text("Recorded under reference")


def test_officers_day_by_keyboard(without_mouse, programme, server):
    (person,) = make_card_holders(1)
    officer = without_mouse("officer")
    link_by_keyboard(officer, person)
    assert get_fa(programme, person) == person.fa
    page = officer.title
    officer.choose_button("Print the receipt")
    if officer.title != page:  # it is shown where no program makes a PDF
        assert officer.title == "Receipt"
        officer.choose_button(page)
    assert find_by_keyboard(officer, person.fa) == page
    assert officer.focused == "Change"
    new = f"account:{make_account()}@BR01.DEMO"
    officer.choose_button("Change")
    officer.wait_for_dialog("Change the address")
    officer.fill_in(fa_text=new, fa_text_again=new, reason=REASON)
    confirm_by_keyboard(officer)
    assert get_fa(programme, person) == new
    complain_by_keyboard(officer)
    rule = {"name": "Keyboard: ask", "sequence": 0, "decision": "approve"}
    with in_force(server, **rule, operation="suspend"):
        ask_to_suspend(officer)
        refuse_by_keyboard(without_mouse("supervisor"))
    assert get_fa(programme, person) == new
    assert find_by_keyboard(officer, person.value) == page
    answer_by_keyboard(without_mouse("auditor"), person)


def refuse_by_keyboard(desk: KeyboardDesk) -> None:
    """Open the newest of the changes that wait, compare it and refuse it."""
    desk.choose_button("Waiting for approval")
    for _header_and_row in range(2):
        desk.press_key("ArrowDown")
    desk.enter()
    assert desk.focused == "Review"
    desk.enter()
    desk.wait_for_dialog("Review the change")
    desk.choose_button("Reveal")
    desk.fill_in(refusal="Nobody asked for it")
    desk.choose_button("Refuse")
    desk.wait_for_text("Refuse this change?")
    desk.choose_button("Refuse")
    desk.wait("!document.querySelector('.modal')", "it is still under review")
    desk.wait_for_text("Nobody asked for it")


def answer_by_keyboard(desk: KeyboardDesk, person) -> None:
    """Answer where the payment of a day went, who changed it and who looked."""
    page = find_by_keyboard(desk, person.value)
    assert desk.focused == "On a date"
    desk.enter()
    desk.wait_for_dialog("On a date")
    desk.write(write_day(0))
    desk.press_key("Tab")
    desk.wait_for_text("account:")
    desk.choose_button("Close")
    desk.wait("!document.querySelector('.modal')")
    assert desk.focused == "On a date", "the focus comes back to the page"
    for label, texts in {
        "Who did what": ("Omar Officer", "Changed"),
        "Who looked": ("Omar Officer",),
    }.items():
        desk.choose_button(label)
        for text in texts:
            desk.wait_for_text(text)
        desk.go_back()
        assert desk.title == page


def test_phone_by_keyboard(without_mouse, programme):
    (person,) = make_card_holders(1)
    programme.link([person.linked])
    officer = without_mouse("officer", "phone")
    find_by_keyboard(officer, person.value)
    complain_by_keyboard(officer)


IS_FILE = "each.matches('.modal input[type=file]')"


def test_refusal_leads_to_the_field_and_a_phone_leaves_the_person(
    without_mouse, programme
):
    (person,) = make_card_holders(1)
    programme.link([person.linked])
    officer = without_mouse("officer", "phone")
    officer.write("9999999999")
    officer.enter()
    officer.wait_for_text("No person was found.")
    assert officer.focused == "typed", "the next scan reaches the box"
    officer.choose_button("Link a person")
    officer.wait_for_dialog("Link a person")
    officer.choose_button("Confirm")
    officer.wait_for_text("Fill in or correct: Beneficiary ID and Reason")
    officer.rest()
    assert officer.focused == "id_value", "the first field that is missing"
    officer.go_to_field("cannot_read")
    officer.press_key(" ")
    officer.rest()
    officer.go_to(IS_FILE, "the document")
    officer.choose_button("Cancel")
    officer.wait("!document.querySelector('.modal')", "the form is still open")
    find_by_keyboard(officer, person.value)
    for text, is_in_menu in ((None, False), ("Next person", True)):
        menu = ".o_form_statusbar button:has(.oi-ellipsis-v)"
        Desk.press(officer, text, ".o-dropdown--menu button" if is_in_menu else menu)
    officer.wait("location.pathname === '/odoo/spar-find/new'", "the person stays")
    assert read(officer, ("typed",)) == {"typed": ""}
