"""A member of staff at the backend without a mouse: only keys reach the page."""

import json

from .desk import Desk

ALT, CONTROL, SHIFT = 1, 2, 8
#: The keys that do something, with their codes, and what some of them write.
CODES = {
    "Tab": 9,
    "Enter": 13,
    " ": 32,
    "ArrowDown": 40,
    "Delete": 46,
    "a": 65,
    "b": 66,
}
TEXTS = {"Enter": "\r", " ": " "}
#: The most that are needed from the beginning of a page to its end.
MOST_TABS = 60
_HAS_FOCUS = """(() => {{
    const each = document.activeElement;
    return !!each && each !== document.body && ({test});
}})()"""
_IS_LABELLED = "each.matches('button, a') && each.innerText.trim() === {label}"
_IS_FIELD = "each.matches('.o_field_widget[name={name}] *')"
_IS_CARD = "each.matches('.o_kanban_record:not(.o_kanban_ghost)')"
#: Nothing behind an open window can be reached.
_IS_INSIDE = """(windows => !windows.length
    || windows.at(-1).contains(document.activeElement)
)([...document.querySelectorAll(".modal")])"""


class KeyboardDesk(Desk):
    """The desk of somebody who reaches each element by Tab and reads what has focus."""

    def press(self, text, selector="", number=-1):
        raise AssertionError(f"there is no mouse to press {text or selector}")

    def press_key(self, key: str, modifiers: int = 0) -> None:
        about = {"key": key, "code": key, "windowsVirtualKeyCode": CODES[key]}
        about["modifiers"] = modifiers
        text = TEXTS.get(key, "")
        down = "keyDown" if text else "rawKeyDown"
        self.page.call("Input.dispatchKeyEvent", type=down, text=text, **about)
        self.page.call("Input.dispatchKeyEvent", type="keyUp", **about)

    def enter(self) -> None:
        self.press_key("Enter")
        self.rest()

    def go_back(self) -> None:
        """Press Alt+B: Tab stays within the search of a list."""
        self.press_key("b", ALT)
        self.rest()

    def write(self, text: str) -> None:
        """Write where the focus is, one key after the other."""
        for each in text:
            self.page.call(
                "Input.dispatchKeyEvent", type="keyDown", key=each, text=each
            )
            self.page.call("Input.dispatchKeyEvent", type="keyUp", key=each)

    def write_anew(self, text: str) -> None:
        """Replace the text of the field that has the focus."""
        self.press_key("a", CONTROL)
        self.press_key("Delete")
        self.write(text)

    # === THE FOCUS === #

    def go_to(self, test: str, what: str, *, back: bool = False) -> None:
        """Press Tab until an element has the focus; it may have it already."""
        script = _HAS_FOCUS.format(test=test)
        for _each in range(MOST_TABS):
            if self.page.evaluate(script):
                return
            self.press_key("Tab", SHIFT if back else 0)
            assert self.page.evaluate(_IS_INSIDE), f"Tab left the window before {what}"
        raise AssertionError(f"{what} cannot be reached by Tab")

    def go_to_field(self, name: str, *, back: bool = False) -> None:
        self.go_to(_IS_FIELD.format(name=name), name, back=back)

    def choose_button(self, label: str) -> None:
        """Go to a button or link by its label, and press Enter."""
        self.go_to_button(label)
        self.enter()

    def go_to_button(self, label: str) -> None:
        self.go_to(_IS_LABELLED.format(label=json.dumps(label)), label)

    def open_first(self) -> None:
        """Open the first record of the list, or of the cards that a phone shows."""
        if self.is_phone:
            self.go_to(_IS_CARD, "a card")
        else:
            for _header_and_row in range(2):
                self.press_key("ArrowDown")
        self.enter()

    def fill_in(self, **texts: str) -> None:
        """Fill in fields in the order of Tab."""
        for name, text in texts.items():
            self.go_to_field(name)
            self.write_anew(text)

    def pick(self, name: str, text: str) -> None:
        """Choose a record by a part of its name, the first that is offered."""
        self.fill_in(**{name: text})
        self.wait("!!document.querySelector('.o-autocomplete--dropdown-item')", text)
        self.rest()
        self.enter()

    @property
    def has_focus(self) -> bool:
        """Return whether anything on the page has the focus."""
        return self.page.evaluate(_HAS_FOCUS.format(test="true"))

    @property
    def focused(self) -> str:
        """Return the name of the field that has the focus, or the button's label."""
        return self.page.evaluate(
            """(each => each.closest(".o_field_widget")?.getAttribute("name")
                || each.innerText.trim())(document.activeElement)"""
        )
