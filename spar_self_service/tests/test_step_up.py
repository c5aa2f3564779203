import time

from odoo.tests import new_test_user, tagged

from ..exceptions import NotLoggedIn, StepUpNeeded, TicketNeeded
from ..models.spar_beneficiary import OFFICER
from .common import LoginCase

DRAFT = "digest-of-a-draft"


@tagged("post_install", "-at_install")
class TestStepUp(LoginCase):
    """A change needs a fresh login of the same person, for this one draft."""

    def setUp(self):
        super().setUp()
        self.log_in()
        self.user = self.get_session_user()
        self.beneficiaries = self.env["spar.beneficiary"].with_user(self.user)

    def begin_step_up(self, draft=DRAFT, return_to="/spar/confirm"):
        """Begin a step-up as a page of ours does: within a request of this browser."""
        with self.within_request():
            return self.ask(self.beneficiaries._begin_step_up(draft, return_to))

    def come_back_with(self, expected, **claims):
        self.hostile.id_token_claims = claims
        answer = self.come_back()
        self.assertEqual(answer.status_code, expected, answer.text)
        return answer

    def assert_no_proof(self, draft=DRAFT):
        with self.assertRaises(StepUpNeeded):
            self.beneficiaries._take_step_up(draft)

    def test_provider_is_asked_for_a_fresh_login(self):
        self.provider.fresh_prompt = "login"
        request = self.begin_step_up()
        self.assertEqual((request["max_age"], request["prompt"]), ("0", "login"))

    def test_fresh_login_is_valid_for_one_change(self):
        self.begin_step_up()
        answer = self.come_back_with(303, auth_time=int(time.time()) + 1)
        self.assertEqual(answer.headers["Location"], "/spar/confirm")
        self.beneficiaries._take_step_up(DRAFT)
        self.assert_no_proof()

    def test_fresh_login_is_not_valid_for_another_draft(self):
        self.begin_step_up()
        self.come_back_with(303)
        self.assert_no_proof("digest-of-another-draft")
        self.beneficiaries._take_step_up(DRAFT)

    def test_fresh_login_is_valid_for_five_minutes(self):
        self.begin_step_up()
        self.come_back_with(303)
        self.env.cr.execute(
            "UPDATE spar_login_proof SET made_at = made_at - interval '6 minutes'"
        )
        self.assert_no_proof()

    def test_login_alone_proves_nothing(self):
        self.assert_no_proof()
        self.authenticate(None, None)
        self.log_in()
        self.assert_no_proof()

    def test_login_of_before_is_not_fresh(self):
        for auth_time in (int(time.time()) - 5, None, "now", True, 0):
            self.begin_step_up()
            with self.subTest(auth_time=auth_time):
                self.come_back_with(400, auth_time=auth_time)
                self.assert_no_proof()

    def test_login_of_the_future_is_not_fresh(self):
        self.begin_step_up()
        self.come_back_with(400, auth_time=int(time.time()) + 3600)
        self.assert_no_proof()

    def test_unaccepted_authentication_context_proves_nothing(self):
        self.begin_step_up()
        self.come_back_with(400, acr="password")
        self.assert_no_proof()

    def test_another_person_proves_nothing(self):
        self.begin_step_up()
        self.hostile.userinfo_claims = {"sub": "another"}
        answer = self.come_back_with(400, sub="another")
        self.assertIn("You used somebody else", answer.text)
        self.assert_no_proof()
        self.assertEqual(self.get_session_user(), self.user)

    def test_another_id_of_the_same_person_proves_nothing(self):
        self.begin_step_up()
        self.hostile.userinfo_claims = {"individual_id": "999"}
        self.come_back_with(400)
        self.assert_no_proof()

    def test_proof_is_valid_only_for_its_own_id(self):
        """A provider may return another ID of the same person, like eSignet's VIDs."""
        self.begin_step_up()
        self.come_back_with(303)
        self.hostile.userinfo_claims = {"individual_id": "7799999999"}
        self.log_in()
        self.assertEqual(self.get_session_user(), self.user)
        self.assert_no_proof()
        self.hostile.userinfo_claims = {}
        self.log_in()
        self.beneficiaries._take_step_up(DRAFT)

    def test_person_who_logged_out_meanwhile_proves_nothing(self):
        self.begin_step_up()
        begun = dict(self.hostile.authorization_request)
        self.authenticate(None, None)
        self.log_in()
        self.hostile.authorization_request = begun
        self.come_back_with(400)
        self.assert_no_proof()

    def test_proof_of_one_person_is_not_valid_for_another(self):
        self.begin_step_up()
        self.come_back_with(303)
        portal = new_test_user(self.env, "test_other", groups="base.group_portal")
        with self.assertRaises(NotLoggedIn):
            self.env["spar.beneficiary"].with_user(portal)._take_step_up(DRAFT)
        self.beneficiaries._take_step_up(DRAFT)

    def test_stored_proof_reveals_nothing_about_the_draft(self):
        self.begin_step_up()
        self.come_back_with(303)
        self.env.cr.execute("SELECT t::text FROM spar_login_proof t")
        text = str(self.env.cr.fetchall())
        self.assertNotIn(DRAFT.encode().hex(), text)
        self.assertNotIn(DRAFT, text)


