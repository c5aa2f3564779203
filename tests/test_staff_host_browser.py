"""Staff on a host of their own, in Chromium: what a client without a browser misses.

The name ``localhost`` is the host of staff; the website is at the numeric address.
"""

import base64
import hashlib
import hmac
import struct
import time
from collections.abc import Iterator

import pytest

from setup.machine import get_free_ports
from setup.odoo_server import OdooServer

from .chromium import Page, chromium
from .real_server import RealServer

#: Columns that a second factor changes; the other tests log in without one.
COLUMNS = "totp_secret, totp_sealed, totp_last_counter, spar_account_seal"
STEP = 30


class StaffServer(OdooServer):
    """Another Odoo on the server's database, with a host for staff."""

    path = "/web/health"

    @property
    def staff_url(self) -> str:
        return f"http://localhost:{self.port}"


@pytest.fixture(scope="module")
def staff_server(server: RealServer, id_provider) -> Iterator[StaffServer]:
    """Yield an Odoo whose staff have a host, and need a second factor."""
    port, websocket = get_free_ports(2)
    folder = server.installation.folder
    command = server.build_command(
        f"--http-port={port}",
        f"--gevent-port={websocket}",
        "--workers=0",
        "--max-cron-threads=0",
        f"--pidfile={folder / 'staff_host.pid'}",
    )
    settings = {"SPAR_STAFF_HOST": f"localhost:{port}", "SPAR_SECOND_FACTOR": "on"}
    log = folder / "staff_host.log"
    odoo = StaffServer(command, {**server.environment, **settings}, log, port)
    odoo.start()
    try:
        odoo.wait()
        yield odoo
    finally:
        odoo.stop()


@pytest.fixture
def officer(server: RealServer) -> Iterator[dict]:
    """Return an officer without a second factor, who has none afterwards either."""
    person = server.staff["officer"]
    select = f"SELECT {COLUMNS} FROM res_users WHERE login = %s"
    (before,) = server.query(select, person["login"])
    yield person
    with server.cursor() as cr:
        cr.execute(
            f"UPDATE res_users SET ({COLUMNS}) = (%s, %s, %s, %s) WHERE login = %s",
            (*before, person["login"]),
        )


def compute_code(secret: str, later: int = 0) -> str:
    """Return what an authenticator app shows now, or some steps later (RFC 6238)."""
    key = base64.b32decode(secret.replace(" ", "").upper())
    counter = struct.pack(">Q", int(time.time() / STEP) + later)
    digest = hmac.digest(key, counter, hashlib.sha1)
    (number,) = struct.unpack_from(">I", digest, digest[-1] & 0xF)
    return f"{(number & 0x7FFFFFFF) % 1_000_000:06}"


def log_in(page: Page, staff_server: StaffServer, person: dict) -> None:
    page.open(f"{staff_server.staff_url}/web/login")
    page.type("#login", person["login"])
    page.type("#password", person["password"])
    page.click("form.login button[type=submit]")


def get_path(page: Page) -> str:
    return page.evaluate("location.pathname")


def test_officer_logs_in_and_helps_a_person(staff_server, officer, browser):
    """Each form names its origin: without that, it is taken for another host's."""
    with chromium(browser) as page:
        log_in(page, staff_server, officer)
        assert get_path(page) == "/web/second-factor", page.text
        secret = page.get_text("code")
        page.type("#code", compute_code(secret))
        page.click("form[action='/web/second-factor'] button")
        assert get_path(page).startswith("/odoo"), page.text

        page.open(f"{staff_server.staff_url}/web/session/logout")
        log_in(page, staff_server, officer)
        assert get_path(page) == "/web/login/totp", page.text
        # Each code counts once.
        page.type("#totp_token", compute_code(secret, 1))
        page.click("form[action='/web/login/totp'] button[type=submit]")
        assert get_path(page).startswith("/odoo"), page.text

        page.open(f"{staff_server.staff_url}/spar/agent")
        page.click("form button.main")
        assert get_path(page).endswith("/kind"), page.text
        # The next page does not learn what the address of this one holds.
        assert page.evaluate("document.referrer") == f"{staff_server.staff_url}/"


def test_wrong_password_is_named_on_the_page(staff_server, officer, browser):
    with chromium(browser) as page:
        log_in(page, staff_server, {**officer, "password": "wrong"})
        assert page.has(".error"), page.text
        assert get_path(page) == "/web/login"


def test_page_that_offers_to_install_an_app_leads_to_the_screens(staff_server, browser):
    """It would run the scripts of websites on the host of staff."""
    with chromium(browser) as page:
        page.open(f"{staff_server.staff_url}/scoped_app?app_id=web&path=odoo")
        assert get_path(page) == "/web/login"


def test_beneficiary_begins_to_log_in_on_the_website(staff_server, browser):
    with chromium(browser) as page:
        page.open(f"{staff_server.url}/spar")
        before = page.url
        page.click("form button.main")
        assert page.url != before
        assert page.evaluate("document.querySelector('.error') === null"), page.text
