"""A member of staff at Odoo's backend, in Chromium."""

import json
import time

from .chromium import WAIT_SECONDS, Page
from .real_server import RealServer

_ENV = "odoo.__WOWL_DEBUG__.root.env"
#: The web client has drawn the requested page.
_IS_READY = (
    f"!!window.odoo?.__WOWL_DEBUG__ && !!{_ENV}.services.action.currentController"
)
_OPEN_MENU = f"""(async () => {{
    const {{menu, dialog}} = {_ENV}.services;
    dialog.closeAll();
    await Promise.race([
        menu.selectMenu(%d),
        new Promise((_done, fail) => setTimeout(() => fail("it never opens"), 20000)),
    ]);
}})()"""
_TROUBLE = ".o_error_dialog, .o_notification .bg-danger, .o-bus-ConnectionAlert"


class Colleague:
    """A member of staff who is logged in, with a window."""

    def __init__(self, page: Page, server: RealServer, role: str):
        self.page, self.server, self.role = page, server, role
        person = server.staff[role]
        page.set_size(1280, 900)
        page.open(f"{server.url}/web/login")
        # Scripts of the page show the form, and focus it.
        self.wait("document.activeElement?.id === 'login'")
        page.type("#login", person["login"])
        page.type("#password", person["password"])
        page.click(".oe_login_form button[type=submit]")
        self.open()

    def open(self) -> None:
        """Open the web client's first page."""
        self.page.open(f"{self.server.url}/odoo")
        self.wait(_IS_READY)

    def wait(self, expression: str) -> None:
        """Return when a JavaScript expression is true."""
        end = time.monotonic() + WAIT_SECONDS
        while not self.page.evaluate(expression):
            assert time.monotonic() < end, f"never {expression}:\n{self.page.text}"
            time.sleep(0.1)

    # === MENUS === #

    def get_menus(self) -> dict[int, str]:
        """Return every menu that leads somewhere, with its path."""
        menus = self.page.evaluate(f"{_ENV}.services.menu.getAll()")
        parents = {child: menu for menu in menus for child in menu["children"]}
        found = {}
        for menu in menus:
            if menu["actionID"]:
                names, at = [], menu
                while at and at["id"] != "root":
                    names.insert(0, at["name"])
                    at = parents.get(at["id"])
                found[menu["id"]] = " / ".join(names)
        return found

    def open_menu(self, menu: int) -> None:
        """Open a menu, which may lead outside the web client.

        :raises AssertionError: when it does not open
        """
        try:
            self.page.evaluate(_OPEN_MENU % menu)
        except AssertionError as error:
            if "context was destroyed" not in str(error):
                raise
        time.sleep(0.3)

    def find_trouble(self) -> str:
        """Return the errors that the page shows; empty if there are none."""
        selector = json.dumps(_TROUBLE)
        return self.page.evaluate(
            f"[...document.querySelectorAll({selector})].map(e => e.innerText).join()"
        )

    def is_in_backend(self) -> bool:
        self.page.evaluate("document.readyState")
        return self.page.evaluate(_IS_READY)

    # === THE BUS === #

    def is_connected(self) -> bool:
        """Return whether the server can notify this page of events."""
        return self.page.evaluate(f"{_ENV}.services.bus_service.workerState") == (
            "CONNECTED"
        )
