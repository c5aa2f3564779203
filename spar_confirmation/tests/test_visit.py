"""A visit: a person lets a portal elsewhere show them their own account."""

import time
from datetime import timedelta
from unittest.mock import patch

from odoo import fields
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.spar_mapper.tests.common import FA, ID, OTHER_FA, OTHER_ID
from odoo.addons.spar_mapper_connector.exceptions import ProposalRefused
from odoo.addons.spar_mapper_connector.lib.confirmation import ConfirmationState
from odoo.addons.spar_mapper_connector.lib.contract import (
    Authority,
    CallContext,
    UnlinkRequest,
    UpdateRequest,
    VisitRequest,
)
from odoo.addons.spar_mapper_connector.lib.proof_check import MAX_VISIT_SECONDS

from .common import PAGES, PORTAL, RETURN_URL, PageCase

LOGGER = "odoo.addons.spar_confirmation.controllers.confirm"
CLOCK = "odoo.addons.spar_confirmation.models.spar_confirmation.time.time"
OTHER_PORTAL = CallContext(
    "participant:other.example", "rest", Authority.PROGRAMME, "bearer"
)
VISIT = VisitRequest()


@tagged("post_install", "-at_install")
class TestVisit(PageCase):
    def setUp(self):
        super().setUp()
        self.visit = self.propose(VISIT)

    def is_visited(self, id_value=ID, call=PORTAL, reference=None):
        reference = self.visit.reference if reference is None else reference
        return self.bound._is_visited(call, reference, id_value)

    def find(self, page):
        domain = [("reference", "=", page.reference)]
        return self.env["spar.confirmation"].search(domain)

    # === THE PAGE === #

    def test_page_says_who_asks_for_what(self):
        path = self.open_page(self.visit.url)
        for words in (
            "Sign in to see your account",
            "Portal of Welfare",
            "asks to show you your account",
            "Continue only if you came from there",
            "No, stop",
        ):
            self.assertIn(words, self.text)
        for words in ("New account", "Did you start this", "1111"):
            self.assertNotIn(words, self.text)
        asked = self.begin(path)
        self.assertEqual(asked["max_age"], "0")

    def test_login_allows_it_and_leads_back(self):
        with self.assert_no_change():
            self.confirm(self.visit.url)
        back = f"{RETURN_URL}?confirmation={self.visit.reference}"
        self.assertEqual(self.page.headers["Location"], back)
        self.assertTrue(self.is_visited())
        self.assertIs(self.get_state(self.visit).state, ConfirmationState.DECIDED)

    def test_page_of_an_allowed_visit_leads_back(self):
        path = self.confirm(self.visit.url)
        self.get(path)
        self.assertIn(self.visit.reference, self.page.headers["Location"])
        with self.assertLogs(LOGGER):
            self.get(f"/spar/confirm/return/{self.client.id}?state=x")
        self.assertTrue(self.is_visited(), "also used twice, by the same portal")

    # === WHO x STATE === #

    def test_who_may_read_in_which_state(self):
        """Nothing but the portal's own allowed visit of this very person."""
        stopped, allowed = self.propose(VISIT), self.propose(VISIT)
        other = self.propose(UpdateRequest(ID, OTHER_FA, expected_version=1))
        stopped_path = self.open_page(stopped.url)
        self.press(f"{stopped_path}/stop")
        self.confirm(allowed.url)
        self.confirm(other.url)
        self.assertEqual(self.get_address(), OTHER_FA)
        for state, reference in (
            ("none", ""),
            ("unknown", "0" * 32),
            ("open", self.visit.reference),
            ("stopped", stopped.reference),
            ("a change", other.reference),
            ("allowed", allowed.reference),
        ):
            for who, call, id_value in (
                ("the person", PORTAL, ID),
                ("another person", PORTAL, OTHER_ID),
                ("nobody", PORTAL, ""),
                ("no ID", PORTAL, "Ada"),
                ("another portal", OTHER_PORTAL, ID),
                ("pages here", PAGES, ID),
            ):
                with self.subTest(state, who=who):
                    is_visited = self.is_visited(id_value, call, reference)
                    self.assertEqual(
                        is_visited, state == "allowed" and who == "the person"
                    )

    def test_it_lasts_half_an_hour(self):
        self.confirm(self.visit.url)
        began = self.find(self.visit)._get_content().visited_at
        for seconds, lasts in (
            (MAX_VISIT_SECONDS - 1, True),
            (MAX_VISIT_SECONDS, False),
        ):
            with self.subTest(seconds), patch(CLOCK, return_value=began + seconds):
                self.assertEqual(self.is_visited(), lasts)

    def test_portal_that_is_disabled_or_altered(self):
        self.confirm(self.visit.url)
        store = self.registry["spar.mapper.local"]
        with patch.object(store, "_is_active_caller", lambda _store, _actor: False):
            self.assertFalse(self.is_visited())
        self.assertTrue(self.is_visited())
        self.portal.active = False
        self.seal_settings("spar.confirmation.portal")
        self.assertFalse(self.is_visited())

    def test_portal_that_ends_it(self):
        self.confirm(self.visit.url)
        self.bound._end_visit(OTHER_PORTAL, self.visit.reference)
        self.assertTrue(self.is_visited())
        self.bound._end_visit(PORTAL, self.visit.reference)
        self.assertFalse(self.is_visited())
        self.assertFalse(self.find(self.visit))
        self.bound._end_visit(PORTAL, self.visit.reference)

    def test_end_of_a_visit_ends_no_change(self):
        change = self.propose(UnlinkRequest(ID, expected_version=1))
        self.bound._end_visit(PORTAL, change.reference)
        self.assertIs(self.get_state(change).state, ConfirmationState.OPEN)

    # === LOGINS THAT ALLOW NOTHING === #

    def test_somebody_else_allows_their_own(self):
        self.hostile.userinfo_claims = {"individual_id": "Grace-1906"}
        self.confirm(self.visit.url)
        self.assertFalse(self.is_visited())

    @mute_logger(LOGGER)
    def test_login_from_before_the_page(self):
        path = self.open_page(self.visit.url)
        self.begin(path)
        self.hostile.id_token_claims = {"auth_time": int(time.time()) - 60}
        self.come_back()
        self.assertEqual(self.page.status_code, 400)
        self.assertFalse(self.is_visited())

    @mute_logger(LOGGER)
    def test_login_for_a_change_is_none_for_a_visit_and_the_reverse(self):
        """The nonce of each names what it is for."""
        change = self.propose(UpdateRequest(ID, OTHER_FA, expected_version=1))
        for wanted, other in ((self.visit, change), (change, self.visit)):
            nonce = self.begin(self.open_page(other.url))["nonce"]
            self.begin(self.open_page(wanted.url))
            self.hostile.authorization_request["nonce"] = nonce
            with self.subTest(wanted.reference), self.assert_no_change():
                self.come_back()
                self.assertEqual(self.page.status_code, 400)
                self.assertFalse(self.is_visited())
                state = self.get_state(wanted).state
                self.assertIs(state, ConfirmationState.OPEN)

    @mute_logger(LOGGER)
    def test_page_opened_in_the_portals_own_browser(self):
        """It sends the person on to the provider: the answer counts for nobody."""
        path = self.open_page(self.visit.url)
        self.begin(path)
        self.use_another_browser()
        self.come_back()
        self.assertEqual(self.page.status_code, 400)
        self.assertFalse(self.is_visited())
        self.get(path)
        self.assertIn("another browser", self.text)

    @mute_logger(LOGGER)
    def test_page_that_was_open_for_too_long(self):
        self.begin(self.open_page(self.visit.url))
        row = self.find(self.visit)
        row.proposed_at -= timedelta(minutes=31)
        self.env.flush_all()
        self.come_back()
        self.assertFalse(self.is_visited())

    @mute_logger(LOGGER)
    def test_login_at_a_provider_that_is_no_longer_accepted(self):
        self.begin(self.open_page(self.visit.url))
        issuers = self.env["spar.proof.issuer"].search([])
        issuers.audiences = "somebody-else"
        self.seal_settings("spar.proof.issuer")
        self.come_back()
        self.assertGreaterEqual(self.page.status_code, 400)
        self.assertFalse(self.is_visited())

    def test_types_that_the_portal_may_not_name(self):
        call = CallContext(
            PORTAL.actor, "rest", Authority.PROGRAMME, id_type_ids=frozenset({-1})
        )
        visit = self.propose(VISIT, call=call)
        with self.assertLogs(LOGGER):
            self.confirm(visit.url)
        self.assertFalse(self.is_visited(reference=visit.reference))

    # === PROPOSING === #

    def test_refused_proposals(self):
        for name, call, values in (
            ("pages here", PAGES, {"return_url": "/spar"}),
            ("an officer's", PORTAL, {"officer": "user:7"}),
            ("another address", PORTAL, {"return_url": "https://evil.example"}),
            ("a portal that is not listed", OTHER_PORTAL, {}),
        ):
            with self.subTest(name), self.assertRaises(ProposalRefused):
                self.propose(VISIT, call=call, **values)

    # === WHAT IS KEPT === #

    def test_neither_the_person_nor_a_proof_is_readable(self):
        self.env.cr.execute("SELECT count(*) FROM spar_owner_proof")
        (before,) = self.env.cr.fetchone()
        self.confirm(self.visit.url)
        self.env.flush_all()
        self.env.cr.execute("SELECT count(*) FROM spar_owner_proof")
        self.assertEqual(self.env.cr.fetchone()[0], before)
        self.env.cr.execute(
            "SELECT c::text FROM spar_confirmation c WHERE reference = %s",
            (self.visit.reference,),
        )
        (row,) = self.env.cr.fetchone()
        for word in ("Ada", "1815", ID.encode().hex(), FA):
            self.assertNotIn(word, row)

    def test_row_that_was_copied_from_another_person(self):
        """What counts is sealed: a visit cannot be made by SQL alone."""
        self.confirm(self.visit.url)
        again = self.propose(VISIT)
        self.env.cr.execute(
            """UPDATE spar_confirmation SET state = 'decided', sealed = (
                   SELECT sealed FROM spar_confirmation WHERE reference = %s)
                WHERE reference = %s""",
            (self.visit.reference, again.reference),
        )
        self.env.invalidate_all()
        self.assertFalse(self.is_visited(reference=again.reference))

    def test_past_visits_are_deleted(self):
        change = self.propose(UnlinkRequest(ID, expected_version=1))
        self.confirm(self.visit.url)
        recent = self.propose(VISIT)
        rows = self.find(self.visit) | self.find(change)
        rows.write({"proposed_at": fields.Datetime.now() - timedelta(minutes=61)})
        self.env.flush_all()
        self.env["spar.confirmation"]._cron_forget_old()
        self.env.invalidate_all()
        self.assertFalse(self.find(self.visit))
        self.assertTrue(self.find(change) and self.find(recent))
