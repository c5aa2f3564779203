"""What Odoo fetches for callers while other requests wait for a worker."""

import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
import requests

from .backend import Backend
from .real_server import RealServer

#: SPAR_FETCH_SECONDS of the server, and the delay that a busy machine adds.
FETCH_SECONDS, SLACK = 5, 4
#: Longer than any test waits.
DRIPS, EVERY = 30, 2
PREVIEW = "/html_editor/link_preview_external"


class DrippingSite:
    """A website of which a byte arrives every two seconds; it counts its visitors."""

    def __init__(self) -> None:
        self.visits = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/page"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _address = self._listener.accept()
                self.visits += 1
                threading.Thread(
                    target=self._drip, args=(connection,), daemon=True
                ).start()

    def _drip(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.recv(4096)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<")
            for _number in range(DRIPS):
                time.sleep(EVERY)
                connection.sendall(b"x")

    def close(self) -> None:
        self._listener.close()


@pytest.fixture
def site() -> Iterator[DrippingSite]:
    made = DrippingSite()
    yield made
    made.close()


@contextlib.contextmanager
def at_once(count: int, work) -> Iterator[None]:
    """Do the same several times while the block runs, and wait for the end."""
    working = [threading.Thread(target=work) for _each in range(count)]
    for each in working:
        each.start()
    time.sleep(1)
    yield
    for each in working:
        each.join()


def time_health(server: RealServer) -> float:
    begin = time.monotonic()
    assert requests.get(f"{server.api}/health", timeout=120).ok
    return time.monotonic() - begin


def test_visitors_have_nothing_fetched(server, site):
    body = {"jsonrpc": "2.0", "method": "call", "params": {"preview_url": site.url}}

    def preview():
        answer = requests.post(f"{server.url}{PREVIEW}", json=body, timeout=120)
        assert answer.json().get("result") is False

    begin = time.monotonic()
    with at_once(3, preview):
        assert time_health(server) < SLACK
    assert time.monotonic() - begin < SLACK
    assert site.visits == 0


def test_users_reach_nothing_in_our_own_network(server, site):
    """Also not where the operator has allowed it to mappers, as in these tests."""
    officer = Backend(server, "officer")
    for host in ("127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0x7f000001"):
        url = f"http://{host}:{site.port}/page"
        assert officer._post(PREVIEW, {"preview_url": url}) is False, host
    assert site.visits == 0


@contextlib.contextmanager
def provider_at(server: RealServer, url: str) -> Iterator[int]:
    """Yield a provider of logins by Odoo's own means, which an administrator set."""
    insert = """INSERT INTO auth_oauth_provider
        (name, flow, client_id, auth_endpoint, validation_endpoint, body)
        VALUES ('intern', 'token', 'x', %s, %s, '{"en_US": "intern"}')
        RETURNING id"""
    with server.cursor() as cr:
        cr.execute(insert, (url, url))
        (number,) = cr.fetchone()
    try:
        yield number
    finally:
        with server.cursor() as cr:
            cr.execute("DELETE FROM auth_oauth_provider WHERE id = %s", (number,))


def test_slow_provider_of_logins_delays_others_by_seconds(server, site):
    """It is reached, in a network that the operator allowed, but not for long."""
    with provider_at(server, site.url) as number:
        state = json.dumps({"d": server.database, "p": number})
        words = urlencode({"state": state, "access_token": "x"})
        url = f"{server.url}/auth_oauth/signin?{words}"
        ended: list[float] = []

        def sign_in():
            begin = time.monotonic()
            requests.get(url, timeout=120, allow_redirects=False)
            ended.append(time.monotonic() - begin)

        with server.expecting(r"OAuth2|auth_oauth"), at_once(2, sign_in):
            assert time_health(server) < FETCH_SECONDS + SLACK
    assert site.visits == 2
    assert max(ended) < FETCH_SECONDS + SLACK, ended
