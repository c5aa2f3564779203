"""Hostile portals, hostile browsers and hostile providers: nothing changes."""

import re
import time
from unittest.mock import patch
from urllib.parse import urlsplit

from odoo.tests import tagged

from odoo.addons.spar_mapper.tests.common import ID, OTHER_FA, OTHER_ID
from odoo.addons.spar_mapper_connector.lib.confirmation import ConfirmationState
from odoo.addons.spar_mapper_connector.lib.contract import UpdateRequest
from odoo.addons.spar_mapper_connector.lib.jose.key_sets import CACHE
from odoo.addons.spar_mapper_connector.lib.jose.keys import PrivateKey
from odoo.addons.spar_mapper_connector.tests.hostile_provider import CLIENT_ID

from ..controllers import confirm
from .common import PORTAL, PageCase

LOGGER = "odoo.addons.spar_confirmation.controllers.confirm"
THIRD_FA = "account:333300003333@BR01.TESTBANK"


@tagged("post_install", "-at_install")
class TestHostileLogins(PageCase):
    def assert_refused(self, words, page, code):
        """Assert that the login that comes back now changes nothing."""
        with self.assert_no_change(), self.assertLogs(LOGGER) as logged:
            self.come_back()
        self.assertIn("Nothing was changed", self.text)
        self.assertIn(words, self.text)
        self.assertIn(code, logged.output[0])
        self.assertIs(self.get_state(page).state, ConfirmationState.OPEN)

    def test_logins_that_prove_nothing(self):
        hostile, now = self.hostile, int(time.time())
        unknown = hostile.unknown_key
        token = "does not belong to this change"
        cases = {
            "a replayed login": (
                {"id_token_claims": {"nonce": "of-another-login"}},
                token,
                "token_refused nonce",
            ),
            "no nonce": (
                {"id_token_claims": {"nonce": None}},
                token,
                "token_refused nonce",
            ),
            "a login from before the page": (
                {"id_token_claims": {"auth_time": now - 3600}},
                "did not ask you",
                "not_fresh",
            ),
            "a login without its time": (
                {"id_token_claims": {"auth_time": None}},
                "did not ask you",
                "not_fresh",
            ),
            "another client": (
                {"id_token_claims": {"aud": "spar-portal"}},
                token,
                "token_refused aud",
            ),
            "several clients": (
                {"id_token_claims": {"aud": [CLIENT_ID, "spar-portal"]}},
                token,
                "token_refused",
            ),
            "another issuer": (
                {"id_token_claims": {"iss": "https://evil.example"}},
                token,
                "token_refused iss",
            ),
            "an unknown key": (
                {"id_token_signer": unknown},
                token,
                "token_refused kid",
            ),
            "an unknown key under a known name": (
                {
                    "id_token_signer": unknown,
                    "id_token_header": {"kid": hostile.keys["PS256"].public.kid},
                },
                token,
                "token_refused signature",
            ),
            "no signature": (
                {"id_token_header": {"alg": "none"}},
                token,
                "token_refused alg",
            ),
            "the public key as a secret": (
                {"id_token_header": {"alg": "HS256"}},
                token,
                "token_refused alg",
            ),
            "an expired token": (
                {"id_token_claims": {"exp": now - 60}},
                token,
                "token_refused exp",
            ),
            "a weak way to log in": (
                {"id_token_claims": {"acr": "password"}},
                "not accepted here",
                "not_strong_enough",
            ),
            "userinfo of somebody else": (
                {"userinfo_claims": {"sub": "x", "individual_id": "Ada-1815"}},
                "could not be trusted",
                "userinfo_refused sub",
            ),
            "userinfo that nobody signed": (
                {"userinfo_format": "json"},
                "could not be trusted",
                "userinfo_refused format",
            ),
            "another person": (
                {"userinfo_claims": {"individual_id": "Grace-1906"}},
                "somebody else",
                "another_person",
            ),
            "no ID": (
                {"userinfo_claims": {"individual_id": None}},
                "did not tell us",
                "no_usable_id",
            ),
            "an ID with other parts": (
                {"userinfo_claims": {"individual_id": "Ada-1815@nationalid"}},
                "did not tell us",
                "no_usable_id",
            ),
        }
        for name, (attributes, words, code) in cases.items():
            with self.subTest(name):
                self.use_another_browser()
                self.behave(attributes)
                page = self.propose()
                self.begin(self.open_page(page.url))
                self.assert_refused(words, page, code)
                self.behave({})
        self.confirm(page.url)
        self.assertEqual(self.get_address(), OTHER_FA)

    def behave(self, attributes):
        """Let the provider be honest but for these attributes."""
        self.hostile.reset()
        self.hostile.userinfo_claims = {"individual_id": "Ada-1815"}
        for attribute, value in attributes.items():
            setattr(self.hostile, attribute, value)

    def test_keys_that_rotated_are_found(self):
        page = self.propose()
        self.begin(self.open_page(page.url))
        new = PrivateKey.generate("PS256")
        old = self.hostile.keys["PS256"]
        self.addCleanup(self.hostile.keys.__setitem__, "PS256", old)
        self.hostile.keys["PS256"] = new
        self.come_back()
        self.assertEqual(self.get_address(), OTHER_FA)

    def test_key_that_is_no_longer_published_is_refused(self):
        page = self.propose()
        self.confirm(page.url)
        other = self.propose(UpdateRequest(ID, THIRD_FA, expected_version=2))
        self.begin(self.open_page(other.url))
        old = self.hostile.keys["PS256"]
        self.hostile.jwks = {"keys": [self.hostile.keys["ES256"].public.jwk]}
        self.hostile.id_token_signer = old
        CACHE.forget(self.client.jwks_uri)
        with self.assertLogs(LOGGER):
            self.come_back()
        self.assertEqual(self.get_address(), OTHER_FA)

    def test_issuer_that_may_not_assert_this_id_is_refused(self):
        page = self.propose()
        self.begin(self.open_page(page.url))
        self.client.id_type_id.issuers = "https://other.example"
        self.seal_settings("spar.id.type")
        self.assert_refused("did not tell us", page, "no_usable_id issuer")

    def test_response_of_another_issuer_is_refused(self):
        page = self.propose()
        self.begin(self.open_page(page.url))
        with self.assert_no_change(), self.assertLogs(LOGGER):
            self.come_back(iss="https://evil.example")
        self.assertEqual(self.page.status_code, 400)

    def test_person_who_cancels_at_the_provider_can_try_again(self):
        page = self.propose()
        self.begin(self.open_page(page.url))
        with self.assert_no_change(), self.assertLogs(LOGGER):
            self.come_back(code=None, error="access_denied")
        (again,) = self.get_tree().xpath("//a[contains(@class, 'main')]/@href")
        self.begin(self.open_page(again))
        self.come_back()
        self.assertEqual(self.get_address(), OTHER_FA)

    def test_client_that_was_switched_off_meanwhile_is_refused(self):
        page = self.propose()
        self.begin(self.open_page(page.url))
        self.client.enabled = False
        self.seal_settings("spar.confirmation.client")
        with self.assert_no_change(), self.assertLogs(LOGGER) as logged:
            self.come_back()
        self.assertIn("provider_not_ready", logged.output[0])

    def test_login_began_at_a_client_of_another_kind_of_id_is_refused(self):
        path = self.open_page(self.propose().url)
        digits = self.digits
        other = self.create_client(name="Other")
        other.enabled = False
        self.seal_settings("spar.confirmation.client")
        for client in (other.id, 0, "x", "9" * 30):
            with self.subTest(client), self.assertLogs(LOGGER) as logged:
                self.press(f"{path}/login", client=client, digits=digits)
                self.assertEqual(self.page.status_code, 400)
                self.assertIn("provider_not_ready", logged.output[0])


