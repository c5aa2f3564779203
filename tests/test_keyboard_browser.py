"""The days of an officer, a supervisor and an auditor, by keyboard alone.

At a desk and at the size of a phone: the same acts, by the same keys.
"""

import json
import shutil
import time
from contextlib import ExitStack
from datetime import date, timedelta

import pytest

from .backend import in_force
from .chromium import chromium
from .desk import WAIT_SECONDS, get_input
from .keyboard import KeyboardDesk
from .people import make_account, make_card_holders

SIZES = {"desk": (1366, 768), "phone": (390, 844)}
#: Odoo logs its refusals, with their text.
REFUSED = r"WARNING \S+ odoo\.http: "
DAY = json.dumps(get_input("day"))
REASON = "Asked at the counter"
REFUSAL = "Nobody asked for it"
REFUSAL_TITLE = "document.querySelector('.o_error_dialog .modal-title').innerText"
#: The first field of each window, whatever it takes: it has the focus.
NO_ID_CARD = "spar_mapper.spar_mapping_wizard_action_provisional"
ON_A_PERSON = {
    "officer": {
        "Change": "fa_type_id",
        "Suspend": "cannot_read",
        "Unlink": "cannot_read",
        "I was not paid": "kind",
        "Add a guardian or collector": "kind_id",
    },
    "auditor": {"On a date": "day", "Reveal the address": "what"},
}
_CLOSES = "['Cancel', 'Close'].includes(each.innerText.trim())"
#: What the mask of an account shows, and what a supervisor retypes before it.
SHOWN, RETYPED = 3, 4


@pytest.fixture(scope="module")
def windows(server, browser):
    """Return the windows in which somebody is logged in, by role."""
    with ExitStack() as opened:

        def log_in(role: str) -> KeyboardDesk:
            page = opened.enter_context(chromium(browser))
            desk = KeyboardDesk(page, server.url, server.staff[role])
            desk.log_in()
            return desk

        yield {role: log_in(role) for role in ("officer", "supervisor", "auditor")}


@pytest.fixture(params=SIZES)
def staff(request, windows, server):
    """Return each role's window on its first page: at a desk, then on a phone."""
    with server.expecting(REFUSED):
        for desk in windows.values():
            desk.page.set_size(*SIZES[request.param])
            desk.is_phone = request.param == "phone"
            desk.page.open(f"{server.url}/odoo")
            desk.wait("!!document.querySelector('.spar_find')", "no box to find people")
            desk.rest()
            assert desk.focused == "typed"
        yield windows


def get_fa(client, person) -> str | None:
    (answer,) = client.resolve([person.resolve_item])
    return answer.get("fa")


def write_day(days_ago: int) -> str:
    return (date.today() - timedelta(days=days_ago)).strftime("%m/%d/%Y")


# === WHAT EVERYBODY DOES === #


def find(desk: KeyboardDesk, typed: str) -> str:
    """Type into the box, again if it was left; return the title of the page."""
    if desk.focused != "typed":
        if desk.title != "Find a person":
            desk.choose_button("Next person")
        desk.go_to_field("typed")
    desk.write_anew(typed)
    desk.enter()
    desk.wait_for_text("Is money paid?")
    return desk.title


def confirm(desk: KeyboardDesk, label: str = "Confirm") -> None:
    desk.choose_button(label)
    desk.wait("!document.querySelector('.modal')", "the window is still open")
    desk.rest()


def read_and_return(desk: KeyboardDesk, label: str, *texts: str) -> None:
    """Press a button that leads to a list, read it, and go back."""
    page = desk.title
    desk.choose_button(label)
    for text in texts:
        desk.wait_for_text(text)
    desk.go_back()
    assert desk.title == page


# === THE OFFICER === #


def link(desk: KeyboardDesk, person) -> None:
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
        assert desk.page.evaluate(REFUSAL_TITLE) == "Nothing was changed"
        assert desk.focused == "Close"
        desk.enter()
        desk.wait("!document.querySelector('.o_error_dialog')")
        assert desk.focused == "Confirm", "the focus comes back to the form"
        desk.go_to_field(name, back=True)
        desk.write_anew(text)
    confirm(desk)
    desk.wait_for_text("Linked. Payments go to this address from now on.")


def print_the_receipt(desk: KeyboardDesk) -> None:
    page = desk.title
    desk.go_to_button("Print the receipt")
    desk.press_key("Enter")
    if not shutil.which("wkhtmltopdf"):  # it is shown in another tab, for the browser
        end = time.monotonic() + WAIT_SECONDS
        while not (urls := desk.page.close_new_tabs()):
            assert time.monotonic() < end, "no receipt is shown"
            time.sleep(0.2)
        assert "/report/html/" in urls[0]
    desk.rest()
    assert desk.title == page


def ask_to_change(desk: KeyboardDesk, account: str) -> None:
    assert desk.focused == "Change", "the first main button has the focus"
    desk.enter()
    desk.wait_for_dialog("Change the address")
    fa = f"account:{account}@BR01.DEMO"
    desk.fill_in(fa_text=fa, fa_text_again=fa, reason=REASON)
    confirm(desk)
    see_it_wait(desk)


def ask_to_suspend(desk: KeyboardDesk) -> None:
    desk.choose_button("Suspend")
    desk.wait_for_dialog("Suspend the address")
    assert desk.focused == "cannot_read"
    desk.go_to_field("suspend_reason")
    desk.press_key(" ")
    confirm(desk)
    see_it_wait(desk)


