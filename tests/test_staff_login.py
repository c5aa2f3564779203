"""The staff login on a real server: several processes, and refused requests."""

import re
import time

import pytest
import requests

from examples.payer.client import TIMEOUT

from .backend import Backend, Refused
from .real_server import RealServer

PAUSED = "Too many failed attempts"
#: Odoo logs each refusal.
REFUSALS = (r"odoo\.http: (Access Denied|Too many failed attempts)",)


@pytest.fixture
def unpaused(server: RealServer):
    """Clear all pauses before and after."""
    forget = "DELETE FROM spar_login_failure"
    with server.cursor() as cr:
        cr.execute(forget)
    yield
    with server.cursor() as cr:
        cr.execute(forget)


def log_in(server: RealServer, login: str, password: str) -> requests.Response:
    """Send the form of the login page with a new session."""
    session = requests.Session()
    page = session.get(f"{server.url}/web/login", timeout=TIMEOUT).text
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)[1]
    form = {"csrf_token": token, "login": login, "password": password}
    return session.post(
        f"{server.url}/web/login", data=form, timeout=TIMEOUT, allow_redirects=False
    )


def time_log_in(server: RealServer, login: str) -> float:
    """Return how long a refused login takes, in seconds."""
    began = time.perf_counter()
    log_in(server, login, "wrong")
    return time.perf_counter() - began


def test_failures_are_counted_by_all_processes_together(server, unpaused):
    person = server.staff["viewer"]
    for _number in range(5):
        assert PAUSED not in log_in(server, person["login"], "wrong").text
    assert PAUSED in log_in(server, person["login"], person["password"]).text
    colleague = server.staff["officer"]
    assert log_in(server, colleague["login"], colleague["password"]).status_code == 303


def test_failures_are_counted_where_the_request_is_rolled_back(server, unpaused):
    backend = Backend(server, "viewer")
    path = "/auth-timeout/session/check-identity"
    with server.expecting(*REFUSALS):
        for _number in range(5):
            with pytest.raises(Refused):
                backend._post(path, {"type": "password", "password": "wrong"})
        form = {"type": "password", "password": server.staff["viewer"]["password"]}
        with pytest.raises(Refused, match=PAUSED):
            backend._post(path, form)


def test_unknown_login_takes_as_long_as_an_existing_one(server, unpaused):
    """The form's own time; the best of several is the most meaningful.

    The two take turns, so that a busy machine slows both alike.
    """
    logins = [
        (server.staff[role]["login"], f"nobody-is-called-{role}")
        for role in ("viewer", "officer", "supervisor")
    ]
    times = [
        (time_log_in(server, known), time_log_in(server, unknown))
        for known, unknown in logins * 4
    ]
    known, unknown = map(min, zip(*times, strict=True))
    assert 0.7 < unknown / known < 1.4, times


@pytest.mark.parametrize("headers", [{}, {"X-Odoo-Database": "no_such_database"}])
@pytest.mark.parametrize(
    ("method", "page"),
    [
        ("GET", "selector"),
        ("GET", "manager"),
        ("POST", "create"),
        ("POST", "drop"),
        ("POST", "backup"),
        ("POST", "restore"),
        ("POST", "duplicate"),
        ("POST", "change_password"),
    ],
)
def test_databases_are_not_managed_over_the_web(server, method, page, headers):
    url = f"{server.url}/web/database/{page}"
    answer = requests.request(method, url, headers=headers, timeout=TIMEOUT)
    assert answer.status_code == 404
