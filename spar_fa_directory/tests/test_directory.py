from ..lib.directory_page import SearchCriteria, write_cursor
from .common import DirectoryCase


class TestDirectory(DirectoryCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["res.lang"]._activate_lang("fr_FR")
        cls.country = cls.env["res.country"].create({"name": "Aland", "code": "XQ"})
        cls.bank.country_id = cls.country
        portal = cls._create_user(login="test_portal")
        cls.directory = cls.env["spar.directory"].with_user(portal)

    def _list(self, **criteria):
        """Return every provider of the invented country, page by page."""
        codes, cursor = [], ""
        while True:
            page = self.directory._find_providers(
                SearchCriteria(cursor=cursor, **criteria)
            )
            codes += [item["code"] for item in page.items]
            if not (cursor := page.next):
                return codes

    def _add(self, *codes):
        return self.env["spar.fsp"].create(
            [
                {"name": f"Bank {c}", "code": c, "country_id": self.country.id}
                for c in codes
            ]
        )

    def test_directory_page_needs_no_rights(self):
        page = self.directory._find_providers(SearchCriteria(text="test bank"))
        self.assertEqual(
            page.items[0],
            {
                "code": "TestBank",
                "name": "Test Bank",
                "kind": "bank",
                "country": "XQ",
                "bic": "TESTDEFFXXX",
                "branches": 2,
                "archived": False,
            },
        )

    def test_every_page_size_returns_everything_once_by_code(self):
        self._add("b2", "A1", "c3", "TestBank2")
        wanted = ["A1", "b2", "c3", "TestBank", "TestBank2"]
        for limit in (1, 2, 5, 6):
            with self.subTest(limit=limit):
                self.assertEqual(self._list(country="XQ", limit=limit), wanted)
                found = self._list(country="XQ", limit=limit, text="bank")
                self.assertEqual(sorted(found), sorted(wanted))

    def test_page_stays_valid_when_records_are_added(self):
        self._add("A1", "C1")
        page = self.directory._find_providers(SearchCriteria(country="XQ", limit=1))
        self._add("A0", "B1")
        criteria = SearchCriteria(country="XQ", limit=1, cursor=page.next)
        self.assertEqual(
            self.directory._find_providers(criteria).items[0]["code"], "B1"
        )

    def test_kind_and_country_filter_the_list(self):
        self.assertEqual(self._list(country="XQ", kind="wallet"), [])
        self.wallet.country_id = self.country
        self.assertEqual(self._list(country="XQ", kind="wallet"), ["TESTWALLET"])

    def test_archived_records_are_returned_only_on_request(self):
        self.bank.action_archive()
        self.assertEqual(self._list(country="XQ"), [])
        page = self.directory._find_providers(
            SearchCriteria(country="XQ", with_archived=True)
        )
        self.assertTrue(page.items[0]["archived"])

    def test_branches_are_those_of_the_provider(self):
        page = self.directory._find_branches("testbank", SearchCriteria())
        self.assertEqual([item["code"] for item in page.items], ["TB-S", "tb.n"])
        page = self.directory._find_branches("TESTBANK", SearchCriteria(text="selal"))
        self.assertEqual(
            page.items,
            [{"code": "TB-S", "name": "South", "city": "Sella", "archived": False}],
        )
        self.assertEqual(
            self.directory._find_branches("TESTWALLET", SearchCriteria()).items, []
        )

    def test_an_unknown_or_archived_provider_has_no_branches(self):
        self.assertIsNone(self.directory._find_branches("NONE", SearchCriteria()))
        self.bank.action_archive()
        self.assertIsNone(self.directory._find_branches("TESTBANK", SearchCriteria()))
        criteria = SearchCriteria(with_archived=True)
        self.assertTrue(self.directory._find_branches("TESTBANK", criteria).items)

    def test_invalid_cursors_are_refused(self):
        for text, cursor in (
            ("", "%%%"),
            ("", "\u00e9"),
            ("", "_w"),
            ("bank", write_cursor("BKZ")),
            ("bank", write_cursor("-1")),
            ("bank", write_cursor("9" * 30)),
        ):
            with self.subTest(cursor=cursor), self.assertRaises(ValueError):
                self.directory._find_providers(SearchCriteria(text=text, cursor=cursor))

    def test_kinds_of_address_are_returned_with_their_parts(self):
        types = {each["code"]: each for each in self.directory._list_fa_types()}
        parts = {part["key"]: part for part in types["bank_account"]["parts"]}
        self.assertEqual(list(parts), ["bank_code", "branch_code", "account_number"])
        self.assertEqual(parts["bank_code"]["kind"], "provider")
        self.assertTrue(parts["account_number"]["schema"]["pattern"].startswith("^(?:"))
        self.assertEqual(parts["account_number"]["check"]["code"], "regex")
        self.assertIs(parts["account_number"]["gaps_do_not_count"], True)
        self.assertIs(parts["account_number"]["is_account_number"], True)
        self.assertIs(parts["bank_code"]["gaps_do_not_count"], False)
        self.assertIsNone(parts["bank_code"]["check"])
        numbers = [
            s["number"] for s in types["bank_account"]["strategies"] if s["default"]
        ]
        self.assertEqual(numbers, [1])

    def test_names_and_labels_are_in_the_language_asked_for(self):
        part = self.bank_type.part_ids[0]
        part.with_context(lang="fr_FR").label = "La banque"
        self.bank.with_context(lang="fr_FR").name = "Banque d'essai"
        french = self.directory.with_context(lang="fr_FR")
        types = {each["code"]: each for each in french._list_fa_types()}
        self.assertEqual(types["bank_account"]["parts"][0]["label"], "La banque")
        page = french._find_providers(SearchCriteria(country="XQ"))
        self.assertEqual(page.items[0]["name"], "Banque d'essai")

    def test_provider_kind_of_a_type_is_returned(self):
        self.assertEqual(self.directory._get_kind("mobile_wallet"), "wallet")
        self.assertIsNone(self.directory._get_kind("cheque"))
        self.assertTrue(self.directory._has_country("XQ"))
        self.assertFalse(self.directory._has_country("X"))