@tagged("post_install", "-at_install")
class TestHostileBrowsers(PageCase):
    def test_browser_that_comes_back_twice_changes_nothing_more(self):
        page = self.propose()
        path = self.confirm(page.url)
        before = self.count_events()
        for _time in range(2):
            self.come_back()
            self.assertTrue(self.page.headers["Location"].endswith(path))
        self.assertEqual(self.count_events(), before)
        self.get(path)
        self.assertIn("Your account is saved", self.text)

    def test_browser_that_comes_back_late_is_led_to_the_page(self):
        page = self.propose()
        path = self.open_page(page.url)
        self.begin(path)
        later = time.time() + 11 * 60
        place = "odoo.addons.spar_confirmation.models.spar_confirmation_attempt.time"
        with self.assert_no_change(), patch(f"{place}.time", lambda: later):
            self.come_back()
        self.assertTrue(self.page.headers["Location"].endswith(path))
        self.assertIs(self.get_state(page).state, ConfirmationState.OPEN)

    def test_response_in_another_session_is_refused(self):
        """A login that somebody else began is finished in this browser."""
        page = self.propose()
        self.begin(self.open_page(page.url))
        self.use_another_browser()
        with self.assert_no_change(), self.assertLogs(LOGGER) as logged:
            self.come_back()
        self.assertIn("attempt_unknown", logged.output[0])
        self.assertNotIn("/spar/confirm/", self.page.text.partition("<main")[2])
        # Nor can whoever began it use that response afterwards.
        self.env.invalidate_all()
        self.assertTrue(self.env["spar.confirmation.attempt"].search([]).is_taken)

    def test_response_without_a_login_is_refused(self):
        self.hostile.authorization_request = {"state": "made-up"}
        with self.assert_no_change(), self.assertLogs(LOGGER):
            self.come_back()
        self.assertEqual(self.page.status_code, 400)

    def test_browser_is_sent_to_the_provider_a_few_times_only(self):
        path = self.open_page(self.propose().url)
        for _time in range(12):
            self.begin(path)
        self.open_page(path)
        with self.assertLogs(LOGGER):
            self.answer(path, self.digits)
        self.assertEqual(self.page.status_code, 429)

    def test_second_login_does_not_use_the_first_ones_response(self):
        path = self.open_page(self.propose().url)
        first = dict(self.begin(path))
        second = dict(self.begin(path))
        self.assertNotEqual(first["nonce"], second["nonce"])
        with self.assert_no_change():
            self.come_back(state=first["state"])
        self.assertTrue(self.page.headers["Location"].endswith(path))

    def test_what_was_reviewed_last_is_what_a_login_confirms(self):
        """A portal had a login begun for something else, unnoticed."""
        other = UpdateRequest(ID, THIRD_FA, expected_version=1)
        hidden = dict(self.begin(self.open_page(self.propose(other).url)))
        shown = self.propose(draft_id="d2")
        path = self.open_page(shown.url)
        policy = self.page.headers["Cross-Origin-Opener-Policy"]
        self.assertEqual(policy, "same-origin")
        self.begin(path)
        with self.assert_no_change():
            self.come_back(state=hidden["state"])
        self.come_back()
        self.assertEqual(self.get_address(), OTHER_FA)


