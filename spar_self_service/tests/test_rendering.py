from unittest.mock import patch

from odoo.exceptions import AccessError, ValidationError
from odoo.fields import Command
from odoo.tests import HttpCase, new_test_user, tagged
from odoo.tools import mute_logger

from odoo.addons.spar_mapper_connector.expressions import scheduled
from odoo.addons.spar_mapper_connector.tests.loading_case import loading_addon
from odoo.addons.spar_staff_login.lib import hosts

LOGGER = "odoo.addons.spar_self_service.models.ir_http"
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

    def test_a_route_gets_no_placeholder_of_a_website(self):
        """Its domain would be evaluated as superuser, or in the name of staff."""
        rewrites = self.env["website.rewrite"]
        code = """/x<model("res.lang"):a>-<model("res.lang", "[('id', '=', a)]"):b>"""
        values = {"name": "x", "url_from": "/website/info", "redirect_type": "308"}
        for path in (code, "/x<model('res.partner'):a>", "/x-<path:p>"):
            with self.subTest(path), self.assertRaises(ValidationError):
                rewrites.new({**values, "url_to": path})._check_placeholders()
        renamed = {"url_from": "/old/<id>/<field>", "url_to": "/new/<id>/<field>"}
        rewrites.new({**values, **renamed})._check_placeholders()
        # One from before.
        rewrite = rewrites.create(
            {**values, "redirect_type": "302", "url_to": "/about-us-all"}
        )
        self.assertEqual(rewrites._find_foreign_code(), [])
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE website_rewrite SET redirect_type = '308', url_to = %s"
            " WHERE id = %s",
            (code, rewrite.id),
        )
        self.env.invalidate_all()
        self.registry.clear_cache("routing")
        self.assertEqual(rewrites._find_foreign_code(), rewrite.ids)
        with self.assertLogs(LOGGER, "ERROR"):
            self.assertEqual(self.url_open("/spar").status_code, 200)
            pages = self.url_open("/sitemap.xml")
        self.assertEqual(pages.status_code, 200)
        self.assertNotIn("english", pages.text.lower())
        self.registry.clear_cache("routing")

    def test_a_page_that_looks_like_ours_is_not_served(self):
        values = {"type": "qweb", "is_published": True, "arch": "<p>imitated</p>"}
        for number, url in enumerate(("/SPAR/help", "/spar.", "/web/second-factor/x")):
            values.update(name=f"x{number}", url=url, key=f"website.x{number}")
            self.env["website.page"].create(values)
            with self.subTest(url):
                self.assertNotIn("imitated", self.url_open(url).text)

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

    def test_only_an_administrator_opens_the_sign_up(self):
        """Who may have an account here is no matter of a page's layout."""
        roles = f"{INTERNAL},website.group_website_designer"
        designer = new_test_user(self.env, "test_designer", groups=roles)
        website = self.env["website"].get_current_website()
        as_designer = website.with_user(designer)
        self.enterContext(scheduled())
        for values in (
            {"auth_signup_uninvited": "b2c"},
            {"specific_user_account": True},
            {"user_id": self.env.user.id},
        ):
            with self.subTest(values):
                with self.assertRaises(AccessError):
                    as_designer.write(values)
                with self.assertRaises(AccessError):
                    as_designer.create({"name": "x", **values})
        # A form sends back what there is.
        names = ("auth_signup_uninvited", "specific_user_account", "user_id")
        unchanged = website.read(names, load=None)[0]
        as_designer.write({"name": "Still edited", **unchanged})
        self.assertEqual(website.name, "Still edited")


