import ipaddress
import os
import time
from http.client import HTTPConnection
from unittest.mock import patch

import requests

from odoo import http
from odoo.tests import TransactionCase, common, tagged

from ..lib import fetching
from ..lib.network_targets import ALLOW_VARIABLE
from ..server import fetching as guard
from .web_server import answer_with, build_answer, serving

SECONDS = 1.0
#: Longer than the time limit, shorter than a test's patience.
DRIPS = 40


def drip(connection, _request):
    """Send a page a byte at a time, each within any time limit of a socket."""
    connection.sendall(build_answer(Content_Length=1000))
    for _number in range(DRIPS):
        time.sleep(0.1)
        connection.sendall(b"x")


class ServedCaller:
    """A request that is being served."""

    def __init__(self, env):
        self.env = env


@tagged("post_install", "-at_install")
class TestFetchedForCallers(TransactionCase):
    """What Odoo fetches during a request: not from our network, not for long."""

    def setUp(self):
        super().setUp()
        for patcher in (
            patch.dict(os.environ, {ALLOW_VARIABLE: "127.0.0.0/8"}),
            patch.object(guard, "FETCH_SECONDS", SECONDS),
            # Odoo's tests let nothing out; ours stays on loopback.
            patch.object(requests.Session, "send", common._super_send),
        ):
            patcher.start()
            self.addCleanup(patcher.stop)
        self.begin_request()

    def begin_request(self):
        """Serve a request from now on."""
        http._request_stack.push(ServedCaller(self.env))
        self.addCleanup(http._request_stack.pop)

    def allow_by_name(self, server):
        os.environ[ALLOW_VARIABLE] = f"127.0.0.1:{server.port}"

    def assert_refused(self, function, *arguments, **words):
        with self.assertRaises(OSError):
            function(*arguments, **words)

    # === WHERE === #

    def test_our_own_network_is_not_reached(self):
        """Allowed for mappers and callbacks, it is not by that for any caller."""
        with serving(answer_with(build_answer())) as server:
            self.assert_refused(requests.get, server.url, timeout=5)
            self.assert_refused(requests.head, server.url, timeout=5)
            connection = HTTPConnection("127.0.0.1", server.port, timeout=5)
            self.assert_refused(connection.request, "GET", "/")
            self.assert_refused(
                requests.get, f"http://localhost:{server.port}/", timeout=5
            )
            self.assertEqual(server.requests, [])

    def test_a_redirect_is_checked_as_well(self):
        with serving(answer_with(build_answer())) as inner:
            moved = build_answer(status="302 Found", Location=inner.url)
            with serving(answer_with(moved)) as outer:
                self.allow_by_name(outer)
                self.assert_refused(requests.get, outer.url, timeout=5)
                self.assertEqual(len(outer.requests), 1)
            self.assertEqual(inner.requests, [])

    def test_public_addresses_are_reached_at_what_was_checked(self):
        public = (ipaddress.ip_address("1.1.1.1"),)
        asked = []

        def connect(address, *_arguments, **_words):
            asked.append(address)
            raise ConnectionRefusedError

        with patch.object(fetching, "look_up", return_value=public):
            self.assert_refused(guard._limit(connect), ("page.example", 80))
        self.assertEqual(asked, [("1.1.1.1", 80)])

    def test_what_is_allowed_by_name_is_reached(self):
        with serving(answer_with(build_answer(b"hello"))) as server:
            self.allow_by_name(server)
            self.assertEqual(requests.get(server.url, timeout=5).text, "hello")

    def test_nothing_is_reached_where_the_setting_cannot_be_read(self):
        os.environ[ALLOW_VARIABLE] = "no network"
        with serving(answer_with(build_answer())) as server:
            self.assert_refused(requests.get, server.url, timeout=5)

    def test_provider_of_logins_in_an_allowed_network_is_reached(self):
        if "auth.oauth.provider" not in self.env:
            self.skipTest("There are no providers in this database.")
        with serving(answer_with(build_answer(b"hello"))) as server:
            self.env["auth.oauth.provider"].create(
                {
                    "name": "intern",
                    "body": "intern",
                    "client_id": "x",
                    "auth_endpoint": "https://idp.example/auth",
                    "validation_endpoint": server.url,
                }
            )
            self.assertEqual(requests.get(server.url, timeout=5).text, "hello")
            os.environ[ALLOW_VARIABLE] = ""
            self.assert_refused(requests.get, server.url, timeout=5)

    def test_jobs_and_commands_are_free(self):
        http._request_stack.push(None)
        self.addCleanup(http._request_stack.pop)
        with serving(answer_with(build_answer(b"hello"))) as server:
            self.assertEqual(requests.get(server.url, timeout=5).text, "hello")

    # === FOR HOW LONG === #

    def assert_in_time(self, function, *arguments, **words):
        begin = time.monotonic()
        self.assert_refused(function, *arguments, **words)
        self.assertLess(time.monotonic() - begin, 3 * SECONDS)

    def test_bytes_that_drip_do_not_prolong_the_time(self):
        with serving(drip) as server:
            self.allow_by_name(server)
            self.assert_in_time(requests.get, server.url, timeout=5)

    def test_all_connections_of_a_request_share_the_time(self):
        with serving(drip) as server:
            self.allow_by_name(server)
            self.assert_in_time(requests.get, server.url, timeout=5)
            begin = time.monotonic()
            self.assert_refused(requests.get, server.url, timeout=5)
            self.assertLess(time.monotonic() - begin, 0.5)
            self.assertEqual(len(server.requests), 1)
            # The next request has its own.
            self.begin_request()
            self.assert_in_time(requests.get, server.url, timeout=5)
            self.assertEqual(len(server.requests), 2)

    def test_a_slow_name_server_is_not_waited_for(self):
        def resolve(*_arguments, **_words):
            time.sleep(4 * SECONDS)
            return []

        with patch("socket.getaddrinfo", resolve):
            self.assert_in_time(requests.get, "http://slow.example/", timeout=30)

    def test_connection_is_let_go_with_its_request(self):
        connections = fetching.Connections()
        pair = fetching.socket.socketpair()
        connections.add(pair[0], time.monotonic() + 60, lambda: None)
        pair[0].close()
        pair[1].settimeout(5)
        self.assertEqual(pair[1].recv(1), b"")
        pair[1].close()

    def test_address_that_is_no_url_is_nobodys(self):
        for url, expected in (
            ("https://x.example/auth", True),
            ("https://x.example:444/", False),
            ("http://x.example:x/", False),
            (False, False),
            ("x.example", False),
        ):
            with self.subTest(url):
                self.assertEqual(guard._is_at(url, "x.example", 443), expected)
