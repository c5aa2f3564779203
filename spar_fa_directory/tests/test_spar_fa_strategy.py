from unittest.mock import patch

import psycopg2

from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user
from odoo.tools import mute_logger

from ..lib.fa_reader import Address
from .common import DirectoryCase


class TestStrategy(DirectoryCase):
    def _create(self, template, **vals):
        return self.strategies.create(
            {"name": "Test", "type_id": self.bank_type.id, "template": template} | vals
        )

    def test_number_one_is_the_default_of_bank_accounts(self):
        first = self.strategies.search([("number", "=", 1)])
        self.assertTrue(first.is_default)
        self.assertEqual(
            first.template, "account:{account_number}@{branch_code}.{bank_code}"
        )

    def test_every_shipped_kind_has_a_default(self):
        defaults = self.strategies.search([("is_default", "=", True)])
        self.assertLessEqual(
            {"bank_account", "mobile_wallet", "email_wallet", "voucher"},
            set(defaults.type_id.mapped("code")),
        )

    def test_a_new_strategy_gets_the_next_number_after_the_shipped_ones(self):
        one = self._create("x:{account_number}@{bank_code}")
        two = self._create("y:{account_number}@{bank_code}")
        self.assertGreaterEqual(one.number, 101)
        self.assertEqual(two.number, one.number + 1)

    def test_strategies_are_append_only(self):
        strategy = self._create("x:{account_number}@{bank_code}")
        for vals in (
            {"template": "y:{account_number}@{bank_code}"},
            {"number": 999},
            {"type_id": self.wallet_type.id},
        ):
            with self.subTest(vals=vals):
                self._assert_refused(
                    "add a new one", strategy.write, vals, exception=UserError
                )
        self._assert_refused("add a new one", strategy.unlink, exception=UserError)

    def test_its_name_may_change_and_it_may_be_archived(self):
        strategy = self._create("x:{account_number}@{bank_code}")
        strategy.write({"name": "Other", "template": strategy.template})
        strategy.action_archive()
        self.assertEqual((strategy.name, strategy.active), ("Other", False))

    def test_a_number_is_unique(self):
        with (
            mute_logger("odoo.sql_db"),
            self.assertRaises(psycopg2.errors.UniqueViolation),
        ):
            self._create("x:{account_number}@{bank_code}", number=1)

    def test_a_number_below_one_is_refused(self):
        with (
            mute_logger("odoo.sql_db"),
            self.assertRaises(psycopg2.errors.CheckViolation),
        ):
            self._create("x:{account_number}@{bank_code}", number=-1)

    def test_templates_that_could_not_be_read_back_are_refused(self):
        for template, text in [
            ("x:{account_number}{bank_code}", "between account_number and bank_code"),
            ("x:{account_number}@{account_number}", "A part occurs twice"),
            ("{account_number}", "Begin with the kind"),
            ("x:{Account}", "in braces"),
            (
                "x:{account_number*}@{bank_code*}",
                "one part can be marked with an asterisk",
            ),
            ("x:{account_number}\u00e9@{bank_code}", "ASCII"),
            ("x:{account_number}@{iban}", "has no part iban"),
            ("x:{bank_code}", "does not contain account_number"),
        ]:
            with self.subTest(template=template):
                self._assert_refused(text, self._create, template)

    def test_the_default_of_a_kind_is_one(self):
        first = self.strategies.search([("number", "=", 1)])
        other = self._create("x:{account_number}@{bank_code}")
        other.action_set_default()
        self.assertTrue(other.is_default)
        self.assertFalse(first.is_default)
        first.action_set_default()
        self.assertTrue(first.is_default)
        self.assertFalse(other.is_default)
        with (
            mute_logger("odoo.sql_db"),
            self.assertRaises(psycopg2.errors.UniqueViolation),
        ):
            self.env.cr.execute("UPDATE spar_fa_strategy SET is_default = true")

    def test_the_default_cannot_be_archived(self):
        with (
            mute_logger("odoo.sql_db"),
            self.assertRaises(psycopg2.errors.CheckViolation),
        ):
            self.strategies.search([("number", "=", 1)]).action_archive()
            self.strategies.flush_model()

    def test_an_officer_cannot_set_the_default(self):
        strategy = self._create("x:{account_number}@{bank_code}")
        officer = self._create_user("officer")
        with self.assertRaises(AccessError):
            strategy.with_user(officer).action_set_default()


