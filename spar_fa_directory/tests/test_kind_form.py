from odoo.exceptions import AccessError, UserError
from odoo.tests import Form

from .common import ROLES, DirectoryCase


class TestKindForm(DirectoryCase):
    """A kind of address is set up on one page, by clicks alone."""

    def _open(self, role="administrator"):
        user = self._create_user(role)
        return Form(self.env["spar.fa.type"].with_user(user))

    def _add_part(self, form, label, **values):
        with form.part_ids.new() as part:
            part.label = label
            for name, value in values.items():
                part[name] = value

    def _fill(self, form):
        form.name = "Seed voucher"
        form.provider_kind = "voucher"
        self._add_part(form, "Voucher scheme", kind="provider")
        self._add_part(
            form, "Campaign code", check_code="regex", check_parameter="[A-Z]{4}"
        )
        self._add_part(form, "Serial number", check_code="luhn")

    def test_code_and_keys_are_offered(self):
        form = self._open()
        self._fill(form)
        self.assertEqual(form.code, "seed_voucher")
        kind = form.save()
        self.assertEqual(
            kind.part_ids.mapped("key"),
            ["voucher_scheme", "campaign_code", "serial_number"],
        )

    def test_typed_values_are_not_overwritten(self):
        form = self._open()
        form.code = "own"
        form.name = "Other"
        self.assertEqual(form.code, "own")

    def test_a_template_is_offered_that_can_be_read_back(self):
        form = self._open()
        self._fill(form)
        kind = form.save()
        self.assertEqual(
            kind.suggested_template,
            "seed_voucher:{campaign_code}/{serial_number}@{voucher_scheme}",
        )
        self.assertEqual(
            self.bank_type.suggested_template,
            "bank_account:{account_number}@{branch_code}.{bank_code}",
        )
        self.strategies.create(
            {"name": "S", "type_id": kind.id, "template": kind.suggested_template}
        )
        address = self._read("seed_voucher:SEED/79927398713@TESTWALLET")
        self.assertEqual(address.type_id, kind.id)
        self.assertEqual(address.provider_id, self.wallet.id)

    def test_nothing_is_offered_without_a_text(self):
        kind = self.env["spar.fa.type"].create({"name": "Empty", "code": "empty"})
        self.assertFalse(kind.suggested_template)
        self.assertFalse(kind.has_default)
        self.assertFalse(kind.is_fixed)

    def test_parts_and_strategy_are_saved_together(self):
        kind = self.env["spar.fa.type"].create(
            {
                "name": "Card",
                "code": "card",
                "part_ids": [(0, 0, {"key": "serial", "label": "Serial"})],
                "strategy_ids": [
                    (
                        0,
                        0,
                        {"name": "C", "template": "card:{serial}", "is_default": True},
                    )
                ],
            }
        )
        self.assertTrue(kind.has_default)
        self.assertTrue(kind.is_fixed)
        self.assertGreaterEqual(kind.strategy_ids.number, 101)

    def test_kind_with_an_incomplete_template_is_refused(self):
        count = self.env["spar.fa.type"].search_count([])
        parts = [{"key": key, "label": key.title()} for key in ("serial", "other")]
        values = {
            "name": "Card",
            "code": "card",
            "part_ids": [(0, 0, part) for part in parts],
            "strategy_ids": [(0, 0, {"name": "C", "template": "card:{other}"})],
        }
        self._assert_refused(
            "does not contain serial", self.env["spar.fa.type"].create, values
        )
        self.assertEqual(self.env["spar.fa.type"].search_count([]), count)

    def test_parts_are_read_only_once_a_strategy_writes_them(self):
        with Form(self.bank_type) as form:
            with form.part_ids.edit(0) as part:
                part.label = "Institution"
                with self.assertRaises(AssertionError):
                    part.key = "other"
        self.assertEqual(self.bank_type.part_ids[0].label, "Institution")
        with self.assertRaises(UserError):
            self.bank_type.part_ids[0].key = "other"

    def test_a_saved_strategy_is_read_only_on_the_page(self):
        with Form(self.bank_type) as form:
            with form.strategy_ids.edit(0) as strategy:
                strategy.name = "Renamed"
                with self.assertRaises(AssertionError):
                    strategy.template = "x:{account_number}"

    def test_only_administrators_set_up_kinds(self):
        for role in set(ROLES) - {"administrator"}:
            with self.subTest(role=role), self.assertRaises(AccessError):
                form = self._open(role)
                form.name = "Card"
                form.save()
