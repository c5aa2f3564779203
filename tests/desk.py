"""A member of staff at the backend, in Chromium: clicks on what is visible."""

import json
import time
from dataclasses import dataclass

from .chromium import Page

#: The elements that can be pressed, as users see them.
PRESSABLE = (
    "button, a, .o_app, .dropdown-item, .o_nav_entry, .o_data_cell, .o_kanban_record"
)
#: Generous: the first page of a session waits until its scripts are bundled.
WAIT_SECONDS = 60
_IN_SIGHT = """(() => {{
    const seen = [...document.querySelectorAll({selector})].filter(each => {{
        const box = each.getBoundingClientRect();
        return box.width && box.height && ({text} === null
            || each.innerText.trim() === {text});
    }});
    if (!seen.length) return null;
    const found = seen.at({number});
    found.scrollIntoView({{block: "center"}});
    const box = found.getBoundingClientRect();
    return [box.x + box.width / 2, box.y + box.height / 2];
}})()"""

#: Nothing moves and nothing loads, after everything pending has been drawn.
_IS_CALM = """new Promise(tell => requestAnimationFrame(() => setTimeout(() => tell(
    !document.querySelector(".o_loading_indicator")
    && document.getAnimations().every(each => each.playState !== "running"
        || each.effect.getComputedTiming().endTime === Infinity)
), 40)))"""
#: Required consecutive calm readings: an answer may lead to the next request.
CALM_TIMES = 4


def get_input(field: str) -> str:
    """Return the selector of a field's input, in the dialog if one is open."""
    place = f".o_field_widget[name='{field}'] input"
    return f".modal {place}, body:not(:has(.modal)) {place}"


