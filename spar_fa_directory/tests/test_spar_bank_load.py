from unittest.mock import patch

from odoo.exceptions import AccessError
from odoo.tests import Form

from ..lib import bank_registry
from ..lib.bank_registry import KnownBank, LeftOut
from .common import DirectoryCase

BANKS = (
    KnownBank("EE-00", "First", "TABUEE22"),
    KnownBank("EE-01", "Second", "EEUHEE2X"),
    KnownBank("EE-02", "Third", ""),
)


class TestBankLoad(DirectoryCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.providers = cls.env["spar.fsp"].with_context(active_test=False)
        cls.providers.search([("registry_key", "!=", False)]).unlink()
        cls.estonia = cls.env.ref("base.ee")

    def _load(self, banks=BANKS, left_out=()):
        with patch.object(bank_registry, "get_banks", lambda code: (banks, left_out)):
            return self.providers._load_banks("EE")

    def _find(self, code):
        return self.providers.search([("code", "=", code)])

    def test_the_banks_of_every_country_of_the_registry_can_be_loaded(self):
        for country in bank_registry.get_countries():
            banks, _left_out = bank_registry.get_banks(country)
            codes = [bank.code.upper() for bank in banks]
            self.assertTrue(codes, country)
            self.assertEqual(len(codes), len(set(codes)), country)
            for bank in banks:
                self.assertRegex(bank.code, r"^[!-~]+$")

    def test_name_code_and_bic_are_loaded(self):
        load = self.providers._load_banks("GE")
        self.assertGreater(len(load.added), 10)
        bank = self._find("GE-AZ")
        self.assertEqual(
            (bank.name, bank.bic, bank.country_id.code, bank.kind),
            ("International Bank of Azerbaijan", "IBAZGE22", "GE", "bank"),
        )

    def test_a_second_time_changes_nothing(self):
        self._load()
        before = self.providers.search([]).ids
        load = self._load()
        self.assertEqual(self.providers.search([]).ids, before)
        self.assertEqual((load.added, load.updated), ([], []))
        self.assertEqual(load.same, ["First", "Second", "Third"])

    def test_registry_changes_are_applied(self):
        self._load()
        load = self._load([KnownBank("EE-00", "First Bank", "TABUEE22"), *BANKS[1:]])
        self.assertEqual(load.updated, ["First Bank"])
        self.assertEqual(self._find("EE-00").name, "First Bank")

    def test_values_edited_by_staff_are_kept(self):
        self._load()
        bank = self._find("EE-00")
        bank.write({"name": "Our First", "active": False})
        for name in ("First", "First Bank"):
            load = self._load([KnownBank("EE-00", name, "EEUHEE2X")])
            self.assertEqual([kept for kept, _why in load.kept], ["Our First"])
            self.assertEqual((bank.name, bank.active), ("Our First", False))
        self.assertEqual(bank.bic, "EEUHEE2X")

    def test_bank_entered_by_staff_is_not_duplicated(self):
        self.providers.create({"name": "By code", "code": "ee-00"})
        self.providers.create(
            {
                "name": "By BIC",
                "code": "OWN",
                "bic": "EEUHEE2XXXX",
                "country_id": self.estonia.id,
            }
        )
        load = self._load()
        self.assertEqual(load.added, ["Third"])
        self.assertEqual([name for name, _why in load.kept], ["First", "Second"])
        self.assertIn("By code", load.kept[0][1])

    def test_the_same_bic_abroad_is_another_bank(self):
        self.providers.create({"name": "Abroad", "code": "OWN", "bic": "TABUEE22"})
        self.assertIn("First", self._load().added)

    def test_skipped_banks_are_listed_with_reasons(self):
        load = self._load(
            left_out=[LeftOut("Branch", "duplicate"), LeftOut("", "nameless")]
        )
        self.assertIn("same bank code", load.refused[0][1])
        self.assertIn("no name", load.refused[1][1])

    def test_odoos_own_bank_is_linked_by_its_bic(self):
        bank = self.env["res.bank"].create({"name": "First", "bic": "TABUEE22XXX"})
        twins = [{"name": "Twin", "bic": "EEUHEE2X"}] * 2
        self.env["res.bank"].create(twins)
        self._load()
        self.assertEqual(self._find("EE-00").bank_id, bank)
        self.assertFalse(self._find("EE-01").bank_id)

    def test_loading_writes_no_bank_or_account_of_odoo(self):
        before = [
            self.env[model].with_context(active_test=False).search_count([])
            for model in ("res.bank", "res.partner.bank")
        ]
        self._load()
        after = [
            self.env[model].with_context(active_test=False).search_count([])
            for model in ("res.bank", "res.partner.bank")
        ]
        self.assertEqual(after, before)

    def test_button_shows_the_result(self):
        administrator = self._create_user("administrator")
        form = Form(self.env["spar.bank.load.wizard"].with_user(administrator))
        form.country_id = self.env.ref("base.ge")
        self.assertGreater(form.bank_count, 10)
        wizard = form.save()
        action = wizard.action_load()
        self.assertEqual(action["res_id"], wizard.id)
        self.assertEqual(wizard.added_count, wizard.bank_count)
        domain = wizard.action_open_banks()["domain"]
        self.assertEqual(self.providers.search_count(domain), wizard.added_count)

    def test_only_administrators_load(self):
        for role in ("viewer", "officer", "supervisor", "auditor"):
            user = self._create_user(role)
            with self.subTest(role=role), self.assertRaises(AccessError):
                self.env["spar.bank.load.wizard"].with_user(user).create(
                    {"country_id": self.estonia.id}
                )
            with self.subTest(role=role), self.assertRaises(AccessError):
                self.env["spar.fsp"].with_user(user)._load_banks("GE")


class TestOdooBank(DirectoryCase):
    def test_odoo_bank_suggests_its_name_and_bic(self):
        bank = self.env["res.bank"].create(
            {
                "name": "Reserve",
                "bic": "TABUEE22",
                "country": self.env.ref("base.ee").id,
            }
        )
        form = Form(self.env["spar.fsp"])
        form.bank_id = bank
        self.assertEqual((form.name, form.bic), ("Reserve", "TABUEE22"))
        self.assertEqual(form.country_id.code, "EE")

    def test_typed_values_are_not_overwritten(self):
        bank = self.env["res.bank"].create({"name": "Reserve", "bic": "TABUEE22"})
        form = Form(self.env["spar.fsp"])
        form.name = "Mine"
        form.bank_id = bank
        self.assertEqual(form.name, "Mine")

    def test_a_bic_finds_odoos_bank(self):
        bank = self.env["res.bank"].create({"name": "Reserve", "bic": "TABUEE22"})
        form = Form(self.env["spar.fsp"])
        form.bic = "tabuee22xxx"
        self.assertEqual(form.bank_id, bank)

    def test_deleting_odoos_bank_leaves_the_provider(self):
        bank = self.env["res.bank"].create({"name": "Reserve", "bic": "TABUEE22"})
        self.bank.bank_id = bank
        bank.unlink()
        self.assertTrue(self.bank.exists())
        self.assertFalse(self.bank.bank_id)
