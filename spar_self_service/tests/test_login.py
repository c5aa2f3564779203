import re
import time
from types import SimpleNamespace
from unittest.mock import patch
from urllib.parse import parse_qsl, urlsplit

from werkzeug.wrappers import Response

from odoo.exceptions import AccessDenied, ConcurrencyError
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.spar_mapper_connector.lib.pages import browser
from odoo.addons.spar_mapper_connector.pages import cookies
from odoo.addons.spar_mapper_connector.tests.hostile_provider import CLIENT_ID, encrypt

from ..models import ir_http
from ..models.spar_identity import SparIdentity
from .common import LoginCase


@tagged("post_install", "-at_install")
class TestLogin(LoginCase):
    def test_first_login_creates_a_portal_user_without_personal_data(self):
        answer = self.log_in()
        self.assertEqual(urlsplit(answer.headers["Location"]).path, "/spar")
        user = self.get_session_user()
        self.assertTrue(user._is_portal())
        self.assertFalse(user._is_internal())
        self.assertRegex(user.login, r"^person-[0-9a-f-]{36}$")
        self.assertFalse(user.email)
        self.assertFalse(user.oauth_access_token)
        self.assertNotIn("Asha", user.name)

    def test_identity_has_the_data_of_the_provider(self):
        self.log_in()
        user = self.get_session_user()
        person = self.env["spar.beneficiary"].with_user(user)._get_current()
        self.assertEqual(person.id_value, "token:7712345678@nationalid")
        self.assertEqual(person.id_type, "national_id")
        self.assertEqual(person.issuer, self.hostile.issuer)
        self.assertEqual(person.name, "Asha Devi")
        self.assertEqual(person.contacts.email, "asha@people.example")
        self.assertEqual(person.contacts.phone_number, "")

    def test_second_login_is_the_same_person(self):
        self.log_in()
        before = self.get_session_user()
        self.authenticate(None, None)
        self.log_in()
        self.assertEqual(self.get_session_user(), before)
        self.assertEqual(self.count_people(), 1)

    def test_two_subjects_are_two_people(self):
        self.log_in()
        before = self.get_session_user()
        self.authenticate(None, None)
        self.hostile.id_token_claims = {"sub": "another"}
        self.hostile.userinfo_claims = {"sub": "another", "individual_id": "7799"}
        self.log_in()
        self.assertNotEqual(self.get_session_user(), before)

    def test_dump_contains_no_personal_data(self):
        self.log_in()
        self.env.flush_all()
        for table in ("spar_identity", "res_users", "res_partner"):
            self.env.cr.execute(f"SELECT t::text FROM {table} t")  # pylint: disable=E8103
            text = str(self.env.cr.fetchall())
            for known in ("7712345678", "Asha", "asha@", "subject-of-asha"):
                with self.subTest(table=table, known=known):
                    self.assertNotIn(known, text)
                    self.assertNotIn(known.encode().hex(), text)

    # === THE REQUEST === #

    def test_every_attempt_has_its_own_secrets(self):
        first, second = dict(self.begin()), dict(self.begin())
        for name in ("state", "nonce", "code_challenge"):
            self.assertNotEqual(first[name], second[name])
            self.assertGreaterEqual(len(first[name]), 43)
        self.assertEqual(first["code_challenge_method"], "S256")
        self.assertEqual(first["response_type"], "code")
        self.assertEqual(first["client_id"], CLIENT_ID)
        self.assertLessEqual(len(first["state"]), 256)

    def test_fresh_login_is_required_unless_the_provider_may_remember(self):
        """Phones are shared, and so are officers' devices."""
        self.assertEqual(self.begin()["max_age"], "0")
        self.hostile.id_token_claims = {"auth_time": int(time.time()) - 60}
        self.assertEqual(self.come_back().status_code, 400)
        self.assertIsNone(self.get_session_user())
        self.provider.always_fresh = False
        self.assertNotIn("max_age", self.begin())
        self.assertEqual(self.come_back().status_code, 303)

    def test_redirect_url_comes_from_the_configuration_only(self):
        base = self.env["ir.config_parameter"].get_param("web.base.url")
        request = self.begin()
        self.assertEqual(
            request["redirect_uri"], f"{base}/spar/oidc/callback/{self.provider.id}"
        )

    def test_code_is_exchanged_once_with_what_belongs_to_the_attempt(self):
        self.log_in()
        calls = [form for path, form in self.hostile.requests if path == "/token"]
        self.assertEqual(len(calls), 1)
        (form,) = calls
        self.assertEqual(form["grant_type"], "authorization_code")
        self.assertEqual(
            form["redirect_uri"], self.hostile.authorization_request["redirect_uri"]
        )
        self.assertGreaterEqual(len(form["code_verifier"]), 43)
        self.assertIn("client_assertion", form)
        self.assertNotIn("client_secret", form)

    def test_browser_carries_only_a_reference_to_a_pushed_request(self):
        self.hostile.responses["/par"] = (
            201,
            b'{"request_uri": "urn:x:1", "expires_in": 60}',
            "application/json",
        )
        self.provider.write(
            {"par_endpoint": f"{self.hostile.issuer}/par", "use_par": True}
        )
        request = self.begin()
        self.assertEqual(request, {"client_id": CLIENT_ID, "request_uri": "urn:x:1"})
        (pushed,) = [form for path, form in self.hostile.requests if path == "/par"]
        self.assertIn("client_assertion", pushed)
        self.hostile.authorization_request = pushed
        self.assertEqual(self.come_back().status_code, 303)

    def test_attempts_of_one_browser_are_limited(self):
        """Limit logins per browser, because each one occupies a worker.

        Each press of the button is a request of ours to the provider, and a worker
        waits for its answer.
        """
        self.hostile.responses["/par"] = (
            201,
            b'{"request_uri": "urn:x:1", "expires_in": 60}',
            "application/json",
        )
        self.provider.write(
            {"par_endpoint": f"{self.hostile.issuer}/par", "use_par": True}
        )
        token = self.get_token()
        statuses = [self.press(token).status_code for _each in range(30)]
        pushed = [form for path, form in self.hostile.requests if path == "/par"]
        self.assertEqual(len(pushed), browser.MAX_BEGUN)
        self.assertEqual(
            statuses, [303] * len(pushed) + [429] * (len(statuses) - len(pushed))
        )
        self.assertIn("wait ten minutes", self.press(token).text)
        later = time.time() + browser.BEGUN_SECONDS + 1
        with patch("odoo.addons.spar_self_service.controllers.login.time") as clock:
            clock.time.return_value = later
            self.assertEqual(self.press(token).status_code, 303)

    def press(self, token):
        return self.url_open(
            f"/spar/login/{self.provider.id}",
            data={"csrf_token": token},
            allow_redirects=False,
        )

    def test_refused_pushed_request_is_explained(self):
        self.provider.write(
            {"par_endpoint": f"{self.hostile.issuer}/nowhere", "use_par": True}
        )
        answer = self.url_open(
            f"/spar/login/{self.provider.id}",
            data={"csrf_token": self.get_token()},
            allow_redirects=False,
        )
        self.assertEqual(answer.status_code, 400)
        self.assertIn("not responding", answer.text)

    # === OTHER KINDS OF CLIENT === #

    def test_secret_goes_into_the_header_or_the_form(self):
        self.provider._set_client_secret("s e:cret")
        for method, member in (
            ("client_secret_basic", "headers"),
            ("client_secret_post", "client_secret"),
        ):
            self.provider.client_authentication = method
            self.authenticate(None, None)
            self.hostile.requests.clear()
            self.log_in()
            (form,) = [form for path, form in self.hostile.requests if path == "/token"]
            with self.subTest(method):
                self.assertNotIn("client_assertion", form)
                expected = {
                    "headers": "Basic c3Bhci10ZXN0OnMrZSUzQWNyZXQ=",
                    "client_secret": "s e:cret",
                }[member]
                found = form[member]
                if member == "headers":
                    found = found["Authorization"]
                self.assertEqual(found, expected)

    def test_every_agreed_algorithm_works(self):
        for algorithm in ("PS256", "ES256", "EdDSA"):
            self.authenticate(None, None)
            self.hostile.algorithm = algorithm
            with self.subTest(algorithm):
                self.log_in()
                self.assertTrue(self.get_session_user())

    def test_encrypted_userinfo_is_decrypted_with_our_key_only(self):
        self.provider.userinfo_format = "jwe"
        keys = {k["alg"]: k for k in self.provider._get_key_set()["keys"]}
        self.hostile.userinfo_format = "jwe"
        self.hostile.encryption_key = keys["RSA-OAEP-256"]
        self.log_in()
        self.assertTrue(self.get_session_user())
        self.authenticate(None, None)
        self.hostile.encryption_key = {
            **self.hostile.unknown_key.public.jwk,
            "kid": keys["RSA-OAEP-256"]["kid"],
        }
        self.begin()
        self.assertEqual(self.come_back().status_code, 400)
        self.assertIsNone(self.get_session_user())

    def test_encrypted_userinfo_must_be_signed_too(self):
        self.provider.userinfo_format = "jwe"
        keys = {k["alg"]: k for k in self.provider._get_key_set()["keys"]}
        unsigned = self.hostile.build_unsigned({"sub": "subject-of-asha"}, {})
        body = encrypt(unsigned, keys["RSA-OAEP-256"]).encode()
        self.hostile.responses["/userinfo"] = (200, body, "application/jwt")
        self.begin()
        self.assertEqual(self.come_back().status_code, 400)

    def test_replaced_keys_are_fetched_again(self):
        self.log_in()
        self.authenticate(None, None)
        self.hostile.keys["PS256"] = self.hostile.unknown_key
        self.begin()
        with patch("odoo.addons.spar_mapper_connector.lib.jose.key_sets.COOLDOWN", 0):
            self.assertEqual(self.come_back().status_code, 303)

    # === ONE ATTEMPT, ONE ANSWER, ONE BROWSER === #

    def test_state_is_valid_for_one_response(self):
        self.begin()
        self.assertEqual(self.come_back().status_code, 303)
        before = self.hostile.requests.copy()
        self.assertEqual(self.come_back().status_code, 400)
        self.assertEqual(self.hostile.requests, before)

    def test_refused_response_uses_up_the_state(self):
        self.begin()
        self.hostile.id_token_claims = {"nonce": "x"}
        self.assertEqual(self.come_back().status_code, 400)
        self.hostile.id_token_claims = {}
        self.assertEqual(self.come_back().status_code, 400)
        self.assertIsNone(self.get_session_user())

    def test_another_browser_cannot_finish_the_attempt(self):
        """Login CSRF: an attacker's own login is finished in the victim's browser."""
        self.begin()
        begun = dict(self.hostile.authorization_request)
        self.authenticate(None, None)
        self.assertEqual(self.come_back(state=begun["state"]).status_code, 400)
        self.assertIsNone(self.get_session_user())
        # Nor can whoever began it use that response afterwards.
        self.env.cr.execute("SELECT count(*) FROM spar_login_attempt")
        self.assertEqual(self.env.cr.fetchone(), (0,))

    def test_expired_attempt_is_refused(self):
        self.begin()
        self.env.cr.execute(
            "UPDATE spar_login_attempt SET began_at = began_at - interval '11 minutes'"
        )
        self.assertEqual(self.come_back().status_code, 400)

    def test_response_of_another_provider_is_refused(self):
        other = self.create_provider(client_id="other")
        self.begin()
        self.assertEqual(self.come_back(provider=other).status_code, 400)
        self.assertFalse([c for c in self.hostile.requests if c[0] == "/token"])

    def test_abandoned_attempts_are_deleted(self):
        self.begin()
        self.env.cr.execute(
            "UPDATE spar_login_attempt SET began_at = began_at - interval '11 minutes'"
        )
        self.begin()
        cron = self.env.ref("spar_self_service.ir_cron_login_attempts")
        self.assertEqual(cron.interval_type, "minutes")
        self.assertLessEqual(cron.interval_number, 10)
        cron.ir_actions_server_id.run()
        self.assertEqual(self.env["spar.login.attempt"].sudo().search_count([]), 1)

    def test_oldest_of_six_pending_attempts_is_dropped(self):
        first = dict(self.begin())
        for _each in range(5):
            self.begin()
        self.assertEqual(self.come_back(state=first["state"]).status_code, 400)
        self.assertEqual(self.come_back().status_code, 303)

    def test_two_windows_may_both_finish(self):
        first = dict(self.begin())
        second = dict(self.begin())
        self.hostile.authorization_request = first
        self.assertEqual(self.come_back().status_code, 303)
        self.hostile.authorization_request = second
        self.assertEqual(
            self.come_back().status_code, 400, "who is logged in begins anew"
        )

    def test_login_needs_our_form(self):
        with mute_logger("odoo.http"):
            answer = self.url_open(
                f"/spar/login/{self.provider.id}",
                data={"return_to": "/spar"},
                allow_redirects=False,
            )
        self.assertEqual(answer.headers["Location"], "/spar?said=ended")
        answer = self.url_open(f"/spar/login/{self.provider.id}")
        self.assertIn("Log in with Test ID", answer.text)
        self.assertFalse(self.env["spar.login.attempt"].sudo().search_count([]))

    def test_login_never_redirects_to_another_site(self):
        for bad in ("https://evil.example", "//evil.example", "/\\evil.example", "x"):
            self.authenticate(None, None)
            answer = self.log_in(return_to=bad)
            with self.subTest(bad):
                self.assertEqual(answer.headers["Location"], "/spar")
        self.authenticate(None, None)
        answer = self.log_in(return_to="/spar/change?step=2")
        self.assertEqual(answer.headers["Location"], "/spar/change?step=2")

    def test_disabled_provider_refuses_logins(self):
        self.begin()
        self.provider.enabled = False
        self.assertEqual(self.come_back().status_code, 400)
        for provider_id in (self.provider.id, 0):
            answer = self.url_open(f"/spar/login/{provider_id}")
            self.assertEqual(answer.status_code, 400)
            self.assertIn("/spar/style/", answer.text)
            self.assertNotIn("/web/assets/", answer.text)

    def test_repeated_request_calls_the_provider_once(self):
        """Odoo runs a request again after a conflict: the code is already exchanged."""
        recognise, met = SparIdentity._recognise, []

        def conflict(self, *arguments, **options):
            met.append(1)
            if len(met) == 1:
                raise ConcurrencyError("somebody else was faster")
            return recognise(self, *arguments, **options)

        self.begin()
        with (
            patch.object(SparIdentity, "_recognise", conflict),
            patch("odoo.service.model.time.sleep"),
            mute_logger("odoo.service.model"),
        ):
            self.assertEqual(self.come_back().status_code, 303)
        self.assertEqual(len(met), 2)
        self.assertEqual(len([c for c in self.hostile.requests if c[0] == "/token"]), 1)
        self.assertTrue(self.get_session_user())

    # === THE USER === #

    def test_user_who_is_blocked_gets_no_session(self):
        self.log_in()
        user = self.get_session_user()
        user.active = False
        self.authenticate(None, None)
        self.begin()
        answer = self.come_back()
        self.assertEqual(answer.status_code, 400)
        self.assertIn("blocked", answer.text)
        self.assertIsNone(self.get_session_user())

    def test_user_who_became_staff_gets_no_session_here(self):
        self.log_in()
        user = self.get_session_user()
        user.group_ids = [(6, 0, [self.env.ref("base.group_user").id])]
        self.authenticate(None, None)
        self.begin()
        self.assertEqual(self.come_back().status_code, 400)
        self.assertIsNone(self.get_session_user())

    def test_forged_ticket_is_refused(self):
        self.log_in()
        user = self.get_session_user()
        self.authenticate(None, None)
        form = {"login": user.login, "type": "spar_oidc", "ticket": "x"}
        for password in ("", "x"):
            with mute_logger("odoo.addons.base.models.res_users"):
                self.url_open(
                    "/web/login",
                    data={
                        **form,
                        "password": password,
                        "csrf_token": self.get_token(),
                    },
                )
            self.assertIsNone(self.get_session_user())
        for credential in (
            {"login": user.login, "type": "spar_oidc"},
            {"login": user.login, "type": "spar_oidc", "ticket": None},
            {"login": user.login, "type": "spar_oidc", "ticket": object()},
            {"login": user.login, "type": "password", "password": ""},
        ):
            with self.assertRaises(AccessDenied):
                user.with_user(user)._check_credentials(credential, {})

    def test_person_cannot_reach_the_tables_of_the_login(self):
        self.log_in()
        user = self.get_session_user()
        for model in ("spar.identity", "spar.login.attempt", "spar.login.proof"):
            self.assertFalse(self.env[model].with_user(user).has_access("read"))
        self.assertFalse(
            self.env["auth.oauth.provider"].with_user(user).has_access("read")
        )

    # === LOGGING OUT === #

    def test_logging_out_ends_the_session_here(self):
        self.log_in()
        answer = self.url_open(
            "/spar/logout",
            data={"csrf_token": self.get_token_of_session()},
            allow_redirects=False,
        )
        self.assertEqual(answer.headers["Location"], "/spar?said=out")
        self.assertIsNone(self.get_session_user())
        self.assertIn("You are signed out here.", self.url_open("/spar?said=out").text)

    def test_logging_out_continues_at_the_provider(self):
        self.provider.end_session_endpoint = f"{self.hostile.issuer}/end?x=1"
        self.log_in()
        answer = self.url_open(
            "/spar/logout",
            data={"csrf_token": self.get_token_of_session()},
            allow_redirects=False,
        )
        address = urlsplit(answer.headers["Location"])
        base = self.env["ir.config_parameter"].get_param("web.base.url")
        self.assertEqual(
            dict(parse_qsl(address.query)),
            {
                "x": "1",
                "client_id": CLIENT_ID,
                "post_logout_redirect_uri": f"{base}/spar",
            },
        )
        self.assertIsNone(self.get_session_user())

    def test_logging_out_needs_our_form(self):
        self.log_in()
        with mute_logger("odoo.http"):
            answer = self.url_open("/spar/logout", data={"x": "1"})
            self.assertEqual(answer.status_code, 400)
        self.assertEqual(self.url_open("/spar/logout").status_code, 404)
        self.assertTrue(self.get_session_user())

    # === THE SESSION === #

    def test_login_begins_a_new_session(self):
        self.begin()
        before = self.opener.cookies.get("session_id")
        self.come_back()
        self.assertNotEqual(self.opener.cookies.get("session_id")[:42], before[:42])

    def test_response_is_for_this_browser_only(self):
        self.begin()
        answer = self.come_back()
        self.assertIn("SameSite=Lax", answer.headers["Set-Cookie"])
        self.assertIn("HttpOnly", answer.headers["Set-Cookie"])
        self.assertNotIn("Secure", answer.headers["Set-Cookie"])
        self.assertEqual(answer.headers["Cache-Control"], "no-store")
        self.assertIn("frame-ancestors", answer.headers["Content-Security-Policy"])
        page = self.url_open("/my")
        self.assertEqual(page.headers["Cache-Control"], "no-store")

    def test_cookie_is_secure_over_https(self):
        secure = SimpleNamespace(httprequest=SimpleNamespace(scheme="https"))
        response = Response("")
        with patch.object(cookies, "request", secure):
            response.set_cookie("session_id", "x", httponly=True)
            response.set_cookie("other", "y")
            cookies.secure_cookie(response)
        first, second = response.headers.getlist("Set-Cookie")
        self.assertTrue(first.endswith("; SameSite=Lax; Secure"))
        self.assertNotIn("Secure", second)

    def test_session_ends_after_fifteen_idle_minutes(self):
        self.log_in()
        self.assertEqual(self.ask_later(14 * 60), 200)
        self.assertEqual(self.ask_later(30 * 60), 303)
        self.assertIsNone(self.get_session_user())

    def test_session_ends_after_an_hour(self):
        self.log_in()
        for minutes in (14, 28, 42, 56):
            self.assertEqual(self.ask_later(minutes * 60), 200)
        self.assertEqual(self.ask_later(61 * 60), 303)
        self.assertIsNone(self.get_session_user())

    def test_staff_sessions_are_unaffected(self):
        self.authenticate("admin", "admin")
        self.assertEqual(self.ask_later(7200), 200)

    def ask_later(self, seconds):
        """Return the status of the logged-in user's page after so many seconds."""
        with patch.object(ir_http, "time") as clock:
            clock.time.return_value = time.time() + seconds
            return self.url_open("/my", allow_redirects=False).status_code

    def get_token_of_session(self):
        page = self.url_open("/my/account").text
        return re.search(r'name="csrf_token" value="([^"]+)"', page)[1]
