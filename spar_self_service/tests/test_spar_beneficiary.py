from odoo.tests import TransactionCase, new_test_user, tagged

from ..exceptions import NotLoggedIn


@tagged("post_install", "-at_install")
class TestSparBeneficiary(TransactionCase):
    def assert_not_logged_in(self, user, name, *arguments):
        model = self.env["spar.beneficiary"].with_user(user)
        with self.subTest(user.login), self.assertRaises(NotLoggedIn):
            getattr(model, name)(*arguments)

    def test_there_is_no_beneficiary_without_a_login(self):
        portal = new_test_user(self.env, "test_portal", groups="base.group_portal")
        for user in (portal, self.env.ref("base.public_user"), self.env.user):
            self.assert_not_logged_in(user, "_get_current")
            self.assert_not_logged_in(user, "_begin_step_up", "draft")
            self.assert_not_logged_in(user, "_take_step_up", "draft")

    def test_only_officers_can_begin_an_authentication(self):
        clerk = new_test_user(self.env, "test_clerk", groups="base.group_user")
        begin = ("_begin_agent_authentication", clerk, "draft", "/spar", None)
        self.assert_not_logged_in(clerk, *begin)
        self.assert_not_logged_in(clerk, "_take_agent_ticket", clerk, "draft")

    def test_officer_cannot_act_for_another_officer(self):
        groups = "base.group_user,spar_fa_directory.group_officer"
        officer = new_test_user(self.env, "test_officer", groups=groups)
        other = new_test_user(self.env, "test_other", groups=groups)
        begin = ("_begin_agent_authentication", officer, "draft", "/spar", None)
        self.assert_not_logged_in(other, *begin)
        self.assert_not_logged_in(other, "_take_agent_ticket", officer, "draft")
