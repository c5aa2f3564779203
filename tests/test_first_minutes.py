"""The first five minutes of each role, clicked in Chromium on a desktop and a phone."""

import contextlib
import json
from collections.abc import Iterator

import pytest

from .backend import get_backend, in_force, let_staff_stop_alone
from .chromium import chromium
from .desk import Desk, get_input
from .people import make_account, make_card_holders, make_people
from .real_server import NOTHING

SIZES = {"phone": (390, 844), "desk": (1280, 800)}
ROOT, FIRST_STEPS = (
    "spar_fa_directory.menu_root",
    "spar_fa_directory.menu_first_steps",
)
START = "Find a person"
#: Role -> the title of the page that SPAR opens.
OPENS = {
    "viewer": START,
    "officer": START,
    "supervisor": START,
    "auditor": START,
    "administrator": "Participants",
}
#: Role -> the buttons of that page, and the titles of what they open.
BUTTONS = {
    "officer": {"Link a person": "Link a person"},
    "supervisor": {"Waiting for approval": "Waiting for approval"},
    "auditor": {"Who did what": "Who did what"},
}
WINDOWS = ("Link a person",)
#: The latency of a slow line, in milliseconds.
SLOW = 500
CONFIRM_AT = """[...document.querySelectorAll(".modal-footer button")].map(
    each => Math.round(each.getBoundingClientRect().y))"""
GREEN = ".alert-success"


@pytest.fixture(params=SIZES)
def sit_down(request, server, browser) -> Iterator:
    """Return a function that opens a window of the size and logs a role in."""
    with contextlib.ExitStack() as windows:
        windows.enter_context(server.expecting(NOTHING))

        def open_window(role: str) -> Desk:
            page = windows.enter_context(chromium(browser))
            page.set_size(*SIZES[request.param])
            desk = Desk(page, server.url, server.staff[role], request.param == "phone")
            desk.log_in()
            return desk

        yield open_window


@pytest.fixture
def person(programme):
    """Return a person who is linked."""
    (made,) = make_people(1)
    programme.link([made.linked])
    return made


@pytest.mark.parametrize("role", OPENS)
def test_each_role_finds_its_work(sit_down, role):
    """SPAR opens after login and by its icon; its page and menu have the work."""
    desk = sit_down(role)
    assert desk.title == OPENS[role]
    desk.open_app(ROOT)
    assert desk.title == OPENS[role]
    assert "/spar/agent" not in desk.page.url
    if OPENS[role] == START:
        assert desk.path.startswith("/odoo/spar-find")
    for text, title in BUTTONS.get(role, {}).items():
        desk.press_at_start(text)
        see(desk, title)
        desk.open_entry("Registry", text)
        see(desk, title)


def see(desk: Desk, title: str) -> None:
    """Assert the title that a button opened; then go back."""
    if title in WINDOWS:
        desk.wait_for_dialog(title)
        desk.press("Cancel", ".modal button")
    else:
        shown = "document.querySelector('.o_last_breadcrumb_item')?.innerText.trim()"
        desk.wait(f"{shown} === {json.dumps(title)}", title)
        desk.open_app(ROOT)


def test_odoo_administrator_sees_how_to_assign_roles(sit_down):
    desk = sit_down("odoo")
    assert not desk.page.url.startswith(f"{desk.url}/odoo/spar")
    desk.open_app(FIRST_STEPS)
    desk.wait_for_text("Who works with SPAR")
    desk.press("Open the users")
    desk.wait_for_text("Omar Officer")
    assert desk.title == "Users"


def test_officer_helps_a_person_and_returns_to_the_registry(sit_down):
    desk = sit_down("officer")
    desk.open_entry("Registry", "Help a person who is here")
    desk.wait("location.pathname === '/spar/agent'")
    desk.press("Back to the registry")
    desk.wait("location.pathname.startsWith('/odoo/spar-find')")
    desk.wait_for_text(START)


def test_officer_finds_and_suspends_a_mapping(sit_down, person, programme, server):
    let_staff_stop_alone(server)
    desk = sit_down("officer")
    desk.find_person(person.value)
    desk.wait_for_text("Is money paid?")
    assert person.value not in desk.page.url
    assert desk.page.has(GREEN)
    # The uncovered part is in view as a whole, not as an ellipsis.
    assert desk.page.evaluate(
        """(() => {
            const places = ".o_field_widget[name='id_masked']";
            const shown = [...document.querySelectorAll(places)].filter(
                each => each.innerText.includes('••%s')).at(-1);
            return !!shown && shown.scrollWidth <= shown.clientWidth + 1;
        })()"""
        % person.value[-4:]
    )
    desk.press("Suspend")
    desk.press(None, ".o_field_widget[name='suspend_reason'] input", 0)
    desk.press("Confirm", ".modal button")
    desk.wait_for_text("Nothing is paid to this address until it is resumed")
    desk.wait_for_text("Omar Officer")
    assert "The address is suspended" in desk.page.text
    desk.page.open(f"{desk.url}/odoo/spar-registry")
    desk.rest()
    assert not get_backend(server, "viewer").find(
        "spar.mapping",
        [("id_value", "=", person.id), ("state", "=", "active")],
    )
    (answer,) = programme.resolve([person.resolve_item])
    assert "fa" not in answer


