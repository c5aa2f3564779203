"""A mapper with a page of review of its own: these pages lead there and back."""

import os
from dataclasses import dataclass, field
from unittest.mock import patch
from urllib.parse import urlsplit

from odoo.tests import tagged

from odoo.addons.spar_mapper_connector.exceptions import ProposalRefused, VisitNeeded
from odoo.addons.spar_mapper_connector.lib.confirmation import (
    Confirmation,
    ConfirmationPage,
    ConfirmationState,
)
from odoo.addons.spar_mapper_connector.lib.contract import (
    Capability,
    LinkRequest,
    ObjectionAnswer,
    ObjectionRequest,
    Outcome,
    Remedy,
    UnlinkRequest,
    UpdateRequest,
    VisitRequest,
)
from odoo.addons.spar_staff_login.lib.settings import STAFF_HOST_VARIABLE

from .page_case import FA, ID, PROVIDER_URL, STAFF, PageCase

PAGE_LOGGER = "odoo.addons.spar_self_service.controllers.page"
PAGE_URL = "https://store.example/spar/confirm/secret"


@dataclass
class Proposals:
    """What was proposed to the stand-in, and its configured answers."""

    made: list = field(default_factory=list)
    answers: dict = field(default_factory=dict)
    failing: Exception | None = None


