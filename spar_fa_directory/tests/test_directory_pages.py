from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.tests import Form

from ..models.provider.spar_directory_used import Uses
from .common import ROLES, DirectoryCase

#: Menus of the directory that only administrators see.
ADMINISTRATORS = {"menu_load_banks", "menu_spar_directory_import"}
EVERYBODY = {"menu_spar_fsp", "menu_spar_fsp_branch", "menu_spar_fa_type"}


class TestPages(DirectoryCase):
    def _get_menus(self, user):
        menus = self.env["ir.ui.menu"].with_user(user)._visible_menu_ids()
        names = EVERYBODY | ADMINISTRATORS
        return {
            name
            for name in names
            if self.env.ref(f"spar_fa_directory.{name}").id in menus
        }

    def test_every_role_has_its_menus(self):
        for role in ROLES:
            wanted = EVERYBODY | (ADMINISTRATORS if role == "administrator" else set())
            with self.subTest(role=role):
                self.assertEqual(self._get_menus(self._create_user(role)), wanted)

    def test_others_have_none(self):
        self.assertEqual(self._get_menus(self._create_user(login="other")), set())

    def test_provider_shows_its_number_of_branches(self):
        self.assertEqual(self.bank.branch_count, 2)
        self.assertEqual(self.wallet.branch_count, 0)
        self.north.action_archive()
        self.bank.invalidate_recordset(["branch_count"])
        self.assertEqual(self.bank.branch_count, 1)

    def test_branches_of_many_providers_cost_one_statement(self):
        providers = self.bank | self.wallet
        providers.mapped("name")
        self.env.flush_all()
        with self.assertQueryCount(1):
            providers.mapped("branch_count")

    def test_its_branches_are_a_list_of_their_own(self):
        action = self.bank.action_open_branches()
        branches = self.env["spar.fsp.branch"].search(action["domain"])
        self.assertEqual(branches, self.north | self.south)
        form = Form(self.env["spar.fsp.branch"].with_context(**action["context"]))
        form.name, form.code = "East", "TB-E"
        self.assertEqual(form.save().provider_id, self.bank)

    def test_no_page_reads_all_branches_at_once(self):
        views = self.env["spar.fsp"].get_views([(False, "form"), (False, "list")])
        for view in views["views"].values():
            self.assertNotIn("branch_ids", view["arch"])

    def test_the_button_for_banks_is_for_administrators(self):
        for role in ("viewer", "administrator"):
            user = self._create_user(role)
            views = self.env["spar.fsp"].with_user(user).get_views([(False, "list")])
            shown = "Load banks" in views["views"]["list"]["arch"]
            self.assertEqual(shown, role == "administrator")

    def test_the_form_of_a_used_branch_keeps_code_and_provider(self):
        used = patch.object(
            type(self.north), "_is_used", lambda records: records & self.north
        )
        with used, Form(self.north) as form:
            form.city = "Vellin"
            for name in ("code", "provider_id"):
                with self.subTest(name=name), self.assertRaises(AssertionError):
                    form[name] = form[name]
        self.assertEqual(self.north.city, "Vellin")


class TestUsed(DirectoryCase):
    """Nothing is used if no addon stores mappings; a use that one reports is shown."""

    def _count(self, in_force, ended=0):
        counts = {self.bank.id: Uses(in_force, ended)}
        patcher = patch.object(
            type(self.bank),
            "_count_uses",
            lambda records: {i: uses for i, uses in counts.items() if i in records.ids},
        )
        self.startPatcher(patcher)

    def test_counts_of_uses_are_shown(self):
        self._count(1234, 5)
        self.assertEqual((self.bank.use_count, self.bank.ended_use_count), (1234, 5))
        self.assertEqual(
            self.bank._get_uses_text(),
            "1,234 financial addresses in force name Test Bank.",
        )

    def test_one_address_is_not_several(self):
        self._count(1)
        self.assertEqual(
            self.bank._get_uses_text(),
            "1 financial address in force names Test Bank.",
        )

    def test_many_records_are_not_all_named(self):
        self._count(9)
        more = self.env["spar.fsp"].create(
            [{"name": f"Other {n}", "code": f"O{n}"} for n in range(5)]
        )
        text = (self.bank | more)._get_uses_text()
        self.assertIn("Other 1, …", text)
        self.assertNotIn("Other 4", text)

    def test_archiving_shows_the_count_and_archives(self):
        self._count(7)
        action = self.bank.action_archive()
        self.assertFalse(self.bank.active)
        self.assertEqual(action["tag"], "display_notification")
        self.assertIn("7 financial addresses", action["params"]["message"])

    def test_archiving_twice_shows_no_second_notification(self):
        self._count(7)
        self.bank.action_archive()
        self.assertFalse(self.bank.action_archive())

    def test_ended_addresses_cause_no_warning(self):
        self._count(0, 3)
        self.assertFalse(self.bank.action_archive())

    def test_refused_deletion_shows_the_count(self):
        self._count(7)
        used = patch.object(type(self.bank), "_is_used", lambda records: records)
        with used, self.assertRaisesRegex(UserError, "7 financial addresses"):
            self.bank.unlink()

    def test_a_viewer_cannot_archive(self):
        viewer = self._create_user("viewer")
        with self.assertRaises(AccessError):
            self.bank.with_user(viewer).action_archive()
        self.assertTrue(self.bank.active)