class TestReadAddresses(DirectoryCase):
    def test_an_address_is_read_with_its_provider_and_branch(self):
        text = "account:123@TB.%4E.testbank"
        self.assertEqual(self._read(text), Address(text))
        text = "Account:123@TB%2EN.testbank"
        self.assertEqual(
            self._read(text),
            Address(
                text,
                1,
                "bank_account",
                self.bank_type.id,
                self.bank.id,
                self.north.id,
                {
                    "account_number": "123",
                    "branch_code": "TB.N",
                    "bank_code": "testbank",
                },
            ),
        )

    def test_an_unknown_provider_leaves_the_parts(self):
        address = self._read("account:123@BR01.NOSUCHBANK")
        self.assertEqual(address.strategy_number, 1)
        self.assertEqual(address.parts["bank_code"], "NOSUCHBANK")
        self.assertIsNone(address.provider_id)
        self.assertIsNone(address.branch_id)

    def test_an_unknown_branch_leaves_the_provider(self):
        address = self._read("account:123@BR01.TESTBANK")
        self.assertEqual(address.provider_id, self.bank.id)
        self.assertIsNone(address.branch_id)

    def test_texts_without_a_strategy_are_unchanged(self):
        for text in ("", "123", "account:1@2@3.4", "a" * 10_000, "\ud800", "a\0b:c"):
            with self.subTest(text=text[:20]):
                self.assertEqual(self._read(text), Address(text))

    def test_hostile_codes_reach_no_statement(self):
        for code in ("a\0b", "\ud800", "caf\u00e9", "'; --", "%s", "{x}"):
            with self.subTest(code=code):
                address = self._read(f"account:1@{code}.{code}")
                self.assertIsNone(address.provider_id)

    def test_order_and_doubles_are_kept(self):
        texts = ["x", "account:1@TB-S.TESTBANK", "x", "mobile:09@TESTWALLET", "x"]
        addresses = self.strategies._read_addresses(texts)
        self.assertEqual([address.text for address in addresses], texts)
        self.assertEqual(addresses[1].branch_id, self.south.id)
        self.assertEqual(addresses[3].provider_id, self.wallet.id)
        self.assertEqual(self.strategies._read_addresses([]), [])

    def test_each_shipped_shape_is_read_by_its_own_strategy(self):
        bank = "bank_name:T.bank_code:TESTBANK"
        start = f"account_number:1.branch_name:N.branch_code:TB-S.{bank}"
        wallet = "wallet_provider_name:T.wallet_provider_code:TESTWALLET"
        for number, text in {
            1: "account:1@TB-S.TESTBANK",
            2: f"{start}.fa_type:bank",
            3: f"email_address:a@b.c.{wallet}.fa_type:email_wallet_provider",
            4: f"mobile_number:1.{wallet}.fa_type:mobile_wallet_provider",
            5: "account_number:1.branch_code:TB-S.bank_code:TESTBANK"
            ".mobile_number:.email_address:.fa_type:BANK_ACCOUNT",
            11: "mobile:1@TESTWALLET",
            12: "email:a@b.c@TESTWALLET",
            13: "voucher:1@SCHEME",
            21: f"{start}.mobile_number:.email_address:.fa_type:BANK_ACCOUNT",
            22: f"email_address:a@b.c.{wallet}.fa_type:EMAIL_WALLET",
            23: f"mobile_number:1.{wallet}.fa_type:MOBILE_WALLET",
            31: "account:1@TB-S.TESTBANK.bank_acc",
            32: "account:1@TESTWALLET.wallet",
            33: "email:a@b.c.TESTWALLET",
            41: "account_no:1@TESTDEFFXXX",
        }.items():
            with self.subTest(number=number):
                address = self._read(text)
                self.assertEqual(address.strategy_number, number)
                if number != 13:
                    self.assertIn(address.provider_id, (self.bank + self.wallet).ids)
                again = self.strategies._write_addresses([address], number)
                self.assertEqual(again, [text])

    def test_a_thousand_cost_one_statement(self):
        texts = [f"account:{i}@TB-S.TESTBANK" for i in range(900)]
        texts += [f"mobile:{i}@W{i}" for i in range(100)]
        self.strategies._get_known_strategies()
        self.env.flush_all()
        with self.assertQueryCount(1):
            addresses = self.strategies._read_addresses(texts)
        self.assertEqual(
            len({address.parts["account_number"] for address in addresses[:900]}), 900
        )
        self.assertTrue(all(a.branch_id == self.south.id for a in addresses[:900]))
        with self.assertQueryCount(1):
            self.strategies._mask_addresses(texts)

    def test_two_statements_when_the_strategies_are_not_cached(self):
        self.env.flush_all()
        self.env.registry.clear_cache()
        with self.assertQueryCount(2):
            self._read("account:1@TB-S.TESTBANK")

    def test_texts_without_a_provider_cost_none(self):
        self.strategies._get_known_strategies()
        with self.assertQueryCount(0):
            self.strategies._read_addresses(["x", "y:z"])

    def test_a_new_strategy_is_known_at_once(self):
        text = "new:1@TESTBANK"
        self.assertEqual(self._read(text), Address(text))
        strategy = self.strategies.create(
            {
                "name": "New",
                "type_id": self.bank_type.id,
                "template": "new:{account_number}@{bank_code}",
            }
        )
        self.assertEqual(self._read(text).strategy_number, strategy.number)

    def test_a_strategy_that_was_rolled_back_is_not_known(self):
        self.assertEqual(self._read("new:1@TESTBANK").parts, None)
        with self.assertRaises(UserError):
            strategy = self.strategies.create(
                {
                    "name": "New",
                    "type_id": self.bank_type.id,
                    "template": "new:{account_number}@{bank_code}",
                }
            )
            self.assertTrue(self._read("new:1@TESTBANK").parts)
            strategy.unlink()
        self.env.registry.reset_changes()  # as at the end of a failed request
        self.assertEqual(self._read("new:1@TESTBANK").parts, None)

    def test_another_code_of_a_kind_is_known_at_once(self):
        self._read("account:1@TB-S.TESTBANK")
        self.bank_type.code = "bank"
        self.assertEqual(self._read("account:1@TB-S.TESTBANK").type_code, "bank")

    def test_the_default_is_asked_first(self):
        """It also comes before strategies whose flag was never set."""
        account = self.strategies._get_known_strategies()["account:"]
        self.assertEqual(account[0].number, 1)
        address = self._read("account:1@TESTWALLET.wallet")
        self.assertEqual(
            (address.strategy_number, address.provider_id), (32, self.wallet.id)
        )
        address = self._read("account:1@NOBODY.wallet")
        self.assertEqual((address.strategy_number, address.provider_id), (1, None))

    def test_an_archived_strategy_is_still_read(self):
        strategy = self.strategies.search([("number", "=", 41)])
        strategy.action_archive()
        self.assertEqual(self._read("account_no:1@TESTDEFFXXX").strategy_number, 41)

    def test_reading_needs_no_rights(self):
        user = new_test_user(self.env, "test_least", groups="base.group_public")
        strategies = self.strategies.with_user(user)
        with self.assertRaises(AccessError):
            strategies.search([])
        (address,) = strategies._read_addresses(["account:1@TB-S.TESTBANK"])
        self.assertEqual(address.branch_id, self.south.id)
        self.assertEqual(
            strategies._mask_addresses(["mobile:12345678@TESTWALLET"]),
            ["mobile:••••••78@TESTWALLET"],
        )
        self.assertEqual(
            strategies._write_addresses([address], 31),
            ["account:1@TB-S.TESTBANK.bank_acc"],
        )


