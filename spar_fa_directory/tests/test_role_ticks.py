from odoo.tests import TransactionCase, tagged

from ..lib.role_ticks import split_privilege
from .common import ROLES


@tagged("post_install", "-at_install")
class TestRoleTicks(TransactionCase):
    """The form of a user offers each role on its own."""

    def setUp(self):
        super().setUp()
        self.hierarchy = self.env["res.groups"]._get_view_group_hierarchy()
        self.groups = {
            role: self.env.ref(f"spar_fa_directory.group_{role}") for role in ROLES
        }

    def test_each_role_is_a_tick(self):
        for role, group in self.groups.items():
            with self.subTest(role):
                name = self.hierarchy["groups"][group.id]["privilege_id"]
                self.assertEqual(name, f"role_{group.id}")
                tick = self.hierarchy["privileges"][name]
                self.assertEqual(tick["group_ids"], group.ids)
                self.assertEqual(tick["name"], group.name)

    def test_they_are_in_our_category_in_their_order(self):
        category = self.env.ref("spar_fa_directory.module_category")
        (ours,) = [
            each for each in self.hierarchy["categories"] if each["id"] == category.id
        ]
        ticks = [f"role_{group.id}" for group in self.groups.values()]
        self.assertLessEqual(set(ticks), set(ours["privilege_ids"]))
        self.assertNotIn(
            self.env.ref("spar_fa_directory.privilege").id, ours["privilege_ids"]
        )

    def test_other_privileges_stay_choices(self):
        group = self.env.ref("base.group_system")
        entry = self.hierarchy["groups"][group.id]
        self.assertEqual(entry["privilege_id"], group.privilege_id.id)

    def test_the_groups_themselves_are_not_changed(self):
        privilege = self.env.ref("spar_fa_directory.privilege")
        self.assertEqual(self.groups["officer"].privilege_id, privilege)

    def test_without_the_privilege_nothing_is_split(self):
        hierarchy = {"groups": {}, "privileges": {}, "categories": []}
        self.assertEqual(split_privilege(hierarchy, 9), hierarchy)

    def test_officer_and_supervisor_can_be_combined(self):
        """Of each privilege, the form of a user offers one group or none."""
        both = self.groups["officer"] | self.groups["supervisor"]
        described = [self.hierarchy["groups"][group.id] for group in both]
        self.assertEqual(len({each["privilege_id"] for each in described}), 2)
        user = self.env["res.users"].create(
            {"name": "Both", "login": "ticks_both", "group_ids": both.ids}
        )
        self.assertLessEqual(both, user.all_group_ids)
