from unittest.mock import patch

import psycopg2

from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.tools import mute_logger

from ..models.provider import spar_directory_search
from .common import DirectoryCase


class SearchCase(DirectoryCase):
    """Banks whose names share words, with branches in the same towns."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["res.lang"]._activate_lang("fr_FR")
        cls.providers = cls.env["spar.fsp"]
        cls.branches = cls.env["spar.fsp.branch"]
        names = ("Bank of Zindia", "Union Bank of Zindia", "State Bank of Zindia")
        cls.zindia, cls.union, cls.state = cls.providers.create(
            [
                {"name": name, "code": code}
                for name, code in zip(names, ("BKZ", "UBZ-1", "SBZ"), strict=True)
            ]
        )
        for provider in (cls.zindia, cls.union, cls.state):
            provider.branch_ids = [
                (0, 0, {"name": "Qatnagiri", "code": f"{provider.code}01"}),
                (0, 0, {"name": "Qatnagiri Market", "code": f"{provider.code}02"}),
                (0, 0, {"name": "Yélkhan", "code": "0777", "city": "Porto Alégre"}),
            ]

    def _find(self, text, model=None, limit=8):
        """Return the records that a form's field offers for a text, in their order."""
        model = model if model is not None else self.branches
        return model.browse([row[0] for row in model.name_search(text, limit=limit)])

    def _get_first(self, text):
        branch = self._find(text)[:1]
        return branch.provider_id, branch.name