@dataclass
class Desk:
    """A member of staff with a window."""

    page: Page
    url: str
    person: dict
    is_phone: bool = False

    # === ACTIONS === #

    def log_in(self) -> None:
        """Log in by the form, as on the first morning, and wait for the first page."""
        self.page.open(f"{self.url}/web/login")
        self.wait("!document.querySelector('form.oe_login_form.d-none')")
        self.page.type("#login", self.person["login"])
        self.page.type("#password", self.person["password"])
        self.page.evaluate("document.querySelector('form.oe_login_form').submit()")
        self.wait("!!document.querySelector('.o_action_manager')?.children.length")
        self.rest()

    def press(self, text: str | None, selector: str = PRESSABLE, number: int = -1):
        """Click the element labelled ``text``: the innermost and last one."""
        script = _IN_SIGHT.format(
            selector=json.dumps(selector), text=json.dumps(text), number=number
        )
        x, y = self.wait(script, f"{text or selector} is not in sight")
        # Move there first, as a hand does: some lists react only under the pointer.
        self.page.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
        self.page.press_mouse(x, y)
        self.rest()

    def tap(self, selector: str) -> None:
        """Touch an element once with a finger; on a phone."""
        script = _IN_SIGHT.format(selector=json.dumps(selector), text="null", number=-1)
        x, y = self.wait(script, f"{selector} is not in sight")
        self.page.call(
            "Input.dispatchTouchEvent",
            type="touchStart",
            touchPoints=[{"x": x, "y": y}],
        )
        self.page.call("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])
        self.rest()

    def load_anew(self) -> None:
        """Press F5."""
        with self.page.loading():
            self.page.call("Page.reload")
        self.wait("!!document.querySelector('.o_action_manager')?.children.length")
        self.rest()

    def press_above_list(self, text: str) -> None:
        """Press a button above the list; a phone may hide it behind the three dots."""
        shown = ".o_control_panel_main_buttons button"
        if self.sees(text, shown):
            self.press(text, shown)
        else:
            dots = "button:has(.oi-ellipsis-v)"
            self.press(None, f".o_control_panel_main_buttons {dots}")
            self.press(text, ".o-dropdown--menu button")

    def press_at_start(self, text: str) -> None:
        """Press a button of the page that SPAR opens."""
        self.press(text, ".spar_find button")

    def find_person(self, typed: str) -> None:
        """Type or scan into the box of the page that SPAR opens, and press Enter."""
        self.type("typed", typed)
        self.page.press("Enter", 13, "\r")
        self.rest()

    def open_app(self, xmlid: str) -> None:
        """Press an app's icon in the list of all apps."""
        if self.is_phone:
            self.press(None, ".o_menu_toggle")
            if self.sees("All Apps"):
                self.press("All Apps")
        else:
            self.press(None, ".o_navbar_apps_menu button")
        self.press(None, f"[data-menu-xmlid='{xmlid}']")

    def open_entry(self, section: str, text: str) -> None:
        """Press an entry of SPAR's menu."""
        if self.is_phone:
            self.press(None, ".o_menu_toggle")
            self.press(text, ".o_burger_menu_content *", -1)
        else:
            self.press(section, ".o_menu_sections button, .o_menu_sections a")
            self.press(text, ".o-dropdown--menu .dropdown-item")

    def type(self, field: str, text: str) -> None:
        """Fill in a field of the form that is open."""
        selector = get_input(field)
        self.wait(f"!!document.querySelector({json.dumps(selector)})", field)
        self.page.type(selector, text)

    def choose(self, field: str, text: str) -> None:
        """Choose a record by typing a part of its name."""
        self.type(field, text)
        # The results of this search: neither of a previous one nor "Loading...".
        self.wait("!document.querySelector('.o-autocomplete .o_loading')")
        self.press(
            None,
            ".o-autocomplete--dropdown-item"
            ":not(.o_m2o_dropdown_option, :has(.o_loading))",
            0,
        )

    def search(self, text: str) -> None:
        """Search for ``text`` in the first field of the list's search; on a desktop."""
        self.page.type(".o_searchview_input", text)
        self.wait("!!document.querySelector('.o_searchview_autocomplete')", text)
        self.page.press("Enter", 13, "\r")
        self.wait("!!document.querySelector('.o_searchview_facet')", text)

    # === THE VIEW === #

    @property
    def title(self) -> str:
        """Return the title of the open page."""
        selector = ".o_last_breadcrumb_item"
        return self.page.evaluate(
            f"document.querySelector('{selector}')?.innerText.trim() || ''"
        )

    def wait_for_dialog(self, title: str) -> None:
        shown = "document.querySelector('.modal-title')?.innerText.trim()"
        self.wait(f"{shown} === {json.dumps(title)}", title)

    @property
    def path(self) -> str:
        return self.page.url.removeprefix(self.url).partition("?")[0]

    def sees(self, text: str, selector: str = PRESSABLE) -> bool:
        script = _IN_SIGHT.format(
            selector=json.dumps(selector), text=json.dumps(text), number=-1
        )
        return bool(self.page.evaluate(script))

    def wait(self, expression: str, problem: str = ""):
        """Return the value of the expression once it has one."""
        end = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < end:
            try:
                if found := self.page.evaluate(expression):
                    return found
            except AssertionError:
                # Another page is just replacing this one.
                pass
            time.sleep(0.1)
        raise AssertionError(
            f"{problem or expression}: {self.page.url}\n{self.page.text}"
        )

    def wait_for_text(self, text: str) -> None:
        self.wait(f"document.body.innerText.includes({json.dumps(text)})", text)

    def rest(self) -> None:
        """Wait until there are no open requests to the server, and all is drawn."""
        end, times = time.monotonic() + WAIT_SECONDS, 0
        while times < CALM_TIMES:
            assert time.monotonic() < end, (
                f"no rest: {self.page.open_requests.values()}"
            )
            times = times + 1 if self._is_calm() else 0

    def _is_calm(self) -> bool:
        try:
            return self.page.evaluate(_IS_CALM) and not self.page.open_requests
        except AssertionError:
            # Another page is just replacing this one.
            return False