class TestExamineAddresses(DirectoryCase):
    GOOD = "account:12345678@TB-S.TESTBANK"

    def _examine(self, text):
        ((_address, problem),) = self.strategies._examine_addresses([text])
        return problem and tuple(problem)

    def test_an_address_in_order_is_read_too(self):
        ((address, problem),) = self.strategies._examine_addresses([self.GOOD])
        self.assertIsNone(problem)
        self.assertEqual(address, self._read(self.GOOD))

    def test_a_branch_of_another_bank_is_refused(self):
        other = self.env["spar.fsp"].create({"name": "Other", "code": "OTHER"})
        self.assertEqual(
            self._examine(f"account:12345678@TB-S.{other.code}"),
            ("branch_unknown", "", ""),
        )

    def test_an_archived_provider_or_branch_is_refused(self):
        self.south.action_archive()
        self.assertEqual(self._examine(self.GOOD)[0], "branch_archived")
        self.bank.action_archive()
        self.assertEqual(self._examine(self.GOOD)[0], "provider_archived")

    def test_a_wallet_is_no_bank(self):
        text = "mobile:+15551234567@TESTBANK"
        self.assertEqual(self._examine(text)[0], "provider_kind")

    def test_a_text_must_pass_its_check(self):
        self.assertEqual(
            self._examine("account:1@TB-S.TESTBANK"),
            ("part", "account_number", "regex"),
        )

    def test_a_check_that_was_changed_counts_at_once(self):
        self.assertIsNone(self._examine(self.GOOD))
        number = self.bank_type.part_ids.filtered(lambda part: part.kind == "text")
        number.check_parameter = "[0-9]{3}"
        self.assertEqual(self._examine(self.GOOD)[0], "part")

    def test_another_kind_of_provider_counts_at_once(self):
        self.assertIsNone(self._examine(self.GOOD))
        self.bank_type.provider_kind = "wallet"
        self.assertEqual(self._examine(self.GOOD)[0], "provider_kind")

    def test_many_cost_one_statement(self):
        texts = [f"account:{number:08}@TB-S.TESTBANK" for number in range(500)]
        self._examine(texts[0])
        with self.assertQueryCount(1):
            examined = self.strategies._examine_addresses([*texts, "free text"])
        self.assertEqual([bool(problem) for _a, problem in examined[-2:]], [0, 1])

    def test_reading_needs_no_rights(self):
        user = new_test_user(self.env, "test_least", groups="base.group_public")
        self.env.registry.clear_cache()
        ((_address, problem),) = self.strategies.with_user(user)._examine_addresses(
            [self.GOOD]
        )
        self.assertIsNone(problem)