class TestSearch(SearchCase):
    def test_provider_and_branch_in_any_order(self):
        for text in (
            "bank of zindia qatnagiri",
            "QATNAGIRI, Bank of Zindia",
            "zindia bank of qatnagiri",
        ):
            with self.subTest(text=text):
                self.assertEqual(self._get_first(text), (self.zindia, "Qatnagiri"))

    def test_typing_errors(self):
        for text in (
            "bnak of zindai qatnagri",
            "bank of zindia qatnagirri",
            "bank of zinda qatnaigri",
            "bank of zindia qatngri",
        ):
            with self.subTest(text=text):
                self.assertEqual(self._get_first(text), (self.zindia, "Qatnagiri"))

    def test_half_typed_words(self):
        self.assertEqual(
            self._get_first("bank of zin qatna"), (self.zindia, "Qatnagiri")
        )

    def test_one_unknown_word(self):
        text = "bank of zindia qatnagiri maharashtra"
        self.assertEqual(self._get_first(text), (self.zindia, "Qatnagiri"))

    def test_accents_and_case_do_not_matter(self):
        for text in ("yelkhan", "YÉLKHAN", "porto alegre", "Pórtò ÁLEGRE"):
            with self.subTest(text=text):
                self.assertEqual(len(self._find(text)), 3)

    def test_letters_of_other_scripts(self):
        bank = self.providers.create({"name": "मरुधर बैंक", "code": "MRDH"})
        arabic = self.providers.create({"name": "بَنْكُ أحمد", "code": "AHMD"})
        self.assertEqual(self._find("बैंक मरुधर", self.providers), bank)
        self.assertEqual(self._find("بنك احمد", self.providers), arabic)

    def test_a_code_comes_first(self):
        self.assertEqual(self._find("ubz-102")[0].name, "Qatnagiri Market")
        self.assertEqual(self._find("UBZ1", self.providers), self.union)
        self.branches.create(
            {"name": "Skz9 Street", "code": "A1", "provider_id": self.state.id}
        )
        named = self.branches.create(
            {"name": "Far Away", "code": "SKZ9", "provider_id": self.state.id}
        )
        self.assertEqual(self._find("skz9")[0], named)

    def test_a_bic_is_found(self):
        self.assertEqual(self._find("testdeffxxx", self.providers), self.bank)

    def test_mistyped_number_is_another_number(self):
        self.assertFalse(self._find("SBZ09"))

    def test_exact_matches_before_similar_ones(self):
        close = self.providers.create({"name": "Bank of Zondia", "code": "BKO"})
        found = self._find("zondia", self.providers)
        self.assertEqual(found[0], close)
        self.assertIn(self.zindia, found)

    def test_the_shorter_name_first(self):
        found = self._find("bank of zindia", self.providers)
        self.assertEqual(found, self.zindia | self.state | self.union)

    def test_a_provider_s_words_bring_its_branches_in_order(self):
        found = self._find("bank of zindia", limit=4)
        self.assertEqual(found[:3].provider_id, self.zindia)
        self.assertEqual(found[3].provider_id, self.state)
        self.assertEqual(found[:3], found[:3].sorted("name"))

    def test_pages_hold_together(self):
        whole = self.branches._find("qatnagiri", Domain.TRUE)
        self.assertEqual(len(whole), 6)
        pages = [
            self.branches._find("qatnagiri", Domain.TRUE, limit=2, offset=offset)
            for offset in (0, 2, 4, 6)
        ]
        self.assertEqual(sum(pages, []), whole)

    def test_words_of_every_language_are_found(self):
        self.zindia.with_context(lang="fr_FR").name = "Banque du Xanadou"
        self.assertEqual(self._find("banque xanadu", self.providers), self.zindia)
        self.assertEqual(self._find("bank of zindia", self.providers)[0], self.zindia)

    def test_renamed_record_is_found_only_by_its_new_name(self):
        self.zindia.name = "Wholly Otherwise"
        self.assertEqual(self._get_first("wholly qatnagiri")[0], self.zindia)
        self.assertNotIn(self.zindia, self._find("zindia", self.providers))
        branch = self.zindia.branch_ids[:1]
        branch.city = "Ulverton"
        self.assertEqual(self._find("ulvreton"), branch)

    def test_record_written_by_sql_is_found(self):
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE spar_fsp_branch SET name = 'Vuxhall' WHERE id = %s",
            self.zindia.branch_ids[:1].ids,
        )
        self.assertEqual(self._find("vuxhlal").ids, self.zindia.branch_ids[:1].ids)

    def test_renaming_a_provider_writes_no_branch(self):
        self.env.flush_all()
        query = "SELECT xmin::text FROM spar_fsp_branch WHERE provider_id = %s"
        self.env.cr.execute(query, self.zindia.ids)
        before = self.env.cr.fetchall()
        self.zindia.name = "Renamed"
        self.env.flush_all()
        self.env.cr.execute(query, self.zindia.ids)
        self.assertEqual(self.env.cr.fetchall(), before)

    def test_unused_words_are_deleted(self):
        self.branches.create(
            {"name": "Obsoleteville", "code": "9", "provider_id": self.zindia.id}
        ).unlink()
        self.env.flush_all()
        self.providers._delete_unused_words()
        self.env.cr.execute("SELECT word FROM spar_directory_word")
        words = {word for (word,) in self.env.cr.fetchall()}
        self.assertNotIn("obsoleteville", words)
        self.assertIn("qatnagiri", words)

    def test_very_common_words_are_cut_off_alike(self):
        with patch.object(spar_directory_search, "MAX_RESULTS", 3):
            first = self.branches._find("qatnagiri", Domain.TRUE)
            self.assertEqual(len(first), 3)
            self.assertEqual(self.branches._find("qatnagiri", Domain.TRUE), first)