@tagged("post_install", "-at_install")
class TestHostilePortals(PageCase):
    def test_proposal_for_another_person_is_not_carried_out(self):
        """Ada logs in on a page that a portal made for Grace, and the other way."""
        self.link(OTHER_ID, THIRD_FA, call=self.staff)
        request = UpdateRequest(OTHER_ID, OTHER_FA, expected_version=1)
        page = self.propose(request)
        with self.assert_no_change(), self.assertLogs(LOGGER) as logged:
            self.confirm(page.url)
        self.assertIn("another_person", logged.output[0])
        self.assertEqual(self.get_address(OTHER_ID), THIRD_FA)

    def test_portal_that_is_taken_off_the_list_does_nothing_more(self):
        page = self.propose()
        path = self.open_page(page.url)
        self.begin(path)
        self.portal.active = False
        self.seal_settings("spar.confirmation.portal")
        self.assert_nothing_more(page, path)

    def test_portal_whose_participant_is_disabled_does_nothing_more(self):
        page = self.propose()
        path = self.open_page(page.url)
        self.begin(path)
        asked = []
        self.patch(
            self.registry["spar.mapper.local"],
            "_is_active_caller",
            lambda _store, actor: asked.append(actor),
        )
        self.assert_nothing_more(page, path)
        self.assertEqual(set(asked), {PORTAL.actor})

    def assert_nothing_more(self, page, path):
        """Check that a page neither changes anything nor can be used again."""
        with self.assert_no_change():
            self.come_back()
            with self.assertLogs(LOGGER):
                self.get(path)
            self.assertEqual(self.page.status_code, 404)
            with self.assertLogs(LOGGER):
                self.answer(path, self.typed)
        self.assertIs(self.get_state(page).state, ConfirmationState.CANCELLED)

    def test_session_of_a_sibling_site_is_no_browser_of_ours(self):
        """It gives the browser the session in which its robot opened the page."""
        self.patch(confirm, "_is_https", lambda: True)
        path = urlsplit(self.propose().url).path
        self.get(path)
        cookie = self.page.headers["Set-Cookie"]
        for words in ("__Host-spar_confirm=", "Secure", "HttpOnly", "Path=/;"):
            self.assertIn(words, f"{cookie};")
        self.assertNotIn("Domain", cookie)
        # Over plain HTTP this browser sends the session, and not the robot's cookie.
        with self.assert_no_change(), self.assertLogs(LOGGER) as logged:
            self.get(path)
        self.assertIn("another_browser", logged.output[0])

    def test_form_of_a_sibling_site_is_none_of_ours(self):
        """It knows the session that it planted, and its CSRF token."""
        page = self.propose()
        path = self.open_page(page.url)
        self.patch(confirm, "_is_https", lambda: True)
        for form in ({}, {"browser": ""}, {"browser": "f" * 64}, {"browser": "é"}):
            for action in ("login", "stop"):
                with self.subTest(action, **form), self.assertLogs(LOGGER) as logged:
                    self.press(f"{path}/{action}", client=self.client.id, **form)
                    self.assertIn("another_browser", logged.output[0])
                    self.assertEqual(self.page.status_code, 400)
        self.assertIs(self.get_state(page).state, ConfirmationState.OPEN)

    def test_form_of_an_opened_page_is_ours(self):
        self.patch(confirm, "_is_https", lambda: True)
        path = self.open_page(self.propose().url)
        own = re.search("__Host-spar_confirm=([^;]+)", self.page.headers["Set-Cookie"])
        # The test speaks plain HTTP, over which no such cookie is sent back.
        self.patch(confirm, "_get_host_secret", lambda: own[1])
        token = re.search('name="browser" value="([0-9a-f]{64})"', self.page.text)[1]
        form = {"client": self.client.id, "digits": self.digits, "browser": token}
        self.press(f"{path}/login", **form)
        self.assertEqual(self.page.status_code, 303)

    def test_portal_cannot_alter_what_was_reviewed(self):
        """It proposes something else after the review: the login confirms the first."""
        page = self.propose()
        self.begin(self.open_page(page.url))
        self.propose(UpdateRequest(ID, THIRD_FA, expected_version=1))
        self.come_back()
        self.assertEqual(self.get_address(), OTHER_FA)

    def test_proposal_altered_in_the_database_after_the_review_is_refused(self):
        page = self.propose()
        self.begin(self.open_page(page.url))
        other = self.propose(UpdateRequest(ID, THIRD_FA, expected_version=1))
        self.env.flush_all()
        self.env.cr.execute(
            """UPDATE spar_confirmation SET sealed = (
                   SELECT sealed FROM spar_confirmation WHERE reference = %s)
                WHERE reference = %s""",
            (other.reference, page.reference),
        )
        with self.assert_no_change(), self.assertLogs(LOGGER):
            self.come_back()

    def test_login_of_one_proposal_confirms_no_other(self):
        """The attempt is moved to another proposal by SQL: it does not open there."""
        page = self.propose()
        self.begin(self.open_page(page.url))
        other = self.propose(UpdateRequest(ID, THIRD_FA, expected_version=1))
        self.env.flush_all()
        self.env.cr.execute(
            """UPDATE spar_confirmation_attempt SET confirmation_id = (
                   SELECT id FROM spar_confirmation WHERE reference = %s)""",
            (other.reference,),
        )
        with self.assert_no_change(), self.assertLogs(LOGGER):
            self.come_back()

    def test_page_warns_of_links_that_somebody_sent(self):
        self.open_page(self.propose().url)
        self.assertIn("Did you start this yourself, just now?", self.text)
        self.assertIn("If somebody sent you this page", self.text)

    def test_link_that_the_portal_opened_first_is_of_no_use(self):
        page = self.propose()
        self.open_page(page.url)
        self.use_another_browser()
        with self.assert_no_change(), self.assertLogs(LOGGER):
            self.get(page.url[page.url.index("/spar") :])
        self.assertIn("another browser", self.text)