@tagged("-at_install", "post_install")
class TestWebsiteSettings(HttpCase):
    """Our pages and the login, whatever a designer has set for the website."""

    PATHS = ("/spar", "/spar/language", "/web/login", "/web/reset_password")

    def setUp(self):
        super().setUp()
        self.website = self.env["website"].get_current_website()
        languages = self.env["res.lang"].with_context(active_test=False)
        self.inactive = languages.search([("active", "=", False)], limit=1)

    def set_languages(self, default, offered) -> None:
        """Set them past the constraint, as in a database from before."""
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE website SET default_lang_id = %s WHERE id = %s",
            (default.id, self.website.id),
        )
        self.env.cr.execute(
            "DELETE FROM website_lang_rel WHERE website_id = %s", (self.website.id,)
        )
        for language in offered:
            self.env.cr.execute(
                "INSERT INTO website_lang_rel (website_id, lang_id) VALUES (%s, %s)",
                (self.website.id, language.id),
            )
        self.env.invalidate_all()
        self.registry.clear_all_caches()

    def assert_served(self) -> None:
        for path in self.PATHS:
            with self.subTest(path):
                self.assertEqual(self.url_open(path).status_code, 200)
        page = self.url_open("/spar/nothing-here")
        self.assertEqual(page.status_code, 404)
        self.assertNotIn("data-website-id", page.text)
        self.assertIn("/spar/style/", page.text)

    def test_a_website_without_an_active_language(self):
        english = self.env.ref("base.lang_en")
        for default, offered in (
            (self.inactive, self.inactive),
            (self.inactive, english),
            (self.inactive, self.inactive.browse()),
            (english, self.inactive),
        ):
            with self.subTest(default=default.code, offered=offered.mapped("code")):
                self.set_languages(default, offered)
                self.assert_served()
                self.assertIn('lang="en', self.url_open("/spar").text)

    def test_a_language_that_is_not_active_is_refused(self):
        english = self.env.ref("base.lang_en")
        for values in (
            {"default_lang_id": self.inactive.id},
            {"language_ids": [Command.set(self.inactive.ids)]},
            {"language_ids": [Command.clear()]},
        ):
            with self.subTest(values), self.assertRaises(ValidationError):
                self.website.write(values)
            with self.subTest(values, new=True), self.assertRaises(ValidationError):
                self.env["website"].create({"name": "x", **values})
        self.website.write(
            {
                "default_lang_id": english.id,
                "language_ids": [Command.set((english | self.inactive).ids)],
            }
        )

    def test_a_website_of_a_company_of_which_its_visitors_are_no_part(self):
        other = self.env["res.company"].create({"name": "Other"})
        public = self.env.ref("base.public_user")
        self.website.write({"company_id": other.id, "user_id": public.id})
        self.assert_served()

    def test_a_second_website_that_comes_first(self):
        website = self.env["website"].create({"name": "Second", "sequence": -5})
        self.assertEqual(self.website.search([], limit=1), website)
        self.assert_served()

    def test_a_public_user_who_is_archived(self):
        user = self.env.ref("base.public_user").copy({"login": "archived visitor"})
        self.website.user_id = user
        user.active = False
        self.assert_served()

    def test_an_error_of_the_website_shows_no_page_of_it(self):
        """Odoo raises it again while it makes the error page, or makes none."""
        websites = type(self.website)
        usual = websites._get_cached
        for lacking in ("user_id", "company_id"):

            def _get_cached(website, name, lacking=lacking):
                return usual(website, {lacking: "nothing"}.get(name, name))

            with (
                self.subTest(lacking),
                patch.object(websites, "_get_cached", _get_cached),
                mute_logger("odoo.http", LOGGER),
            ):
                page = self.url_open("/spar")
                self.assertEqual(page.status_code, 503)
                self.assertIn("Nothing was changed", page.text)
                self.assertNotIn("data-website-id", page.text)

    def test_any_value_of_a_text(self):
        for name in ("name", "homepage_url", "cdn_url", "cdn_filters", "robots_txt"):
            for value in ("/" + "x" * 3000, "/spar", "/%s{}<b>\x01["):
                with self.subTest(name, value=value[:10]):
                    self.website.write({name: value, "cdn_activated": True})
                    self.assert_served()
        self.website.write({"cookies_bar": True, "block_third_party_domains": True})
        self.website.custom_blocked_third_party_domains = "\n\n"
        self.assert_served()
