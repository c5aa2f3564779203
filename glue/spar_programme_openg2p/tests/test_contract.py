from odoo.tests import TransactionCase, tagged

from odoo.addons.spar_registry_source.tests.contract import (
    find_differences,
    read_contract,
)


@tagged("post_install", "-at_install", "spar_contract")
class TestOpeng2pProgrammeContract(TransactionCase):
    """OpenG2P in this database has the names that this addon relies on."""

    def test_programmes_have_every_name(self):
        contract = read_contract(__file__)
        self.assertEqual(find_differences(self.env, contract), [])

    def test_addon_installed_itself(self):
        modules = self.env["ir.module.module"]
        addon = modules.search([("name", "=", "spar_programme_openg2p")])
        self.assertEqual(addon.state, "installed")
        self.assertTrue(addon.auto_install)
