from odoo.exceptions import ValidationError
from odoo.tests import HttpCase, tagged

from odoo.addons.spar_mapper_connector.tests.loading_case import loading_addon
from odoo.addons.spar_staff_login.lib import hosts


@tagged("-at_install", "post_install")
class TestRendering(HttpCase):
    def test_our_pages_are_not_rendered_from_views(self):
        """Check that a designer's changes to the views of our pages are never shown."""
        keys = ["spar_self_service.layout", "spar_self_service.login_page"]
        views = self.env["ir.ui.view"].search([("key", "in", keys)])
        self.assertEqual(len(views), 2)
        # Refused at other times.
        with loading_addon(self.registry, "spar_self_service"):
            for view in views:
                view.arch_db = '<t t-name="x"><p>written by a designer</p></t>'
        self.env.registry.clear_cache("templates")
        page = self.url_open("/spar").text
        self.assertNotIn("written by a designer", page)
        self.assertIn("<main", page)

    def test_our_pages_and_the_login_cannot_be_redirected(self):
        rewrites = self.env["website.rewrite"]
        values = {"name": "x", "redirect_type": "308", "url_to": "/elsewhere"}
        for path in (
            "/spar",
            "/spar/notice/<token>",
            "SPAR/address",
            "/web/login",
            "/odoo",
            "/web/assets/x.js",
            "/mail/data",
            "/bus/websocket_worker_bundle",
            "/auth/passkey/start-auth",
            *hosts.STAFF_PATHS,
        ):
            with self.subTest(path), self.assertRaises(ValidationError):
                rewrites.create({**values, "url_from": path})
        rewrites.new({**values, "url_from": "/sparkling"})._check_protected_paths()

    def test_no_page_of_a_designer_is_under_our_path(self):
        """A page there would look like one of ours."""
        page = {"name": "x", "type": "qweb", "is_published": True}
        file = {"name": "x", "mimetype": "text/html", "public": True}
        for path in ("/spar/verify", "/spar/address/verify", "/elsewhere"):
            arch = f'<t t-name="x"><p>written by a designer: {path}</p></t>'
            self.env["website.page"].create({**page, "url": path, "arch": arch})
        raw = b"<p>written by a designer: a file</p>"
        self.env["ir.attachment"].create({**file, "url": "/spar/file", "raw": raw})
        for path in ("/spar/verify", "/spar/address/verify", "/spar/file"):
            with self.subTest(path):
                answer = self.url_open(path)
                self.assertNotIn("written by a designer", answer.text)
                self.assertEqual(answer.status_code, 404)
        self.assertIn("written by a designer", self.url_open("/elsewhere").text)
