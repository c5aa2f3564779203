from odoo.tests import Form

from .common import KeyringCase


class TestNewKind(KeyringCase):
    def test_administrators_add_a_kind_of_address_by_clicks_alone(self):
        administrator = self.create_user("administrator")
        kind = Form(self.env["spar.fa.type"].with_user(administrator))
        kind.name, kind.code, kind.provider_kind = "Card", "card", "voucher"
        for key, part_kind, check in (
            ("scheme_code", "provider", False),
            ("serial", "text", "luhn"),
        ):
            with kind.part_ids.new() as part:
                part.key, part.label, part.kind = key, key, part_kind
                part.check_code = check
        fa_type = kind.save()
        strategies = self.env["spar.fa.strategy"].with_user(administrator)
        form = Form(strategies)
        form.name, form.type_id = "Card", fa_type
        form.template = "card:{serial}@{scheme_code}"
        strategy = form.save()
        self.assertEqual((fa_type.active, strategy.is_approved), (False, False))
        self.approve_waiting()
        strategy.action_set_default()
        self.assertFalse(strategy.is_default)
        self.approve_waiting()
        self.assertTrue(fa_type.active and strategy.is_default)

        wallet = {"name": "Test Wallet", "code": "TESTWALLET", "kind": "wallet"}
        self.env["spar.fsp"].create(wallet)
        address = strategies._read_addresses(["card:79927398713@TESTWALLET"])[0]
        self.assertEqual(address.type_code, "card")
        self.assertEqual(fa_type._check_parts(address.parts), {})
        self.assertEqual(
            list(fa_type._check_parts(address.parts | {"serial": "1"})), ["serial"]
        )
