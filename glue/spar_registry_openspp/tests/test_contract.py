from odoo.tests import TransactionCase, tagged

from odoo.addons.spar_registry_source.tests.contract import ContractTests


@tagged("post_install", "-at_install", "spar_contract")
class TestOpensppRegistryContract(ContractTests, TransactionCase):
    """OpenSPP in this database has the names that this addon relies on."""
