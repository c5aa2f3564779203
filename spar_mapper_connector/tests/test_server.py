import logging
import time
from contextlib import contextmanager
from types import SimpleNamespace
from unittest.mock import Mock, patch

import psycopg2

from odoo import http
from odoo.service import model as service_model
from odoo.sql_db import db_connect
from odoo.tests import HttpCase, TransactionCase, tagged

from ..lib.waiting import NONE, REQUEST, SCHEDULE
from ..server.busy import TryAgain
from ..server.database import get_limits, limited
from ..server.deadline import Deadlines
from ..server.retrying import _build_serving


def fail_by_lock(*_words, **_named):
    raise psycopg2.errors.LockNotAvailable("canceling statement due to lock timeout")


@tagged("post_install", "-at_install")
class TestServer(TransactionCase):
    """Nothing blocks the server."""

    def ask(self, name):
        """Return a setting of a newly taken connection."""
        with db_connect(self.env.cr.dbname).cursor() as cr:
            cr.execute("SELECT current_setting(%s)", [name])
            return cr.fetchone()[0]

    def test_limits_follow_the_kind_of_work(self):
        for limits in (REQUEST, SCHEDULE):
            with limited(limits):
                self.assertEqual(self.ask("lock_timeout"), "5s")
                wanted = {"30s": "30s", "600s": "10min"}
                seconds = f"{limits.statement_seconds:.0f}s"
                self.assertEqual(self.ask("statement_timeout"), wanted[seconds])
                self.assertEqual(self.ask("client_connection_check_interval"), "2s")
        self.assertEqual(self.ask("lock_timeout"), "0")

    def test_a_rollback_keeps_the_limits(self):
        with limited(REQUEST), db_connect(self.env.cr.dbname).cursor() as cr:
            cr.rollback()
            cr.execute("SHOW lock_timeout")
            self.assertEqual(cr.fetchone()[0], "5s")
            cr.execute("SHOW transaction_isolation")
            self.assertEqual(cr.fetchone()[0], "repeatable read")

    def test_a_schedule_has_its_limits_and_an_upgrade_none(self):
        seen = []

        def look(*_words):
            seen.append(get_limits())

        cron = self.env.registry["ir.cron"]
        with patch.object(cron, "_run_job", look), self.assertRaises(RuntimeError):
            cron._process_job(self.env.cr, self.build_job())
        module = self.env["ir.module.module"]
        parent = "odoo.addons.base.models.ir_module.IrModuleModule"
        with patch(f"{parent}._button_immediate_function", look):
            module._button_immediate_function(None)
        self.assertEqual(seen, [SCHEDULE, NONE])
        self.assertIsNone(get_limits())

    def build_job(self):
        cron = self.env["ir.cron"].search([], limit=1)
        counters = {"timed_out_counter": 0, "done": 0, "failure_count": 0}
        return {**cron.read(["nextcall"])[0], "user_id": 1, **counters, "active": True}

    # === TRY AGAIN === #

    def test_a_request_that_meets_a_lock_is_answered_at_once(self):
        for error in (psycopg2.errors.LockNotAvailable, psycopg2.errors.QueryCanceled):
            meet = Mock(side_effect=error)
            with (
                patch("time.sleep", side_effect=AssertionError("it waits")),
                self.assertRaises(TryAgain),
                self.taking_cursor() as env,
            ):
                service_model.retrying(meet, env)
            self.assertEqual(meet.call_count, 1)

    def test_a_late_flush_can_meet_a_lock_too(self):
        with (
            patch("time.sleep", side_effect=AssertionError("it waits")),
            self.taking_cursor() as env,
            patch.object(env.cr, "flush", fail_by_lock),
            self.assertRaises(TryAgain),
        ):
            service_model.retrying(lambda: None, env)

    @contextmanager
    def taking_cursor(self):
        """Yield an environment that may roll back."""
        with self.enter_registry_test_mode(), self.env.registry.cursor() as cr:
            yield self.env(cr=cr)

    # === THE LOG === #

    def test_a_failing_statement_is_logged_short_and_without_values(self):
        statement = b"INSERT INTO spar_x VALUES (" + b"'s3cr3t', " * 50_000 + b")"
        log = logging.getLogger("odoo.sql_db")
        with self.assertLogs(log, "ERROR") as logged:
            log.error("bad query: %s\nERROR: %s", statement, ValueError("x" * 9999))
        (line,) = logged.output
        self.assertIn("INSERT INTO spar_x", line)
        self.assertNotIn("s3cr3t", line)
        self.assertLess(len(line), 3000)

    def test_a_lock_timeout_is_not_logged_as_an_error(self):
        log = logging.getLogger("odoo.sql_db")
        error = psycopg2.errors.LockNotAvailable("too long")
        with self.assertLogs(log, logging.INFO) as logged:
            log.error("bad query: %s\nERROR: %s", b"SELECT 1", error)
        self.assertEqual(logged.records[0].levelname, "INFO")

    # === THE TIME OF A REQUEST === #

    def test_reading_ends_in_time(self):
        deadlines, ended = Deadlines(0.05), []

        class Connection:
            def shutdown(self, how):
                ended.append(how)

        class Handler:
            connection = Connection()

        deadlines.begin(Handler())
        self.assertFalse(deadlines.is_over())
        self.wait_for(deadlines.is_over)
        self.assertEqual(len(ended), 1)
        deadlines.end()
        deadlines.begin(Handler())
        self.assertFalse(deadlines.is_over())
        deadlines.end()

    def wait_for(self, condition):
        for _number in range(60):
            if condition():
                return
            time.sleep(0.1)
        self.fail("it never came")


