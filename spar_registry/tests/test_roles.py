"""A programme's groups are roles: nobody gives one alone, and its account is sealed."""

from datetime import datetime
from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.fields import Command
from odoo.modules.module import load_script
from odoo.tests import new_test_user
from odoo.tools import file_path, mute_logger

from odoo.addons.spar_mapper_connector.tests.test_two_accounts import AccountCase

NAMES = ("programme_viewer", "programme_user", "readiness", "programme_manager")
MUTED = (
    "odoo.addons.spar_mapper_connector.models.res_users_account",
    "odoo.addons.spar_mapper_connector.models.spar_settings_seal",
    "odoo.addons.spar_mapper.models.audit.spar_alarm",
)
MIGRATION = load_script(
    file_path("spar_registry/migrations/19.0.1.1.0/post-roles.py"),
    "spar_registry_post_roles",
)


class TestRoles(AccountCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.holder = new_test_user(
            cls.env,
            "programme-user",
            groups="base.group_user,spar_registry.group_programme_user",
        )

    def test_nobody_gives_one_alone(self):
        for name in NAMES:
            with self.subTest(name):
                clerk = new_test_user(self.env, name, groups="base.group_user")
                self.give(clerk, f"spar_registry.group_{name}")
                self.assertFalse(clerk.has_group(f"spar_registry.group_{name}"))
                change = self.waiting(clerk)
                self.assertTrue(change)
                change.with_user(self.first).action_approve()
                self.env.invalidate_all()
                self.assertTrue(clerk.has_group(f"spar_registry.group_{name}"))

    def test_nobody_gives_one_by_another_group(self):
        group = self.env["res.groups"].create(
            {"name": "Other", "user_ids": [Command.link(self.clerk.id)]}
        )
        role = self.env.ref("spar_registry.group_programme_manager")
        with self.assertRaises(UserError):
            group.with_user(self.odoo).implied_ids = role
        self.env.invalidate_all()
        self.env.registry.clear_cache("groups")
        self.assertFalse(self.clerk.has_group("spar_registry.group_programme_manager"))

    def add_by_sql(self, user, *groups):
        """Give groups to a user as they were before their groups were roles."""
        for group in groups:
            self.env.cr.execute(
                "INSERT INTO res_groups_users_rel (gid, uid) VALUES (%s, %s)",
                (self.env.ref(group).id, user.id),
            )
        self.env.invalidate_all()
        self.env.registry.clear_cache("groups")

    def no_alarms(self):
        """Return a context without alarms, which have a transaction of their own."""
        return patch.object(type(self.env["spar.settings.seal"]), "_raise_alarms")

    def test_existing_accounts_are_sealed_by_the_upgrade(self):
        programme = "spar_registry.group_programme_user"
        alone, both = (
            new_test_user(self.env, name, groups="base.group_user")
            for name in ("alone", "both")
        )
        self.add_by_sql(alone, programme)
        self.add_by_sql(both, programme, "spar_fa_directory.group_supervisor")
        with self.no_alarms():
            self.assertFalse((alone | both)._filter_true_accounts())
            MIGRATION.migrate(self.env.cr, "19.0.1.0.0")
            self.env.invalidate_all()
            self.assertEqual((alone | both)._filter_true_accounts(), alone)

    def test_an_altered_account_stays_closed_after_the_upgrade(self):
        self.add_by_sql(self.holder, "spar_registry.group_programme_manager")
        with self.no_alarms():
            MIGRATION.migrate(self.env.cr, "19.0.1.0.0")
            self.env.invalidate_all()
            self.assertFalse(self.holder._filter_true_accounts())

    def test_a_membership_is_logged(self):
        logged = self.env["spar.group.log"].search([("user_id", "=", self.holder.id)])
        role = self.env.ref("spar_registry.group_programme_user")
        self.assertIn(role, logged.group_id)

    def test_a_password_or_role_by_sql_closes_the_account(self):
        manager = self.env.ref("spar_registry.group_programme_manager")
        for statement, values in (
            ("UPDATE res_users SET password = 'x' WHERE id = %s", [self.holder.id]),
            (
                "INSERT INTO res_groups_users_rel (uid, gid) VALUES (%s, %s)",
                [self.holder.id, manager.id],
            ),
        ):
            with self.subTest(statement), self.env.cr.savepoint() as savepoint:
                self.env.invalidate_all()
                self.assertTrue(self.holder._filter_roles())
                self.assertTrue(self.holder._filter_true_accounts())
                self.env.cr.execute(statement, values)
                self.env.invalidate_all()
                with mute_logger(*MUTED):
                    self.assertFalse(self.holder._filter_true_accounts())
                savepoint.rollback()

    def test_the_account_has_no_api_key(self):
        keys = self.env["res.users.apikeys"].with_user(self.holder)
        with self.assertRaisesRegex(UserError, "API keys"):
            keys._generate("rpc", "x", datetime(2099, 1, 1))
        self.assertTrue(self.holder._rpc_api_keys_only())
