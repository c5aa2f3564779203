from odoo.exceptions import AccessError, ValidationError
from odoo.tests import HttpCase, new_test_user, tagged

from odoo.addons.spar_mapper_connector.expressions import scheduled
from odoo.addons.spar_mapper_connector.tests.loading_case import loading_addon
from odoo.addons.spar_staff_login.lib import hosts

INTERNAL, VIEWER = "base.group_user", "spar_fa_directory.group_viewer"
#: A template's line that names the user who opens a page.
WHO = """<i t-out="'visitor=%s;' % request.env.user.id"/>"""


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

    def test_no_page_of_ours_leads_to_the_network_of_a_website(self):
        """A designer sets it: it would be put before each link of a page."""
        self.env["website"].get_current_website().write(
            {
                "cdn_activated": True,
                "cdn_url": "https://designer.example/",
                "cdn_filters": "^/",
            }
        )
        for path, status in (("/spar", 200), ("/spar/xyz", 404), ("/elsewhere", 404)):
            with self.subTest(path):
                page = self.url_open(path)
                self.assertEqual(page.status_code, status)
                is_ours = path.startswith("/spar")
                self.assertEqual("designer.example" not in page.text, is_ours)

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

    def test_no_other_page_moves_to_our_pages_or_the_login(self):
        """A route with a template that a designer edits would be served there."""
        rewrites = self.env["website.rewrite"]
        values = {"name": "x", "url_from": "/website/info"}
        for path in ("/spar/help", "/web/login/help", "/odoo/help", "/report/html/x"):
            with self.subTest(path), self.assertRaises(ValidationError):
                rewrites.create({**values, "redirect_type": "308", "url_to": path})
            # A link to the login, or to one's account, is no page of its own.
            rewrites.create({**values, "redirect_type": "302", "url_to": path})

    def test_a_moved_page_is_not_served_there(self):
        """Cover a redirect from before, and one that plain SQL adds."""
        rewrite = self.env["website.rewrite"].create(
            {
                "name": "x",
                "redirect_type": "302",
                "url_from": "/website/info",
                "url_to": "/about-us-all",
            }
        )
        for path, status in (
            ("/spar/help", 404),
            ("/web/login/help", 404),
            ("/about-us-all", 200),
        ):
            with self.subTest(path):
                self.env.cr.execute(
                    "UPDATE website_rewrite SET redirect_type = '308', url_to = %s"
                    " WHERE id = %s",
                    (path, rewrite.id),
                )
                self.env.invalidate_all()
                self.registry.clear_cache("routing")
                self.assertEqual(self.url_open(path).status_code, status)

    def test_a_visitor_is_nobody_else(self):
        """A designer chooses the user of a website's visitors: staff, for example."""
        viewer = new_test_user(self.env, "test_visitor", groups=f"{INTERNAL},{VIEWER}")
        clerk = new_test_user(self.env, "test_clerk", groups=INTERNAL)
        website = self.env["website"].get_current_website()
        public = self.env.ref("base.public_user")
        own = public.copy({"login": "own visitor"})
        self.env["ir.ui.view"].create(
            {
                "name": "x",
                "type": "qweb",
                "inherit_id": self.env.ref("website.website_info").id,
                "arch": f"<div id='wrap' position='inside'>{WHO}</div>",
            }
        )
        page = {"name": "x", "type": "qweb", "is_published": True}
        for user, seen in ((viewer, public), (clerk, public), (own, own)):
            website.user_id = user
            url = f"/who/{user.id}"
            arch = f"<t t-name='x'><div>{WHO}</div></t>"
            self.env["website.page"].create({**page, "url": url, "arch": arch})
            for path in (url, "/website/info"):
                with self.subTest(path, user=user.login):
                    shown = self.url_open(path).text
                    self.assertIn(f"visitor={seen.id};", shown)

    def test_only_an_administrator_moves_a_website(self):
        """Links in mails to staff lead to its domain."""
        roles = f"{INTERNAL},website.group_website_designer"
        designer = new_test_user(self.env, "test_designer", groups=roles)
        groups = f"{roles},base.group_system"
        administrator = new_test_user(self.env, "test_administrator", groups=groups)
        website = self.env["website"].get_current_website()
        moved = {"domain": "https://other.example"}
        self.enterContext(scheduled())
        with self.assertRaises(AccessError):
            website.with_user(designer).write(moved)
        with self.assertRaises(AccessError):
            website.with_user(designer).create({"name": "x", **moved})
        website.with_user(designer).name = "Still edited"
        website.with_user(administrator).write(moved)
        self.assertEqual(website.domain, "https://other.example")

    def test_a_block_shows_a_record_only_to_its_readers(self):
        """The route reads one record of any model, as superuser."""
        viewer = new_test_user(self.env, "test_blocks", groups=INTERNAL)
        filters = self.env["website.snippet.filter"].with_user(viewer).sudo().new({})
        filters = filters.with_context(default_field_names="name")
        parameter = self.env["ir.config_parameter"].search([], limit=1)
        country = self.env.ref("base.be")
        for record, is_shown in ((parameter, False), (country, True)):
            with self.subTest(record._name):
                shown = filters.with_context(
                    default_field_names="name"
                )._prepare_values(1, res_model=record._name, res_id=record.id)
                self.assertEqual(bool(shown), is_shown)
        for model, number in (("res.country", "1"), ("x.none", 1), ("res.country", -1)):
            with self.subTest(model, number=number):
                found = filters._prepare_values(1, res_model=model, res_id=number)
                self.assertEqual(found, [])

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
