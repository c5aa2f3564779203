from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user, tagged

from odoo.addons.spar_registry_source.tests.identity_tests import IdentityTests

from .common import OpensppCase


@tagged("post_install", "-at_install")
class TestOpensppIdentities(IdentityTests, OpensppCase):
    def test_forms_have_the_button(self):
        self.check_button("spp_registry.view_individuals_form", self.hope)

    def test_shipped_type_can_be_mapped_and_is_still_protected(self):
        self.assertTrue(self.their_type.vocabulary_id.is_system)
        with self.assertRaises(UserError):
            self.their_type.write({"display": "X", "spar_id_type_id": False})
        self.their_type.spar_id_type_id = False
        self.assertFalse(self.their_type.spar_id_type_id)

    def test_verified_id_is_chosen_first(self):
        other = self.env.ref("spp_vocabulary.code_id_type_passport")
        other.spar_id_type_id = self.id_type
        self.add_id(
            self.hope,
            "3007000009",
            id_type_id=other.id,
            verification_method="physical_document",
        )
        identities = self.hope._spar_identities()[self.hope.id]
        chosen = self.hope._spar_choose_identity(identities)
        self.assertEqual(chosen.id_value, "token:3007000009@nationalid")

    def test_groups_of_the_registry_have_ours(self):
        pairs = {
            "viewer": ("spar_registry.group_programme_viewer", True),
            "officer": ("spar_registry.group_programme_user", True),
            "manager": ("spar_registry.group_programme_manager", True),
        }
        for name, (ours, expected) in pairs.items():
            user = new_test_user(
                self.env,
                f"registry.{name}",
                groups=f"base.group_user,spp_registry.group_registry_{name}",
            )
            self.assertEqual(user.has_group(ours), expected)
            sender = "spar_registry_source.group_payment_sender"
            self.assertFalse(user.has_group(sender))
            for role in ("viewer", "officer", "administrator"):
                self.assertFalse(user.has_group(f"spar_fa_directory.group_{role}"))

    def test_viewer_of_the_registry_sees_the_button_and_collects_nothing(self):
        viewer = new_test_user(
            self.env,
            "registry.viewer",
            groups="base.group_user,spp_registry.group_registry_viewer",
        )
        hope = self.hope.with_user(viewer)
        self.assertEqual(hope.get_spar_address()["state"], "Not linked")
        action = hope.action_open_spar_address()
        wizard = self.env["spar.address.wizard"].with_user(viewer)
        wizard = wizard.browse(action["res_id"])
        self.assertEqual(wizard.state, "Not linked")
        with self.assertRaises(AccessError):
            wizard.action_change()
