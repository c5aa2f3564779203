from odoo.tests import new_test_user

from ..lib.fa_mask import DOT
from .common import DirectoryCase


class TestMaskedWords(DirectoryCase):
    def describe(self, *texts, **context):
        words = self.env["spar.masked.words"].with_context(**context)
        return words._write_addresses(list(texts))

    def test_kind_provider_and_branch_have_their_names(self):
        for text, words in (
            (
                "account:1234567890126789@TB-S.TESTBANK",
                "Bank account ••6789 at Test Bank, South",
            ),
            ("mobile:12345678@TESTWALLET", "Mobile wallet ••78 at Test Wallet"),
        ):
            with self.subTest(text):
                self.assertEqual(self.describe(text), [words])

    def test_what_the_directory_does_not_know_stays_a_mask(self):
        for text in (
            "account:12345678@BR01.NOSUCH",
            "account:BR01@12345678.TESTBANK.X",
            "mobile:12345678@NOSUCH",
            "account=1234567890",
            "",
        ):
            with self.subTest(text):
                masks = self.strategies._mask_addresses([text])
                self.assertEqual(self.describe(text), masks)

    def test_a_branch_is_shown_by_its_code_unless_that_may_be_a_number(self):
        for code, branch in (("BR77", ", BR77"), ("12345678", "")):
            with self.subTest(code):
                (text,) = self.describe(f"account:4711081523@{code}.TESTBANK")
                self.assertEqual(text, f"Bank account ••23 at Test Bank{branch}")

    def test_no_more_is_shown_than_by_the_mask(self):
        """Whatever the length, and what a value is made of."""
        for value in ("1", "123", "1234", "12345678", "12345678901234567890"):
            with self.subTest(value):
                (words,) = self.describe(f"account:{value}@TB-S.TESTBANK")
                (mask,) = self.strategies._mask_addresses(
                    [f"account:{value}@TB-S.TESTBANK"]
                )
                tail = mask.removeprefix("account:").split("@")[0].lstrip(DOT)
                self.assertIn(f" {DOT * 2}{tail} at ", words)

    def test_it_is_in_the_language_of_the_reader(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        self.wallet_type.with_context(lang="fr_FR").name = "Portefeuille"
        (words,) = self.describe("mobile:12345678@TESTWALLET", lang="fr_FR")
        self.assertTrue(words.startswith("Portefeuille ••78 "))

    def test_it_needs_no_rights_and_as_many_statements_for_one_as_for_many(self):
        user = new_test_user(self.env, "test_least", groups="base.group_public")
        words = self.env["spar.masked.words"].with_user(user)
        counts = []
        words._write_addresses(["account:12345678@TB-S.TESTBANK"])  # fills caches
        for texts in (
            ["account:12345678@TB-S.TESTBANK"],
            ["account:12345678@TB-S.TESTBANK", "mobile:2345@TESTWALLET"] * 40,
        ):
            self.env.invalidate_all()
            before = self.cr.sql_log_count
            self.assertEqual(len(words._write_addresses(texts)), len(texts))
            counts.append(self.cr.sql_log_count - before)
        self.assertEqual(counts[0], counts[1])
