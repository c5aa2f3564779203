import re
import time
from contextlib import contextmanager
from unittest.mock import patch

from psycopg2.errors import LockNotAvailable

from odoo.exceptions import AccessDenied, UserError
from odoo.sql_db import db_connect
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.spar_mapper_connector.transactions import count_alone

from ..models import spar_login_failure
from .common import StaffCase

LOGINS = "odoo.addons.base.models.res_users"


def strip(text):
    """Return a page without the parts that always differ."""
    text = re.sub(r'name="csrf_token"\s+value="[^"]*"', "", text)
    text = re.sub(r'nonce="[^"]*"', "", text)
    return re.sub(r"csrf_token: \"\w+\"|test_officer|no_such_login", "", text)


@tagged("post_install", "-at_install")
class TestAttempts(StaffCase):
    """Guessing takes long, the form reveals nothing, and no user locks out others."""

    def setUp(self):
        super().setUp()
        self.failures = self.env["spar.login.failure"]
        self.now = time.time()
        clock = patch.object(spar_login_failure.time, "time", lambda: self.now)
        self.addCleanup(clock.stop)
        clock.start()

    def miss(self, login, address, times=1):
        """Make attempts that fail; return how long the last one had to wait."""
        return [self.failures._begin_attempt(login, address) for _n in range(times)][-1]

    def test_pair_of_account_and_address_waits_longer_each_time(self):
        self.assertEqual(self.miss("ama", "1.1.1.1", 5), 0)
        for pause in (30, 60, 120):
            self.assertAlmostEqual(self.miss("ama", "1.1.1.1"), pause, delta=0.1)
            self.now += pause + 0.1
            self.assertEqual(self.miss("ama", "1.1.1.1"), 0)
        self.assertLessEqual(self.miss("ama", "1.1.1.1"), 900)

    def test_attempts_at_the_same_time_are_counted_one_after_another(self):
        """By account and by address: each limit holds for all of Odoo's processes."""
        same = (("ama", "1.1.1.1"), ("ama", "2.2.2.2"), ("bilal", "1.1.1.1"))
        with self.limited_wait(), db_connect(self.env.cr.dbname).cursor() as cr:
            keys = self.failures._get_keys("ama", "1.1.1.1")
            count_alone(cr, "spar_login_failure", *keys.values())
            for login, address in same:
                for count in (
                    self.failures._begin_attempt,
                    self.failures._note_success,
                ):
                    with (
                        self.subTest(
                            login=login, address=address, count=count.__name__
                        ),
                        mute_logger("odoo.sql_db"),
                        self.assertRaises(LockNotAvailable),
                    ):
                        count(login, address)
            self.assertEqual(self.miss("bilal", "2.2.2.2"), 0)

    @contextmanager
    def limited_wait(self):
        """Count on connections of their own that wait only for a moment."""

        @contextmanager
        def connect(_failures):
            with db_connect(self.env.cr.dbname).cursor() as cr:
                cr.execute("SET LOCAL lock_timeout = '50ms'")
                yield cr
                cr.rollback()

        with patch.object(type(self.failures), "_get_cursor", connect):
            yield

    def test_spelling_of_the_login_does_not_matter(self):
        self.miss("Ama", "1.1.1.1", 5)
        self.assertGreater(self.miss(" ama ", "1.1.1.1"), 0)

    def test_colleagues_in_the_same_office_are_not_affected(self):
        self.miss("ama", "1.1.1.1", 5)
        self.assertEqual(self.miss("bilal", "1.1.1.1"), 0)
        self.assertEqual(self.miss("ama", "2.2.2.2"), 0)

    def test_many_addresses_and_many_accounts_wait_too(self):
        waits = [self.miss("ama", f"10.0.0.{number}") for number in range(51)]
        self.assertEqual([wait for wait in waits[:50] if wait], [])
        self.assertGreater(waits[50], 0)
        waits = [self.miss(f"user{number}", "9.9.9.9") for number in range(101)]
        self.assertEqual([wait for wait in waits[:100] if wait], [])
        self.assertGreater(waits[100], 0)

    def test_attack_does_not_lock_out_recent_users(self):
        self.assertEqual(self.miss("ama", "1.1.1.1"), 0)
        self.failures._note_success("ama", "1.1.1.1")
        for number in range(60):
            self.miss("ama", f"10.0.0.{number}")
        for number in range(120):
            self.miss(f"user{number}", "1.1.1.1")
        self.assertGreater(self.miss("ama", "10.1.1.1"), 0)
        self.assertEqual(self.miss("ama", "1.1.1.1"), 0)

    def test_one_success_does_not_reset_the_counter_of_an_address(self):
        for number in range(99):
            self.miss(f"user{number}", "1.1.1.1")
        self.failures._begin_attempt("thief", "1.1.1.1")
        self.failures._note_success("thief", "1.1.1.1")
        self.assertEqual(self.miss("other", "1.1.1.1"), 0)
        self.assertGreater(self.miss("another", "1.1.1.1"), 0)

    def test_counters_restart_after_an_hour(self):
        self.miss("ama", "1.1.1.1", 5)
        self.now += 3601
        self.assertEqual(self.miss("ama", "1.1.1.1", 5), 0)

    def test_limits_are_settings(self):
        parameters = self.env["ir.config_parameter"]
        parameters.set_param("spar_staff_login.pair_limit", "2 7 9")
        self.assertEqual(self.miss("ama", "1.1.1.1", 2), 0)
        self.assertAlmostEqual(self.miss("ama", "1.1.1.1"), 7, delta=0.1)

    def test_neither_login_nor_address_is_stored(self):
        self.miss("ama", "1.1.1.1")
        self.env.cr.execute("SELECT key FROM spar_login_failure")
        kept = str(self.env.cr.fetchall())
        self.assertNotIn("ama", kept)
        self.assertNotIn("1.1.1.1", kept)

    @mute_logger(LOGINS)
    def test_the_form_waits_for_the_right_password_too(self):
        for _number in range(5):
            self.log_in(self.officer.login, "wrong")
        answer = self.log_in(self.officer.login)
        self.assertIn("Too many failed attempts", answer.text)
        self.now += 31
        self.assertEqual(self.log_in(self.officer.login).status_code, 303)

    @mute_logger(LOGINS)
    def test_an_unknown_login_looks_like_a_known_one(self):
        for times in (1, 6):  # the second time there is a pause
            for _number in range(times):
                known = self.log_in("test_officer", "wrong")
                unknown = self.log_in("no_such_login", "wrong")
            self.assertEqual(known.status_code, unknown.status_code)
            self.assertEqual(strip(known.text), strip(unknown.text))

    @mute_logger(LOGINS)
    def test_an_unknown_login_takes_the_same_work(self):
        users = self.env["res.users"]
        archived = self.employee
        archived.active = False
        portal = self.env["res.users"].create({"name": "No", "login": "no_password"})
        self.assertTrue(portal.active)
        context = type(users._crypt_context())
        self.env.flush_all()
        with patch.object(
            context,
            "verify_and_update",
            autospec=True,
            side_effect=context.verify_and_update,
        ) as work:
            slow = {}
            for login in (
                "test_officer",
                "no_such_login",
                archived.login,
                "no_password",
            ):
                work.reset_mock()
                credential = {"login": login, "password": "wrong", "type": "password"}
                with self.assertRaises(AccessDenied):
                    users.authenticate(credential, {"interactive": True})
                slow[login] = sum(
                    str(call.args[2]).startswith("$") for call in work.mock_calls
                )
        self.assertEqual(set(slow.values()), {1}, slow)

    @mute_logger(LOGINS)
    def test_an_unknown_passkey_looks_like_a_wrong_one(self):
        said = set()
        for response in ('{"id": "none"}', "no json", '{"x": 1}'):
            credential = {"type": "webauthn", "webauthn_response": response}
            with self.assertRaises(AccessDenied) as caught:
                self.env["res.users"].authenticate(credential, {"interactive": True})
            said.add(str(caught.exception))
        self.assertEqual(said, {"This passkey was not accepted."})

    def test_password_request_reveals_nothing(self):
        parameters = self.env["ir.config_parameter"]
        parameters.set_param("auth_signup.reset_password", "True")
        self.officer.partner_id.email = "officer@staff.example"
        answers = []
        mails = self.env["mail.mail"].search_count([])
        for login in ("test_officer", "no_such_login"):
            self.authenticate(None, None)
            form = {"csrf_token": self.get_token(), "login": login}
            with patch.object(type(self.env["mail.mail"]), "send") as send:
                answers.append(self.open("/web/reset_password", data=form))
            self.assertFalse(send.called)
        known, unknown = answers
        self.assertEqual(known.status_code, unknown.status_code)
        self.assertEqual(strip(known.text), strip(unknown.text))
        self.assertIn("Password reset instructions sent", known.text)
        self.assertEqual(self.env["mail.mail"].search_count([]), mails)
        self.assertNotEqual(self.officer.partner_id.signup_type, "reset")

    def test_requests_for_a_link_are_limited(self):
        """For a login and for an address, and whether or not there is an account."""
        failures = self.env["spar.login.failure"]
        for login in ("test_officer", "no_such_login"):
            left = [failures._begin_request(login, f"1.1.1.{n}") for n in range(4)]
            self.assertEqual(left[:3], [0, 0, 0])
            self.assertAlmostEqual(left[3], 300, delta=1)
        self.now += 301
        self.assertEqual(failures._begin_request("test_officer", "1.1.1.9"), 0)
        self.assertGreater(failures._begin_request(" Test_Officer", "1.1.1.9"), 300)
        left = [failures._begin_request(f"user{n}", "2.2.2.2") for n in range(21)]
        self.assertFalse(any(left[:20]))
        self.assertGreater(left[20], 0)
        self.assertEqual(failures._begin_request("user20", "3.3.3.3"), 0)

    def test_a_request_during_a_pause_is_refused_in_words(self):
        requests = self.env["spar.password.request"]
        for _number in range(3):
            requests._ask("test_officer")
        with self.assertRaisesRegex(UserError, "Too many requests.*in 6 min"):
            requests._ask("test_officer")
        self.assertEqual(len(requests.search([])), 3)

    def test_account_holder_gets_the_link(self):
        self.officer.partner_id.email = "officer@staff.example"
        requests = self.env["spar.password.request"]
        for login in ("test_officer", "no_such_login"):
            requests._ask(login)
        cron, server = type(self.env["ir.cron"]), type(self.env["ir.mail_server"])
        mails = self.env["mail.mail"].search_count([])
        with (
            patch.object(cron, "_commit_progress") as done,
            patch.object(server, "send_email", autospec=True) as send,
        ):
            requests._cron_send()
        self.assertEqual(done.call_count, 2)
        self.assertEqual(send.call_count, 1)
        message = send.call_args.args[1]
        self.assertEqual(message["To"], "officer@staff.example")
        # No table contains the link.
        self.assertEqual(self.env["mail.mail"].search_count([]), mails)
        self.assertFalse(requests.search([]))
        self.assertEqual(self.officer.partner_id.signup_type, "reset")

    def test_no_page_reveals_the_login_of_an_address(self):
        parameters = self.env["ir.config_parameter"]
        parameters.set_param("auth_signup.reset_password", "True")
        self.officer.partner_id.email = "officer@staff.example"
        self.env["res.users"].flush_model()
        path = "/web/reset_password?signup_email=officer@staff.example"
        answer = self.open(path)
        self.assertEqual(answer.status_code, 200)
        self.assertNotIn("test_officer", answer.text)
