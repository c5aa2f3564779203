from odoo.tests import TransactionCase, new_test_user, tagged

from ..exceptions import NotLoggedIn, StepUpNeeded, TicketNeeded


@tagged("post_install", "-at_install")
class TestSparBeneficiary(TransactionCase):
    def get_model(self, user):
        return self.env["spar.beneficiary"].with_user(user)

    def test_nobody_is_a_beneficiary_without_a_login(self):
        portal = new_test_user(self.env, "test_portal", groups="base.group_portal")
        for user in (portal, self.env.ref("base.public_user"), self.env.user):
            model = self.get_model(user)
            with self.subTest(user.login), self.assertRaises(NotLoggedIn):
                model._get_current()

    def test_nobody_has_a_ticket_that_was_not_made(self):
        with self.assertRaises(TicketNeeded):
            self.env["spar.beneficiary"]._take_agent_ticket(self.env.user, "draft")

    def test_nobody_has_a_proof_that_was_not_made(self):
        with self.assertRaises(StepUpNeeded):
            self.env["spar.beneficiary"]._take_step_up("draft")
