import re
import socket
from urllib.parse import urlsplit

from odoo import http
from odoo.exceptions import ValidationError
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.spar_mapper_connector.lib import bundles

from ..lib import hosts
from .common import PASSWORD, StaffCase

STAFF, WEBSITE = "staff.example.org", "www.example.org"


@tagged("post_install", "-at_install")
class TestHosts(StaffCase):
    """Staff screens and website pages do not share an origin."""

    def setUp(self):
        super().setUp()
        self.set_environment(host=STAFF)

    def test_staff_login_is_on_the_staff_host_only(self):
        page = self.open("/web/login", Host=STAFF)
        self.assertEqual(page.status_code, 200)
        self.assertEqual(self.open("/web/login", Host=WEBSITE).status_code, 404)
        answer = self.log_in(self.officer.login, Host=WEBSITE)
        self.assertEqual(answer.status_code, 404)
        answer = self.log_in(self.officer.login, Host=STAFF)
        self.assertEqual(answer.status_code, 303)

    def test_staff_login_has_no_website_frame(self):
        """Cover what a designer writes into every page, or into the login's view."""
        view = self.env.ref("web.login")
        script = "<t><script>steal()</script></t>"
        views = self.env["ir.ui.view"]
        # The registry refuses it; somebody with SQL could put it there.
        self.patch(type(views), "_check_frames", lambda views: None)
        views.create(
            {
                "name": "designer",
                "type": "qweb",
                "inherit_id": view.id,
                "arch": f'<xpath expr="//form" position="before">{script}</xpath>',
            }
        )
        for path in ("/web/login", "/web/reset_password"):
            page = self.open(path, Host=STAFF)
            self.assertNotIn("steal()", page.text)
            self.assertNotIn("web.assets_frontend", page.text)

    def test_web_client_is_on_the_staff_host_only(self):
        self.authenticate(self.officer.login, PASSWORD)
        self.assertEqual(self.open("/odoo", Host=STAFF).status_code, 200)
        for path in ("/odoo", "/web", "/odoo/action-1", "/scoped_app/x"):
            answer = self.open(path, Host=WEBSITE)
            self.assertEqual(answer.status_code, 303)
            self.assertEqual(answer.headers["Location"], f"http://{STAFF}/odoo")

    def test_calls_of_the_web_client_are_on_the_staff_host_only(self):
        self.authenticate(self.officer.login, PASSWORD)
        answer = self.call("spar.fsp", "search_count", [], Host=STAFF)
        self.assertIn('"result"', answer.text)
        answer = self.call("spar.fsp", "search_count", [], Host=WEBSITE)
        self.assertNotIn('"result"', answer.text)
        for path in ("/web/become", "/web/webclient/load_menus", "/xmlrpc/2/common"):
            self.assertIn(self.open(path, Host=WEBSITE).status_code, (404, 405), path)

    @mute_logger("odoo.http")
    def test_remote_calls_are_on_the_staff_host_only(self):
        headers = {"Content-Type": "application/json", "Authorization": "Bearer x"}
        for host, status in ((STAFF, 401), (WEBSITE, 404)):
            path = "/json/2/spar.fsp/search_count"
            answer = self.send(path, "{}", **headers, Host=host)
            self.assertEqual(answer.status_code, status)

    def test_staff_session_is_not_valid_on_other_hosts(self):
        attachment = (
            self.env["ir.attachment"]
            .with_user(self.officer)
            .create({"name": "x", "raw": b"for the officer", "mimetype": "text/plain"})
        )
        path = f"/web/content/{attachment.id}"
        for host, served in ((STAFF, True), (WEBSITE, False)):
            self.authenticate(self.officer.login, PASSWORD)
            answer = self.open(path, Host=host)
            self.assertEqual("for the officer" in answer.text, served, host)
        self.authenticate(self.officer.login, PASSWORD)
        self.assertNotEqual(self.open("/my/home", Host=WEBSITE).status_code, 200)

    def test_no_website_page_is_on_the_staff_host(self):
        for path in ("/my", "/my/home", "/web/signup", "/spar", "/no-such-page"):
            with self.subTest(path):
                answer = self.open(path, Host=STAFF)
                self.assertEqual(answer.status_code, 404)
                self.assertNotIn("<script", answer.text)
                self.assertNotIn("wrapwrap", answer.text)

    def test_designed_page_is_not_on_the_staff_host(self):
        if "website.page" not in self.env:
            self.skipTest("There is no website in this database.")
        view = self.env["ir.ui.view"].create(
            {
                "name": "designer",
                "type": "qweb",
                "key": "website.designer_page",
                "arch": "<t t-name='website.designer_page'><p>mine</p></t>",
            }
        )
        self.env["website.page"].create(
            {"url": "/mine", "view_id": view.id, "is_published": True}
        )
        self.assertIn("mine", self.open("/mine", Host=WEBSITE).text)
        answer = self.open("/mine", Host=STAFF)
        self.assertEqual(answer.status_code, 404)
        self.assertNotIn("mine", answer.text)

    def test_first_page_of_the_staff_host_redirects_to_the_web_client(self):
        answer = self.open("/", Host=STAFF)
        self.assertEqual(answer.status_code, 303)
        self.assertEqual(answer.headers["Location"], "/odoo")

    def test_uploaded_page_runs_no_script_on_the_staff_host(self):
        attachment = self.env["ir.attachment"].create(
            {
                "name": "x.html",
                "raw": b"<script>steal()</script>",
                "mimetype": "text/html",
                "url": "/x.html",
                "type": "binary",
                "public": True,
            }
        )
        answer = self.open(f"/web/content/{attachment.id}", Host=STAFF)
        self.assertEqual(answer.headers["Content-Security-Policy"], "sandbox")
        self.assertEqual(self.open("/x.html", Host=STAFF).status_code, 404)

    def test_no_page_runs_a_script_before_the_login(self):
        """Left open, it would act as the officer who logs in in another tab."""
        channel = self.env["discuss.channel"].create(
            {"name": "x", "channel_type": "channel", "group_public_id": False}
        )
        for login in (None, self.employee.login):
            self.authenticate(login, login and PASSWORD)
            for host, is_closed in ((STAFF, True), (WEBSITE, False)):
                with self.subTest(host, login=login):
                    page = self.open(channel.invitation_url, Host=host)
                    self.assertIn("<script", page.text)
                    policy = page.headers.get("Content-Security-Policy", "")
                    self.assertEqual("script-src 'none'" in policy, is_closed)

    def test_page_of_a_neighbouring_host_cannot_send_forms_or_open_websockets(self):
        self.authenticate(self.officer.login, PASSWORD)
        foreign = {"Host": STAFF, "Origin": f"https://{WEBSITE}"}
        answer = self.call("spar.fsp", "search_count", [], **foreign)
        self.assertNotIn('"result"', answer.text)
        own = {"Host": STAFF, "Origin": f"http://{STAFF}"}
        self.assertIn('"result"', self.call("spar.fsp", "search_count", [], **own).text)
        self.assertIn(b" 404 ", self.begin_websocket(f"https://{WEBSITE}"))
        self.assertNotIn(b" 404 ", self.begin_websocket(f"http://{STAFF}"))

    def test_form_of_a_page_is_recognised_by_its_origin(self):
        """A browser names no origin where the page's policy is "no-referrer"."""
        page = self.open("/web/login", Host=STAFF)
        self.assertEqual(page.headers["Referrer-Policy"], "strict-origin")
        for origin, status in ((f"http://{STAFF}", 303), ("null", 404)):
            headers = {"Host": STAFF, "Origin": origin}
            answer = self.log_in(self.officer.login, **headers)
            self.assertEqual(answer.status_code, status, origin)

    def begin_websocket(self, origin):
        """Request a websocket; return the first line of the answer."""
        lines = (
            "GET /websocket HTTP/1.1",
            f"Host: {STAFF}",
            f"Origin: {origin}",
            f"Cookie: session_id={self.sid}",
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: x",
        )
        address = urlsplit(self.base_url())
        place = (address.hostname, address.port)
        with (
            self.allow_requests(all_requests=True),
            socket.create_connection(place, timeout=10) as connection,
        ):
            connection.sendall("\r\n".join([*lines, "", ""]).encode())
            return connection.recv(4096).partition(b"\r\n")[0]

    def test_session_cookie_belongs_to_its_host(self):
        self.sid = ""
        answer = self.open("/web/login", Host=STAFF)
        cookies = answer.headers.get("Set-Cookie", "")
        self.assertIn("session_id=", cookies)
        self.assertNotIn("domain", cookies.lower())

    def test_a_port_counts_where_it_is_set(self):
        self.set_environment(host=f"{STAFF}:8443")
        self.assertEqual(self.open("/web/login", Host=STAFF).status_code, 404)
        answer = self.open("/web/login", Host=f"{STAFF}:8443")
        self.assertEqual(answer.status_code, 200)

    def test_passkeys_and_links_are_for_the_staff_host(self):
        self.set_environment(factor="on")
        self.log_in(self.officer.login, Host=STAFF)
        page = self.open("/web/second-factor", Host=STAFF).text
        self.assertIn(f"&#34;id&#34;: &#34;{STAFF}&#34;", page)
        partner = self.officer.partner_id
        partner.signup_prepare(signup_type="reset")
        url = partner._get_signup_url_for_action()[partner.id]
        self.assertIn(f"//{STAFF}/web/reset_password", url)

    def add_script_of_a_website(self):
        """Add a script to the bundles of websites, as a designer may."""
        self.env["ir.attachment"].create(
            {
                "name": "x.js",
                "raw": b"window.designed = 1;",
                "mimetype": "text/javascript",
                "url": "/_custom/x.js",
                "type": "binary",
                "public": True,
            }
        )
        self.env["ir.asset"].create(
            [
                {"name": "x", "bundle": bundle, "path": "/_custom/x.js"}
                for bundle in bundles.WEBSITES
            ]
        )

    def read_scripts(self, host, bundle):
        """Return all scripts of a bundle, as the web client loads it."""
        files = self.open(f"/web/bundle/{bundle}", Host=host).json()
        sources = [each["src"] for each in files if each["type"] == "script"]
        self.assertTrue(sources)
        return "".join(self.open(source, Host=host).text for source in sources)

    def test_bundles_of_websites_are_as_shipped_outside_them(self):
        self.add_script_of_a_website()
        for host in (STAFF, WEBSITE):
            for bundle in bundles.WEBSITES:
                with self.subTest(bundle, host=host):
                    self.assertNotIn("window.designed", self.read_scripts(host, bundle))

    def test_bundles_as_websites_changed_them_are_not_on_the_staff_host(self):
        if "website" not in self.env:
            self.skipTest("There is no website in this database.")
        self.add_script_of_a_website()
        (address,) = set(
            re.findall(
                r"/web/assets/\d+/\w+/web.assets_frontend_lazy[\w.]*js",
                self.open("/", Host=WEBSITE).text,
            )
        )
        self.assertIn("window.designed", self.open(address, Host=WEBSITE).text)
        self.assertEqual(self.open(address, Host=STAFF).status_code, 404)

    def test_page_that_offers_to_install_an_app_is_not_served(self):
        """Its scripts are those of websites, and it would be trusted as a screen."""
        self.add_script_of_a_website()
        for login in (None, self.officer.login):
            self.authenticate(login, login and PASSWORD)
            answer = self.open("/scoped_app?app_id=web&path=odoo", Host=STAFF)
            self.assertEqual(answer.status_code, 303)
            self.assertEqual(answer.headers["Location"], "/odoo")
        self.set_environment(host="")
        answer = self.open("/scoped_app?app_id=web&path=odoo")
        self.assertEqual(answer.status_code, 303)

    def test_no_error_runs_a_script(self):
        channel = "/discuss/channel/99999999"
        for path in ("/spar/agent", "/spar/agent/x/kind", "/web/login/x", channel):
            with self.subTest(path):
                answer = self.open(path, Host=STAFF)
                self.assertNotIn("<script", answer.text)

    def test_without_a_staff_host_nothing_changes(self):
        self.set_environment(host="")
        for host in (STAFF, WEBSITE):
            self.assertEqual(self.open("/web/login", Host=host).status_code, 200)

    def test_first_password_is_set_on_the_staff_host(self):
        partner = self.officer.partner_id
        partner.signup_prepare(signup_type="signup")
        url = partner._get_signup_url_for_action()[partner.id]
        self.assertIn(f"//{STAFF}/web/reset_password", url)
        path = url.partition(STAFF)[2]
        self.assertIn('name="password"', self.open(path, Host=STAFF).text)

    def test_no_language_has_a_path_of_ours(self):
        """A page of a website would be served below it, as one of ours."""
        language = self.env["res.lang"].search([], limit=1)
        for code in ("spar", "web", "Odoo", "/spar/x"):
            with self.subTest(code), self.assertRaises(ValidationError):
                language.url_code = code
        language.url_code = "english"

    def test_every_route_has_a_host(self):
        """Check that all routes are served, and those of staff on their host only."""
        addons = sorted(self.env.registry._init_modules)
        nowhere, elsewhere = set(), set()
        for url, endpoint in http._generate_routing_rules(addons, nodb_only=False):
            routing = endpoint.routing
            is_staff = hosts.is_for_staff(routing, url)
            is_only = hosts.is_only_for_staff(routing, url)
            if is_only and not is_staff:
                nowhere.add(url)
            needs_user = routing["auth"] in ("user", "bearer")
            if needs_user and not routing.get("website") and not is_only:
                elsewhere.add(url)
        self.assertEqual((nowhere, elsewhere), (set(), set()))


@tagged("post_install", "-at_install")
class TestContentPolicy(StaffCase):
    """The browser runs the web client's own scripts only."""

    def test_each_script_of_the_web_client_has_the_nonce(self):
        self.authenticate(self.officer.login, PASSWORD)
        pages = [self.open("/odoo") for _each in range(2)]
        nonces = set()
        for page in pages:
            policy = page.headers["Content-Security-Policy"]
            scripts_policy = policy.partition(";")[0]
            self.assertNotIn("unsafe-inline", scripts_policy)
            self.assertNotIn("http", policy)
            (nonce,) = re.findall(r"'nonce-([\w-]+)'", policy)
            scripts = re.findall(r"<script[^>]*>", page.text)
            self.assertGreater(len(scripts), 1)
            for script in scripts:
                self.assertIn(f'nonce="{nonce}"', script)
            nonces.add(nonce)
        self.assertEqual(len(nonces), 2)
