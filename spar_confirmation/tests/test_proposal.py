"""What can be proposed, and what a portal learns."""

from datetime import datetime, timedelta

from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from odoo.addons.spar_mapper.tests.common import FA, ID, OTHER_FA
from odoo.addons.spar_mapper_connector.exceptions import NotPermitted, ProposalRefused
from odoo.addons.spar_mapper_connector.lib.confirmation import (
    Confirmation,
    ConfirmationState,
)
from odoo.addons.spar_mapper_connector.lib.contract import (
    Authority,
    CallContext,
    Capability,
    Details,
    LinkRequest,
    ResumeRequest,
    UnlinkRequest,
    UpdateRequest,
)

from ..models.spar_confirmation import MAX_OPEN
from .common import PAGES, PORTAL, SENDER, ProposalCase

SEAL_LOGGER = "odoo.addons.spar_mapper_connector.models.spar_settings_seal"

#: What a hostile portal would have in large letters on the store's page.
SENTENCE = "This is only a test, and nothing will be changed"


@tagged("post_install", "-at_install")
class TestProposal(ProposalCase):
    def assert_refused(self, reason, *args, **kwargs):
        with self.assertRaises(ProposalRefused) as refused:
            self.propose(*args, **kwargs)
        self.assertEqual(refused.exception.reason, reason)

    def test_page_has_a_secret_address_and_an_opaque_reference(self):
        first, second = self.propose(), self.propose()
        self.assertNotEqual(first.url, second.url)
        secret = first.url.rpartition("/")[2]
        self.assertGreaterEqual(len(secret), 43)
        self.assertNotIn(first.reference, first.url)
        self.assertNotIn(secret, repr(first))

    def test_nothing_readable_is_stored(self):
        page = self.propose()
        self.env.flush_all()
        self.env.cr.execute("SELECT t::text FROM spar_confirmation t")
        stored = "".join(row for (row,) in self.env.cr.fetchall()).lower()
        secret = page.url.rpartition("/")[2]
        for text in (ID, OTHER_FA, "222200002222", secret):
            self.assertNotIn(text.lower(), stored)
            self.assertNotIn(text.encode().hex(), stored)

    def test_requests_that_nobody_can_review_are_refused(self):
        for reason, request in (
            ("operation", ResumeRequest(ID, expected_version=1)),
            ("version", UpdateRequest(ID, OTHER_FA)),
            ("version", UnlinkRequest(ID)),
            ("address", UpdateRequest(ID, "somewhere else", expected_version=1)),
            ("address", LinkRequest(ID, "")),
            ("address", UnlinkRequest(ID, "somewhere", expected_version=1)),
            ("address", LinkRequest(ID, OTHER_FA.replace("222200002222", SENTENCE))),
            ("address", LinkRequest(ID, OTHER_FA.replace("2222", "22\u202e22", 1))),
            ("purpose", LinkRequest(ID, FA, purpose="school")),
            ("purpose", UnlinkRequest(ID, purpose="school", expected_version=1)),
            ("time", LinkRequest(ID, FA, asserted_at=datetime(2020, 1, 1))),
            ("additional_info", LinkRequest(ID, FA, Details(additional_info=("x",)))),
            ("text", LinkRequest(ID, FA, Details("Ada" * 34))),
            ("text", LinkRequest(ID, FA, Details("Ada\u202e"))),
            ("text", LinkRequest(ID, FA, Details("Ada", "+1\u200b555"))),
            ("id", LinkRequest("", FA)),
            ("id", LinkRequest("{sub}", FA)),
        ):
            with self.subTest(reason, request=request):
                self.assert_refused(reason, request)

    def test_id_type_that_the_portal_may_not_name_is_refused(self):
        call = CallContext(PORTAL.actor, "rest", Authority.PROGRAMME, id_type_ids=[])
        self.assert_refused("id", call=call)

    def test_type_of_id_without_a_provider_is_refused(self):
        self.client.enabled = False
        self.seal_settings("spar.confirmation.client")
        self.assert_refused("provider")
        self.assertNotIn(Capability.CONFIRMATION, self.bound._capabilities())

    def test_capability_is_there_with_a_provider(self):
        self.assertIn(Capability.CONFIRMATION, self.bound._capabilities())

    @mute_logger(SEAL_LOGGER)
    def test_client_altered_by_sql_confirms_nothing(self):
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE spar_confirmation_client SET issuer = 'https://evil.example'"
        )
        self.env.invalidate_all()
        with self.catch_alarms():
            self.assert_refused("provider")

    # === THE PORTAL === #

    def test_return_address_is_one_of_the_portals(self):
        for url in (
            "https://evil.example/confirmed",
            "https://portal.example/confirmed/",
            "https://portal.example/confirmed?x=1",
            "https://portal.example.evil.example/confirmed",
            "http://portal.example/confirmed",
            "/spar/address",
            "",
        ):
            with self.subTest(url):
                self.assert_refused("return_url", return_url=url)
        self.propose(return_url="https://portal.example/again")

    def test_participant_that_is_no_portal_is_refused(self):
        call = CallContext("participant:x.example", "rest", Authority.PROGRAMME)
        self.assert_refused("portal", call=call)
        self.portal.active = False
        self.seal_settings("spar.confirmation.portal")
        self.assert_refused("portal")

    @mute_logger(SEAL_LOGGER)
    def test_portal_altered_by_sql_is_refused(self):
        self.env.flush_all()
        evil = "https://evil.example/confirmed"
        self.env.cr.execute(
            "UPDATE spar_confirmation_portal SET return_urls = %s", (evil,)
        )
        self.env.invalidate_all()
        with self.catch_alarms():
            self.assert_refused("portal", return_url=evil)

    def test_pages_of_this_database_return_to_this_site_only(self):
        for url in ("https://evil.example/", "//evil.example", "/\\evil", "", "x"):
            with self.subTest(url):
                self.assert_refused("return_url", call=PAGES, return_url=url)
        base = self.env["spar.page.frame"]._get_base_url()
        for url in ("/spar/change/1/finish", f"{base}/spar/confirmed"):
            page = self.propose(call=PAGES, return_url=url)
            self.assertTrue(page.url.startswith("/spar/confirm/"))
        for url in (f"{base}.evil.example/", f"{base}@evil.example/", base):
            with self.subTest(url):
                self.assert_refused("return_url", call=PAGES, return_url=url)

    def test_page_opens_in_the_language_of_the_person(self):
        page = self.propose(call=PAGES, return_url="/spar", language="en_US")
        self.assertTrue(page.url.startswith("/spar/language/en_US?back=%2Fspar%2Fconf"))
        unknown = self.propose(call=PAGES, return_url="/spar", language="xx_XX")
        self.assertTrue(unknown.url.startswith("/spar/confirm/"))

    def test_person_has_a_few_open_proposals(self):
        pages = [
            self.propose(call=PAGES, return_url="/x") for _n in range(MAX_OPEN + 1)
        ]
        states = [self.bound._get_confirmation(PAGES, p.reference).state for p in pages]
        unknown, is_open = ConfirmationState.UNKNOWN, ConfirmationState.OPEN
        self.assertEqual(states, [unknown, *[is_open] * MAX_OPEN])

    # === WHAT A PORTAL LEARNS === #

    def test_portal_learns_of_its_own_proposals_only(self):
        page = self.propose()
        own = self.bound._get_confirmation(PORTAL, page.reference)
        self.assertEqual(own, Confirmation(ConfirmationState.OPEN, "d1"))
        other = CallContext("participant:x.example", "rest", Authority.PROGRAMME)
        unknown = Confirmation(ConfirmationState.UNKNOWN)
        self.assertEqual(self.bound._get_confirmation(other, page.reference), unknown)
        secret = page.url.rpartition("/")[2]
        for reference in ("", "x", secret):
            found = self.bound._get_confirmation(PORTAL, reference)
            self.assertEqual(found, unknown)

    def test_old_proposals_expire_and_are_forgotten(self):
        page = self.propose()
        found = self.env["spar.confirmation"].search([], limit=1, order="id desc")
        found.proposed_at -= timedelta(hours=1)
        state = self.bound._get_confirmation(PORTAL, page.reference).state
        self.assertIs(state, ConfirmationState.EXPIRED)
        found.proposed_at -= timedelta(days=1)
        self.env.flush_all()
        self.env["spar.confirmation"]._cron_forget_old()
        self.assertFalse(found.exists())

    # === RIGHTS === #

    def test_nobody_reads_proposals_or_logins(self):
        for role in ("viewer", "officer", "supervisor", "auditor", "administrator"):
            group = f"spar_fa_directory.group_{role}"
            user = new_test_user(self.env, f"c-{role}", groups=group)
            for model in ("spar.confirmation", "spar.confirmation.attempt"):
                for right in ("read", "write", "create", "unlink"):
                    with self.subTest(role, model=model, right=right):
                        rows = self.env[model].with_user(user)
                        self.assertFalse(rows.has_access(right))

    def test_internal_user_is_no_channel(self):
        user = new_test_user(self.env, "somebody", groups="base.group_user")
        mapper = self.bound.with_user(user)
        with self.assertRaises(NotPermitted):
            mapper._propose(PORTAL, self.build_proposal())
        with self.assertRaises(NotPermitted):
            mapper._get_confirmation(PORTAL, "x")

    def test_only_administrators_list_portals_and_providers(self):
        officer = new_test_user(
            self.env, "an-officer", groups="spar_fa_directory.group_officer"
        )
        with self.assertRaises(AccessError):
            self.portal.with_user(officer).write({"name": "x"})
        with self.assertRaises(AccessError):
            self.client.with_user(officer).read(["client_id"])
        self.assertEqual(self.portal.sender_id, SENDER)
