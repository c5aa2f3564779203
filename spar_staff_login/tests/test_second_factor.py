import re
import xmlrpc.client
from datetime import datetime, timedelta
from unittest.mock import patch

from odoo.exceptions import AccessDenied
from odoo.tests import tagged
from odoo.tools import mute_logger

from .common import PASSWORD, StaffCase, compute_code

MODELS = "odoo.addons.auth_passkey.models.auth_passkey_key.AuthPasskeyKey"
PAGE = "/web/second-factor"
KEYS = "odoo.addons.spar_mapper_connector.models.res_users_account"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


@tagged("post_install", "-at_install")
class TestSecondFactor(StaffCase):
    """A user with a role needs a second factor before anything else opens."""

    def setUp(self):
        super().setUp()
        self.set_environment(factor="on")

    def make_passkey(self, user):
        key = (
            self.env["auth.passkey.key"]
            .with_user(user)
            .sudo()
            .create({"name": "x", "credential_identifier": "abc"})
        )
        self.env.invalidate_all()
        return key

    def make_api_key(self, user):
        """Return a key from before the user had a role."""
        keys = self.env["res.users.apikeys"].with_user(user)
        until = datetime.now() + timedelta(days=1)
        with patch.object(type(user), "_has_spar_role", lambda user: False):
            return keys.sudo()._generate("rpc", "test", until)

    def set_up_app(self, page):
        secret = re.search(r"<code>([A-Z2-7 ]+)</code>", page.text).group(1)
        form = {"csrf_token": self.get_token(), "code": compute_code(secret)}
        return self.open(PAGE, data=form)

    def test_second_factor_is_required_unless_switched_off(self):
        for value, needed in (("on", True), ("", True), ("OFF", False), ("of", True)):
            with self.subTest(value):
                self.set_environment(factor=value)
                self.assertEqual(self.officer._lacks_second_factor(), needed)
        self.set_environment(factor="on")
        self.assertFalse(self.employee._lacks_second_factor())

    def test_every_role_needs_a_second_factor(self):
        for role in ("viewer", "officer", "supervisor", "auditor", "administrator"):
            with self.subTest(role):
                group = self.env.ref(f"spar_fa_directory.group_{role}")
                self.employee.group_ids = self.env.ref("base.group_user") + group
                self.assertTrue(self.employee._lacks_second_factor())

    def test_no_other_page_opens_before_the_set_up(self):
        self.log_in(self.officer.login)
        for path in ("/odoo", "/web", "/odoo/action-1", "/web/become", "/spar/agent"):
            with self.subTest(path):
                answer = self.open(path)
                self.assertEqual(answer.status_code, 303)
                self.assertEqual(answer.headers["Location"], PAGE)
        self.assertEqual(self.open(PAGE).status_code, 200)

    @mute_logger("odoo.http")
    def test_no_call_is_answered_before_the_set_up(self):
        self.log_in(self.officer.login)
        answer = self.call("spar.fsp", "search_count", [])
        self.assertIn("AccessDenied", answer.text)

    def test_files_are_not_served_before_the_set_up(self):
        attachment = (
            self.env["ir.attachment"]
            .with_user(self.officer)
            .create(
                {"name": "x.txt", "raw": b"for the officer", "mimetype": "text/plain"}
            )
        )
        self.log_in(self.officer.login)
        answer = self.open(f"/web/content/{attachment.id}")
        self.assertNotIn("for the officer", answer.text)

    @mute_logger("odoo.http", KEYS)
    def test_api_keys_do_not_work_before_the_set_up(self):
        key = self.make_api_key(self.officer)
        self.officer.totp_secret = SECRET
        answer = self.send(
            "/json/2/spar.fsp/search_count",
            '{"domain": []}',
            Content_Type="application/json",
            Authorization=f"Bearer {key}",
        )
        self.assertEqual(answer.status_code, 401)

    @mute_logger("odoo.addons.rpc.controllers.xmlrpc", "odoo.http", KEYS)
    def test_neither_key_nor_password_works_in_the_old_protocol(self):
        key = self.make_api_key(self.officer)
        self.officer.totp_secret = SECRET
        name, uid = self.env.cr.dbname, self.officer.id
        call = ("spar.fsp", "search_count", [[]])
        for secret in (key, PASSWORD):
            with self.assertRaises(xmlrpc.client.Fault):
                self.xmlrpc_object.execute_kw(name, uid, secret, *call)
        employee_key = self.make_api_key(self.employee)
        with self.assertRaisesRegex(xmlrpc.client.Fault, "allowed"):
            self.xmlrpc_object.execute_kw(name, self.employee.id, employee_key, *call)

    def test_everything_opens_after_the_set_up(self):
        self.log_in(self.officer.login)
        answer = self.set_up_app(self.open(PAGE))
        self.assertEqual(answer.headers["Location"], "/odoo")
        self.assertTrue(self.officer.totp_enabled)
        self.assertEqual(self.open("/odoo").status_code, 200)
        self.assertIn('"result"', self.call("spar.fsp", "search_count", []).text)
        self.assertEqual(self.open(PAGE).headers["Location"], "/odoo")

    def test_wrong_digits_set_up_nothing(self):
        self.log_in(self.officer.login)
        self.open(PAGE)
        for code in ("", "abc", "000000", "1" * 50):
            form = {"csrf_token": self.get_token(), "code": code}
            answer = self.open(PAGE, data=form)
            self.assertEqual(answer.status_code, 200, code)
            self.assertIn('role="alert"', answer.text)
        self.assertFalse(self.officer.totp_enabled)

    def test_old_login_must_be_renewed_before_the_set_up(self):
        self.log_in(self.officer.login)
        page = self.open(PAGE)
        with patch(
            "odoo.addons.spar_staff_login.controllers.second_factor.FRESH_SECONDS", -1
        ):
            self.assertEqual(self.set_up_app(page).headers["Location"], "/web/login")
        self.assertFalse(self.officer.totp_enabled)

    def test_user_who_removes_the_second_factor_must_set_up_another(self):
        self.log_in(self.officer.login)
        self.set_up_app(self.open(PAGE))
        self.officer.totp_secret = False
        self.env.flush_all()
        self.log_in(self.officer.login)
        self.assertEqual(self.open("/odoo").headers["Location"], PAGE)

    def test_passkey_is_created_on_the_page(self):
        self.log_in(self.officer.login)
        self.assertIn("data-options", self.open(PAGE).text)
        form = {"csrf_token": self.get_token(), "registration": "nonsense"}
        answer = self.open(f"{PAGE}/passkey", data=form)
        self.assertIn('role="alert"', answer.text)
        made = {"credential_id": b"abc", "credential_public_key": b"key"}
        with patch(f"{MODELS}._verify_registration_options", return_value=made):
            form["registration"] = '{"id": "abc"}'
            answer = self.open(f"{PAGE}/passkey", data=form)
        self.assertEqual(answer.headers.get("Location"), "/odoo")
        self.assertTrue(self.officer.auth_passkey_key_ids)
        self.assertEqual(self.open("/odoo").status_code, 200)

    def test_with_a_passkey_a_password_alone_is_not_enough(self):
        self.make_passkey(self.officer)
        answer = self.log_in(self.officer.login)
        self.assertEqual(answer.status_code, 200)
        self.assertIn("Log in with your passkey", answer.text)
        self.assertTrue(self.officer._rpc_api_keys_only())
        with self.assertRaises(AccessDenied):
            self.env["res.users"]._check_uid_passwd(self.officer.id, PASSWORD)

    def test_a_newcomer_of_the_demo_logs_in_with_the_password(self):
        self.set_environment(factor="off")
        self.log_in(self.officer.login)
        self.assertEqual(self.open("/odoo").status_code, 200)
        self.assertEqual(self.open(PAGE).headers["Location"], "/odoo")

    def test_staff_without_a_role_need_no_second_factor(self):
        self.log_in(self.employee.login)
        self.assertEqual(self.open("/odoo").status_code, 200)
