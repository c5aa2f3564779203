import time
from unittest.mock import patch

from odoo import http
from odoo.api import SUPERUSER_ID
from odoo.exceptions import ValidationError
from odoo.tests import TransactionCase, new_test_user, tagged
from odoo.tools import mute_logger

from ..lib import sessions
from .common import PASSWORD, StaffCase

HOUR = 3600


@tagged("post_install", "-at_install")
class TestSessions(StaffCase):
    """Sessions end after eight hours, and ask again after half an hour."""

    def setUp(self):
        super().setUp()
        self.authenticate(self.officer.login, PASSWORD)
        self.assertIn('"result"', self.count().text)

    def count(self):
        return self.call("spar.fsp", "search_count", [])

    def change_session(self, **values):
        session = self.get_session()
        session.update(values)
        http.root.session_store.save(session)

    def test_every_role_has_the_session_times(self):
        for role in ("viewer", "officer", "supervisor", "auditor", "administrator"):
            group = self.env.ref(f"spar_fa_directory.group_{role}")
            self.assertEqual(group.lock_timeout, 480)
            self.assertEqual(group.lock_timeout_inactivity, 30)

    def test_no_request_is_recorded(self):
        """Odoo's profiler stores each statement, with what people typed."""
        self.env["ir.config_parameter"].set_param(
            "base.profiling_enabled_until", "2999-01-01 00:00:00"
        )
        answer = self.open("/web/set_profiling?profile=1&collectors=sql")
        self.assertEqual(answer.status_code, 500)
        self.assertIn("not recorded", answer.text)
        self.assertFalse(self.get_session().get("profile_session"))
        # From before, or set by an expression.
        self.change_session(
            profile_session="x",
            profile_expiration="2999-01-01 00:00:00",
            profile_collectors=["sql"],
            profile_params={},
        )
        with patch.object(http.profiler, "Profiler") as recorder:
            self.assertIn('"result"', self.count().text)
        recorder.assert_not_called()

    def test_session_times_can_only_be_shortened(self):
        group = self.env.ref("spar_fa_directory.group_officer")
        group.write({"lock_timeout": 60, "lock_timeout_inactivity": 5})
        for values in (
            {"lock_timeout": 481},
            {"lock_timeout": 0},
            {"lock_timeout_inactivity": 31},
            {"lock_timeout_inactivity": 0},
        ):
            with self.subTest(values), self.assertRaises(ValidationError):
                group.write(values)

    def test_session_ends_after_eight_hours(self):
        """Odoo renews a session's key every three hours, and its time with it."""
        now = time.time()
        recently = {"create_time": now - 60, sessions.SEEN_AT: now - 60}
        self.change_session(**recently, **{sessions.LOGGED_IN_AT: now - 7.9 * HOUR})
        self.assertIn('"result"', self.count().text)
        self.change_session(**{sessions.LOGGED_IN_AT: now - 8.1 * HOUR})
        self.assertIn("SessionExpired", self.count().text)
        self.assertFalse(self.get_session().uid)

    def test_nobody_is_the_superuser(self):
        """Odoo lets its administrator become the superuser, whom no right limits."""
        groups = "base.group_user,base.group_system"
        new_test_user(self.env, "test_system", groups=groups, password=PASSWORD)
        self.authenticate("test_system", PASSWORD)
        self.assertEqual(self.open("/web/become").status_code, 404)
        session = self.get_session()
        user = self.env["res.users"].browse(SUPERUSER_ID)
        self.assertFalse(user._compute_session_token(session.sid))
        # One from before it had none.
        with patch.object(type(user), "_is_service_account", lambda _self: False):
            token = user._compute_session_token(session.sid)
        self.assertTrue(token)
        self.change_session(uid=SUPERUSER_ID, session_token=token)
        for _again in range(2):
            self.assertIn("SessionExpired", self.count().text)

    def test_expired_session_is_anonymous_on_public_pages(self):
        for path in ("/odoo", "/web/content/1"):
            with self.subTest(path):
                self.authenticate(self.officer.login, PASSWORD)
                self.change_session(**{sessions.LOGGED_IN_AT: time.time() - 9 * HOUR})
                answer = self.open(path)
                self.assertNotEqual(answer.status_code, 200)
                self.assertFalse(self.get_session().uid)

    def test_identity_check_after_half_an_hour_by_the_servers_clock(self):
        self.change_session(**{sessions.SEEN_AT: time.time() - 29 * 60})
        self.assertIn('"result"', self.count().text)
        self.change_session(**{sessions.SEEN_AT: time.time() - 31 * 60})
        answer = self.count()
        self.assertIn("CheckIdentityException", answer.text)
        self.assertTrue(self.get_session().uid)

    def set_idle_minutes(self, text):
        parameters = self.env["ir.config_parameter"]
        parameters.set_param("spar_staff_login.idle_minutes", text)

    def test_setting_locks_sooner_and_the_server_answers_nothing(self):
        self.set_idle_minutes("5")
        self.change_session(**{sessions.SEEN_AT: time.time() - 4 * 60})
        self.assertIn('"result"', self.count().text)
        self.change_session(**{sessions.SEEN_AT: time.time() - 6 * 60})
        for model in ("spar.fsp", "res.partner", "res.users"):
            with self.subTest(model):
                answer = self.call(model, "search_count", [])
                self.assertIn("CheckIdentityException", answer.text)
                self.assertNotIn('"result"', answer.text)
        self.assertTrue(self.get_session().uid)

    def test_setting_never_makes_the_time_longer_or_shorter_than_can_be_kept(self):
        for text, seconds in (
            ("0", 1800),
            ("90", 1800),
            ("never", 1800),
            ("-5", 1800),
            ("1", 120),
            ("5", 300),
        ):
            with self.subTest(text):
                self.set_idle_minutes(text)
                self.assertEqual(self.officer._get_lock_timeout_inactivity(), seconds)
        self.env.ref("spar_fa_directory.group_officer").lock_timeout_inactivity = 3
        self.assertEqual(self.officer._get_lock_timeout_inactivity(), 180)
        self.assertFalse(self.employee._get_lock_timeout_inactivity())

    def test_setting_refuses_times_that_cannot_be_kept(self):
        settings = self.env["res.config.settings"]
        for minutes in (1, 31, -1):
            with self.subTest(minutes), self.assertRaises(ValidationError):
                settings.create({"spar_idle_minutes": minutes})
        settings.create({"spar_idle_minutes": 5}).execute()
        self.assertEqual(self.officer._get_lock_timeout_inactivity(), 300)

    @mute_logger("odoo.http")
    def test_password_of_another_user_unlocks_nothing(self):
        self.set_idle_minutes("5")
        other = "another long password"
        groups = "base.group_user,spar_fa_directory.group_officer"
        new_test_user(self.env, "test_colleague", groups=groups, password=other)
        self.change_session(**{sessions.SEEN_AT: time.time() - 6 * 60})
        path = "/auth-timeout/session/check-identity"
        for params in (
            {"type": "password", "password": other},
            {"type": "password", "password": other, "login": "test_colleague"},
            {"type": "password", "password": ""},
        ):
            with self.subTest(params):
                self.assertIn("AccessDenied", self.send_json(path, params).text)
                self.assertIn("CheckIdentityException", self.count().text)
        self.assertEqual(self.get_session().uid, self.officer.id)

    def test_another_user_logs_in_afresh(self):
        self.change_session(**{sessions.SEEN_AT: time.time() - 31 * 60})
        before = self.sid
        self.open("/web/session/logout")
        self.assertFalse(self.get_session().uid)
        self.log_in(self.employee.login)
        self.assertEqual(self.get_session().uid, self.employee.id)
        self.assertNotEqual(self.sid, before)

    def test_files_are_not_served_during_the_identity_check(self):
        attachment = (
            self.env["ir.attachment"]
            .with_user(self.officer)
            .create(
                {"name": "x.txt", "raw": b"for the officer", "mimetype": "text/plain"}
            )
        )
        path = f"/web/content/{attachment.id}"
        self.assertEqual(self.open(path).text, "for the officer")
        self.change_session(**{sessions.SEEN_AT: time.time() - 31 * 60})
        self.assertNotIn("for the officer", self.open(path).text)

    @mute_logger("odoo.http")
    def test_password_ends_the_identity_check(self):
        self.change_session(**{sessions.SEEN_AT: time.time() - 31 * 60})
        params = {"type": "password", "password": "wrong"}
        path = "/auth-timeout/session/check-identity"
        refused = self.send_json(path, params)
        self.assertIn("AccessDenied", refused.text)
        self.assertIn("CheckIdentityException", self.count().text)
        self.send_json(path, {**params, "password": PASSWORD})
        self.assertIn('"result"', self.count().text)

    @mute_logger("odoo.http")
    def test_guesses_in_an_open_session_are_limited(self):
        path = "/auth-timeout/session/check-identity"
        failures = type(self.env["spar.login.failure"])
        with patch.object(failures, "_begin_attempt", return_value=30) as attempt:
            answer = self.send_json(path, {"type": "password", "password": PASSWORD})
        self.assertEqual(attempt.call_args.args[-2], "test_officer")
        self.assertIn("Too many failed attempts", answer.text)

    def test_new_login_restarts_the_session_times(self):
        self.change_session(**{sessions.LOGGED_IN_AT: time.time() - 7.9 * HOUR})
        self.log_in(self.officer.login)
        self.count()
        began = self.get_session()[sessions.LOGGED_IN_AT]
        self.assertLess(time.time() - began, 60)

    def test_users_without_a_role_are_not_affected(self):
        self.authenticate(self.employee.login, PASSWORD)
        self.change_session(
            **{
                sessions.LOGGED_IN_AT: time.time() - 9 * HOUR,
                sessions.SEEN_AT: time.time() - 2 * HOUR,
            }
        )
        answer = self.call("res.partner", "search_count", [])
        self.assertIn('"result"', answer.text)

    def test_moving_the_mouse_counts(self):
        self.change_session(**{sessions.SEEN_AT: time.time() - 20 * 60})
        session = self.get_session()
        env = self.env(user=self.officer.id)
        with patch.object(http.root.session_store, "save") as save:
            env["ir.http"]._set_session_inactivity(session, 1000)
        self.assertTrue(save.called)
        self.assertLess(time.time() - session[sessions.SEEN_AT], 60)


@tagged("post_install", "-at_install")
class TestTimesOfRoles(TransactionCase):
    def test_a_role_of_any_addon_has_them(self):
        """Cover roles whose addon sets no times."""
        roles = self.env["res.groups"]._get_spar_role_ids()
        for role in self.env["res.groups"].browse(roles):
            user = new_test_user(self.env, f"role-{role.id}", groups="base.group_user")
            user.group_ids += role
            with self.subTest(role.full_name):
                role.write({"lock_timeout": 60, "lock_timeout_inactivity": 10})
                times = user._get_lock_timeouts()
                self.assertEqual(times["lock_timeout"][0][0], 3600)
                self.assertEqual(times["lock_timeout_inactivity"][0][0], 600)
                self.env.flush_all()
                self.env.cr.execute(
                    "UPDATE res_groups SET lock_timeout = NULL,"
                    " lock_timeout_inactivity = NULL"
                )
                self.env.invalidate_all()
                self.env.registry.clear_cache()
                times = user._get_lock_timeouts()
                self.assertEqual(times["lock_timeout"], [(8 * HOUR, True)])
                self.assertEqual(times["lock_timeout_inactivity"], [(1800, False)])
