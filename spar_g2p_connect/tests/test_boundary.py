from unittest.mock import patch

import psycopg2

from odoo import http, sql_db
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import RestCase, build_items, build_message

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


@tagged("post_install", "-at_install")
class TestBoundary(RestCase):
    """Every response is JSON of the protocol, whatever the request."""

    def get_authorization(self):
        return f"Bearer {self.get_token(self.full)}"

    def test_unknown_paths(self):
        for path in (
            "",
            "/",
            "/x",
            "/mapper",
            "/mapper/sync/",
            "//x",
            "/a%0Ab",
            "/%ff",
        ):
            for method in ("GET", "POST", "DELETE"):
                with self.subTest(path=path, method=method):
                    response = self.open(path, method=method)
                    self.assertHttpError(response, 404, "err.request.not_found")

    def test_callback_paths_do_not_exist_here(self):
        for path in ("/mapper/on-link", "/mapper/txn/on-status", "/mapper/async"):
            response = self.open(path, b"{}", Content_Type=JSON)
            self.assertHttpError(response, 404, "err.request.not_found")

    def test_wrong_methods(self):
        cases = [
            ("/mapper/sync/link", "GET", "POST"),
            ("/mapper/sync/link", "PUT", "POST"),
            ("/mapper/sync/resolve", "DELETE", "POST"),
            ("/oauth2/client/token", "GET", "POST"),
            ("/health", "POST", "GET"),
        ]
        for path, method, allowed in cases:
            with self.subTest(path=path, method=method):
                response = self.open(path, method=method)
                self.assertHttpError(response, 405, "err.request.bad")
                self.assertEqual(response.headers["Allow"], allowed)

    def test_options_is_refused(self):
        for sent_headers in ({}, {"Authorization": self.get_authorization()}):
            with self.subTest(with_token=bool(sent_headers)):
                response = self.open(
                    "/mapper/sync/link", method="OPTIONS", **sent_headers
                )
                self.assertHttpError(response, 405, "err.request.bad")

    def test_compressed_body_is_refused(self):
        for path in ("/mapper/sync/link", "/mapper/link", "/oauth2/client/token"):
            kind = FORM if "oauth2" in path else JSON
            for coding in ("gzip", "br, gzip"):
                with self.subTest(path=path, coding=coding):
                    sent_headers = {"Content_Type": kind, "Content_Encoding": coding}
                    response = self.open(path, b"\x1f\x8b", **sent_headers)
                    self.assertHttpError(response, 415, "err.request.bad", "compressed")
                    self.assertEqual(response.headers["Accept-Encoding"], "identity")

    def test_content_types(self):
        for wrong in (None, "text/plain", "text/json", FORM, "multipart/form-data"):
            with self.subTest(wrong):
                response = self.call(self.full, "link", b"{}", Content_Type=wrong)
                self.assertHttpError(response, 415, "err.request.bad", JSON)
                self.assertEqual(response.headers["Accept"], JSON)
        response = self.open("/oauth2/client/token", b"{}", Content_Type=JSON)
        self.assertHttpError(response, 415, "err.request.bad", FORM)

    def test_content_type_with_parameters_is_accepted(self):
        message = build_message("resolve", "full.example", build_items("ct"))
        content_type = "Application/JSON; charset=utf-8"
        response = self.call(self.full, "resolve", message, Content_Type=content_type)
        self.assertEqual(response.status_code, 200)

    def test_too_large_body_is_refused(self):
        response = self.call(self.full, "link", b" " * 10 * 1024 * 1024)
        self.assertHttpError(response, 413, "err.request.bad", "too large")
        response = self.open(
            "/oauth2/client/token", b"a=" + b"b" * 20_000, Content_Type=FORM
        )
        self.assertHttpError(response, 413, "err.request.bad", "too large")

    def test_answers_are_not_cacheable_and_set_no_cookie(self):
        message = build_message("resolve", "full.example", build_items("c"))
        for response in (
            self.call(self.full, "resolve", message),
            self.request_token(self.full),
            self.open("/health", method="GET"),
        ):
            self.assertEqual(response.status_code, 200)
            self.assertEqual(response.headers["Content-Type"], JSON)
            self.assertEqual(response.headers["Cache-Control"], "no-store")
            self.assertNotIn("Set-Cookie", response.headers)

    def test_health(self):
        response = self.open("/health", method="GET")
        self.assertEqual(response.json(), {"status": "ok"})

    def test_everything_is_unavailable_without_the_keyring(self):
        token, moved = self.get_authorization(), self.keyring_path.with_suffix(".away")
        message = build_message("resolve", "full.example", build_items("k"))
        self.keyring_path.rename(moved)
        self.addCleanup(self.open, "/health", method="GET")
        try:
            for path in ("/mapper/sync/resolve", "/mapper/sync/link"):
                response = self.open(
                    path, message, Content_Type=JSON, Authorization=token
                )
                self.assertHttpError(response, 503, "err.service.unavailable")
                self.assertEqual(response.headers["Retry-After"], "5")
            self.assertHttpError(
                self.request_token(self.full), 503, "err.service.unavailable"
            )
            self.assertHttpError(
                self.open("/health", method="GET"), 503, "err.service.unavailable"
            )
        finally:
            moved.rename(self.keyring_path)
        answers = self.ask(self.full, "resolve", build_items("k"))
        self.assertCodes(answers, "succ.id.not_found")

    @mute_logger("odoo.http")
    def test_database_that_is_down(self):
        down = psycopg2.OperationalError("could not connect: secret")
        with (
            patch.object(http, "Registry", side_effect=down),
            patch.object(sql_db, "db_connect", side_effect=down),
        ):
            for path in ("/mapper/sync/link", "/health", "/nothing", ""):
                with self.subTest(path):
                    response = self.open(path, b"{}", Content_Type=JSON)
                    self.assertHttpError(response, 503, "err.service.unavailable")
                    self.assertNotIn("secret", response.text)

    @mute_logger("odoo.http")
    def test_connection_that_breaks_before_routing(self):
        broken = psycopg2.InterfaceError("connection already closed")
        with patch.object(http, "Registry", side_effect=broken):
            response = self.open("/mapper/sync/link", b"{}", Content_Type=JSON)
        self.assertHttpError(response, 503, "err.service.unavailable")

    @mute_logger("odoo.http")
    def test_database_that_was_briefly_unavailable(self):
        """PostgreSQL is back by the time the cause of Odoo's failure is examined."""
        error = psycopg2.OperationalError("the database system is starting up")
        with patch.object(http, "Registry", side_effect=error):
            for path in ("/mapper/sync/link", "/health", "/nothing", ""):
                with self.subTest(path):
                    response = self.open(path, b"{}", Content_Type=JSON)
                    self.assertHttpError(response, 503, "err.service.unavailable")
                    self.assertEqual(response.headers["Retry-After"], "5")

    @mute_logger("odoo.http")
    def test_unknown_database(self):
        unknown = psycopg2.OperationalError("does not exist")
        with (
            patch.object(http, "Registry", side_effect=unknown),
            patch.object(http, "db_list", lambda **_words: ["no_such_database"]),
        ):
            response = self.open("/mapper/sync/link", b"{}", Content_Type=JSON)
        self.assertHttpError(response, 404, "err.request.not_found", "registry")

    @mute_logger("odoo.http")
    def test_database_without_odoo(self):
        for cause in (psycopg2.errors.UndefinedTable("x"), AttributeError("x")):
            with patch.object(http, "Registry", side_effect=cause):
                response = self.open("/mapper/sync/link", b"{}", Content_Type=JSON)
            self.assertHttpError(response, 404, "err.request.not_found", "registry")

    def test_internal_error_discloses_and_logs_no_value(self):
        server = type(self.env["spar.g2p.connect.server"])
        secret = "account:4711@BANK"
        message = build_message("resolve", "full.example", build_items("err"))
        logger = "odoo.addons.spar_g2p_connect.dispatcher"
        with (
            patch.object(server, "_answer", side_effect=ValueError(secret)),
            self.assertLogs(logger, "ERROR") as logs,
        ):
            response = self.call(self.full, "resolve", message)
        self.assertHttpError(response, 500, "err.service.unavailable")
        self.assertNotIn("4711", response.text)
        self.assertIn("ValueError", logs.output[0])
        self.assertNotIn("4711", "".join(logs.output))

    def test_other_paths_are_answered_as_before(self):
        response = self.url_open("/spar/v10/x")
        self.assertEqual(response.status_code, 404)
        self.assertIn("text/html", response.headers["Content-Type"])
