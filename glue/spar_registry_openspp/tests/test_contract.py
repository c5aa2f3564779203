import copy

from odoo.tests import TransactionCase, tagged

from odoo.addons.spar_registry_source.tests.contract import (
    find_differences,
    read_contract,
)


@tagged("post_install", "-at_install", "spar_contract")
class TestOpensppRegistryContract(TransactionCase):
    """OpenSPP in this database has the names that this addon relies on."""

    def test_registry_has_every_name(self):
        contract = read_contract(__file__)
        self.assertEqual(find_differences(self.env, contract), [])

    def test_missing_name_is_noticed(self):
        contract = copy.deepcopy(read_contract(__file__))
        fields = contract["models"]["spp.registry.id"]["fields"]
        fields["value"] = ["integer"]
        fields["gone"] = ["char"]
        contract["models"]["spp.gone"] = {}
        contract["xml_ids"]["spp_registry.gone"] = "res.groups"
        contract["views"]["spp_registry.view_individuals_form"] = ["//gone"]
        self.assertEqual(len(find_differences(self.env, contract)), 5)

    def test_addon_installed_itself(self):
        modules = self.env["ir.module.module"]
        addon = modules.search([("name", "=", "spar_registry_openspp")])
        self.assertEqual(addon.state, "installed")
        self.assertTrue(addon.auto_install)
        other = modules.search([("name", "=", "spar_registry_openg2p")])
        self.assertEqual(other.state, "uninstalled")