def see_it_wait(desk: KeyboardDesk) -> None:
    waiting = ".o_field_widget[name='waiting_ids']"
    row = f"{waiting} .o_data_row, {waiting} .o_kanban_record:not(.o_kanban_ghost)"
    desk.wait(f"!!document.querySelector({json.dumps(row)})", "nothing waits")


def complain(desk: KeyboardDesk) -> None:
    desk.choose_button("I was not paid")
    desk.wait_for_dialog("Record a complaint")
    assert desk.focused == "kind"
    desk.fill_in(missed_on=write_day(10), statement="Nothing came")
    confirm(desk, "Record the complaint")
    desk.wait_for_text("Recorded under reference")
    assert desk.focused == "Change", "the page opens anew"


# === THE SUPERVISOR === #


def review(desk: KeyboardDesk) -> None:
    """Open the newest of the changes that wait, and look at it."""
    if desk.title != "Find a person":
        desk.page.open(f"{desk.url}/odoo")
        desk.rest()
    desk.choose_button("Waiting for approval")
    desk.open_first()
    assert desk.focused == "Review"
    desk.enter()
    desk.wait_for_dialog("Review the change")


def approve(desk: KeyboardDesk, account: str) -> None:
    """Compare the newest change with the document, and approve it."""
    review(desk)
    desk.fill_in(typed=account[-SHOWN - RETYPED : -SHOWN])
    desk.choose_button("Approve")
    desk.wait_for_text("Approve this change?")
    confirm(desk, "Approve")
    assert desk.has_focus, "what had it is gone"


def refuse(desk: KeyboardDesk) -> None:
    """Reveal the newest change and refuse it with a reason."""
    review(desk)
    desk.choose_button("Reveal")
    desk.fill_in(refusal=REFUSAL)
    desk.choose_button("Refuse")
    desk.wait_for_text("Refuse this change?")
    confirm(desk, "Refuse")
    desk.wait_for_text(REFUSAL)


# === THE AUDITOR === #


def answer(desk: KeyboardDesk, person) -> None:
    """Answer where the payment of a day went, who changed it and who looked."""
    find(desk, person.value)
    assert desk.focused == "On a date"
    desk.enter()
    desk.wait_for_dialog("On a date")
    desk.write("31.31.2026")
    desk.press_key("Tab")
    desk.wait_for_text("This is not a date. Write it like ")
    desk.rest()
    assert desk.page.evaluate(f"document.querySelector({DAY}).value") == "31.31.2026"
    desk.go_to_field("day", back=True)
    desk.write_anew(write_day(0))
    desk.press_key("Tab")
    desk.wait_for_text("Bank account •")
    assert "This is not a date" not in desk.page.text
    confirm(desk, "Close")
    assert desk.focused == "On a date", "the focus comes back to the page"
    read_and_return(desk, "Who did what", "Omar Officer", "Changed")
    read_and_return(desk, "Who looked", "Omar Officer")


def test_day_by_keyboard(staff, programme, server):
    officer, supervisor, auditor = staff.values()
    (person,) = make_card_holders(1)
    link(officer, person)
    assert get_fa(programme, person) == person.fa
    print_the_receipt(officer)
    page = officer.title
    assert find(officer, person.fa) == page
    account = make_account()
    rule = {"name": "Keyboard: ask", "sequence": 0, "decision": "approve"}
    with in_force(server, **rule, channel="staff"):
        ask_to_change(officer, account)
        assert get_fa(programme, person) == person.fa
        approve(supervisor, account)
        assert get_fa(programme, person) == f"account:{account}@BR01.DEMO"
        assert find(officer, person.value) == page
        read_and_return(officer, "Who did what", "Waiting change approved")
        # A suspension waits by a rule that names it.
        with in_force(server, **rule, operation="suspend"):
            ask_to_suspend(officer)
            refuse(supervisor)
    assert get_fa(programme, person) == f"account:{account}@BR01.DEMO"
    assert find(officer, person.value) == page
    read_and_return(officer, "Who did what", "Waiting change refused", REFUSAL)
    complain(officer)
    answer(auditor, person)


def test_focus_follows_a_refusal(staff, programme):
    (person,) = make_card_holders(1)
    programme.link([person.linked])
    officer = staff["officer"]
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
    officer.go_to("each.matches('.modal input[type=file]')", "the document")
    confirm(officer, "Cancel")
    find(officer, person.value)
    officer.choose_button("Next person")
    officer.wait("location.pathname === '/odoo/spar-find/new'", "the person stays")
    officer.rest()
    assert officer.page.evaluate(
        "document.querySelector('[name=typed] input').value === ''"
    )


@pytest.mark.parametrize("staff", ["desk"], indirect=True)
def test_window_opens_at_its_first_field(staff, programme):
    (person,) = make_card_holders(1)
    programme.link([person.linked])
    officer = staff["officer"]
    officer.page.evaluate(
        f"odoo.__WOWL_DEBUG__.root.env.services.action.doAction('{NO_ID_CARD}')"
    )
    officer.wait_for_dialog("Register without an ID card")
    officer.rest()
    assert officer.focused == "why_no_id"
    confirm(officer, "Cancel")
    for role, windows in ON_A_PERSON.items():
        find(staff[role], person.value)
        check_windows(staff[role], windows)


def check_windows(desk: KeyboardDesk, windows: dict[str, str]) -> None:
    """Open each window by its button, and close it: the focus comes back."""
    for label, name in windows.items():
        desk.choose_button(label)
        desk.wait("!!document.querySelector('.modal')", label)
        desk.rest()
        assert desk.focused == name, label
        desk.go_to(_CLOSES, "what closes the window")
        desk.enter()
        desk.wait("!document.querySelector('.modal')", label)
        desk.rest()
        assert desk.focused == label
