"""What each role finds in SPAR: what opens, what stands above the list."""

from lxml import etree

from odoo.tests import tagged

from .common import StoreCase

ROLES = ("viewer", "officer", "supervisor", "auditor", "administrator")
#: What stands above the registry's list for a role, beside *Find a person*.
BUTTONS = {
    "viewer": set(),
    "officer": {"Link a person"},
    "supervisor": {"Waiting for approval"},
    "auditor": {"Check the history"},
}


@tagged("post_install", "-at_install")
class TestMenus(StoreCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.users = {
            role: cls.create_user(role, login=f"menus_{role}") for role in ROLES
        }
        cls.root = cls.env.ref("spar_fa_directory.menu_root")

    def get_menus(self, user):
        return self.env["ir.ui.menu"].with_user(user).load_web_menus(False)

    def get_entries(self, user) -> set[str]:
        """The names below *Registry* that a user sees."""
        menus = self.get_menus(user)
        registry = menus.get(self.env.ref("spar_fa_directory.menu_registry").id)
        children = registry["children"] if registry else []
        return {menus[child]["name"] for child in children}

    def test_spar_opens_the_registry_for_whoever_sees_it(self):
        action = self.env.ref("spar_mapper.spar_mapping_action")
        for role in BUTTONS:
            with self.subTest(role):
                app = self.get_menus(self.users[role])[self.root.id]
                self.assertEqual(app["actionID"], action.id)
                self.assertEqual(app["actionPath"], "spar-registry")

    def test_spar_opens_a_list_for_administrators_too(self):
        app = self.get_menus(self.users["administrator"])[self.root.id]
        self.assertEqual(app["actionModel"], "ir.actions.act_window")

    def test_what_a_role_came_for_is_in_the_menu(self):
        for role, buttons in BUTTONS.items():
            with self.subTest(role):
                entries = self.get_entries(self.users[role])
                self.assertLessEqual({"Find a person", *buttons}, entries)
        self.assertNotIn("Link a person", self.get_entries(self.users["auditor"]))

    def test_what_a_role_came_for_is_above_the_list_on_each_device(self):
        for role, buttons in BUTTONS.items():
            for kind in ("list", "kanban"):
                with self.subTest(role=role, kind=kind):
                    mappings = self.env["spar.mapping"].with_user(self.users[role])
                    tree = etree.fromstring(mappings.get_view(view_type=kind)["arch"])
                    shown = tree.xpath("//header/button[@display='always']/@string")
                    self.assertEqual(set(shown), {"Find a person", *buttons})

    def test_what_waits_for_a_supervisor_needs_approval(self):
        self.add_rule("approve")
        self.link("token:Waits@nationalId", "account:1@BR01.TESTBANK")
        action = self.env.ref("spar_mapper.spar_change_action_approval")
        self.assertIn("search_default_for_approval", action.context)
        changes = self.env["spar.change"].with_user(self.users["supervisor"])
        tree = etree.fromstring(changes.get_view(view_type="search")["arch"])
        self.assertTrue(tree.xpath("//filter[@name='for_approval']"))