@tagged("post_install", "-at_install")
class TestConfirmation(PageCase):
    def setUp(self):
        super().setUp()
        self.store.capabilities |= {Capability.CONFIRMATION}
        self.proposals = proposals = Proposals()

        def _propose(_mapper, call, proposal):
            if proposals.failing:
                raise proposals.failing
            proposals.made.append((call, proposal))
            return ConfirmationPage(PAGE_URL, "reference")

        def _get_confirmation(_mapper, call, reference):
            unknown = Confirmation(ConfirmationState.UNKNOWN)
            return proposals.answers.get((call.actor, reference), unknown)

        mapper = self.registry["spar.mapper.stand.in"]
        self.patch(mapper, "_propose", _propose)
        self.patch(mapper, "_get_confirmation", _get_confirmation)

    def choose_up_to_the_review(self):
        """Answer every question; return where the review leads."""
        self.begin()
        self.choose(type=self.account.id)
        self.choose(provider=self.bank.id)
        self.choose(branch=self.north.id)
        number = "1234 5678 9012"
        form = {"account_number": number, "account_number_again": number}
        self.post(self.path, allow_redirects=False, version=self.version, **form)
        return self.open("review").headers["Location"]

    def open(self, step, query=""):
        """Open a page of the draft without following where it leads."""
        path = f"/spar/change/{self.get_draft().uuid}/{step}{query}"
        return self.url_open(path, allow_redirects=False)

    def answer(self, state, outcome=None, **values):
        values = {"draft_id": self.get_draft().uuid, **values}
        found = Confirmation(state, outcome=outcome, **values)
        self.proposals.answers["person:ada-key", "reference"] = found

    def come_back(self):
        return self.get("/spar/confirmed?confirmation=reference")

    def test_review_is_on_the_page_of_the_mapper(self):
        self.assertEqual(self.choose_up_to_the_review(), PAGE_URL)
        ((call, proposal),) = self.proposals.made
        self.assertEqual(call.actor, "person:ada-key")
        self.assertIs(type(proposal.request), LinkRequest)
        self.assertEqual(proposal.request.id_value, ID)
        self.assertEqual(proposal.return_url, f"{self.base_url()}/spar/confirmed")
        self.assertEqual(proposal.draft_id, self.get_draft().uuid)
        self.assertEqual(proposal.issuer, "https://op.example")
        self.assertEqual(self.acts, [])

    def test_change_names_the_version_that_the_person_saw(self):
        self.store.add(ID, FA, STAFF)
        self.choose_up_to_the_review()
        ((_call, proposal),) = self.proposals.made
        self.assertIs(type(proposal.request), UpdateRequest)
        self.assertEqual(proposal.request.expected_version, 1)

    def test_removal_is_confirmed_there_too(self):
        self.store.add(ID, FA, STAFF)
        self.authenticate("ada", "ada-ada-1")
        self.get("/spar/address")
        self.post("/spar/remove", allow_redirects=False)
        self.assertEqual(self.open("review").headers["Location"], PAGE_URL)
        ((_call, proposal),) = self.proposals.made
        self.assertEqual(proposal.request, UnlinkRequest(ID, expected_version=1))
        self.answer(ConfirmationState.CANCELLED)
        self.come_back()
        self.assertEqual(self.path, "/spar/address")

    def test_decision_of_the_mapper_is_shown(self):
        self.choose_up_to_the_review()
        self.answer(ConfirmationState.DECIDED, Outcome.LINKED)
        self.come_back()
        self.assertIn("Your account is saved", self.text)
        self.assertEqual(self.get_draft().state, "done")
        self.assertEqual(self.acts, [], "the mapper has made the change itself")
        self.come_back()
        self.assertIn("Your account is saved", self.text)

    def test_refusal_of_the_mapper_is_shown(self):
        self.choose_up_to_the_review()
        self.answer(ConfirmationState.DECIDED, Outcome.CONFLICT, problem="version")
        self.come_back()
        self.assertIn("Nothing was changed", self.text)

    def test_review_that_was_stopped_leads_to_the_question_before(self):
        self.choose_up_to_the_review()
        for state in (
            ConfirmationState.CANCELLED,
            ConfirmationState.EXPIRED,
            ConfirmationState.OPEN,
        ):
            self.answer(state)
            self.come_back()
            with self.subTest(state):
                self.assertIn("Enter your account details", self.text)
        self.assertEqual(self.get_draft().state, "open")

    def test_reference_of_another_person_or_draft_does_nothing(self):
        self.choose_up_to_the_review()
        decided = ConfirmationState.DECIDED
        other = Confirmation(decided, self.get_draft().uuid, Outcome.LINKED)
        self.proposals.answers["person:grace-key", "reference"] = other
        self.come_back()
        self.assertEqual(self.get_draft().state, "open")
        self.answer(decided, Outcome.LINKED, draft_id="another")
        self.come_back()
        self.assertEqual(self.get_draft().state, "open")
        self.assertIn("could not confirm that it is you", self.text)

    def test_reference_that_this_session_does_not_have_leads_nowhere(self):
        self.choose_up_to_the_review()
        self.answer(ConfirmationState.DECIDED, Outcome.LINKED)
        for reference in ("", "another", "//evil.example"):
            self.get(f"/spar/confirmed?confirmation={reference}")
            with self.subTest(reference):
                self.assertEqual(self.path, "/spar/address?said=gone")
        self.authenticate("grace", "grace-grace")
        self.come_back()
        self.assertEqual(self.path, "/spar/address?said=gone")
        self.assertEqual(self.get_draft().state, "open")

    def test_these_pages_do_not_confirm_beside_it(self):
        self.choose_up_to_the_review()
        draft = self.get_draft()
        self.open("prove", f"?version={draft.version}")
        self.assertEqual(self.begun, [])
        self.open("finish")
        self.assertEqual((self.get_draft().state, self.acts), ("open", []))

    def test_account_that_is_in_force_already_needs_no_review(self):
        self.store.add(ID, "account:123456789012@BR01.TESTBANK", STAFF)
        location = self.choose_up_to_the_review()
        self.assertTrue(location.endswith("/done"), location)
        self.assertEqual(self.proposals.made, [])

    def test_proposal_that_the_mapper_refuses_changes_nothing(self):
        self.choose_up_to_the_review()
        self.proposals.failing = ProposalRefused("provider")
        with self.assertLogs(PAGE_LOGGER, "WARNING"):
            self.assertEqual(self.open("review").status_code, 503)
        self.assertEqual((self.get_draft().state, self.acts), ("open", []))

    def test_mapper_without_the_capability_leaves_the_review_here(self):
        self.store.capabilities -= {Capability.CONFIRMATION}
        self.begin()
        self.choose_all()
        self.assertIn("Is everything right?", self.text)
        self.assertEqual(self.proposals.made, [])

    # === THIS WAS NOT ME === #

    def dispute(self):
        """Say that the account is not one's own; return the draft's name there."""
        self.store.add(ID, FA, STAFF)
        self.authenticate("ada", "ada-ada-1")
        period = self.store.get_period(ID)
        self.get(f"/spar/objection/{period.uuid}/1")
        form = {"period": period.uuid, "seq": 1}
        self.post("/spar/objection", allow_redirects=False, **form)
        return period.uuid

    def test_objection_is_confirmed_on_the_page_of_the_mapper(self):
        period = self.dispute()
        self.assertEqual(self.page.headers["Location"], PAGE_URL)
        ((_call, proposal),) = self.proposals.made
        self.assertEqual(proposal.request, ObjectionRequest(ID, period, 1))
        self.assertEqual(self.begun, [])
        answer = ObjectionAnswer(Remedy.RESTORED, "CASE1")
        name = proposal.draft_id
        found = Confirmation(ConfirmationState.DECIDED, name, answer=answer)
        self.proposals.answers["person:ada-key", "reference"] = found
        self.come_back()
        self.assertIn("We have noted that this was not you", self.text)
        self.assertIn("CASE1", self.text)

    def test_objection_that_was_not_confirmed_is_asked_again(self):
        period = self.dispute()
        for name in (f"objection {period} 1", "objection x 1"):
            found = Confirmation(ConfirmationState.CANCELLED, name)
            self.proposals.answers["person:ada-key", "reference"] = found
            self.come_back()
            with self.subTest(name):
                self.assertIn("/spar/objection/", self.path)
                self.assertNotIn("finish", self.path)

    # === WITH THE HELP OF AN OFFICER === #

    def help_up_to_the_review(self):
        """Let an officer fill in, and Ada log in beside them; return the draft."""
        providers = self.env["auth.oauth.provider"].search([], limit=1)
        providers.id_type_id = self.env.ref("spar_mapper_connector.id_type_national_id")
        self.patch(type(providers), "_get_offered", lambda _each: providers.sudo())
        self.authenticate("officer", "officer-1")
        self.get("/spar/agent")
        self.post("/spar/agent")
        self.choose_all()
        draft = self.get_draft()
        self.tickets[self.officer.id, draft._get_digest_text()] = self.ada
        return draft

    def open_helped(self, draft, step):
        path = f"/spar/agent/{draft.uuid}/{step}"
        return self.url_open(path, allow_redirects=False)

    def answer_officer(self, draft, state, outcome=None, **values):
        found = Confirmation(
            state, outcome=outcome, **{"draft_id": draft.uuid, **values}
        )
        self.proposals.answers[f"user:{self.officer.id}", "reference"] = found

    def test_person_beside_an_officer_confirms_on_the_page_of_the_mapper(self):
        self.store.add(ID, FA, STAFF)
        draft = self.help_up_to_the_review()
        page = self.open_helped(draft, "confirm")
        self.assertEqual(page.headers["Location"], PAGE_URL)
        ((call, proposal),) = self.proposals.made
        officer = f"user:{self.officer.id}"
        self.assertEqual((call.actor, proposal.officer), (officer, officer))
        self.assertEqual(call.on_behalf_of, "person:ada-key")
        self.assertEqual(call.channel, "agent")
        self.assertEqual(proposal.request.id_value, ID)
        self.assertEqual(proposal.request.expected_version, 1)
        self.assertEqual(proposal.draft_id, draft.uuid)
        self.answer_officer(draft, ConfirmationState.DECIDED, Outcome.UPDATED)
        self.come_back()
        self.assertIn("Your account is saved", self.text)
        self.assertIn("Give the device back", self.text)
        self.assertEqual((self.get_draft().state, self.acts), ("done", []))

    def test_person_beside_an_officer_allows_a_visit_first(self):
        """Where the mapper asks for it: on its page, before the login here."""
        self.store.capabilities |= {Capability.VISIT}
        draft = self.help_up_to_the_review()
        prove = f"prove?version={draft.version}"
        review = f"/spar/agent/{draft.uuid}/review?said=proof"
        for state in (ConfirmationState.CANCELLED, ConfirmationState.OPEN):
            page = self.open_helped(draft, prove)
            self.assertEqual(page.headers["Location"], PAGE_URL)
            found = Confirmation(state, "visit")
            self.proposals.answers["portal", "reference"] = found
            self.come_back()
            with self.subTest(state):
                self.assertEqual(self.path, review)
        (_call, proposal) = self.proposals.made[-1]
        self.assertEqual((proposal.request, proposal.officer), (VisitRequest(), ""))
        self.open_helped(draft, prove)
        found = Confirmation(ConfirmationState.DECIDED, "visit")
        self.proposals.answers["portal", "reference"] = found
        begun = len(self.begun)
        path = "/spar/confirmed?confirmation=reference"
        visited = self.url_open(path, allow_redirects=False).headers["Location"]
        page = self.url_open(visited, allow_redirects=False)
        self.assertEqual(page.headers["Location"], PROVIDER_URL)
        self.assertEqual(len(self.begun), begun + 1)
        again = self.url_open(visited, allow_redirects=False)
        self.assertTrue(again.headers["Location"].endswith(review))

    def test_visit_that_ended_leads_the_officer_to_the_review(self):
        draft = self.help_up_to_the_review()
        self.store.failing["resolve"] = VisitNeeded()
        page = self.open_helped(draft, "confirm")
        self.assertTrue(page.headers["Location"].endswith("/review?said=proof"))
        self.assertEqual(self.acts, [])

    def test_officer_goes_on_after_a_change_that_was_not_confirmed(self):
        draft = self.help_up_to_the_review()
        self.open_helped(draft, "confirm")
        for state in (ConfirmationState.CANCELLED, ConfirmationState.EXPIRED):
            self.answer_officer(draft, state)
            self.come_back()
            with self.subTest(state):
                self.assertEqual(self.path, f"/spar/agent/{draft.uuid}/review")
        self.assertEqual((draft.state, self.acts), ("open", []))

    def test_officer_cannot_confirm_beside_it(self):
        draft = self.help_up_to_the_review()
        self.get("/spar/agent")
        form = {"version": str(draft.version)}
        self.post(f"/spar/agent/{draft.uuid}/confirm", **form)
        self.assertEqual((self.get_draft().state, self.acts), ("open", []))

    def test_officer_proposes_nothing_without_the_persons_login(self):
        draft = self.help_up_to_the_review()
        self.tickets.clear()
        page = self.open_helped(draft, "confirm")
        self.assertTrue(page.headers["Location"].endswith("/review?said=proof"))
        self.assertEqual(self.proposals.made, [])

    def test_reference_of_another_draft_closes_no_officers_draft(self):
        draft = self.help_up_to_the_review()
        self.open_helped(draft, "confirm")
        decided = ConfirmationState.DECIDED
        self.answer_officer(draft, decided, Outcome.LINKED, draft_id="another")
        self.come_back()
        self.assertEqual(self.path, f"/spar/agent/{draft.uuid}/review?said=proof")
        self.proposals.answers.clear()
        page = self.open_helped(draft, "finish?confirmation=made-up")
        self.assertTrue(page.headers["Location"].endswith("/review?said=proof"))
        self.assertEqual((draft.state, self.acts), ("open", []))

    def test_officers_are_led_back_to_the_host_of_staff(self):
        host = urlsplit(self.base_url()).netloc
        with patch.dict(os.environ, {STAFF_HOST_VARIABLE: host}):
            draft = self.help_up_to_the_review()
            self.open_helped(draft, "confirm")
            ((_call, proposal),) = self.proposals.made
            self.assertEqual(proposal.return_url, f"http://{host}/spar/confirmed")
            self.answer_officer(draft, ConfirmationState.DECIDED, Outcome.LINKED)
            self.come_back()
        self.assertIn("Your account is saved", self.text)