@tagged("post_install", "-at_install")
class TestAgentTicket(LoginCase):
    """A person beside an officer authenticates on the officer's device."""

    def setUp(self):
        super().setUp()
        groups = f"base.group_user,{OFFICER}"
        self.officer = new_test_user(self.env, "test_officer", groups=groups)
        self.beneficiaries = self.env["spar.beneficiary"].with_user(self.officer)
        self.authenticate("test_officer", "test_officer")

    def begin_agent(self, draft=DRAFT):
        with self.within_request():
            address = self.beneficiaries._begin_agent_authentication(
                self.officer, draft, "/spar/agent", self.provider
            )
            return self.ask(address)

    def take(self, draft=DRAFT):
        return self.beneficiaries._take_agent_ticket(self.officer, draft)

    def test_ticket_names_the_person(self):
        request = self.begin_agent()
        self.assertEqual(request["max_age"], "0")
        answer = self.come_back()
        self.assertEqual(answer.headers["Location"], "/spar/agent")
        ticket = self.take()
        self.assertEqual(ticket.officer_id, self.officer.id)
        self.assertEqual(ticket.beneficiary.id_value, "token:7712345678@nationalid")
        self.assertEqual(ticket.beneficiary.contacts.email, "asha@people.example")
        self.assertGreaterEqual(len(ticket.nonce), 20)

    def test_ticket_is_used_once_and_for_this_draft(self):
        self.begin_agent()
        self.come_back()
        with self.assertRaises(TicketNeeded):
            self.take("another draft")
        self.take()
        with self.assertRaises(TicketNeeded):
            self.take()

    def test_reading_a_ticket_does_not_use_it(self):
        def read(draft):
            return self.beneficiaries._read_agent_ticket(self.officer, draft)

        self.begin_agent()
        with self.assertRaises(TicketNeeded):
            read(DRAFT)
        self.come_back()
        with self.assertRaises(TicketNeeded):
            read("another draft")
        found = read(DRAFT)
        self.assertEqual(self.take(), found)
        with self.assertRaises(TicketNeeded):
            read(DRAFT)

    def test_person_gets_no_session_and_no_user(self):
        self.begin_agent()
        self.come_back()
        self.assertEqual(self.get_session_user(), self.officer)
        identity = self.env["spar.identity"].sudo().search([])
        self.assertEqual(len(identity), 1)
        self.assertFalse(identity.user_id)

    def test_person_is_the_same_in_both_ways(self):
        self.begin_agent()
        self.come_back()
        key = self.take().beneficiary.key
        self.authenticate(None, None)
        self.log_in()
        user = self.get_session_user()
        person = self.env["spar.beneficiary"].with_user(user)._get_current()
        self.assertEqual(person.key, key)

    def test_login_of_before_gives_no_ticket(self):
        self.begin_agent()
        self.hostile.id_token_claims = {"auth_time": int(time.time()) - 60}
        self.assertEqual(self.come_back().status_code, 400)
        with self.assertRaises(TicketNeeded):
            self.take()

    def test_ticket_is_valid_for_five_minutes(self):
        self.begin_agent()
        self.come_back()
        self.env.cr.execute(
            "UPDATE spar_login_proof SET made_at = made_at - interval '6 minutes'"
        )
        with self.assertRaises(TicketNeeded):
            self.take()

    def test_officer_who_lost_the_role_gets_no_ticket(self):
        self.begin_agent()
        self.officer.group_ids -= self.env.ref(OFFICER)
        self.assertEqual(self.come_back().status_code, 400)

    def test_ticket_of_one_officer_is_not_valid_for_another(self):
        self.begin_agent()
        self.come_back()
        groups = f"base.group_user,{OFFICER}"
        other = new_test_user(self.env, "test_other", groups=groups)
        with self.assertRaises(TicketNeeded):
            self.env["spar.beneficiary"].with_user(other)._take_agent_ticket(
                other, DRAFT
            )

    def test_authentication_needs_a_provider(self):
        self.provider.enabled = False
        with self.within_request(), self.assertRaises(Exception) as caught:
            self.beneficiaries._begin_agent_authentication(
                self.officer, DRAFT, "/spar/agent", self.provider
            )
        self.assertEqual(caught.exception.code, "provider_not_ready")
