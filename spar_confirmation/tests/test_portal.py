"""The list of portals: two people, and addresses that lead nowhere else."""

from odoo.exceptions import ValidationError
from odoo.tests import new_test_user, tagged

from .common import ProposalCase


@tagged("post_install", "-at_install")
class TestPortal(ProposalCase):
    def test_addresses_that_lead_elsewhere_are_refused(self):
        for urls in (
            "portal.example/x",
            "http://portal.example/x",
            "https://portal.example/x?next=1",
            "https://portal.example/x#a",
            "https://user@portal.example/x",
            "javascript:alert(1)",
            "https:///x",
            " ",
        ):
            with self.subTest(urls), self.assertRaises(ValidationError):
                self.portal.return_urls = urls

    def test_portal_on_this_machine_needs_no_tls(self):
        self.portal.return_urls = "http://127.0.0.1:8069/x"
        self.assertEqual(self.portal._get_return_urls(), ["http://127.0.0.1:8069/x"])

    def test_change_of_the_addresses_waits_for_a_second_person(self):
        group = "spar_fa_directory.group_administrator"
        admin = new_test_user(self.env, "an-admin", groups=group)
        before = self.portal.return_urls
        mine = self.portal.with_user(admin)
        mine.return_urls = "https://evil.example/x"
        self.assertEqual(self.portal.return_urls, before)
        self.assertEqual(len(self.portal.setting_change_ids), 1)

    def test_new_portal_is_not_in_use_at_once(self):
        group = "spar_fa_directory.group_administrator"
        admin = new_test_user(self.env, "an-admin", groups=group)
        portal = (
            self.env["spar.confirmation.portal"]
            .with_user(admin)
            .create(
                {
                    "name": "x",
                    "sender_id": "evil.example",
                    "return_urls": "https://evil.example/x",
                }
            )
        )
        self.assertFalse(portal.active)
