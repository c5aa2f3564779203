from unittest.mock import patch

import requests

from odoo.tests import tagged

from .common import PASSWORD, StaffCase

ADDRESS = "https://page.example/"
EXTERNAL = "/html_editor/link_preview_external"


@tagged("post_install", "-at_install")
class TestLinkPreviews(StaffCase):
    """Odoo fetches an address that somebody names, for those who have logged in."""

    def setUp(self):
        super().setUp()
        patcher = patch("requests.get", side_effect=requests.ConnectionError)
        self.fetch = patcher.start()
        self.addCleanup(patcher.stop)

    def preview(self, **headers):
        answer = self.send_json(EXTERNAL, {"preview_url": ADDRESS}, **headers)
        return answer.json()["result"]

    def test_visitors_have_nothing_fetched(self):
        self.assertFalse(self.preview())
        self.fetch.assert_not_called()

    def test_users_have_it_fetched(self):
        self.authenticate(self.employee.login, PASSWORD)
        self.assertFalse(self.preview())
        self.fetch.assert_called_once()

    def test_page_that_breaks_off_has_no_preview(self):
        self.authenticate(self.employee.login, PASSWORD)
        page = self.fetch.return_value
        self.fetch.side_effect = None
        page.headers = {"Content-Type": "text/html"}
        page.iter_content.side_effect = requests.exceptions.ChunkedEncodingError
        self.assertFalse(self.preview())
        page.iter_content.assert_called_once()
