"""A mapper elsewhere asks for a visit: its own page first, then the login here."""

from unittest.mock import patch

from odoo.http import root
from odoo.tests import tagged

from odoo.addons.spar_mapper_connector.exceptions import (
    RemoteMapperDown,
    ServiceUnavailable,
    VisitNeeded,
)
from odoo.addons.spar_mapper_connector.lib.confirmation import (
    Confirmation,
    ConfirmationPage,
    ConfirmationState,
)
from odoo.addons.spar_mapper_connector.lib.contract import Capability, VisitRequest

from ..lib.browser import VISIT, WANTED
from .common import LoginCase

PAGE_URL = "https://store.example/spar/confirm/page"
HERE = "/spar/visited?confirmation=v1"
DECIDED = ConfirmationState.DECIDED


@tagged("post_install", "-at_install")
class TestVisit(LoginCase):
    def setUp(self):
        super().setUp()
        self.state, self.name, self.failing = DECIDED, "visit", None
        self.proposals, self.ended = [], []
        self.asks = {Capability.OWN_ADDRESS, Capability.VISIT, Capability.CONFIRMATION}
        backends = self.registry["spar.mapper.backend"]
        self.patch(
            backends, "_get_mapper", lambda _self, id_type=None: self.Mapper(self)
        )

    class Mapper:
        """A mapper with a page of its own for visits."""

        _is_remote = True

        def __init__(self, case):
            self.case = case

        def sudo(self):
            return self

        def _capabilities(self):
            return self.case.asks

        def _propose(self, call, proposal):
            if self.case.failing:
                raise self.case.failing
            self.case.proposals.append(proposal)
            return ConfirmationPage(PAGE_URL, f"v{len(self.case.proposals)}")

        def _get_confirmation(self, call, reference):
            return Confirmation(self.case.state, self.case.name)

        def _end_visit(self, call, reference):
            if self.case.failing:
                raise self.case.failing
            self.case.ended.append(reference)

        def _resolve_fa(self, call, requests):
            raise VisitNeeded()

    @property
    def session(self):
        return root.session_store.get(self.opener.cookies["session_id"])

    def go(self, path):
        return self.url_open(path, allow_redirects=False)

    def get_place(self, answer):
        return answer.headers["Location"].removeprefix(self.base_url())

    def press(self, **form):
        """Press the button of the login page; return the answer."""
        data = {"csrf_token": self.get_token("/spar"), **form}
        path = f"/spar/login/{self.provider.id}"
        return self.url_open(path, data=data, allow_redirects=False)

    def allow(self, **form):
        """Press the button, allow the visit there, and come back to the login here."""
        self.assertEqual(self.press(**form).headers["Location"], PAGE_URL)
        reference = f"v{len(self.proposals)}"
        back = self.go(f"/spar/confirmed?confirmation={reference}")
        self.assertEqual(
            self.get_place(back), f"/spar/visited?confirmation={reference}"
        )
        return self.go(self.get_place(back))

    # === THE WAY === #

    def test_page_of_the_mapper_comes_first_and_the_login_is_silent(self):
        asked = self.ask(self.allow().headers["Location"])
        for name in ("max_age", "prompt"):
            self.assertNotIn(name, asked)
        (proposal,) = self.proposals
        self.assertEqual(proposal.request, VisitRequest())
        self.assertEqual(proposal.id_value, "")
        self.assertEqual(proposal.return_url, f"{self.base_url()}/spar/confirmed")
        self.assertEqual(proposal.issuer, self.hostile.issuer)
        self.assertEqual(self.get_place(self.come_back()), "/spar")
        self.assertTrue(self.get_session_user()._is_portal())
        self.assertEqual(self.session[VISIT]["reference"], "v1")

    def test_mapper_that_asks_for_no_visit(self):
        self.asks -= {Capability.VISIT}
        asked = self.begin()
        self.assertEqual(asked["max_age"], "0")
        self.assertEqual(self.proposals, [])

    def test_visit_goes_with_each_call_of_its_session_only(self):
        self.ask(self.allow().headers["Location"])
        self.come_back()
        seen = []

        def note(_mapper, call, _requests):
            seen.append(call.login.visit)
            raise ServiceUnavailable("seen")

        with patch.object(self.Mapper, "_resolve_fa", note), self.assertLogs("odoo"):
            self.go("/spar/address")
        self.assertEqual(seen, ["v1"])
        user = self.get_session_user()
        person = self.env["spar.beneficiary"].with_user(user)._get_current()
        self.assertEqual(person.login.visit, "", "it is in the session and not stored")

    def test_visit_that_ended_is_asked_for_again_by_a_button(self):
        """Nobody is led in a circle, and the page that was wanted comes afterwards."""
        self.ask(self.allow().headers["Location"])
        self.come_back()
        answer = self.go("/spar/address")
        self.assertEqual(self.get_place(answer), "/spar?said=visit")
        shown = self.go("/spar?said=visit")
        self.assertEqual(shown.status_code, 200)
        self.assertIn("show who you are again", shown.text)
        self.assertEqual(len(self.proposals), 1, "no page before the button")
        self.go("/spar/objection/p1/1")
        self.assertEqual(self.session[WANTED], "/spar/objection/p1/1")
        self.ask(self.allow().headers["Location"])
        self.assertEqual(self.get_place(self.come_back()), "/spar/objection/p1/1")
        self.assertEqual(self.session[VISIT]["reference"], "v2")

    def test_log_out_ends_it(self):
        for failing in (None, RemoteMapperDown("down")):
            self.ask(self.allow().headers["Location"])
            self.come_back()
            self.failing = failing
            self.url_open(
                "/spar/logout",
                data={"csrf_token": self.get_token("/spar/language")},
                allow_redirects=False,
            )
            with self.subTest(failing=failing):
                self.assertIsNone(self.get_session_user())
                self.assertNotIn(VISIT, self.session)
            self.failing = None
        self.assertEqual(self.ended, ["v1"])

    # === WHAT LEADS NOWHERE === #

    def test_visit_that_was_not_allowed(self):
        for state, name in (
            (ConfirmationState.CANCELLED, "visit"),
            (ConfirmationState.EXPIRED, "visit"),
            (ConfirmationState.OPEN, "visit"),
            (ConfirmationState.UNKNOWN, ""),
            (DECIDED, "a change"),
        ):
            self.state, self.name = state, name
            page = self.allow()
            with self.subTest(state, name=name):
                self.assertEqual(page.status_code, 200)
                self.assertIn("You did not finish signing in", page.text)
                self.assertIn("Go back and try again", page.text)
                self.assertNotIn(VISIT, self.session)
        self.assertIsNone(self.get_session_user())

    def test_reference_that_this_session_did_not_begin(self):
        self.press()
        for reference in ("", "v2", "%00"):
            with self.subTest(reference):
                answer = self.go(f"/spar/visited?confirmation={reference}")
                self.assertEqual(self.get_place(answer), "/spar")
                self.assertNotIn(VISIT, self.session)
        self.authenticate(None, None)
        self.assertEqual(self.get_place(self.go(HERE)), "/spar")

    def test_back_button_begins_no_second_login(self):
        self.allow()
        self.assertEqual(self.get_place(self.go(HERE)), "/spar")

    def test_mapper_that_is_down_is_reported(self):
        self.failing = RemoteMapperDown("down")
        with self.assertLogs("odoo.addons.spar_self_service", "WARNING"):
            answer = self.press()
        self.assertEqual(answer.status_code, 503)
        self.assertIsNone(self.get_session_user())

    def test_provider_that_is_no_longer_usable(self):
        self.press()
        self.provider.enabled = False
        answer = self.go(HERE)
        self.assertGreaterEqual(answer.status_code, 300)
        self.assertNotIn("/auth?", answer.headers.get("Location", ""))

    def test_no_other_site_begins_it(self):
        answer = self.url_open(
            f"/spar/login/{self.provider.id}", data={}, allow_redirects=False
        )
        self.assertNotEqual(answer.headers.get("Location"), PAGE_URL)
        self.assertEqual(self.proposals, [])
