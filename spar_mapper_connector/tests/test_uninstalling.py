from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.tests import tagged

from .. import expressions
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
            "what protects them": self.env.ref(
                "base.module_auth_totp"
            ).button_uninstall,
            "at once": self.addon.module_uninstall,
        }
        for name, way in ways.items():
            with (
                self.subTest(name),
                self.assertRaisesRegex(UserError, "spar_uninstall"),
            ):
                way()
        self.assertEqual(self.addon.state, "installed")

    def test_nobody_writes_about_addons(self):
        """Odoo carries it out at its next start, past the checks of the buttons."""
        with patch.object(expressions, "request", object()):
            for name in ("spar_mapper_connector", "auth_totp", "base"):
                addon = self.env.ref(f"base.module_{name}")
                for values in (
                    {"state": "to remove"},
                    {"state": "uninstalled"},
                    {"state": "to upgrade"},
                    {"name": "other"},
                ):
                    with self.subTest(name, **values), self.assert_for_buttons():
                        addon.write(values)
            for act in (
                lambda needed: needed.unlink(),
                lambda needed: needed.write({"name": "web"}),
                lambda needed: needed.copy(),
            ):
                with self.assert_for_buttons():
                    act(self.addon.dependencies_id)
            self.addon.button_upgrade()
        self.assertEqual(self.addon.state, "to upgrade")

    def test_what_is_left_of_an_installation_is_cancelled(self):
        """While an addon waits, Odoo runs no job."""
        addon = self.env.ref("base.module_base_geolocalize")
        self.env.cr.execute(
            "UPDATE ir_module_module SET state = 'to install' WHERE id = %s", [addon.id]
        )
        addon.invalidate_recordset()
        with patch.object(expressions, "request", object()):
            self.env["base.module.upgrade"].upgrade_module_cancel()
        self.assertEqual(addon.state, "uninstalled")

    def assert_for_buttons(self):
        return self.assertRaisesRegex(UserError, "buttons")

    def test_an_addon_with_empty_tables_is_uninstalled(self):
        with patch.object(type(self.addon), "_has_rows", lambda _self, _table: False):
            self.addon.button_uninstall()
        self.assertEqual(self.addon.state, "to remove")

    def test_an_exported_addon_is_uninstalled(self):
        addons = self.addon + self.addon.downstream_dependencies()
        with patch.object(ir_module_module, "EXPORTED", set(addons.mapped("name"))):
            self.addon.button_uninstall()
        self.assertEqual(self.addon.state, "to remove")
