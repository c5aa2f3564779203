import base64

from odoo.exceptions import AccessError
from odoo.tests import new_test_user

from .common import ROLES, DirectoryCase

MODELS = (
    "spar.fsp",
    "spar.fsp.branch",
    "spar.fa.type",
    "spar.fa.type.part",
    "spar.fa.strategy",
)


class TestRights(DirectoryCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.users = {role: cls._create_user(role) for role in ROLES}
        cls.no_role = cls._create_user(login="test_no_role")
        cls.portal = new_test_user(cls.env, "test_portal", groups="base.group_portal")

    def _get_group(self, role):
        return self.env.ref(f"spar_fa_directory.group_{role}")

    def test_no_group_brings_another_but_officer_viewer(self):
        internal = self.env.ref("base.group_user")
        for role in ROLES:
            group = self._get_group(role)
            brought = group.all_implied_ids - group - internal.all_implied_ids
            expected = self._get_group("viewer") if role == "officer" else []
            with self.subTest(role=role):
                self.assertEqual(list(brought), list(expected))
                self.assertIn(internal, group.all_implied_ids)

    def test_who_has_a_role_stays_an_internal_user(self):
        """Otherwise links to set a password would not be signed as those of staff."""
        for role, user in self.users.items():
            user.group_ids -= self.env.ref("base.group_user")
            with self.subTest(role=role):
                self.assertTrue(user._is_internal())
                self.assertFalse(user.share)

    def test_odoo_s_administrator_is_in_none_of_them(self):
        system = self.env.ref("base.group_system")
        user = new_test_user(self.env, "test_system", groups="base.group_system")
        for role in ROLES:
            with self.subTest(role=role):
                self.assertNotIn(self._get_group(role), system.all_implied_ids)
                self.assertFalse(user.has_group(f"spar_fa_directory.group_{role}"))
        with self.assertRaises(AccessError):
            self.bank.with_user(user).read(["name"])

    def test_every_role_reads_the_directory(self):
        for role, user in self.users.items():
            for model in MODELS:
                with self.subTest(role=role, model=model):
                    self.assertTrue(self.env[model].with_user(user).search([], limit=1))

    def test_user_without_a_role_reads_nothing(self):
        for user in (self.no_role, self.portal, self.env.ref("base.public_user")):
            for model in MODELS:
                with self.subTest(user=user.login, model=model):
                    with self.assertRaises(AccessError):
                        self.env[model].with_user(user).search([])

    def test_only_the_administrator_edits(self):
        for role, user in self.users.items():
            for model in MODELS:
                records = self.env[model].with_user(user)
                for right in ("write", "create", "unlink"):
                    with self.subTest(role=role, model=model, right=right):
                        self.assertEqual(
                            records.has_access(right), role == "administrator"
                        )

    def test_an_officer_cannot_change_a_code(self):
        for role in ("viewer", "officer", "supervisor", "auditor"):
            with self.subTest(role=role), self.assertRaises(AccessError):
                self.bank.with_user(self.users[role]).code = "OTHER"

    def test_an_administrator_sets_up_a_bank(self):
        bank = (
            self.env["spar.fsp"]
            .with_user(self.users["administrator"])
            .create({"name": "New", "code": "NEW"})
        )
        bank.branch_ids = [(0, 0, {"name": "Only", "code": "1"})]
        bank.code = "NEWER"
        bank.unlink()
        self.assertFalse(bank.exists())

    def test_every_access_right_has_a_group(self):
        lines = self.env["ir.model.access"].search(
            [("model_id.model", "in", (*MODELS, "spar.group.log"))]
        )
        self.assertTrue(lines)
        self.assertTrue(all(line.group_id for line in lines))

    def test_the_menu_shows_to_the_roles_only(self):
        root = self.env.ref("spar_fa_directory.menu_root")
        configuration = self.env.ref("spar_fa_directory.menu_configuration")
        audit = self.env.ref("spar_fa_directory.menu_audit")
        seen = {
            user: self.env["ir.ui.menu"].with_user(user)._visible_menu_ids()
            for user in (*self.users.values(), self.no_role)
        }
        for role, user in self.users.items():
            with self.subTest(role=role):
                self.assertIn(root.id, seen[user])
                reads = role in ("supervisor", "auditor", "administrator")
                self.assertEqual(audit.id in seen[user], reads)
                allowed = self._get_allowed_menus(user)
                self.assertEqual(configuration.id in allowed, reads)
        self.assertNotIn(root.id, seen[self.no_role])

    def _get_allowed_menus(self, user):
        """Return the menus of the user's groups, even those without an action yet."""
        menus = self.env["ir.ui.menu"].search([])
        return menus.filtered(
            lambda menu: not menu.group_ids or menu.group_ids & user.all_group_ids
        ).ids

    def test_the_menu_has_its_icon(self):
        root = self.env.ref("spar_fa_directory.menu_root")
        icon = base64.b64decode(root.web_icon_data)
        self.assertTrue(icon.startswith(b"\x89PNG"))
