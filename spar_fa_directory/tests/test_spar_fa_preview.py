from odoo.exceptions import AccessError
from odoo.tests import Form

from .common import ROLES, DirectoryCase


class TestPreview(DirectoryCase):
    def _open(self, fa_type, user=None, **defaults):
        model = self.env["spar.fa.preview"].with_user(user or self.env.user)
        context = {"default_type_id": fa_type.id}
        context |= {f"default_{name}": value for name, value in defaults.items()}
        return Form(model.with_context(**context))

    def _type(self, form, **values):
        for place in range(len(form.line_ids)):
            with form.line_ids.edit(place) as line:
                if line.part_id.key in values:
                    line.value = values[line.part_id.key]

    def _get_column(self, form, name):
        lines = form.line_ids._records
        parts = self.env["spar.fa.type.part"]
        return {parts.browse(line["part_id"]).key: line[name] for line in lines}

    def test_an_address_is_written_read_back_and_masked(self):
        form = self._open(self.bank_type)
        form.provider_id = self.bank
        form.branch_id = self.north
        self._type(form, account_number="12@34.5678")
        self.assertEqual(form.text, "account:12%4034%2E5678@tb%2En.TestBank")
        self.assertEqual(form.mask, "Bank account ••78 at Test Bank, North")
        self.assertEqual(
            self._get_column(form, "read_back"),
            {
                "bank_code": "TestBank",
                "branch_code": "tb.n",
                "account_number": "12@34.5678",
            },
        )
        self.assertIn(
            "expected format", self._get_column(form, "problem")["account_number"]
        )

    def test_a_number_is_shown_in_its_one_form(self):
        form = self._open(self.bank_type)
        form.provider_id = self.bank
        form.branch_id = self.north
        self._type(form, account_number="\u0661\u0662-34 ab")
        self.assertEqual(form.text, "account:1234AB@tb%2En.TestBank")
        self.assertEqual(
            self._get_column(form, "read_back")["account_number"], "1234AB"
        )
        self.assertFalse(self._get_column(form, "problem")["account_number"])

    def test_the_chosen_bank_s_rules_count(self):
        self.bank.account_longest = 3
        problem = self._get_problem("account_number")
        self.assertIn("more or fewer", problem)

    def test_it_works_for_every_strategy(self):
        for strategy in self.strategies.search([]):
            with self.subTest(strategy=strategy.name):
                form = self._open(strategy.type_id, strategy_id=strategy.id)
                form.provider_id = self.bank
                if form.has_branch:
                    form.branch_id = self.north
                values = {
                    part.key: "a@b.example"
                    for part in strategy.type_id.part_ids
                    if part.kind == "text"
                }
                self._type(form, **values)
                self.assertTrue(form.text, form.note)
                read = self._get_column(form, "read_back")
                for key, value in values.items():
                    self.assertEqual(read[key], value)

    def test_unknown_codes_are_reported(self):
        form = self._open(self.bank_type)
        self._type(form, bank_code="NONE", branch_code="X", account_number="1234567890")
        problems = self._get_column(form, "problem")
        self.assertIn("No provider", problems["bank_code"])
        self.assertIn("no branch", problems["branch_code"])
        self.assertFalse(problems["account_number"])

    def _get_problem(self, key, **values):
        form = self._open(self.bank_type)
        parts = {"bank_code": "TESTBANK", "branch_code": "TB.N"}
        self._type(form, **(parts | {"account_number": "1234567890"} | values))
        return self._get_column(form, "problem")[key]

    def test_codes_may_be_typed_in_any_case(self):
        self.assertFalse(self._get_problem("bank_code"))
        self.assertFalse(self._get_problem("branch_code"))

    def test_archived_records_are_reported(self):
        self.north.action_archive()
        self.assertIn("archived", self._get_problem("branch_code"))
        self.bank.action_archive()
        self.assertIn("archived", self._get_problem("bank_code"))

    def test_provider_of_another_kind_is_reported(self):
        problem = self._get_problem("bank_code", bank_code="TESTWALLET")
        self.assertIn("another kind", problem)

    def test_branch_of_another_bank_is_reported(self):
        self.env["spar.fsp"].create({"name": "Other", "code": "OTHER"})
        problem = self._get_problem("branch_code", bank_code="OTHER")
        self.assertIn("no branch", problem)

    def test_another_provider_clears_the_branch(self):
        form = self._open(self.bank_type)
        form.provider_id = self.bank
        form.branch_id = self.north
        form.provider_id = self.env["spar.fsp"].create({"name": "O", "code": "O1"})
        self.assertFalse(form.branch_id)
        self.assertEqual(self._get_column(form, "value")["bank_code"], "O1")
        self.assertFalse(self._get_column(form, "value")["branch_code"])

    def test_values_that_hold_the_delimiters_come_back(self):
        form = self._open(self.bank_type)
        for value in ("1@2.3", "%40", "a\u202eb", "\U0001f600", "x" * 10_000):
            with self.subTest(value=value[:9]):
                self._type(form, bank_code="A.B", account_number=value)
                self.assertEqual(
                    self._get_column(form, "read_back")["account_number"], value
                )

    def test_template_read_by_another_strategy_is_reported(self):
        twin = self.strategies.create(
            {
                "name": "Twin",
                "type_id": self.wallet_type.id,
                "template": "account:{phone_number}@x.{wallet_code}",
            }
        )
        form = self._open(self.wallet_type, strategy_id=twin.id)
        form.provider_id = self.wallet
        self._type(form, phone_number="+15551234567")
        self.assertIn("Strategy 1 ", form.note)

    def test_strategy_states_what_it_needs(self):
        bic = self.strategies.search([("number", "=", 41)])
        form = self._open(self.bank_type, strategy_id=bic.id)
        form.provider_id = self.wallet
        self._type(form, account_number="1234567890")
        self.assertFalse(form.text)
        self.assertIn("bank_bic", form.note)

    def test_kind_without_a_strategy_is_explained(self):
        fa_type = self.env["spar.fa.type"].create(
            {
                "name": "Card",
                "code": "card",
                "part_ids": [(0, 0, {"key": "serial", "label": "Serial"})],
            }
        )
        self.assertIn(
            "Add a strategy", self._open(fa_type).note or self._typed(fa_type)
        )

    def _typed(self, fa_type):
        form = self._open(fa_type)
        self._type(form, serial="1")
        return form.note

    def test_nothing_that_is_typed_has_a_column(self):
        self.env.cr.execute(
            """SELECT column_name FROM information_schema.columns
                WHERE table_name IN ('spar_fa_preview', 'spar_fa_preview_part')"""
        )
        columns = {name for (name,) in self.env.cr.fetchall()}
        self.assertFalse(columns & {"value", "read_back", "text", "mask", "problem"})
        form = self._open(self.bank_type)
        self._type(form, account_number="1234567890")
        record = form.save()
        record.invalidate_recordset()
        self.assertFalse(record.text)
        self.assertFalse(any(record.line_ids.mapped("value")))

    def test_every_viewer_and_administrator_may_try(self):
        for role in ("viewer", "officer", "administrator"):
            form = self._open(self.bank_type, self._create_user(role))
            self._type(form, account_number="1234567890")
            self.assertTrue(form.text)

    def test_others_may_not(self):
        self.assertIn("viewer", ROLES)
        with self.assertRaises(AccessError):
            self._open(self.bank_type, self._create_user(login="nobody")).save()