def test_page_of_a_person_survives_a_reload(sit_down, person):
    desk = sit_down("viewer")
    desk.find_person(person.value)
    for _before_and_after in range(2):
        desk.wait_for_text(f"••{person.value[-4:]}")
        assert desk.title.startswith("Person ")
        assert desk.path.startswith("/odoo/")
        desk.load_anew()
    assert person.value not in desk.page.evaluate("JSON.stringify(sessionStorage)")
    assert person.value not in desk.page.url


def test_what_finds_no_one_can_be_corrected_in_place(sit_down, person):
    desk = sit_down("officer")
    desk.find_person(f"{person.value}0")
    desk.wait_for_text("No person was found")
    assert desk.page.evaluate(
        "document.querySelector('.o_field_widget[name=typed] input').value"
    ) == (f"{person.value}0")
    desk.find_person(person.value)
    desk.wait_for_text("Is money paid?")


def test_address_part_accepts_text_at_the_first_touch(sit_down, programme, server):
    (person,) = make_card_holders(1)
    desk = sit_down("officer")
    drafts = "SELECT count(*) FROM spar_find_wizard"
    before = server.query(drafts)
    desk.type("typed", "Half a num")
    if desk.is_phone:
        desk.page.call(
            "Emulation.setTouchEmulationEnabled", enabled=True, maxTouchPoints=1
        )
    desk.press_at_start("Link a person")
    assert server.query(drafts) == before, "the page was left, and a draft was stored"
    # A slow line: each answer comes while the next thing is pressed.
    desk.page.set_line(100_000, SLOW)
    number = f"V{person.account}"
    desk.type("id_value", person.value)
    desk.rest()
    confirm = desk.page.evaluate(CONFIRM_AT)
    pick(desk, "fa_type_id", "Voucher")
    pick(desk, "provider_id", "Tavoria Seed and Tool Vouchers")
    part = ".o_field_widget[name='value'] input"
    desk.tap(part) if desk.is_phone else desk.press(None, part)
    assert desk.page.evaluate(f"document.activeElement.matches({json.dumps(part)})")
    desk.page.call("Input.insertText", text=number)
    desk.type("value_again", number)
    desk.type("reason", "Asked at the counter")
    desk.rest()
    assert desk.page.evaluate(CONFIRM_AT) == confirm, "the button has moved"
    desk.press("Confirm", ".modal button")
    desk.wait("!document.querySelector('.modal')", "the form is still open")
    desk.wait_for_text("Linked. Payments go to this address from now on.")
    (answer,) = programme.resolve([person.resolve_item])
    assert number in answer["fa"]


def pick(desk: Desk, field: str, text: str) -> None:
    """Choose a record by its name, in the list that a phone opens for it."""
    if desk.is_phone:
        desk.press(None, get_input(field))
        desk.press(text, ".modal .o_kanban_record *, .modal .o_data_cell")
    else:
        desk.choose(field, text)


def test_account_finds_a_person(sit_down, person):
    desk = sit_down("viewer")
    if desk.is_phone:
        desk.find_person(person.fa)
    else:
        desk.choose("provider_id", "Harbour")
        desk.find_person(person.account)
    desk.wait_for_text(f"••{person.value[-4:]}")
    assert person.account not in desk.page.evaluate("JSON.stringify(sessionStorage)")
    assert person.account not in desk.page.url


def test_supervisor_approves_a_change_after_comparing_it(sit_down, person, server):
    account = make_account()
    with in_force(server, name="Browser: ask", sequence=0, decision="approve"):
        get_backend(server, "officer").act_on(
            "update", person.id, fa_text=f"account:{account}@BR01.DEMO"
        )
    desk = sit_down("supervisor")
    desk.find_person(person.value)
    waiting = ".o_field_widget[name='waiting_ids']"
    row = f"{waiting} .o_data_cell, {waiting} .o_kanban_record:not(.o_kanban_ghost)"
    desk.press(None, row, 0)
    desk.wait_for_text("Address in force")
    assert desk.title.startswith("Change "), desk.page.text
    desk.press("Review")
    desk.wait_for_dialog("Review the change")
    hidden = account[: len(account) - min(4, len(account) // 4)]
    desk.type("typed", hidden[-4:])
    desk.press("Approve", ".modal button")
    desk.wait_for_text("Approve this change?")
    desk.press("Approve", ".modal button")
    desk.wait_for_text("Payments go to the new address from now on")


def test_auditor_finds_the_history_by_name(sit_down, person, server):
    get_backend(server, "officer").act_on("suspend", person.id)
    desk = sit_down("auditor")
    desk.press_at_start("Who did what")
    if not desk.is_phone:
        desk.search("Officer Omar")
    desk.wait_for_text("Omar Officer")
    desk.rest()
    assert "Suspended" in desk.page.text
    desk.press_above_list("Integrity")
    desk.wait(
        "/No check has run|The last check ended on|Last seen/"
        ".test(document.body.innerText)"
    )
