"""An officer fills in, the person confirms: the history names both, with the proof."""

from odoo.tests import tagged

from odoo.addons.spar_mapper.tests.common import FA, ID, OTHER_FA, OTHER_ID
from odoo.addons.spar_mapper_connector.exceptions import ProposalRefused
from odoo.addons.spar_mapper_connector.lib.contract import (
    Authority,
    CallContext,
    LinkRequest,
    ObjectionRequest,
    UnlinkRequest,
)

from .common import PAGES, PORTAL, PageCase, ProposalCase

OFFICER = CallContext(
    "user:7", "agent", Authority.OWNER, "login", on_behalf_of="person:ada"
)
STAFF_HOST = "https://staff.example"


@tagged("post_install", "-at_install")
class TestHelped(PageCase):
    def propose_helped(self, request=None):
        return self.propose(request, OFFICER, return_url="/spar", officer="user:7")

    def get_last_event(self):
        self.env.flush_all()
        return self.env["spar.event"].search([], order="id desc", limit=1)

    def test_the_history_names_both_and_the_change_is_proved(self):
        self.open_page(self.propose_helped().url)
        self.assertIn("A member of staff filled this in with you", self.text)
        self.confirm(self.propose_helped().url)
        self.assertEqual(self.get_address(), OTHER_FA)
        event = self.get_last_event()
        self.assertEqual((event.actor, event.on_behalf_of), ("user:7", "person:ada"))
        self.assertEqual((event.kind, event.channel), ("updated", "agent"))
        proofs = self.env["spar.owner.proof"]
        self.assertTrue(proofs.search([("event_id", "=", event.id)]))
        self.assertEqual(proofs._check_all(), [])

    def test_officer_of_a_portal_is_named_behind_the_portal(self):
        for officer, request in (
            ("user:7", None),
            ("", UnlinkRequest(ID, expected_version=2)),
        ):
            self.confirm(self.propose(request, officer=officer).url)
            event = self.get_last_event()
            with self.subTest(officer):
                names = (event.actor, event.on_behalf_of, event.channel, event.reason)
                person = event.on_behalf_of or event.actor
                self.assertTrue(person.startswith("person:"), names)
                wanted = (
                    (PORTAL.actor, person, "agent", "user:7")
                    if officer
                    else (person, "", "portal", PORTAL.actor)
                )
                self.assertEqual(tuple(each or "" for each in names), wanted)

    def test_rules_of_the_pages_hold_whatever_the_portal_says(self):
        """That an officer helped is only the portal's word."""
        rule = self.env["spar.change.rule"].create(
            {"name": "Weigh", "sequence": 0, "channel": "portal", "decision": "approve"}
        )
        self.seal_settings(rule._name)
        for officer in ("", "user:7"):
            with self.subTest(officer):
                self.confirm(self.propose(officer=officer).url)
                self.assertEqual(self.get_address(), FA)
                self.assertEqual(self.get_last_event().kind, "held")
        self.confirm(self.propose_helped().url)
        self.assertEqual(self.get_address(), OTHER_FA)

    def test_page_says_nothing_about_staff_otherwise(self):
        self.open_page(self.propose().url)
        self.assertNotIn("member of staff", self.text)

    def test_officer_is_led_back_to_their_own_host(self):
        frames = self.env.registry["spar.page.frame"]
        usual = frames._get_own_base_urls
        self.patch(
            frames, "_get_own_base_urls", lambda each: [*usual(each), STAFF_HOST]
        )
        back = f"{STAFF_HOST}/spar/confirmed"
        page = self.propose(call=OFFICER, officer="user:7", return_url=back)
        self.assertTrue(page.url.startswith(usual(self.env["spar.page.frame"])[0]))
        self.confirm(page.url)
        location = self.page.headers["Location"]
        self.assertEqual(location, f"{back}?confirmation={page.reference}")


@tagged("post_install", "-at_install")
class TestHelpedProposals(ProposalCase):
    def assert_refused(self, code, *args, **values):
        with self.assertRaises(ProposalRefused) as refused:
            self.propose(*args, **{"return_url": "/spar", **values})
        self.assertEqual(str(refused.exception), code)

    def test_officer_of_this_database_names_nobody_but_themselves(self):
        for call, officer in (
            (OFFICER, ""),
            (OFFICER, "user:8"),
            (PAGES, "user:7"),
            (PAGES, "person:ada"),
        ):
            with self.subTest(call=call.actor, officer=officer):
                self.assert_refused("officer", None, call, officer=officer)

    def test_this_was_not_me_is_for_the_person_alone(self):
        self.link(ID, FA)
        request = ObjectionRequest(ID, "period", 1)
        self.assert_refused("operation", request, OFFICER, officer="user:7")

    def test_officer_cannot_be_led_to_another_host(self):
        for url in (f"{STAFF_HOST}/spar/confirmed", "//staff.example", "\\\\x", ""):
            with self.subTest(url):
                self.assert_refused(
                    "return_url",
                    LinkRequest(OTHER_ID, FA),
                    OFFICER,
                    officer="user:7",
                    return_url=url,
                )
