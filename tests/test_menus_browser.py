"""Every menu of every role, opened once in Chromium: no page or log has errors."""

import time

import pytest

from .chromium import chromium
from .real_server import NOTHING
from .staff import Colleague

ROLES = (
    "viewer",
    "officer",
    "supervisor",
    "auditor",
    "administrator",
    "programme user",
    "programme manager",
    "odoo",
)
#: A page whose websocket cannot be opened reports it after the second try, within 5 s.
PATIENCE_SECONDS = 8


def open_every_menu(colleague: Colleague) -> dict[str, str]:
    """Return the problems, by menu."""
    wrong = {}
    for menu, way in colleague.get_menus().items():
        try:
            colleague.open_menu(menu)
            trouble = colleague.find_trouble()
        except AssertionError as error:
            trouble = str(error)[:500]
        if trouble:
            wrong[way] = trouble
        if trouble or not colleague.is_in_backend():
            colleague.open()
    return wrong


def get_complaints(colleague: Colleague) -> list[str]:
    """Return the errors of the pages' scripts in the browser's console."""
    return [
        str(event["params"])[:500]
        for event in colleague.page.events
        if event["method"] == "Runtime.exceptionThrown"
        or (
            event["method"] == "Runtime.consoleAPICalled"
            and event["params"]["type"] == "error"
        )
    ]


@pytest.mark.parametrize("role", ROLES)
def test_every_menu_opens_and_the_log_stays_clean(server, browser, role):
    with server.expecting(NOTHING), chromium(browser) as page:
        colleague = Colleague(page, server, role)
        assert len(colleague.get_menus()) > 1
        assert open_every_menu(colleague) == {}
        assert get_complaints(colleague) == []


def test_connection_is_persistent(server, browser):
    with server.expecting(NOTHING), chromium(browser) as page:
        colleague = Colleague(page, server, "officer")
        time.sleep(PATIENCE_SECONDS)
        assert "connection lost" not in page.text
        assert colleague.is_connected()


def test_a_stored_text_runs_no_script(server, browser):
    """What staff are shown may hold markup that somebody stored past the checks."""
    with chromium(browser) as page:
        Colleague(page, server, "officer")
        page.evaluate(
            """document.body.insertAdjacentHTML("beforeend", `
                <img id="planted" src="data:," onerror="window.stolen = 1">
                <a id="link" href="javascript:window.stolen = 2">here</a>`)"""
        )
        page.evaluate("document.getElementById('link').click()")
        time.sleep(1)
        assert page.evaluate("document.getElementById('planted') !== null")
        assert page.evaluate("window.stolen === undefined")
