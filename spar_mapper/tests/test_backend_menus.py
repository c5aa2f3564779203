"""The menus of each role in SPAR: the entries that open, and the list buttons."""

from lxml import etree

from odoo.tests import tagged

from .common import StoreCase

ROLES = ("viewer", "officer", "supervisor", "auditor", "administrator")
#: The buttons above the registry's list for a role, besides *Find a person*.
BUTTONS = {
    "viewer": set(),
    "officer": {"Link a person"},
    "supervisor": {"Waiting for approval"},
    "auditor": {"Who did what"},
}
#: The roles that find an entry for part of their work, whatever else they find.
ENTRIES = {
    "menu_register_provisional": {"officer"},
    "menu_my_day": {"officer", "supervisor"},
    "menu_my_work": {"officer", "supervisor"},
    "menu_spar_event": {"viewer", "officer", "supervisor", "auditor"},
    "menu_spar_complaint": {"viewer", "officer", "supervisor", "auditor"},
    "menu_spar_representative": {"viewer", "officer", "supervisor", "auditor"},
    "menu_spar_joining": {"officer", "supervisor", "auditor"},
    "menu_spar_provisional": {"supervisor", "auditor"},
    "menu_spar_paper_form": {"supervisor", "auditor"},
    "menu_spar_evidence": {"supervisor", "auditor"},
    "menu_spar_look": {"auditor"},
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
        """Return the names below *Registry* that a user sees."""
        menus = self.get_menus(user)
        registry = menus.get(self.env.ref("spar_fa_directory.menu_registry").id)
        children = registry["children"] if registry else []
        return {menus[child]["name"] for child in children}

    def test_spar_opens_the_search_for_users_who_can_see_people(self):
        action = self.env.ref("spar_mapper.spar_find_wizard_action")
        for role in BUTTONS:
            with self.subTest(role):
                app = self.get_menus(self.users[role])[self.root.id]
                self.assertEqual(app["actionID"], action.id)
                self.assertEqual(app["actionPath"], "spar-find")

    def test_spar_opens_a_list_for_administrators(self):
        app = self.get_menus(self.users["administrator"])[self.root.id]
        self.assertEqual(app["actionModel"], "ir.actions.act_window")

    def test_main_task_of_each_role_is_in_the_menu(self):
        for role, buttons in BUTTONS.items():
            with self.subTest(role):
                entries = self.get_entries(self.users[role])
                self.assertLessEqual({"Find a person", *buttons}, entries)
        self.assertNotIn("Link a person", self.get_entries(self.users["auditor"]))

    def test_every_part_of_the_work_has_an_entry(self):
        for role, user in self.users.items():
            menus = self.get_menus(user)
            for entry, roles in ENTRIES.items():
                with self.subTest(role, entry=entry):
                    menu = self.env.ref(f"spar_mapper.{entry}")
                    self.assertEqual(menu.id in menus, role in roles)

    def test_main_task_of_each_role_is_above_the_list_on_each_device(self):
        for role, buttons in BUTTONS.items():
            for kind in ("list", "kanban"):
                with self.subTest(role=role, kind=kind):
                    mappings = self.env["spar.mapping"].with_user(self.users[role])
                    tree = etree.fromstring(mappings.get_view(view_type=kind)["arch"])
                    shown = tree.xpath("//header/button[@display='always']/@string")
                    self.assertEqual(set(shown), {"Find a person", *buttons})

    def test_each_role_finds_only_permitted_menus(self):
        """Actions appear for their own role; lists for any user who may read them."""
        for role, user in self.users.items():
            menus = self.get_menus(user)
            for menu in self.search_lists():
                action = menu.action
                with self.subTest(role=role, menu=menu.complete_name):
                    may_read = (
                        self.env[action.res_model].with_user(user).has_access("read")
                    )
                    self.assertEqual(
                        menu.id in menus, self.is_for(menu, user, may_read)
                    )

    def search_lists(self):
        """Return the entries of SPAR that show a list."""
        found = self.env["ir.ui.menu"].search([("id", "child_of", self.root.id)])
        return found.filtered(
            lambda menu: menu.action
            and menu.action._name == "ir.actions.act_window"
            and "list" in menu.action.view_mode
        )

    def is_for(self, menu, user, may_read: bool) -> bool:
        """Return whether ``user`` should see an entry: viewers do not need settings."""
        settings = self.env.ref("spar_fa_directory.menu_configuration")
        if menu.parent_id == settings and user in (
            self.users["viewer"] | self.users["officer"]
        ):
            return False
        by_name = menu.group_ids
        return may_read and (not by_name or bool(by_name & user.all_group_ids))

    def test_a_supervisor_finds_the_alarms_and_an_administrator_none(self):
        alarms = self.env.ref("spar_mapper.menu_spar_alarm").id
        self.assertIn(alarms, self.get_menus(self.users["supervisor"]))
        self.assertNotIn(alarms, self.get_menus(self.users["administrator"]))

    def test_an_auditor_finds_how_settings_were_changed(self):
        menu = self.env.ref("spar_mapper_connector.menu_setting_change").id
        self.assertIn(menu, self.get_menus(self.users["auditor"]))

    def test_cards_show_the_address_in_force_beside_the_other_one(self):
        for model in ("spar.change", "spar.objection"):
            with self.subTest(model):
                boss = self.env[model].with_user(self.users["supervisor"])
                tree = etree.fromstring(boss.get_view(view_type="kanban")["arch"])
                card = tree.xpath("//t[@t-name='card']//field/@name")
                self.assertLessEqual({"fa_masked", "current_masked"}, set(card))

    def test_empty_list_explains_its_content(self):
        """Otherwise Odoo says *Try to add some records*."""
        for menu in self.search_lists():
            model = self.env[menu.action.res_model]
            tree = etree.fromstring(model.get_view(view_type="list")["arch"])
            if tree.get("create") == "0":
                with self.subTest(menu.complete_name):
                    self.assertTrue(menu.action.help)

    def test_read_only_user_gets_no_drag_handle(self):
        for menu in self.search_lists():
            model = self.env[menu.action.res_model].with_user(self.users["supervisor"])
            if model.has_access("read") and not model.has_access("write"):
                with self.subTest(menu.complete_name):
                    tree = etree.fromstring(model.get_view(view_type="list")["arch"])
                    offered = "//field[@widget='handle' or @widget='boolean_toggle']"
                    self.assertFalse(tree.xpath(offered))

    def test_waiting_for_approval_lists_changes_that_need_it(self):
        self.add_rule("approve")
        self.link("token:Waits@nationalId", "account:1000001@BR01.TESTBANK")
        action = self.env.ref("spar_mapper.spar_change_action_approval")
        self.assertIn("search_default_for_approval", action.context)
        changes = self.env["spar.change"].with_user(self.users["supervisor"])
        tree = etree.fromstring(changes.get_view(view_type="search")["arch"])
        self.assertTrue(tree.xpath("//filter[@name='for_approval']"))
