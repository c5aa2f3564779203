"""The store is elsewhere, and reads for this portal only with the person's login."""

from dataclasses import replace
from unittest.mock import Mock

from odoo.tests import tagged

from odoo.addons.spar_mapper_connector.exceptions import (
    MapperError,
    OwnerLoginExpired,
    OwnerLoginRefused,
)
from odoo.addons.spar_mapper_connector.lib.contract import (
    Capability,
    MaskedFa,
    OwnerLogin,
)

from .page_case import ID, STAFF, PageCase
from .test_spar_identity import IdentityCase

MASKED = MaskedFa("account:•••••••••111@BR01.TESTBANK")
CHANGES = {Capability.LINK, Capability.UPDATE, Capability.UNLINK}
LOGIN = OwnerLogin("https://op.example", "head.body.signature")


@tagged("post_install", "-at_install")
class TestMaskedPages(PageCase):
    def setUp(self):
        super().setUp()
        self.store.capabilities |= {Capability.OWN_ADDRESS}
        self.store.add(ID, MASKED, STAFF)
        self.people[self.ada_user.id] = replace(self.ada, login=LOGIN)
        self.authenticate("ada", "ada-ada-1")

    def test_masked_address_is_shown_in_words(self):
        for path in ("/spar/address", "/spar/history"):
            self.get(path)
            for shown in ("Test Bank", "•••••••••111"):
                with self.subTest(path, shown=shown):
                    self.assertIn(shown, self.text)
                    self.assertNotIn(MASKED, self.text)

    def test_each_call_has_the_persons_login(self):
        self.get("/spar/address")
        self.assertTrue(self.store.calls)
        for _word, call, _request in self.store.calls:
            self.assertEqual(call.login, LOGIN)

    def test_login_that_the_store_no_longer_accepts_leads_to_another_one(self):
        """The session here still lasts: the page must not lead round in a circle."""
        self.store.failing["resolve"] = OwnerLoginExpired()
        self.get("/spar/address")
        self.assertEqual(self.path, "/spar?said=ended")
        self.assertIn("Please sign in.", self.text)
        self.store.failing.clear()
        self.get("/spar")
        self.assertEqual(self.path, "/spar/address")

    def test_changes_are_offered_where_the_store_confirms_them(self):
        """A portal has no right to make them."""
        self.store.capabilities -= CHANGES
        for confirms in (False, True):
            if confirms:
                self.store.capabilities |= {Capability.CONFIRMATION}
            self.get("/spar/address")
            for form in ("/spar/change", "/spar/remove"):
                with self.subTest(form, confirms=confirms):
                    offers = f'action="{form}"' in self.page.text
                    self.assertEqual(offers, confirms)

    def test_login_that_is_no_longer_accepted_ends_the_session(self):
        for error in (OwnerLoginExpired(), OwnerLoginRefused()):
            self.store.failing["resolve"] = error
            with self.subTest(error.code):
                response = self.get("/spar/address", allow_redirects=False)
                self.assertEqual(response.status_code, 303)
                self.assertTrue(response.headers["Location"].endswith("?said=ended"))


@tagged("post_install", "-at_install")
class TestKeptLogin(IdentityCase):
    def recognise_with(self, capabilities):
        mapper = Mock()
        mapper.sudo.return_value = mapper
        mapper._capabilities.side_effect = capabilities
        self.patch(
            type(self.env["spar.mapper.backend"]),
            "_get_mapper",
            lambda _backends, id_type=None: mapper,
        )
        login = replace(self.build_login(), id_token="a.b.c", userinfo="d.e.f")
        return self.recognise(login)

    def test_token_is_kept_where_the_mapper_reads_by_it(self):
        identity = self.recognise_with(lambda: {Capability.OWN_ADDRESS})
        login = identity._get_beneficiary().login
        self.assertEqual((login.id_token, login.userinfo), ("a.b.c", "d.e.f"))
        self.assertEqual(login.issuer, self.hostile.issuer)
        self.assertNotIn(b"a.b.c", self.seal_of(identity))

    def test_token_is_not_kept_otherwise(self):
        for capabilities in (lambda: {Capability.RESOLVE}, MapperError("down")):
            with self.subTest(capabilities=capabilities):
                identity = self.recognise_with(capabilities)
                self.assertIsNone(identity._get_beneficiary().login)