class TestSpellings(SearchCase):
    """One name, written as different people write it."""

    def _create_banks(self, *names):
        return self.providers.create(
            [
                {"name": name, "code": f"QSP{number}"}
                for number, name in enumerate(names)
            ]
        )

    def _assert_each_finds_all(self, spellings, written=None):
        """Assert that each spelling finds the bank, whichever one the directory has."""
        for name in written or spellings:
            bank = self._create_banks(name)
            branch = self.branches.create(
                {"name": name, "code": "QSP", "provider_id": self.zindia.id}
            )
            for text in spellings:
                with self.subTest(name=name, text=text):
                    self.assertIn(bank, self._find(text, self.providers, limit=3))
                    self.assertIn(branch, self._find(text, limit=3))
            branch.unlink()
            bank.unlink()

    def test_spaces_between_words_do_not_matter(self):
        for spellings in (
            ("İş Bankası", "isbankasi", "is bankası", "IS BANK", "isbank"),
            ("GTBank", "gt bank", "GT Bank", "gt-bank", "g t bank", "GT BAN"),
            ("Porto Amarelo", "portoamarelo", "porto amarelo", "PORTOAMARELO"),
            ("Bank of Qorvia", "bankofqorvia", "bankof qorvia", "bank ofqorvia"),
            ("QB24 Express", "qb24express", "qb 24 express", "qb24 express"),
            ("नया बाज़ार", "नयाबाज़ार", "नयाबाजार"),
        ):
            self._assert_each_finds_all(spellings, spellings[:2])

    def test_and_is_a_sign_or_a_word(self):
        self._assert_each_finds_all(
            ("P & T Qbank", "P&T Qbank", "p and t qbank", "pt qbank", "P+T Qbank")
        )
        self._assert_each_finds_all(("Qerez y Marn", "Qerez & Marn", "qerez marn"))
        self._assert_each_finds_all(("Qerez et Marn", "Qerez & Marn", "Qerez und Marn"))
        self._assert_each_finds_all(("قرض و ادخار", "قرض & ادخار", "قرض ادخار"))

    def test_word_for_and_is_found_by_itself(self):
        bank = self._create_banks("Och Qandor")
        self.assertIn(bank, self._find("och", self.providers))
        self.assertIn(bank, self._find("och qandor", self.providers))

    def test_the_article_does_not_matter(self):
        for spellings in (
            ("البنك القندوري", "بنك قندوري", "بنك القندوري", "البنك قندوري"),
            ("الصرافه والتقندر", "صرافة تقندر", "للصرافة بالتقندر"),
            ("בנק הקנדורים", "בנק קנדורים", "הבנק הקנדורים"),
            ("Al-Qandori", "qandori", "Al Qandori", "alqandori"),
        ):
            self._assert_each_finds_all(spellings, spellings[:1])
        self._assert_each_finds_all(("البنك القندوري", "بنك قندوري", "البنك الق"))

    def test_nasals_of_indian_scripts_are_one(self):
        for spellings in (
            ("पंजाब", "पन्जाब", "पञ्जाब", "पँजाब"),
            ("हिन्दी", "हिंदी"),
            ("मुम्बई", "मुंबई"),
            ("গঙ্গা", "গংগা"),
            ("ਪੰਜਾਬ", "ਪਂਜਾਬ", "ਪਨ੍ਜਾਬ"),
            ("ગાંધી", "ગાન્ધી"),
            ("ଗାନ୍ଧୀ", "ଗାଂଧୀ"),
            ("ఆంధ్ర", "ఆన్ధ్ర"),
            ("ಬೆಂಗಳೂರು", "ಬೆಙ್ಗಳೂರು"),
        ):
            self._assert_each_finds_all(spellings)

    def test_points_and_like_vowels_of_devanagari_are_one(self):
        for spellings in (("बाज़ार", "बाजार"), ("नयी", "नई"), ("दुःख", "दुख")):
            self._assert_each_finds_all(spellings)

    def test_digits_of_any_script_are_found(self):
        branch = self.branches.create(
            {"name": "Kqay", "code": "40771", "provider_id": self.zindia.id}
        )
        for text in ("40771", "٤٠٧٧١", "۴۰۷۷۱", "४०७७१", "৪০৭৭১"):
            with self.subTest(text=text):
                self.assertEqual(self._find(text), branch)

    def test_words_of_different_fields_do_not_stand_together(self):
        branch = self.zindia.branch_ids[2]
        self.assertNotIn(branch, self._find("yelkhan0777"))
        self.assertNotIn(branch, self._find("0777porto"))


