"""Users' first pages, and what Odoo's administrator sees of SPAR without a role."""

from odoo.exceptions import AccessError
from odoo.tests import TransactionCase, new_test_user, tagged

from ..models.spar_group_log import SPAR_GROUPS

PREFIX = "spar_fa_directory"


@tagged("post_install", "-at_install")
class TestFirstSteps(TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.odoo = new_test_user(
            cls.env, "steps_odoo", groups="base.group_system,base.group_erp_manager"
        )
        cls.steps = cls.env.ref(f"{PREFIX}.menu_first_steps")
        cls.root = cls.env.ref(f"{PREFIX}.menu_root")

    def get_apps(self, user) -> list[int]:
        """Return the top-level menus, in the order in which a user sees them."""
        menus = self.env["ir.ui.menu"].with_user(user).load_web_menus(False)
        return menus["root"]["children"]

    def give_role(self, role, user=None):
        (user or self.odoo).group_ids += self.env.ref(f"{PREFIX}.group_{role}")

    def test_user_with_a_role_lands_on_spar(self):
        for role in SPAR_GROUPS:
            groups = f"base.group_user,{PREFIX}.group_{role}"
            user = new_test_user(self.env, f"lands_{role}", groups=groups)
            with self.subTest(role):
                self.assertEqual(self.get_apps(user)[0], self.root.id)

    def test_user_without_a_role_lands_as_before(self):
        user = new_test_user(self.env, "lands_elsewhere", groups="base.group_user")
        apps = self.get_apps(user)
        self.assertNotIn(self.root.id, apps)
        self.assertNotIn(self.steps.id, apps)

    def test_odoo_administrator_sees_the_first_steps_menu_only(self):
        apps = self.get_apps(self.odoo)
        self.assertIn(self.steps.id, apps)
        self.assertNotEqual(apps[0], self.steps.id)
        self.assertNotIn(self.root.id, apps)

    def test_first_steps_are_hidden_from_users_with_a_role(self):
        for role in SPAR_GROUPS:
            with self.subTest(role):
                self.odoo.group_ids -= self.env.ref(f"{PREFIX}.group_{role}")
                self.give_role(role)
                apps = self.get_apps(self.odoo)
                self.assertNotIn(self.steps.id, apps)
                self.assertIn(self.root.id, apps)

    def test_first_steps_show_how_many_administrators_are_missing(self):
        group = self.env.ref(f"{PREFIX}.group_administrator")
        group.user_ids = False
        steps = self.env["spar.first.steps"].with_user(self.odoo).new()
        self.assertEqual(steps.missing_count, 2)
        for number, left in ((1, 1), (2, 0), (3, 0)):
            user = new_test_user(self.env, f"first_{number}", groups="base.group_user")
            self.give_role("administrator", user)
            steps = self.env["spar.first.steps"].with_user(self.odoo).new()
            self.assertEqual(steps.missing_count, left)
            self.assertIn(user, steps.administrator_ids._origin)

    def test_first_steps_link_to_the_users(self):
        steps = self.env["spar.first.steps"].with_user(self.odoo).create({})
        self.assertEqual(steps.action_open_users()["res_model"], "res.users")

    def test_first_steps_are_for_administrators_only(self):
        user = new_test_user(
            self.env, "steps_viewer", groups=f"base.group_user,{PREFIX}.group_viewer"
        )
        with self.assertRaises(AccessError):
            self.env["spar.first.steps"].with_user(user).create({})
