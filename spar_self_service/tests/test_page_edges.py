import time
from unittest.mock import patch

from lxml import html

from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.spar_mapper_connector.exceptions import NoSuchEvent

from ..lib import browser
from ..models import ir_http
from .common import LoginCase
from .page_case import FA, ID, STAFF, PageCase


@tagged("post_install", "-at_install")
class TestFormOfEndedSession(LoginCase):
    """A form that comes too late does nothing, and leads to the start."""

    def send_later(self, path, **form):
        with patch.object(ir_http, "time") as clock:
            clock.time.return_value = time.time() + browser.IDLE_SECONDS + 60
            return self.url_open(path, data=form, allow_redirects=False)

    def test_after_the_idle_timeout_the_login_page_says_so(self):
        self.log_in()
        token = self.get_token("/web/reset_password")
        answer = self.send_later("/spar/change", csrf_token=token)
        self.assertEqual(answer.status_code, 303)
        self.assertEqual(answer.headers["Location"], "/spar?said=ended")
        self.assertIn("SameSite=Lax", answer.headers["Set-Cookie"])
        self.assertIsNone(self.get_session_user())
        self.assertFalse(self.env["spar.draft"].search_count([]))

    def test_without_the_cookie_the_login_page_says_so(self):
        for path in ("/spar/change", "/spar/logout"):
            with self.subTest(path), mute_logger("odoo.http"):
                answer = self.url_open(path, data={"a": "b"}, allow_redirects=False)
                self.assertEqual(answer.status_code, 303)
                self.assertEqual(answer.headers["Location"], "/spar?said=ended")

    def test_expired_officers_form_redirects_to_the_officers_start_page(self):
        self.log_in()
        answer = self.send_later("/spar/agent/1/kind", version="1")
        self.assertEqual(answer.headers["Location"], "/spar/agent")

    def test_logged_in_person_still_needs_a_csrf_token(self):
        self.log_in()
        with mute_logger("odoo.http"):
            answer = self.url_open("/spar/change", data={"a": "b"})
        self.assertEqual(answer.status_code, 400)
        self.assertFalse(self.env["spar.draft"].search_count([]))


@tagged("post_install", "-at_install")
class TestOddRequests(PageCase):
    """Requests that no page of ours sends are answered just as calmly."""

    def test_an_answer_before_its_question_changes_nothing(self):
        self.begin()
        path = f"/spar/change/{self.get_draft().uuid}"
        self.post(f"{path}/details", version="1", account_number="1")
        self.assertEqual(self.path, f"{path}/kind?said=outdated")
        self.assertEqual(self.get_draft().version, 1)

    def test_a_removal_asks_nothing(self):
        self.store.add(ID, FA, STAFF)
        self.authenticate("ada", "ada-ada-1")
        self.get("/spar/address")
        self.post("/spar/remove")
        draft = self.get_draft()
        for step in ("kind", "details"):
            with self.subTest(step):
                path = f"/spar/change/{draft.uuid}"
                self.post(f"{path}/{step}", version="1", type=self.account.id)
                self.assertEqual(self.path, f"{path}/review?said=outdated")
                self.get(f"{path}/review")
        self.assertEqual((draft.version, self.acts), (1, []))

    def test_a_null_byte_finds_nothing(self):
        self.begin()
        page = self.page
        self.get("/spar/change/%00/kind")
        self.assertEqual(self.path, "/spar/address?said=gone")
        self.page = page
        self.post("/spar/objection", period="\0", seq="1")
        self.assertEqual(self.path, "/spar/history?said=gone")
        self.assertEqual(self.get("/spar/notice/%00").status_code, 404)
        self.authenticate("officer", "officer-1")
        self.get("/spar/agent/%00/kind")
        self.assertEqual(self.path, "/spar/agent?said=gone")

    def test_a_file_is_no_answer(self):
        self.begin()
        self.choose(type=self.account.id)
        token = html.fromstring(self.page.content).xpath(
            "(//input[@name='csrf_token'])[1]/@value"
        )
        for name in ("version", "provider"):
            with self.subTest(name):
                answer = self.url_open(
                    self.path.partition("?")[0],
                    data={"csrf_token": token[0]},
                    files={name: ("a", b"1")},
                )
                self.assertIn(answer.status_code, (200, 422))
        self.assertEqual(self.get_draft().version, 2)

    def test_a_parameter_may_have_any_name(self):
        self.authenticate("ada", "ada-ada-1")
        for name in ("self", "args", "kwargs"):
            with self.subTest(name):
                answer = self.get(f"/spar/address?{name}=1")
                self.assertEqual(answer.status_code, 200)

    def test_missing_page_is_shown_in_our_frame(self):
        self.authenticate("ada", "ada-ada-1")
        for method, path in (
            ("GET", "/spar/nothing"),
            ("GET", "/spar/logout"),
            ("PUT", "/spar/address"),
        ):
            with self.subTest(path), mute_logger("odoo.http"):
                answer = self.opener.request(method, f"{self.base_url()}{path}")
                self.assertEqual(answer.status_code, 404)
                self.assertIn("Nothing was changed", answer.text)
                self.assertLess(len(answer.content), 5000)
                self.assertEqual(answer.headers["Cache-Control"], "no-store")

    def test_server_error_makes_no_claim_about_the_outcome(self):
        def _get_overview(*args):
            raise ZeroDivisionError("secret")

        self.patch(type(self.env["spar.my.address"]), "_get_overview", _get_overview)
        self.authenticate("ada", "ada-ada-1")
        with mute_logger("odoo.http"):
            answer = self.get("/spar/address")
        self.assertEqual(answer.status_code, 500)
        self.assertIn("We do not know whether", answer.text)
        self.assertNotIn("secret", answer.text)

    def test_another_language_leads_to_the_same_page(self):
        self.begin()
        self.choose(type=self.account.id)
        path = f"{self.path}?q=a%26b+c"
        page = html.fromstring(self.get(path).content)
        (link,) = page.xpath("//nav//a/@href")
        choice = html.fromstring(self.get(link).content)
        for link in choice.xpath("//ul[@class='languages']//a/@href"):
            self.get(link)
            self.assertEqual(self.path, path)

    def test_notice_of_a_deleted_event_has_expired(self):
        def _object_to_notice(mapper, call, token):
            raise NoSuchEvent()

        self.patch(
            type(self.env["spar.mapper.stand.in"]),
            "_object_to_notice",
            _object_to_notice,
        )
        self.authenticate("ada", "ada-ada-1")
        self.get("/spar/address")
        self.assertEqual(self.post("/spar/notice/token").status_code, 404)
        self.assertEqual(self.path, "/spar/notice/token")