class TestPlaces(SearchCase):
    """A town finds the banks that have a branch there."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.state.branch_ids = [
            (0, 0, {"name": "Main", "code": "Q9", "city": "Qort Amarel"})
        ]

    def test_a_place_finds_the_banks_with_a_branch_there(self):
        for text in ("qort amarel", "qortamarel", "QORT AMAREL", "qotr amarel"):
            with self.subTest(text=text):
                self.assertEqual(self._find(text, self.providers)[:1], self.state)
        found = self._find("porto alegre", self.providers)
        self.assertEqual(found[:3], self.zindia | self.state | self.union)

    def test_a_bank_and_a_place(self):
        found = self._find("union bank yelkhan", self.providers)
        self.assertEqual(found[0], self.union)

    def test_a_bank_of_that_name_comes_first(self):
        named = self.providers.create({"name": "Bank of Qort Amarel", "code": "QA"})
        found = self._find("qort amarel", self.providers)
        self.assertEqual(found[:2], named | self.state)

    def test_a_list_is_searched_alike(self):
        found = self.providers.search([("found_by", "ilike", "qort amarel")])
        self.assertEqual(found, self.state)

    def test_pages_hold_together(self):
        named = self.providers.create({"name": "Bank of Qatnagiri", "code": "QT"})
        whole = self.providers._find("qatnagiri", Domain.TRUE)
        self.assertEqual(whole[0], named.id)
        others = self.zindia | self.union | self.state
        self.assertEqual(set(whole[1:]), set(others.ids))
        pages = [
            self.providers._find("qatnagiri", Domain.TRUE, limit=1, offset=offset)
            for offset in range(5)
        ]
        self.assertEqual(sum(pages, []), whole)

    def test_an_archived_branch_is_no_place_of_its_bank(self):
        self.state.branch_ids.action_archive()
        self.assertNotIn(self.state, self._find("qort amarel", self.providers))

    def test_an_archived_bank_is_not_found_by_its_places(self):
        self.state.action_archive()
        self.assertNotIn(self.state, self._find("qort amarel", self.providers))

    def test_other_conditions_apply(self):
        found = self.providers.name_search("qort amarel", [("code", "=", "BKZ")])
        self.assertFalse(found)


class TestOwnCountry(SearchCase):
    """The user's own country comes first."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.own, cls.other = cls.env["res.country"].create(
            [{"name": "Own", "code": "Q1"}, {"name": "Other", "code": "Q2"}]
        )
        cls.env.company.country_id = cls.own
        cls.zindia.country_id = cls.union.country_id = cls.other
        cls.state.country_id = cls.own

    def test_banks_and_branches_of_the_own_country_come_first(self):
        found = self._find("bank of zindia", self.providers)
        self.assertEqual(found, self.state | self.zindia | self.union)
        self.assertEqual(self._get_first("bank of zindia")[0], self.state)
        self.assertEqual(self._get_first("qatnagiri")[0], self.state)
        found = self._find("yelkhan", self.providers)
        self.assertEqual(found[0], self.state)

    def test_typed_words_come_before_similar_ones(self):
        self.state.name = "State Bank of Zindja"
        found = self._find("bank of zindia", self.providers)
        self.assertEqual(found, self.zindia | self.union | self.state)

    def test_a_code_comes_before_the_country(self):
        self.state.name = "Bkz and Sons"
        self.assertEqual(self._find("bkz", self.providers)[0], self.zindia)

    def test_the_own_country_comes_first_before_anything_is_typed(self):
        own = self.providers.search([("country_id", "=", self.own.id)])
        found = self._find("", self.providers, limit=len(own) + 1)
        self.assertEqual(found[:-1], own)
        self.assertNotEqual(found[-1].country_id, self.own)

    def test_without_a_country_nothing_comes_first(self):
        self.env.company.country_id = False
        found = self._find("bank of zindia", self.providers)
        self.assertEqual(found, self.zindia | self.state | self.union)
        self.assertEqual(len(self._find("", self.providers, limit=5)), 5)


class TestWordsAreMadeAnew(SearchCase):
    def test_words_that_another_script_made(self):
        """An existing database has words that an earlier script made."""
        self.env.flush_all()
        self.env.cr.execute("DELETE FROM spar_directory_word")
        for model in (self.providers, self.branches):
            column = f"{model._table}.search_words"
            self.env.cr.execute(f"COMMENT ON COLUMN {column} IS NULL")
            model.init()
        self.assertEqual(self._get_first("bnak of zindai qatnagri")[1], "Qatnagiri")
        self.env.cr.execute(
            """SELECT length(col_description('spar_fsp_branch'::regclass, attnum))
                 FROM pg_attribute WHERE attname = 'search_words'
                  AND attrelid = 'spar_fsp_branch'::regclass"""
        )
        self.assertEqual(self.env.cr.fetchone()[0], 64)


