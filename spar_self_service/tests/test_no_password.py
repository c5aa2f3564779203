from odoo import SUPERUSER_ID
from odoo.exceptions import AccessDenied
from odoo.tests import tagged

from ..exceptions import NotLoggedIn
from ..lib.browser import LOGIN
from .common import LoginCase

EMAIL, SECRET = "asha@people.example", "a-secret-of-19-letters"


@tagged("post_install", "-at_install")
class TestNoPassword(LoginCase):
    """Beneficiaries log in through the ID provider, and in no other way."""

    def setUp(self):
        super().setUp()
        self.log_in()
        self.user = self.get_session_user()
        self.user.partner_id.email = EMAIL

    def test_beneficiary_cannot_log_in_with_a_password(self):
        encrypted = self.user._crypt_context().hash(SECRET)
        self.user._set_encrypted_password(self.user.id, encrypted)
        credential = {"type": "password", "login": self.user.login, "password": SECRET}
        with self.assertRaises(AccessDenied):
            self.user.with_user(self.user)._check_credentials(
                credential, {"interactive": True}
            )

    def test_beneficiary_cannot_be_given_a_password(self):
        for writer in (SUPERUSER_ID, self.user.id):
            user = self.user.with_user(writer)
            for values in ({"password": SECRET}, {"new_password": SECRET}):
                with self.subTest(writer=writer), self.assertRaises(AccessDenied):
                    user.write(values)

    def test_reset_link_of_odoo_sets_no_password(self):
        partner = self.user.partner_id
        partner.signup_prepare()
        with self.assertRaises(AccessDenied):
            self.env["res.users"].signup(
                {"password": SECRET}, token=partner._generate_signup_token()
            )

    def test_no_link_for_a_password_is_sent(self):
        self.env["ir.config_parameter"].set_param("auth_signup.reset_password", "True")
        mails = self.env["mail.mail"].search_count([])
        token = self.get_token("/web/reset_password")
        data = {"csrf_token": token, "login": EMAIL}
        answer = self.url_open("/web/reset_password", data=data)
        self.assertIn("Password reset instructions sent", answer.text)
        self.assertEqual(self.env["mail.mail"].search_count([]), mails)
        self.assertFalse(self.user.partner_id.signup_type)

    def test_odoos_pages_about_ones_user_are_closed(self):
        for path in ("/my/account", "/my/addresses", "/my/address", "/my/security"):
            with self.subTest(path):
                answer = self.url_open(path, allow_redirects=False)
                self.assertEqual(answer.status_code, 303)
                self.assertEqual(answer.headers["Location"], "/spar")
        form = {"csrf_token": self.get_token("/web/reset_password"), "name": "Asha"}
        form |= {"partner_id": self.user.partner_id.id, "email": "a@thief.example"}
        self.url_open("/my/address/submit", data=form)
        self.assertEqual(self.user.partner_id.email, EMAIL)

    def test_others_still_get_a_link(self):
        other = self.env.ref("base.user_admin")
        other.email = "staff@people.example"
        other._action_reset_password()
        self.assertEqual(other.partner_id.signup_type, "reset")

    def test_session_of_another_login_is_not_accepted(self):
        beneficiaries = self.env["spar.beneficiary"].with_user(self.user)
        with self.within_request():
            self.assertTrue(beneficiaries._get_current())
        with self.within_request() as page:
            page.session.pop(LOGIN)
            with self.assertRaises(NotLoggedIn):
                beneficiaries._get_current()