class TestMaskAddresses(DirectoryCase):
    def _mask(self, text):
        return self.strategies._mask_addresses([text])[0]

    def test_the_kind_and_the_provider_stay_readable(self):
        self.assertEqual(
            self._mask("account:1234567890126789@TB-S.TESTBANK"),
            "account:••••••••••••6789@TB-S.TESTBANK",
        )

    def test_short_unknown_code_stays_readable(self):
        self.assertEqual(
            self._mask("account:12345678@BR01.NOSUCH"), "account:••••••78@BR01.NOSUCH"
        )

    def test_a_number_in_the_place_of_a_code_does_not(self):
        self.assertEqual(
            self._mask("account:BR01@12345678.TESTBANK"),
            "account:•••1@••••••78.TESTBANK",
        )

    def test_names_are_masked(self):
        masked = self._mask(
            "email_address:maria@example.com.wallet_provider_name:123456789"
            ".wallet_provider_code:TESTWALLET.fa_type:EMAIL_WALLET"
        )
        self.assertNotIn("maria", masked)
        self.assertNotIn("1234567", masked)
        self.assertIn("wallet_provider_code:TESTWALLET", masked)

    def test_text_without_a_strategy_is_masked_completely(self):
        self.assertEqual(self._mask("account=1234567890"), "••••••••••••••7890")
        self.assertEqual(self._mask(""), "")