class TestSearchOfLists(SearchCase):
    def test_a_list_is_searched_alike(self):
        found = self.branches.search([("found_by", "ilike", "bnak of zindai qatnagri")])
        self.assertIn(self.zindia.branch_ids[0], found)
        self.assertNotIn(self.zindia.branch_ids.filtered("city"), found)

    def test_related_records_are_searched_alike(self):
        found = self.branches.search([("provider_id", "ilike", "unoin bank zindia")])
        self.assertEqual(found.provider_id, self.union)
        others = self.branches.search([("provider_id", "not ilike", "zindia")])
        self.assertFalse(others & (self.zindia | self.union).branch_ids)

    def test_search_combines_with_other_conditions(self):
        domain = [
            ("found_by", "ilike", "qatnagiri"),
            ("provider_id", "=", self.union.id),
        ]
        self.assertEqual(len(self.branches.search(domain)), 2)
        self.assertEqual(self.branches.search_count(["!", domain[0], domain[1]]), 1)

    def test_empty_text_and_punctuation_only(self):
        self.assertTrue(self.branches.name_search(" ", limit=1))
        for text in ("--", "' \\ \" )", "\u200f", "..."):
            with self.subTest(text=text):
                self.assertFalse(self._find(text))
                self.assertFalse(self.branches.search([("found_by", "ilike", text)]))

    def test_hostile_text_finds_nothing_and_breaks_nothing(self):
        for text in (
            "'; DROP TABLE spar_fsp; --",
            "a & b | !c:*",
            "%s %(all)s %%",
            "x" * 10_000,
            "word " * 2_000,
            "nul\0byte",
            "\U0001f600 \u202e",
            "\\",
        ):
            with self.subTest(text=text[:30]):
                self.assertNotIn(self.zindia, self._find(text, self.providers))

    def test_an_exact_operator_stays_exact(self):
        search = self.providers.name_search
        self.assertEqual(search("BKZ", operator="=")[0][0], self.zindia.id)
        self.assertFalse(search("BK", operator="="))


class TestSearchRights(SearchCase):
    def test_user_without_a_role_finds_nothing(self):
        no_role = self._create_user(login="test_no_role")
        for model in (self.providers, self.branches):
            with self.subTest(model=model._name):
                with self.assertRaises(AccessError):
                    model.with_user(no_role).name_search("zindia")
                with self.assertRaises(AccessError):
                    model.with_user(no_role).search([("found_by", "ilike", "zindia")])

    def test_a_viewer_finds(self):
        viewer = self._create_user("viewer")
        self.assertTrue(self.branches.with_user(viewer).name_search("qatnagiri"))

    def test_record_rules_apply(self):
        viewer = self._create_user("viewer")
        self.env["ir.rule"].create(
            {
                "name": "Only one",
                "model_id": self.env["ir.model"]._get_id("spar.fsp.branch"),
                "domain_force": f"[('provider_id', '=', {self.union.id})]",
            }
        )
        found = self.branches.with_user(viewer).name_search("qatnagiri")
        self.assertEqual(len(found), 2)

    def test_archived_records_are_found_on_request(self):
        self.zindia.branch_ids.action_archive()
        self.assertEqual(self._get_first("bank of zindia qatnagiri")[0], self.state)
        everything = self.branches.with_context(active_test=False)
        found = self._find("bank of zindia qatnagiri", everything)
        self.assertEqual(found[0].provider_id, self.zindia)

    def test_missing_extension_is_explained_with_its_command(self):
        execute = self.env.cr.execute

        def refuse(query, *args, **kwargs):
            if "CREATE EXTENSION" in str(query):
                raise psycopg2.errors.InsufficientPrivilege("permission denied")
            return execute(query, *args, **kwargs)

        with (
            mute_logger("odoo.sql_db"),
            patch.object(self.env.cr, "execute", refuse),
        ):
            self._assert_refused(
                "CREATE EXTENSION pg_trgm;",
                self.providers._make_extension,
                exception=UserError,
            )

    def test_search_functions_work_while_a_backup_is_restored(self):
        """``pg_restore`` finds a function only by its schema."""
        self.env.cr.execute("SELECT quote_ident(current_schema)")
        (schema,) = self.env.cr.fetchone()
        with self.env.cr.savepoint():
            self.env.cr.execute("SET LOCAL search_path = ''")
            self.env.cr.execute(
                f"SELECT {schema}.spar_directory_words('Union-Bank')::text,"
                f"       {schema}.spar_directory_forms('bank')"
            )
            words, forms = self.env.cr.fetchone()
            self.env.cr.execute(f"SET LOCAL search_path = {schema}")
        self.assertEqual(words, "'bank' 'union' 'unionbank'")
        self.assertIn("ban", forms)
