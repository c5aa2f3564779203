"""This was not me: confirmed on the store's page as well."""

from odoo.tests import tagged

from odoo.addons.spar_mapper.tests.common import FA, ID, OTHER_FA
from odoo.addons.spar_mapper_connector.lib.confirmation import ConfirmationState
from odoo.addons.spar_mapper_connector.lib.contract import (
    ObjectionRequest,
    Outcome,
    Remedy,
)

from .common import PAGES, PageCase

LOGGER = "odoo.addons.spar_confirmation.controllers.confirm"


@tagged("post_install", "-at_install")
class TestObjection(PageCase):
    def setUp(self):
        super().setUp()
        self.update(ID, OTHER_FA)
        self.disputed = next(
            ObjectionRequest(ID, period.uuid, event.seq)
            for period in self.bound._history(self.owner, ID)
            for event in period.events
            if event.kind == "updated"
        )

    def test_objection_is_reviewed_proved_and_made(self):
        page = self.propose(self.disputed)
        path = self.open_page(page.url)
        for words in ("Was this not you?", "asks to undo a change", "This was not me"):
            self.assertIn(words, self.text)
        self.begin(path)
        self.come_back()
        self.assertEqual(self.get_address(), FA)
        self.get(path)
        self.assertIn("We have noted that this was not you", self.text)
        self.assertIn("Payments go to your earlier account again", self.text)
        self.assertIn("What you reported is about this account", self.text)
        found = self.get_state(page)
        self.assertIs(found.state, ConfirmationState.DECIDED)
        self.assertIs(found.answer.remedy, Remedy.RESTORED)
        self.assertTrue(found.answer.reference)

    def test_objection_of_another_person_is_refused(self):
        self.hostile.userinfo_claims = {"individual_id": "Grace-1906"}
        page = self.propose(self.disputed, call=PAGES, return_url="/spar")
        with self.assertLogs(LOGGER):
            self.confirm(page.url)
        self.assertEqual(self.get_address(), OTHER_FA)

    def test_event_that_does_not_exist_changes_nothing(self):
        for period, seq in (("no-period", 1), (self.disputed.period, 999)):
            page = self.propose(ObjectionRequest(ID, period, seq))
            path = self.confirm(page.url)
            with self.subTest(period):
                self.assertEqual(self.get_address(), OTHER_FA)
                self.get(path)
                self.assertIn("Nothing was changed", self.text)
                found = self.get_state(page)
                self.assertIs(found.outcome, Outcome.FORBIDDEN)
                self.assertEqual(found.problem, "no_such_event")

    def test_objection_that_comes_back_twice_opens_one_case(self):
        page = self.propose(self.disputed)
        self.confirm(page.url)
        before = self.count_events()
        self.come_back()
        self.assertEqual(self.count_events(), before)
