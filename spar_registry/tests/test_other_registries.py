from odoo.exceptions import UserError
from odoo.tests import TransactionCase, tagged

GLUE = {
    "spar_registry_openspp": "spp_registry",
    "spar_programme_openspp": "spp_programs",
    "spar_registry_openg2p": "g2p_registry_membership",
    "spar_programme_openg2p": "g2p_programs",
}


@tagged("post_install", "-at_install")
class TestOtherRegistries(TransactionCase):
    """Without another registry, the addons that join it to SPAR do nothing."""

    def test_addon_for_a_registry_that_is_not_here_is_not_installed(self):
        modules = self.env["ir.module.module"]
        for name, needed in GLUE.items():
            with self.subTest(name):
                addon = modules.search([("name", "=", name)])
                self.assertTrue(addon.auto_install)
                self.assertEqual(addon.state, "uninstalled")
                known = {one.name: one.state for one in addon.dependencies_id}
                self.assertEqual(known[needed], "unknown")

    def test_installing_one_by_hand_says_what_is_missing(self):
        addon = self.env["ir.module.module"].search(
            [("name", "=", "spar_registry_openspp")]
        )
        with self.assertRaisesRegex(UserError, "spp_registry"):
            addon.button_install()
