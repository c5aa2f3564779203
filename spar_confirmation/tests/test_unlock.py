"""Lifting one's own lock: only on the store's page, with the owner's proof."""

from odoo.tests import tagged

from odoo.addons.spar_mapper.tests.common import FA, ID, OTHER_FA
from odoo.addons.spar_mapper_connector.exceptions import ProposalRefused
from odoo.addons.spar_mapper_connector.lib.confirmation import ConfirmationState
from odoo.addons.spar_mapper_connector.lib.contract import (
    Capability,
    LockRequest,
    Outcome,
    UnlinkRequest,
    UnlockRequest,
    UpdateRequest,
)

from .common import PAGES, PORTAL, PageCase

LOGGER = "odoo.addons.spar_confirmation.controllers.confirm"
UNLOCK = UnlockRequest(ID)


@tagged("post_install", "-at_install")
class TestUnlock(PageCase):
    def setUp(self):
        super().setUp()
        self.bound._lock_changes(self.owner, [LockRequest(ID)])

    def get_lock(self):
        return self.bound._get_change_lock(PORTAL, ID).value

    def test_unlocking_is_reviewed_proved_and_made(self):
        self.assertIn(Capability.CHANGE_LOCK, self.bound._capabilities())
        page = self.propose(UNLOCK)
        path = self.open_page(page.url)
        for words in ("Unlock your account?", "asks to unlock", "Yes, unlock it"):
            self.assertIn(words, self.text)
        self.assertNotIn("New account", self.text)
        self.begin(path)
        self.assertEqual(self.get_lock(), "owner")
        self.come_back()
        self.assertEqual(self.get_lock(), "none")
        self.get(path)
        self.assertIn("Your account is unlocked", self.text)
        found = self.get_state(page)
        self.assertIs(found.state, ConfirmationState.DECIDED)
        self.assertIs(found.outcome, Outcome.LOCK_LIFTED)
        event = self.env["spar.event"].search([], order="id desc", limit=1)
        self.assertEqual(event.kind, "changes_unlocked")
        self.assertEqual(self.env["spar.owner.proof"]._export(event.uuid)[1], [])

    def test_coming_back_twice_unlocks_once(self):
        page = self.propose(UNLOCK)
        self.confirm(page.url)
        self.bound._lock_changes(self.owner, [LockRequest(ID)])
        self.come_back()
        self.get_state(page)
        self.assertEqual(self.get_lock(), "owner")

    def test_login_for_another_proposal_does_not_unlock(self):
        """A hostile portal lets the person confirm something harmless."""
        other = self.propose(UpdateRequest(ID, OTHER_FA, expected_version=1))
        page = self.propose(UNLOCK, draft_id="d2")
        self.confirm(other.url)
        self.assertEqual(self.get_address(), OTHER_FA)
        self.assertEqual(self.get_lock(), "owner")
        self.assertIs(self.get_state(page).state, ConfirmationState.OPEN)

    def test_nobody_else_unlocks(self):
        self.hostile.userinfo_claims = {"individual_id": "Grace-1906"}
        for call, values in ((PORTAL, {}), (PAGES, {"return_url": "/spar"})):
            with self.subTest(call.actor), self.assertLogs(LOGGER):
                self.confirm(self.propose(UNLOCK, call=call, **values).url)
            self.assertEqual(self.get_lock(), "owner")

    def test_portal_alone_lifts_nothing(self):
        for call in (PORTAL, PAGES):
            with self.subTest(call.actor):
                (result,) = self.bound._unlock_changes(call, [UNLOCK])
                self.assertEqual(result.outcome, Outcome.FORBIDDEN)
                self.assertIs(
                    self.bound._change_fa(call, UnlinkRequest(ID)).outcome,
                    Outcome.FORBIDDEN if call is PAGES else Outcome.LOCKED,
                )
        self.assertEqual((self.get_lock(), self.get_address()), ("owner", FA))

    def test_officer_does_not_propose_it(self):
        with self.assertRaises(ProposalRefused):
            self.propose(UNLOCK, officer="user:7")

    def test_without_the_page_nobody_is_offered_a_lock(self):
        self.client.enabled = False
        self.assertFalse(
            self.bound._capabilities()
            & {Capability.CHANGE_LOCK, Capability.CONFIRMATION}
        )
