from odoo.exceptions import ValidationError
from odoo.tests import TransactionCase, tagged


@tagged("post_install", "-at_install")
class TestKeptSearch(TransactionCase):
    def test_no_place_keeps_a_search_for_an_id_or_an_address(self):
        action = self.env.ref("spar_mapper.spar_mapping_action")
        view = self.env.ref("spar_mapper.spar_mapping_view_list")
        places = {
            "ir.filters": {"name": "x", "model_id": "spar.mapping"},
            "ir.ui.view.custom": {"user_id": self.env.uid, "ref_id": view.id},
            "ir.embedded.actions": {
                "name": "x",
                "parent_action_id": action.id,
                "parent_res_model": "spar.mapping",
                "action_id": action.id,
            },
        }
        for model, values in places.items():
            kept = self.env[model]._kept_fields[0]
            for name in ("id_value", "fa_value"):
                with self.subTest(model=model), self.assertRaises(ValidationError):
                    text = f"[('{name}', '=', 'token:1@nationalId')]"
                    self.env[model].create({**values, kept: text})

    def test_a_kept_search_cannot_be_changed_into_one(self):
        kept = self.env["ir.filters"].create(
            {"name": "x", "model_id": "spar.mapping", "domain": "[]"}
        )
        with self.assertRaises(ValidationError):
            kept.write({"domain": "[('id_value', '=', 'x')]"})
        kept.write({"domain": "[('state', '=', 'active')]"})
        self.assertEqual(kept.domain, "[('state', '=', 'active')]")
