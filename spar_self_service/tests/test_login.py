from urllib.parse import urlsplit

from odoo.tests import tagged

from .common import LoginCase


@tagged("post_install", "-at_install")
class TestLogin(LoginCase):
    def test_first_login_makes_a_portal_user_who_says_nothing_of_the_person(self):
        answer = self.log_in()
        self.assertEqual(urlsplit(answer.headers["Location"]).path, "/spar")
        user = self.get_session_user()
        self.assertTrue(user._is_portal())
        self.assertFalse(user._is_internal())
        self.assertRegex(user.login, r"^person-[0-9a-f-]{36}$")
        self.assertFalse(user.email)
        self.assertFalse(user.oauth_access_token)
        self.assertNotIn("Asha", user.name)

    def test_identity_is_what_the_provider_said(self):
        self.log_in()
        user = self.get_session_user()
        person = self.env["spar.beneficiary"].with_user(user)._get_current()
        self.assertEqual(person.id_value, "token:7712345678@nationalid")
        self.assertEqual(person.id_type, "national_id")
        self.assertEqual(person.name, "Asha Devi")
        self.assertEqual(person.contacts.email, "asha@people.example")
        self.assertEqual(person.contacts.phone_number, "")
