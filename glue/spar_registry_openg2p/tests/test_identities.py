from odoo.tests import new_test_user, tagged

from odoo.addons.spar_registry_source.tests.identity_tests import IdentityTests

from .common import Openg2pCase


@tagged("post_install", "-at_install")
class TestOpeng2pIdentities(IdentityTests, Openg2pCase):
    def test_form_of_individuals_has_the_button(self):
        self.check_button("g2p_registry_individual.view_individuals_form", self.hope)

    def test_form_of_groups_has_the_button(self):
        self.check_button("g2p_registry_group.view_groups_form", self.household)

    def test_groups_of_the_registry_have_ours(self):
        pairs = {
            "registrar": "spar_registry.group_programme_user",
            "admin": "spar_registry.group_programme_manager",
        }
        for name, ours in pairs.items():
            user = new_test_user(
                self.env,
                f"registry.{name}",
                groups=f"base.group_user,g2p_registry_base.group_g2p_{name}",
            )
            self.assertTrue(user.has_group(ours))
            sender = "spar_registry_source.group_payment_sender"
            self.assertFalse(user.has_group(sender))
            for role in ("viewer", "officer", "administrator"):
                self.assertFalse(user.has_group(f"spar_fa_directory.group_{role}"))

    def test_type_created_with_a_type_of_ours_counts(self):
        other = self.env["g2p.id.type"].create(
            {"name": "Token", "spar_id_type_id": self.id_type.id}
        )
        self.add_id(self.household, "3007000008", id_type=other.id)
        self.assertEqual(self.get_ids(self.household), ["token:3007000008@nationalid"])
