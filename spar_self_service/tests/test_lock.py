"""A person locks changes of their account, and asks the mapper's page to lift it."""

from unittest.mock import patch

from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.spar_mapper_connector.exceptions import MapperError
from odoo.addons.spar_mapper_connector.lib.confirmation import (
    Confirmation,
    ConfirmationPage,
    ConfirmationState,
)
from odoo.addons.spar_mapper_connector.lib.contract import (
    Capability,
    ChangeLock,
    LockRequest,
    Outcome,
    UnlockRequest,
)

from .page_case import FA, ID, STAFF, PageCase

BOTH = {Capability.CHANGE_LOCK, Capability.CONFIRMATION}
LOCK, UNLOCK = 'href="/spar/lock"', 'action="/spar/unlock"'
PAGE_URL = "https://store.example/spar/confirm/secret"


@tagged("post_install", "-at_install")
class TestLock(PageCase):
    def setUp(self):
        super().setUp()
        self.store.capabilities |= BOTH
        self.store.add(ID, FA, STAFF)
        self.authenticate("ada", "ada-ada-1")

    def lock(self):
        self.get("/spar/lock")
        return self.post("/spar/lock")

    def get_offers(self):
        """Return whether a lock and unlocking are offered."""
        self.get("/spar/address")
        return LOCK in self.page.text, UNLOCK in self.page.text

    def test_person_locks_after_a_page_that_explains_it(self):
        self.assertEqual(self.get_offers(), (True, False))
        self.get("/spar/lock")
        self.assertIn("Nobody but you can change or remove it.", self.text)
        self.assertNotIn("lock", [call[0] for call in self.store.calls])
        self.post("/spar/lock")
        self.assertIn("Your account is locked now.", self.text)
        self.assertEqual(self.get_offers(), (False, True))
        self.assertIn('action="/spar/change"', self.page.text)
        ((call, request),) = [c[1:] for c in self.store.calls if c[0] == "lock"]
        self.assertEqual(request, LockRequest(ID))
        self.assertEqual(call.authenticated_by, "login")

    def test_mapper_without_it_offers_nothing(self):
        """A lock that the person could not lift is not offered either."""
        for missing in BOTH:
            with self.subTest(missing.value):
                self.store.capabilities = (self.store.capabilities | BOTH) - {missing}
                self.assertEqual(self.get_offers(), (False, False))
                self.get("/spar/lock")
                self.assertEqual(self.path, "/spar/address")
        self.store.capabilities -= BOTH
        self.post("/spar/lock")
        self.post("/spar/unlock")
        self.assertIs(self.store.lock, ChangeLock.NONE)
        self.assertNotIn("get_lock", [call[0] for call in self.store.calls])

    def test_nothing_is_offered_where_it_cannot_be_done(self):
        for lock, offers in (
            (ChangeLock.STAFF, (True, False)),
            (ChangeLock.OWNER, (False, True)),
            (ChangeLock.OBJECTION, (False, False)),
        ):
            with self.subTest(lock.value):
                self.store.lock = lock
                self.assertEqual(self.get_offers(), offers)
        self.store.lock = ChangeLock.NONE
        self.store.end(ID)
        self.assertEqual(self.get_offers(), (False, False))

    def test_nobody_locks_without_a_session(self):
        self.get("/spar/lock")
        self.authenticate(None, None)
        with mute_logger("odoo.http"):
            self.post("/spar/lock")
        self.assertEqual(self.path, "/spar?said=ended")
        self.assertIs(self.store.lock, ChangeLock.NONE)

    def test_refused_or_uncertain_is_not_called_locked(self):
        for outcome in (Outcome.LOCKED, Outcome.NOT_LINKED, Outcome.FORBIDDEN):
            with self.subTest(outcome.value):
                self.store.calls.clear()
                self.store.outcome = outcome
                self.lock()
                self.assertIn("lock", [call[0] for call in self.store.calls])
                self.assertEqual(self.path, "/spar/address?said=outdated")
                self.assertNotIn("Your account is locked now.", self.text)
        self.store.outcome = None
        self.store.failing["lock"] = MapperError("down")
        with self.assertLogs("odoo.addons.spar_self_service.controllers.page"):
            self.lock()
        self.assertNotIn("Your account is locked now.", self.text)

    # === UNLOCKING === #

    def unlock(self, found=None):
        """Ask to unlock, and come back with what the mapper says about it."""
        self.store.lock = ChangeLock.OWNER
        made = []

        def _propose(_mapper, call, proposal):
            made.append(proposal)
            return ConfirmationPage(PAGE_URL, "reference")

        mapper = self.registry["spar.mapper.stand.in"]
        unknown = Confirmation(ConfirmationState.UNKNOWN)
        with (
            patch.object(mapper, "_propose", _propose),
            patch.object(mapper, "_get_confirmation", lambda *_args: found or unknown),
        ):
            self.get("/spar/address")
            self.post("/spar/unlock", allow_redirects=False)
            self.assertEqual(self.page.headers.get("Location"), PAGE_URL)
            self.get("/spar/confirmed?confirmation=reference")
        (proposal,) = made
        return proposal

    def test_unlocking_is_confirmed_on_the_page_of_the_mapper(self):
        done = Confirmation(ConfirmationState.DECIDED, "unlock", Outcome.LOCK_LIFTED)
        proposal = self.unlock(done)
        self.assertEqual(proposal.request, UnlockRequest(ID))
        self.assertEqual(proposal.officer, "")
        self.assertIn("Your account is unlocked now.", self.text)
        self.assertNotIn("unlock", [call[0] for call in self.store.calls])

    def test_what_was_not_confirmed_is_not_called_unlocked(self):
        for found in (
            None,
            Confirmation(ConfirmationState.OPEN, "unlock"),
            Confirmation(ConfirmationState.CANCELLED, "unlock"),
            Confirmation(ConfirmationState.DECIDED, "unlock", Outcome.LOCKED),
            Confirmation(ConfirmationState.DECIDED, "other", Outcome.LOCK_LIFTED),
        ):
            with self.subTest(found):
                self.unlock(found)
                self.assertNotIn("Your account is unlocked now.", self.text)
                self.assertIn("Nothing was changed.", self.text)

    def test_waiting_request_of_staff_is_said(self):
        texts = self.env["spar.page.texts"]
        for kind in ("changes_locked", "changes_unlocked", "lock_lifted"):
            with self.subTest(kind):
                self.assertIn("locked", texts._get_event_text(kind))