@tagged("post_install", "-at_install")
class TestBusyPages(HttpCase):
    """The page that people see."""

    def assertBusy(self, answer):
        self.assertEqual(answer.status_code, 503, answer.text[:500])
        self.assertTrue(answer.headers["Retry-After"])
        self.assertIn("Please try again", answer.text)

    def test_a_page_explains_it_and_offers_a_retry(self):
        model = self.env.registry["ir.http"]
        with patch.object(model, "_dispatch", fail_by_lock):
            self.assertBusy(self.url_open("/web/login?redirect=/x"))

    def test_a_failed_authentication_lookup_is_not_access_denied(self):
        model = self.env.registry["ir.http"]
        with patch.object(model, "_auth_method_user", fail_by_lock):
            self.assertBusy(self.url_open("/my"))

    def test_lock_before_the_route_is_found(self):
        model = self.env.registry["ir.http"]
        with patch.object(model, "_match", fail_by_lock):
            self.assertBusy(self.url_open("/web/login"))

    def test_where_odoo_cannot_even_begin(self):
        def fail(_request):
            try:
                fail_by_lock()
            except psycopg2.Error as error:
                raise http.RegistryError("no registry") from error

        said = []
        asking = SimpleNamespace(
            dispatcher=SimpleNamespace(handle_error=lambda error: said.append(error))
        )
        with self.assertRaises(TryAgain) as caught:
            _build_serving(fail)(asking)
        self.assertEqual(said, [caught.exception])

    def test_the_web_client_shows_a_dialog(self):
        self.authenticate("admin", "admin")
        model = self.env.registry["res.partner"]
        with patch.object(model, "name_search", fail_by_lock):
            params = {"model": "res.partner", "method": "name_search"}
            response = self.url_open(
                "/web/dataset/call_kw",
                json={"params": {**params, "args": [[]], "kwargs": {}}},
            ).json()
        error = response["error"]
        self.assertEqual(error["data"]["name"].rpartition(".")[2], "TryAgain")
        self.assertIn("Please try again", error["data"]["message"])

    def test_two_words_about_the_end_of_a_body_are_refused(self):
        headers = {"Transfer-Encoding": "chunked", "Content-Length": "3"}
        answer = self.url_open("/web/login", data=b"a=1", headers=headers)
        self.assertEqual(answer.status_code, 400)
