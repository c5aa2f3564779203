import time
from unittest.mock import patch

from odoo.tests import tagged
from odoo.tools import mute_logger

from ..lib import browser
from ..models import ir_http
from .common import LoginCase


@tagged("post_install", "-at_install")
class TestFormOfEndedSession(LoginCase):
    """A form that comes too late does nothing, and leads to the beginning."""

    def send_later(self, path, **form):
        with patch.object(ir_http, "time") as clock:
            clock.time.return_value = time.time() + browser.IDLE_SECONDS + 60
            return self.url_open(path, data=form, allow_redirects=False)

    def test_after_the_idle_end_the_door_says_so(self):
        self.log_in()
        token = self.get_token("/web/reset_password")
        answer = self.send_later("/spar/change", csrf_token=token)
        self.assertEqual(answer.status_code, 303)
        self.assertEqual(answer.headers["Location"], "/spar?said=ended")
        self.assertIn("SameSite=Lax", answer.headers["Set-Cookie"])
        self.assertIsNone(self.get_session_user())
        self.assertFalse(self.env["spar.draft"].search_count([]))

    def test_without_the_cookie_the_door_says_so(self):
        for path in ("/spar/change", "/spar/logout"):
            with self.subTest(path), mute_logger("odoo.http"):
                answer = self.url_open(path, data={"a": "b"}, allow_redirects=False)
                self.assertEqual(answer.status_code, 303)
                self.assertEqual(answer.headers["Location"], "/spar?said=ended")

    def test_an_officers_page_leads_to_the_officers_beginning(self):
        self.log_in()
        answer = self.send_later("/spar/agent/1/kind", version="1")
        self.assertEqual(answer.headers["Location"], "/spar/agent")

    def test_whoever_is_logged_in_still_needs_a_token(self):
        self.log_in()
        with mute_logger("odoo.http"):
            answer = self.url_open("/spar/change", data={"a": "b"})
        self.assertEqual(answer.status_code, 400)
        self.assertFalse(self.env["spar.draft"].search_count([]))
