from odoo.exceptions import UserError, ValidationError
from odoo.tests import Form

from odoo.addons.spar_fa_directory.lib.fa_reader import AddressPlace

from .test_second_person import SecondPersonCase


class TestPhonePrefixes(SecondPersonCase):
    """Two people allow numbers beside the numbering plan."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.wallet = cls.env["spar.fsp"].create(
            {"name": "Wallet", "code": "TESTPESO", "kind": "wallet"}
        )

    def _get_prefixes(self):
        place = AddressPlace("code", "TESTPESO", "")
        return self.env["spar.fsp"]._search_places({place})[place].prefixes

    def _propose(self, prefixes="0888"):
        return self.propose(self.wallet, phone_prefixes=prefixes)

    def test_one_person_alone_changes_nothing(self):
        change = self._propose()
        self.assertEqual(self._get_prefixes(), ())
        self.assertIn("0888", change.summary)
        with self.assertRaisesRegex(UserError, "another administrator"):
            change.with_user(self.first).action_approve()
        self.assertEqual(self._get_prefixes(), ())

    def test_two_people_let_them_in(self):
        self._propose().with_user(self.second).action_approve()
        self.assertEqual(self._get_prefixes(), ("0888",))

    def test_one_person_takes_them_back(self):
        self._propose().with_user(self.second).action_approve()
        self._propose(False)
        self.assertEqual(self._get_prefixes(), ())

    def test_a_new_provider_waits_for_them_too(self):
        providers = self.env["spar.fsp"].with_user(self.first)
        wallet = providers.create(
            {"name": "New", "code": "NEWPESO", "phone_prefixes": "0888"}
        )
        self.assertFalse(wallet.phone_prefixes)
        self.assertTrue(wallet.setting_change_ids)

    def test_everything_else_is_written_at_once(self):
        self.wallet.with_user(self.first).write(
            {"name": "Other", "bic": "test de 22", "phone_prefixes": "0888"}
        )
        self.assertEqual((self.wallet.name, self.wallet.bic), ("Other", "TESTDE22"))
        self.assertFalse(self.wallet.phone_prefixes)

    def test_a_change_that_cannot_work_is_refused_to_the_proposer(self):
        with self.assertRaisesRegex(ValidationError, "prefixes of numbers"):
            self._propose("call me")

    def test_the_form_shows_pending_changes(self):
        with Form(self.wallet.with_user(self.first)) as form:
            form.phone_prefixes = "0888"
        self.assertTrue(self.wallet.setting_change_ids)
        self.assertFalse(self.wallet.phone_prefixes)
