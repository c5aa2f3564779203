"""No code of a web designer runs where people type a password or a code."""

import re

from odoo.tests import tagged

from .common import PASSWORD, StaffCase

TEMPLATES = (
    "web.login",
    "web.login_layout",
    "auth_signup.reset_password",
    "auth_totp.auth_totp_form",
)
SCRIPT = "<script>steal()</script>"


@tagged("post_install", "-at_install")
class TestLoginPages(StaffCase):
    """Without a host of their own, these pages share that of the website."""

    def setUp(self):
        super().setUp()
        self.set_environment(host="", factor="off")

    def add_code(self):
        """Add a script wherever a designer can, and where only SQL can."""
        views = self.env["ir.ui.view"]
        self.patch(type(views), "_check_frames", lambda views: None)
        for name in TEMPLATES:
            views.create(
                {
                    "name": "designer",
                    "type": "qweb",
                    "inherit_id": self.env.ref(name).id,
                    "arch": f'<xpath expr="//t" position="inside">{SCRIPT}</xpath>'
                    if name != "web.login_layout"
                    else f'<xpath expr="." position="inside">{SCRIPT}</xpath>',
                }
            )
        if "website" in self.env:
            self.env["website"].search([]).write(
                {"custom_code_head": SCRIPT, "custom_code_footer": SCRIPT}
            )

    def begin_second_step(self):
        secret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
        self.officer.totp_secret = secret
        self.env.flush_all()
        self.assertEqual(self.log_in(self.officer.login).status_code, 303)

    def assert_closed(self, page):
        self.assertEqual(page.status_code, 200)
        self.assertNotIn("steal()", page.text)
        self.assertNotIn("web.assets_frontend", page.text)
        policy = page.headers["Content-Security-Policy"]
        (nonce,) = re.findall(r"script-src 'nonce-([\w-]+)' 'strict-dynamic';", policy)
        self.assertNotIn("unsafe", policy)
        self.assertIn("frame-ancestors 'none'", policy)
        for script in re.findall(r"<script[^>]*>", page.text):
            self.assertIn(f'nonce="{nonce}"', script)
        self.assertEqual(page.headers["X-Frame-Options"], "DENY")
        self.assertEqual(page.headers["Cross-Origin-Opener-Policy"], "same-origin")
        self.assertEqual(page.headers["Cache-Control"], "no-store")

    def test_login_and_password(self):
        self.add_code()
        partner = self.officer.partner_id
        partner.signup_prepare(signup_type="reset")
        url = partner._get_signup_url_for_action()[partner.id]
        self.env["ir.config_parameter"].set_param("auth_signup.reset_password", "True")
        link = url[url.index("/web/") :]
        for path in ("/web/login", "/web/reset_password", link):
            with self.subTest(path):
                self.assert_closed(self.open(path))

    def test_wrong_password(self):
        self.add_code()
        self.assert_closed(self.log_in(self.officer.login, "wrong"))

    def test_code(self):
        self.add_code()
        self.begin_second_step()
        self.assert_closed(self.open("/web/login/totp"))

    def test_set_up_of_a_second_factor(self):
        self.set_environment(factor="on")
        self.log_in(self.officer.login)
        self.assert_closed(self.open("/web/second-factor"))

    def test_page_that_a_designer_has_hidden(self):
        """A website asks for another password there, on a page of its own."""
        view = self.env.ref("web.login")
        if "visibility" not in view._fields:
            self.skipTest("There is no website in this database.")
        view.write({"visibility": "password", "visibility_password": "x"})
        self.assert_closed(self.open("/web/login"))

    def test_staff_change_no_password_on_a_website(self):
        if "website" not in self.env:
            self.skipTest("There is no website in this database.")
        self.authenticate(self.officer.login, PASSWORD)
        answer = self.open("/my/security")
        self.assertEqual(answer.status_code, 303)
        self.assertTrue(answer.headers["Location"].endswith("/odoo"))
        self.authenticate(self.employee.login, PASSWORD)
        self.assertEqual(self.open("/my/security").status_code, 200)

    def test_other_ways_to_log_in_are_links(self):
        if "auth.oauth.provider" not in self.env:
            self.skipTest("There are no providers in this database.")
        providers = self.env["auth.oauth.provider"]
        providers.search([]).enabled = False
        for name, address in (("Good", "https://x.example"), ("Bad", "javascript:x")):
            providers.create(
                {
                    "name": name,
                    "body": f"Log in with {name}",
                    "client_id": "x",
                    "enabled": True,
                    "auth_endpoint": address,
                    "validation_endpoint": address,
                }
            )
        page = self.open("/web/login").text
        self.assertIn("Log in with Good", page)
        self.assertNotIn("javascript:", page)

    def test_no_file_of_a_designer_is_a_service_worker(self):
        """It would answer in place of the server: also for the login page."""
        files = self.env["ir.attachment"].create(
            [
                {
                    "name": "x.js",
                    "raw": b"self.onfetch = steal",
                    "mimetype": "text/javascript",
                    "url": "/web/x.js",
                    "type": "binary",
                    "public": True,
                }
            ]
        )
        for path in ("/web/x.js", f"/web/content/{files.id}"):
            with self.subTest(path):
                self.assertEqual(self.open(path).status_code, 200)
                answer = self.open(path, Service_Worker="script")
                self.assertEqual(answer.status_code, 404)
                self.assertNotIn("steal", answer.text)
        answer = self.open("/web/service-worker.js", Service_Worker="script")
        self.assertEqual(answer.status_code, 200)
