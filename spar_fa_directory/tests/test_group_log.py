from datetime import timedelta

from odoo import fields
from odoo.exceptions import AccessError
from odoo.fields import Command
from odoo.tests import TransactionCase, new_test_user

from .common import ROLES


class TestGroupLog(TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.groups = {
            role: cls.env.ref(f"spar_fa_directory.group_{role}") for role in ROLES
        }
        cls.admin = new_test_user(
            cls.env, "log_admin", groups="base.group_user,base.group_erp_manager"
        )
        cls.user = new_test_user(cls.env, "log_user", groups="base.group_user")
        cls.log = cls.env["spar.group.log"]

    def setUp(self):
        super().setUp()
        self._forget()

    def _forget(self):
        """Ignore everything logged so far."""
        self.last_id = self.log.search([], limit=1).id or 0

    def _get_lines(self, user=None):
        """Return what was logged since ``_forget``: {(group, change)}, each once."""
        lines = self.log.search([("id", ">", self.last_id)])
        self.assertEqual(lines.user_id, user or self.user)
        found = [(line.group_id, line.change) for line in lines]
        self.assertEqual(len(found), len(set(found)), "a change was logged twice")
        return set(found)

    def _assert_nothing_logged(self):
        self.assertFalse(self.log.search([("id", ">", self.last_id)]))

    def test_each_group_gained_by_the_user_is_logged(self):
        for role in ROLES:
            with self.subTest(role=role):
                self.user.write({"group_ids": [Command.link(self.groups[role].id)]})
                self.assertIn((self.groups[role], "gained"), self._get_lines())

    def test_who_did_it_and_when_is_logged(self):
        group = self.groups["auditor"]
        self.user.with_user(self.admin).write({"group_ids": [Command.link(group.id)]})
        line = self.log.search([], limit=1)
        self.assertRecordValues(
            line,
            [
                {
                    "user_id": self.user.id,
                    "login": "log_user",
                    "group_id": group.id,
                    "group_name": "Auditor",
                    "change": "gained",
                    "actor_id": self.admin.id,
                    "actor_login": "log_admin",
                }
            ],
        )
        self.assertLess(fields.Datetime.now() - line.date, timedelta(minutes=5))

    def test_a_group_lost_by_the_user_is_logged(self):
        self.user.group_ids += self.groups["auditor"]
        self.user.group_ids -= self.groups["auditor"]
        self.assertEqual(
            self._get_lines(),
            {(self.groups["auditor"], "gained"), (self.groups["auditor"], "lost")},
        )

    def test_a_user_gained_by_the_group_is_logged(self):
        group = self.groups["supervisor"]
        group.write({"user_ids": [Command.link(self.user.id)]})
        self.assertEqual(self._get_lines(), {(group, "gained")})

    def test_a_user_lost_by_the_group_is_logged(self):
        group = self.groups["supervisor"]
        self.user.group_ids += group
        self._forget()
        group.write({"user_ids": [Command.unlink(self.user.id)]})
        self.assertEqual(self._get_lines(), {(group, "lost")})

    def test_users_set_by_the_field_of_all_members_are_logged(self):
        self.groups["administrator"].all_user_ids += self.user
        self.assertEqual(self._get_lines(), {(self.groups["administrator"], "gained")})

    def test_a_user_created_with_a_group_is_logged_once(self):
        user = new_test_user(
            self.env,
            "log_new",
            groups="base.group_user,spar_fa_directory.group_auditor",
        )
        self.assertEqual(self._get_lines(user), {(self.groups["auditor"], "gained")})

    def test_a_copied_user_is_logged(self):
        self.user.group_ids += self.groups["auditor"]
        self._forget()
        copy = self.user.copy()
        self.assertEqual(self._get_lines(copy), {(self.groups["auditor"], "gained")})

    def test_an_officer_is_logged_as_viewer_too(self):
        self.user.group_ids += self.groups["officer"]
        self.assertEqual(
            self._get_lines(),
            {(self.groups["officer"], "gained"), (self.groups["viewer"], "gained")},
        )

    def test_a_viewer_who_becomes_officer_gains_one_group(self):
        self.user.group_ids += self.groups["viewer"]
        self._forget()
        self.user.group_ids += self.groups["officer"]
        self.assertEqual(self._get_lines(), {(self.groups["officer"], "gained")})

    def test_a_group_that_begins_to_bring_one_along_is_logged(self):
        team = self.env["res.groups"].create(
            {"name": "Team", "user_ids": [Command.link(self.user.id)]}
        )
        team.implied_ids += self.groups["auditor"]
        self.assertEqual(self._get_lines(), {(self.groups["auditor"], "gained")})

    def test_a_group_created_with_members_and_implied_group_is_logged(self):
        self.env["res.groups"].create(
            {
                "name": "Team",
                "implied_ids": [Command.link(self.groups["auditor"].id)],
                "user_ids": [Command.link(self.user.id)],
            }
        )
        self.assertEqual(self._get_lines(), {(self.groups["auditor"], "gained")})

    def test_a_group_that_ceases_to_bring_one_along_is_logged(self):
        team = self.env["res.groups"].create(
            {
                "name": "Team",
                "implied_ids": [Command.link(self.groups["auditor"].id)],
                "user_ids": [Command.link(self.user.id)],
            }
        )
        self._forget()
        team.implied_ids -= self.groups["auditor"]
        self.assertEqual(self._get_lines(), {(self.groups["auditor"], "lost")})

    def test_an_archived_user_s_group_is_logged(self):
        self.user.active = False
        self.user.group_ids += self.groups["auditor"]
        self.assertEqual(self._get_lines(), {(self.groups["auditor"], "gained")})

    def test_caller_s_context_cannot_suppress_the_log(self):
        for value in (True, 1, "x", object()):
            user = self.user.with_context(spar_group_log=value)
            user.write({"group_ids": [Command.link(self.groups["auditor"].id)]})
            with self.subTest(value=value):
                self.assertEqual(
                    self._get_lines(), {(self.groups["auditor"], "gained")}
                )
            self.user.group_ids -= self.groups["auditor"]
            self._forget()

    def test_log_marker_does_not_stay_on_created_records(self):
        user = new_test_user(self.env, "log_new", groups="base.group_user")
        group = self.env["res.groups"].create({"name": "Team"})
        for record in (user, group):
            self.assertNotIn("spar_group_log", record.env.context)

    def test_other_groups_are_not_logged(self):
        self.user.group_ids += self.env.ref("base.group_partner_manager")
        self.user.name = "Other"
        self._assert_nothing_logged()

    def test_a_group_that_the_user_has_is_not_logged_again(self):
        self.user.group_ids += self.groups["auditor"]
        self._forget()
        self.user.write({"group_ids": [Command.link(self.groups["auditor"].id)]})
        self._assert_nothing_logged()

    def test_a_change_that_fails_leaves_the_log_ready_for_the_next(self):
        with self.assertRaises(ValueError):
            self.user.write({"group_ids": [Command.clear()], "no_such_field": 1})
        self.user.group_ids += self.groups["auditor"]
        self.assertEqual(self._get_lines(), {(self.groups["auditor"], "gained")})

    def test_log_keeps_the_login_of_a_deleted_user(self):
        self.user.group_ids += self.groups["auditor"]
        line = self.log.search([], limit=1)
        self.user.unlink()
        line.invalidate_recordset()
        self.assertRecordValues(line, [{"user_id": False, "login": "log_user"}])

    def test_log_lines_cannot_be_changed_or_deleted(self):
        self.user.group_ids += self.groups["auditor"]
        line = self.log.search([], limit=1)
        users = [
            new_test_user(self.env, f"log_{role}", groups="base.group_user")
            for role in ROLES
        ]
        for user, role in zip(users, ROLES, strict=True):
            user.group_ids += self.groups[role]
        for env in [self.env, *(self.env(user=user) for user in users)]:
            with self.subTest(user=env.user.login):
                with self.assertRaises(AccessError):
                    line.with_env(env).write({"login": "somebody"})
                with self.assertRaises(AccessError):
                    line.with_env(env).unlink()
                if env.su:
                    continue
                with self.assertRaises(AccessError):
                    self.log.with_env(env).create({"login": "x"})

    def test_only_auditors_and_administrators_read_the_log(self):
        self.user.group_ids += self.groups["auditor"]
        line = self.log.search([], limit=1)
        for role in (None, *ROLES):
            groups = f",spar_fa_directory.group_{role}" if role else ""
            user = new_test_user(
                self.env, f"log_reads_{role}", groups=f"base.group_user{groups}"
            )
            with self.subTest(role=role):
                if role in ("auditor", "administrator"):
                    self.assertEqual(line.with_user(user).login, "log_user")
                else:
                    with self.assertRaises(AccessError):
                        line.with_user(user).read(["login"])