class TestWriteAddresses(DirectoryCase):
    def _write(self, text, number):
        return self.strategies._write_addresses([self._read(text)], number)[0]

    def test_names_come_from_the_directory_in_one_language(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        self.bank.with_context(lang="fr_FR").name = "Banque"
        french = self.strategies.with_context(lang="fr_FR")
        address = self._read("account:123@tb-s.testbank")
        self.assertEqual(
            french._write_addresses([address], 2),
            [
                "account_number:123.branch_name:South.branch_code:tb-s"
                ".bank_name:Test Bank.bank_code:testbank.fa_type:bank"
            ],
        )

    def test_a_code_is_found_for_a_bic(self):
        address = self._read("account_no:123@TESTDEFFXXX")
        self.assertEqual(
            self.strategies._write_addresses([address], 41),
            ["account_no:123@TESTDEFFXXX"],
        )
        self.assertIsNone(self._write("account_no:123@TESTDEFFXXX", 1))

    def test_unwritable_address_is_none_and_others_are_kept(self):
        addresses = self.strategies._read_addresses(
            [
                "account:1@TB-S.TESTBANK",
                "mobile:1@TESTWALLET",
                "account:1@BR01.NOSUCH",
                "free text",
            ]
        )
        texts = self.strategies._write_addresses(addresses, 2)
        self.assertEqual([bool(text) for text in texts], [True, False, False, False])

    def test_many_cost_no_more_than_one(self):
        few = self.strategies._read_addresses(["account:1@TB-S.TESTBANK"])
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        self.strategies._write_addresses(few, 2)
        cost = self.env.cr.sql_log_count - before
        self.env.invalidate_all()
        with self.assertQueryCount(cost):
            self.strategies._write_addresses(few * 500, 2)

    def test_an_unknown_number_is_refused(self):
        with self.assertRaisesRegex(UserError, "no strategy number 9999"):
            self.strategies._write_addresses([], 9999)


class TestCanonicalAddresses(DirectoryCase):
    SPELLINGS = (
        "account:12345678@TB-S.TESTBANK",
        "account:1234-5678@tb-s.TestBank",
        "account:1234.5678@tb-s.TestBank",
        "account:12/34.56-78@TB-S.TESTBANK.bank_acc",
        "ACCOUNT:1234 5678@TB-S.TESTBANK.bank_acc",
        "account:\u0661\u0662\u0663\u0664 5678@TB-S.TESTBANK",
        "account_number:12345678.branch_code:TB-S.bank_code:TESTBANK.mobile_number:"
        ".email_address:.fa_type:BANK_ACCOUNT",
    )

    def _form(self, *texts):
        return self.strategies._canonicalise_addresses(list(texts))

    def _get_words(self, *texts):
        return [form.problem and form.problem.check for form in self._form(*texts)]

    def test_every_spelling_and_strategy_gives_one_key(self):
        formed = self._form(*self.SPELLINGS)
        self.assertEqual(len({form.key for form in formed}), 1)
        self.assertEqual({form.problem for form in formed}, {None})
        self.assertEqual(
            formed[-1].parts,
            {
                "account_number": "12345678",
                "bank_code": "TestBank",
                "branch_code": "TB-S",
            },
        )

    def test_a_key_names_codes_and_no_rows(self):
        (before,) = self._form(self.SPELLINGS[0])
        self.bank.branch_ids.unlink()
        self.bank.unlink()
        other = self.env["spar.fsp"].create({"name": "Again", "code": "TESTBANK"})
        self.env["spar.fsp.branch"].create(
            {"name": "Again", "code": "tb-s", "provider_id": other.id}
        )
        (after,) = self._form(self.SPELLINGS[0])
        self.assertNotEqual(after.provider_id, before.provider_id)
        self.assertEqual(after.key, before.key)

    def test_a_bic_and_a_code_are_the_same_where_there_are_no_branches(self):
        bare = self.env["spar.fsp"].create(
            {"name": "Bare", "code": "Bare", "bic": "NISPIDJA"}
        )
        formed = self._form(
            "account:1234567@.BARE",
            "account:1234567@ANY.BARE",
            "account_no:1234567@NISPIDJA",
            "account_no:1234567@NISPIDJAXXX",
            "account_no:1234-567@nisp id ja",
        )
        self.assertEqual(len({form.key for form in formed}), 1)
        self.assertEqual({form.provider_id for form in formed}, {bare.id})

    def test_a_file_s_bic_with_blanks_is_found(self):
        self.bank.bic = "DEUT DE FF"
        for bic in ("DEUTDEFF", "DEUTDEFFXXX", "DEUT DE FF"):
            with self.subTest(bic=bic):
                (form,) = self._form(f"account_no:1234567@{bic}")
                self.assertEqual(form.provider_id, self.bank.id)

    def test_a_wallet_takes_mobile_numbers_of_its_country(self):
        self.wallet.country_id = self.env.ref("base.ph")
        good = ["0917 1234567", "+639171234567", "00639171234567", "9171234567"]
        formed = self._form(*(f"mobile:{number}@TESTWALLET" for number in good))
        self.assertEqual(
            {form.parts["phone_number"] for form in formed}, {"+639171234567"}
        )
        self.assertEqual(len({form.key for form in formed}), 1)
        self.assertEqual(
            self._get_words(
                "mobile:0917FLOWERS@TESTWALLET",
                "mobile:O9171234567@TESTWALLET",
                "mobile:(02) 8123 4567@TESTWALLET",
                "mobile:+14155552671@TESTWALLET",
                "mobile:08881234567@TESTWALLET",
            ),
            ["phone_signs", "phone_signs", "phone_mobile", "phone_country", "phone"],
        )
        self.wallet.phone_prefixes = "0888"
        self.assertEqual(self._get_words("mobile:08881234567@TESTWALLET"), [None])

    def test_provider_s_rules_apply_at_once(self):
        text = "account:4111111111111111@TB-S.TESTBANK"
        self.assertEqual(self._get_words(text), ["card"])
        self.bank.account_pattern = "[0-9]{16}"
        self.assertEqual(
            self._get_words(text, self.SPELLINGS[0]), [None, "account_pattern"]
        )
        self.bank.write({"account_pattern": False, "account_longest": 8})
        self.assertEqual(
            self._get_words(text, self.SPELLINGS[0]), ["account_length", None]
        )

    def test_an_iban_of_another_bank_is_refused(self):
        self.bank.country_id = self.env.ref("base.tr")
        text = "account:GB29NWBK60161331926819@TB-S.TESTBANK"
        self.assertEqual(self._get_words(text), ["iban_country"])

    def test_a_kind_whose_part_is_an_iban_asks_for_its_bank(self):
        fa_type = self.env["spar.fa.type"].create(
            {
                "name": "IBAN",
                "code": "iban",
                "part_ids": [
                    (0, 0, {"key": "bank", "label": "Bank", "kind": "provider"}),
                    (0, 0, {"key": "iban", "label": "IBAN", "check_code": "iban"}),
                ],
            }
        )
        self.strategies.create(
            {"name": "I", "type_id": fa_type.id, "template": "iban:{iban}@{bank}"}
        )
        self.bank.write({"country_id": self.env.ref("base.de").id, "bic": "DEUTDEFF"})
        text = "iban:DE89 3704 0044 0532 0130 00@TESTBANK"
        self.assertEqual(self._get_words(text), ["iban_bank"])
        self.bank.bic = "COBADEFF"
        self.assertEqual(self._get_words(text), [None])

    def test_participant_gets_the_canonical_form(self):
        texts = [self.SPELLINGS[1], "free text", "mobile:0917 1234567@TESTWALLET"]
        formed = self._form(*texts)
        self.assertEqual(
            self.strategies._write_canonical(formed, texts),
            [
                "account:12345678@TB-S.TestBank",
                "free text",
                "mobile:09171234567@TESTWALLET",
            ],
        )
        self.assertEqual(
            self.strategies._write_canonical(formed, texts, 31),
            [
                "account:12345678@TB-S.TestBank.bank_acc",
                "free text",
                "mobile:09171234567@TESTWALLET",
            ],
        )
        self.assertEqual(
            self.strategies._write_canonical(formed[:1], texts[:1], 41),
            ["account_no:12345678@TESTDEFFXXX"],
        )

    def test_canonical_form_is_read_as_the_same_address(self):
        texts = [*self.SPELLINGS, "mobile:0917 1234567@TESTWALLET", "free text"]
        formed = self._form(*texts)
        for number in (0, 1, 2, 5, 11, 21, 31):
            with self.subTest(number=number):
                written = self.strategies._write_canonical(formed, texts, number)
                again = self._form(*written)
                self.assertEqual([f.key for f in again], [f.key for f in formed])

    def test_many_cost_one_statement(self):
        texts = [f"account:{number:08}@TB-S.TESTBANK" for number in range(1, 500)]
        self._form(texts[0])
        with self.assertQueryCount(1):
            formed = self._form(*texts, "free text")
        self.assertEqual(len({form.key for form in formed}), 500)


class TestBranchCodeForms(DirectoryCase):
    """If a bank defines its branch codes' format, 30100 and 030100 are one branch."""

    WRITINGS = ("30100", "030100", "0030100")

    def setUp(self):
        super().setUp()
        self.bank.branch_code_form = "000000"
        values = {"name": "East", "code": "30100", "provider_id": self.bank.id}
        self.branch = self.env["spar.fsp.branch"].create(values)

    def _form(self, *codes):
        texts = [f"account:12345678@{code}.TESTBANK" for code in codes]
        return self.strategies._canonicalise_addresses(texts)

    def test_every_spelling_is_one_address(self):
        self.assertEqual(self.branch.code, "030100")
        formed = self._form(*self.WRITINGS)
        self.assertEqual(len({form.key for form in formed}), 1)
        self.assertEqual({form.problem for form in formed}, {None})
        self.assertEqual({form.branch_id for form in formed}, {self.branch.id})
        self.assertEqual({f.parts["branch_code"] for f in formed}, {"030100"})
        (other,) = self._form("30101")
        self.assertNotEqual(other.key, formed[0].key)

    def test_unknown_branch_in_any_spelling_is_one_address(self):
        formed = self._form("777", "000777", "0777")
        self.assertEqual(len({form.key for form in formed}), 1)
        self.assertEqual({f.problem.code for f in formed}, {"branch_unknown"})
        (bad,) = self._form("77A")
        self.assertEqual(bad.problem.code, "branch_unknown")

    def test_a_used_code_that_stayed_is_found(self):
        with patch.object(type(self.branch), "_is_used", lambda each: each):
            self.bank.branch_code_form = "0000000"
        formed = self._form("30100", "030100", "0030100", "00030100")
        self.assertEqual({form.branch_id for form in formed}, {self.branch.id})
        self.assertEqual(len({form.key for form in formed}), 1)

    def test_two_branches_in_two_writings_are_not_guessed(self):
        self.env.cr.execute(
            """INSERT INTO spar_fsp_branch (name, code, provider_id, active)
               VALUES ('West', '30100', %s, true)""",
            (self.bank.id,),
        )
        one, other, neither = self._form("030100", "30100", "0030100")
        self.assertEqual(one.branch_id, self.branch.id)
        self.assertNotIn(other.branch_id, (None, one.branch_id))
        self.assertIsNone(neither.branch_id)

    def test_an_archived_one_is_found_as_such(self):
        self.branch.active = False
        (formed,) = self._form("30100")
        self.assertEqual(formed.problem.code, "branch_archived")

    def test_other_banks_are_not_affected(self):
        bank = self.env["spar.fsp"].create({"name": "Other", "code": "OTHB"})
        values = {"name": "East", "code": "030100", "provider_id": bank.id}
        self.env["spar.fsp.branch"].create(values)
        texts = [f"account:12345678@{code}.OTHB" for code in ("30100", "030100")]
        one, other = self.strategies._canonicalise_addresses(texts)
        self.assertNotEqual(one.key, other.key)

    def test_many_cost_as_many_statements_as_one(self):
        self._form("30100")
        counts = []
        for codes in (["30100"], [f"{number:03}" for number in range(100)]):
            before = self.env.cr.sql_log_count
            self._form(*codes)
            counts.append(self.env.cr.sql_log_count - before)
        self.assertEqual(counts[0], counts[1])
        self.assertLessEqual(counts[1], 2)

    def test_search_finds_every_spelling(self):
        branches = self.env["spar.fsp.branch"]
        for code in self.WRITINGS:
            with self.subTest(code):
                found = [row[0] for row in branches.name_search(f"test bank {code}")]
                self.assertIn(self.branch.id, found)
                found = [row[0] for row in branches.name_search(code)]
                self.assertIn(self.branch.id, found)
