from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.tests import tagged

from ..models import ir_module_module
from .common import KeyringCase


@tagged("-at_install", "post_install")
class TestUninstalling(KeyringCase):
    """A click does not uninstall an addon of the registry that has records."""

    def setUp(self):
        super().setUp()
        self.addon = self.env.ref("base.module_spar_mapper_connector")
        self.env["spar.signing.key"]._generate("messages")

    def assert_refused(self, way):
        with self.assertRaisesRegex(UserError, "spar_uninstall"):
            way()

    def test_records_are_not_uninstalled(self):
        ways = {
            "button": self.addon.button_uninstall,
            "of what it depends on": self.env.ref(
                "base.module_spar_fa_directory"
            ).button_uninstall,
            "state": lambda: self.addon.write({"state": "to remove"}),
            "at once": self.addon.module_uninstall,
        }
        for name, way in ways.items():
            with (
                self.subTest(name),
                self.assertRaisesRegex(UserError, "spar_uninstall"),
            ):
                way()
        self.assertEqual(self.addon.state, "installed")

    def test_an_addon_with_empty_tables_is_uninstalled(self):
        with patch.object(type(self.addon), "_has_rows", lambda _self, _table: False):
            self.addon.button_uninstall()
        self.assertEqual(self.addon.state, "to remove")

    def test_an_exported_addon_is_uninstalled(self):
        addons = self.addon + self.addon.downstream_dependencies()
        with patch.object(ir_module_module, "EXPORTED", set(addons.mapped("name"))):
            self.addon.button_uninstall()
        self.assertEqual(self.addon.state, "to remove")
