"""Two people, not two accounts; and what they see is what takes effect."""

import os
from datetime import timedelta
from unittest.mock import patch

import psycopg2

from odoo import fields
from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.modules.module import load_script
from odoo.tests import new_test_user
from odoo.tools import file_path, mute_logger

from .. import expressions
from ..models.spar_keyring import KEYRING_VARIABLE
from .test_second_person import SecondPersonCase

OFFICER = "spar_fa_directory.group_officer"
ADMINISTRATOR = "spar_fa_directory.group_administrator"
CODE = ("base.group_system", "base.group_erp_manager")
ALARMS = (
    "odoo.addons.spar_mapper_connector.models.spar_settings_seal",
    "odoo.addons.spar_mapper.models.audit.spar_alarm",
)
ACTS = "odoo.addons.spar_mapper_connector.models.spar_account_act"


class ServedRequest:
    """A request of a user who is logged in."""

    def __init__(self, uid):
        expressions._persons[self] = uid

    def _get_current_object(self):
        return self


class AccountCase(SecondPersonCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.odoo = new_test_user(
            cls.env, "odoo-admin", groups="base.group_user,base.group_system"
        )
        cls.clerk = new_test_user(cls.env, "clerk", groups="base.group_user")

    def give(self, user, name, actor=None):
        group = self.env.ref(name)
        user.with_user(actor or self.odoo).write(
            {"group_ids": [Command.link(group.id)]}
        )
        self.env.invalidate_all()

    def let_manage_users(self, user):
        for name in ("base.group_erp_manager", "base.group_partner_manager"):
            user.sudo().group_ids += self.env.ref(name)

    def waiting(self, record):
        return self.env["spar.setting.change"]._find_naming(record)


class TestTwoAccounts(AccountCase):
    def assert_refused_to(self, user, words, change=None):
        change = change or self.propose()
        with self.assertRaisesRegex(UserError, words):
            change.with_user(user).action_approve()
        self.assertEqual(change.state, "waiting")
        self.assertFalse(self.id_type.backend_id)

    def assert_accepted_by_second(self):
        with self.env.cr.savepoint() as savepoint:
            self.propose().with_user(self.second).action_approve()
            self.assertEqual(self.id_type.backend_id, self.backend)
            savepoint.rollback()
        self.env.invalidate_all()

    def test_an_account_that_is_younger_than_the_change(self):
        change = self.propose()
        change.proposed_at = "2020-01-01 00:00:00"
        self.assert_refused_to(self.second, "younger than the change", change)

    def test_an_account_that_the_proposer_made(self):
        self.let_manage_users(self.first)
        mine = (
            self.env["res.users"]
            .with_user(self.first)
            .create({"name": "Me again", "login": "me-again"})
        )
        mine.sudo().group_ids += self.env.ref(ADMINISTRATOR)
        self.assert_refused_to(mine, "Account created")

    def test_an_account_that_the_proposer_took_over(self):
        self.let_manage_users(self.first)
        theirs = self.second.with_user(self.first)
        acts = {
            "Password set": lambda: theirs.write({"password": "a new Password 1"}),
            "Login changed": lambda: theirs.write({"login": "second-2"}),
            "E-mail": lambda: theirs.partner_id.write({"email": "x@example.org"}),
            "Password reset": lambda: theirs.partner_id.sudo().signup_prepare("reset"),
        }
        for words, act in acts.items():
            with self.subTest(words), self.env.cr.savepoint() as savepoint:
                act()
                self.assert_refused_to(self.second, words)
                savepoint.rollback()
            self.env.invalidate_all()
        self.propose().with_user(self.second).action_approve()

    def test_a_password_by_a_link_that_the_proposer_may_have_read(self):
        visitor = self.env.ref("base.public_user")
        self.second.with_user(visitor).sudo().password = "a new Password 1"
        users = type(self.second)
        for can_read, factor, words in (
            (True, None, "by a link in an e-mail"),
            (True, "totp", ""),
            (False, None, ""),
        ):
            with (
                self.subTest(can_read=can_read, factor=factor),
                patch.object(users, "_mfa_type", lambda _self, kind=factor: kind),
                self.env.cr.savepoint() as savepoint,
            ):
                if can_read:
                    self.first.sudo().group_ids += self.env.ref("base.group_system")
                if words:
                    self.assert_refused_to(self.second, words)
                else:
                    self.propose().with_user(self.second).action_approve()
                    self.assertEqual(self.id_type.backend_id, self.backend)
                savepoint.rollback()
            self.env.invalidate_all()
            self.registry.clear_all_caches()

    def test_an_account_that_the_proposer_made_acted(self):
        """So also through any number of accounts between them."""
        self.let_manage_users(self.first)
        accounts = self.env["res.users"]
        acting = self.first
        for login in ("dummy-1", "dummy-2"):
            acting = accounts.with_user(acting).create({"name": "x", "login": login})
            self.let_manage_users(acting)
        self.assert_accepted_by_second()
        self.second.with_user(acting).write({"password": "a new Password 1"})
        self.assert_refused_to(self.second, "first acted on both")

    def test_accounts_that_somebody_made_acted_on_both(self):
        self.let_manage_users(self.odoo)
        accounts = self.env["res.users"].with_user(self.odoo)
        for login, theirs in (("dummy-1", self.first), ("dummy-2", self.second)):
            dummy = accounts.create({"name": "x", "login": login})
            self.let_manage_users(dummy)
            theirs.with_user(dummy).write({"password": "a new Password 1"})
        self.assert_refused_to(self.second, "odoo-admin acted on both")

    def test_who_made_the_proposer_and_opened_the_approver_may_be_both(self):
        self.let_manage_users(self.odoo)
        accounts = self.env["res.users"].with_user(self.odoo)
        dummy = accounts.create({"name": "x", "login": "dummy"})
        dummy.sudo().group_ids += self.env.ref(ADMINISTRATOR)
        self.second.with_user(self.odoo).write({"password": "a new Password 1"})
        change = self.propose(user=dummy)
        self.assert_refused_to(self.second, "odoo-admin acted on both", change)

    def test_first_passwords_that_one_user_chose(self):
        """They count until each user has chosen another one."""
        self.let_manage_users(self.odoo)
        accounts = self.env["res.users"].with_user(self.odoo)
        first, second = (
            accounts.create(
                {"name": login, "login": login, "password": "a new Password 1"}
            )
            for login in ("new-1", "new-2")
        )
        for user in (first, second):
            user.sudo().group_ids += self.env.ref(ADMINISTRATOR)
        change = self.propose(user=first)
        words = "odoo-admin acted on both"
        self.assert_refused_to(second, words, change)
        later = fields.Datetime.now() + timedelta(days=400)
        change.proposed_at = later
        self.assert_refused_to(second, words, change)
        second.with_user(second).sudo().password = "another new Password 1"
        self.assertFalse(
            self.env["spar.account.act"]._find_dependence(second, first, later)
        )

    def test_two_people_with_links_of_their_own_are_two_people(self):
        visitor = self.env.ref("base.public_user")
        for user in (self.first, self.second):
            user.with_user(visitor).sudo().password = "a new Password 1"
        self.propose().with_user(self.second).action_approve()
        self.assertEqual(self.id_type.backend_id, self.backend)

    def test_a_second_factor_that_somebody_else_changed_closes_the_account(self):
        if "totp_secret" not in self.second._fields:
            self.skipTest("there are no authenticators")
        secret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
        self.second.totp_secret = secret
        third = self.create_user("administrator", "third")

        def is_open():
            self.env.invalidate_all()
            holder = self.second._filter_roles()
            with mute_logger(*ALARMS):
                return bool(holder._filter_true_accounts())

        def act(user, value):
            """Change it as core does for the logged-in user."""
            with patch.object(expressions, "request", ServedRequest(user.id)):
                self.second.with_user(user).sudo().totp_secret = value
                self.env.flush_all()

        act(self.second, False)
        self.assertTrue(is_open())
        act(self.second, secret)
        self.assertTrue(is_open())
        act(self.odoo, False)
        self.assertFalse(is_open())
        acts = self.env["spar.account.act"]
        last = acts.search([("account_id", "=", self.second.id)], limit=1)
        self.assertEqual((last.kind, last.actor_login), ("factor", "odoo-admin"))
        for user in (self.second, self.odoo, self.clerk):
            with self.subTest(user.login), mute_logger(*ALARMS):
                with self.assertRaises(UserError):
                    last.with_user(user).action_open_account()
        with mute_logger(*ALARMS):
            self.assertTrue(last.is_closed)
            last.with_user(third).action_open_account()
        self.assertTrue(is_open())
        self.assertEqual(acts.search([], limit=1).kind, "opened")

    def test_what_sql_changed_is_opened_by_nobody_here(self):
        third = self.create_user("administrator", "third")
        self.second.with_user(self.odoo).write({"login": "second-2"})
        last = self.env["spar.account.act"].search([], limit=1)
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE res_users SET password = 'x' WHERE id = %s", [self.second.id]
        )
        with mute_logger(*ALARMS), self.assertRaisesRegex(UserError, "outside Odoo"):
            last.with_user(third).action_open_account()

    def test_what_people_do_with_their_own_account(self):
        self.second.with_user(self.second).sudo().password = "a new Password 1"
        self.propose().with_user(self.second).action_approve()
        self.assertEqual(self.id_type.backend_id, self.backend)

    @mute_logger("odoo.sql_db")
    def test_the_log_is_not_rewritten(self):
        self.clerk.with_user(self.odoo).write({"login": "clerk-2"})
        act = self.env["spar.account.act"].search([], limit=1)
        self.assertEqual((act.login, act.actor_login), ("clerk", "odoo-admin"))
        for method, arguments in (("write", [{"login": "x"}]), ("unlink", [])):
            with self.assertRaises(AccessError):
                getattr(act, method)(*arguments)
        for query in (
            "UPDATE spar_account_act SET login = ''",
            "DELETE FROM spar_account_act",
        ):
            with self.assertRaises(psycopg2.Error), self.env.cr.savepoint():
                self.env.cr.execute(query)


class TestForgedActs(AccountCase):
    """Acts that SQL adds to the log permit nothing."""

    FORGE = """INSERT INTO spar_account_act
                      (account_id, login, kind, actor_id, actor_login, date, in_setup)
               VALUES (%s, 'x', %s, %s, 'x', now() AT TIME ZONE 'UTC', false)
               RETURNING id"""

    def forge(self, user, kind, actor):
        """Add an act by SQL and return it."""
        self.env.flush_all()
        self.env.cr.execute(self.FORGE, (user.id, kind, actor.id))
        act_id = self.env.cr.fetchone()[0]
        self.env.invalidate_all()
        return self.env["spar.account.act"].browse(act_id)

    def find_named(self):
        found = self.env["spar.settings.seal"]._check_all()
        return {row_id for table, row_id, _ in found if table == "spar_account_act"}

    def make_in_setup(self, user):
        """Have the first administrator set an account's password during set-up."""
        log = type(self.env["spar.group.log"])
        request = ServedRequest(self.first.id)
        with (
            patch.object(log, "_is_set_up", lambda log: False),
            patch.object(expressions, "request", request),
        ):
            user.sudo().password = "a known Password 1"
        self.env.invalidate_all()

    def test_an_own_password_excuses_acts_of_the_set_up(self):
        self.make_in_setup(self.second)
        change = self.propose()
        with self.assertRaisesRegex(UserError, "Password set"):
            change.with_user(self.second).action_approve()
        self.second.with_user(self.second).sudo().password = "a new Password 1"
        change.with_user(self.second).action_approve()
        self.assertEqual(change.state, "applied")

    def test_a_forged_own_password_excuses_nothing(self):
        self.make_in_setup(self.second)
        change = self.propose()
        self.forge(self.second, "own", self.second)
        with self.assertRaisesRegex(UserError, "Password set"):
            change.with_user(self.second).action_approve()

    def test_a_copied_mac_excuses_nothing(self):
        self.second.with_user(self.second).sudo().password = "a new Password 1"
        self.make_in_setup(self.second)
        change = self.propose()
        self.env.flush_all()
        self.env.cr.execute(
            """INSERT INTO spar_account_act (account_id, login, kind, actor_id,
                                             actor_login, date, in_setup, mac)
               SELECT account_id, login, kind, actor_id, actor_login, date, in_setup,
                      mac
                 FROM spar_account_act WHERE kind = 'own' AND account_id = %s
               RETURNING id""",
            [self.second.id],
        )
        [act_id] = self.env.cr.fetchone()
        self.env.invalidate_all()
        with self.assertRaisesRegex(UserError, "Password set"):
            change.with_user(self.second).action_approve()
        self.assertEqual(self.find_named(), {act_id})

    def test_a_forged_date_of_creation_hides_no_young_account(self):
        change = self.propose()
        change.proposed_at = "2020-01-01 00:00:00"
        users = self.env["res.users"].with_user(self.odoo)
        young = users.create({"name": "Young", "login": "young"}).sudo()
        young.group_ids += self.env.ref(ADMINISTRATOR)
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE res_users SET create_date = '2019-01-01' WHERE id = %s", [young.id]
        )
        self.env.invalidate_all()
        with self.assertRaisesRegex(UserError, "younger than the change"):
            change.with_user(young).action_approve()

    def test_the_check_names_forged_macs(self):
        self.clerk.with_user(self.odoo).write({"login": "clerk-2"})
        self.assertFalse(self.find_named())
        act = self.forge(self.second, "own", self.second)
        self.assertEqual(self.find_named(), {act.id})

    def test_without_the_group_log_it_is_still_set_up(self):
        self.clerk.with_user(self.odoo).write({"login": "clerk-2"})
        self.env.cr.execute("DELETE FROM spar_group_log")
        self.env.invalidate_all()
        self.assertTrue(self.env["spar.group.log"]._is_set_up())

    def test_acts_from_before_are_sealed_by_the_upgrade(self):
        path = "spar_mapper_connector/migrations/19.0.1.5.0/post-migration.py"
        migration = load_script(file_path(path), "spar_connector_acts")
        act = self.forge(self.second, "role", self.odoo)
        with patch.dict(os.environ, {KEYRING_VARIABLE: "/nowhere/keyring"}):
            with self.assertLogs(ACTS, "WARNING"):
                migration.migrate(self.env.cr, "19.0.1.4.0")
        self.assertEqual(self.find_named(), {act.id})
        migration.migrate(self.env.cr, "19.0.1.4.0")
        self.assertFalse(self.find_named())


class TestMembership(AccountCase):
    def test_a_role_and_a_group_that_reaches_code_wait(self):
        for name in (OFFICER, ADMINISTRATOR, *CODE):
            with self.subTest(name):
                self.give(self.clerk, name)
                self.assertFalse(self.clerk.has_group(name))
                change = self.waiting(self.clerk)
                self.assertIn(self.env.ref(name).display_name, change.summary)
                seen = self.clerk.with_user(self.odoo).waiting_groups
                self.assertIn(self.env.ref(name).display_name, seen)
                change.with_user(self.second).action_approve()
                self.env.invalidate_all()
                self.assertTrue(self.clerk.has_group(name))
                self.clerk.group_ids -= self.env.ref(name)

    def test_the_log_names_groups_that_reach_code(self):
        self.clerk.group_ids += self.env.ref("base.group_erp_manager")
        line = self.env["spar.group.log"].search([("login", "=", "clerk")], limit=1)
        self.assertEqual(line.group_id, self.env.ref("base.group_erp_manager"))

    def test_nobody_approves_what_odoos_administrator_wants_but_ours(self):
        self.give(self.clerk, OFFICER)
        change = self.waiting(self.clerk)
        with self.assertRaises(AccessError):
            change.with_user(self.odoo).action_approve()

    def test_a_new_user_gets_the_role_later(self):
        groups = self.env.ref("base.group_user") + self.env.ref(OFFICER)
        user = (
            self.env["res.users"]
            .with_user(self.odoo)
            .create(
                {
                    "name": "New",
                    "login": "new",
                    "group_ids": [Command.set(groups.ids)],
                }
            )
        )
        self.assertTrue(user.has_group("base.group_user"))
        self.assertFalse(user.has_group(OFFICER))
        self.waiting(user).with_user(self.second).action_approve()
        self.env.invalidate_all()
        self.assertTrue(user.has_group(OFFICER))

    def test_a_role_is_lost_at_once_and_other_groups_are_joined(self):
        self.clerk.group_ids += self.env.ref(OFFICER)
        user = self.clerk.with_user(self.odoo)
        user.group_ids -= self.env.ref(OFFICER)
        self.assertFalse(self.clerk.has_group(OFFICER))
        self.give(self.clerk, "base.group_partner_manager")
        self.assertTrue(self.clerk.has_group("base.group_partner_manager"))

    def test_an_account_that_had_a_role_is_not_deleted(self):
        """The history names it; without it, nobody would be the second person."""
        accounts = self.env["res.users"].with_user(self.odoo)
        for user in (self.first, self.second, self.first + self.second):
            with self.assertRaisesRegex(UserError, "Archive it"):
                accounts.browse(user.ids).unlink()
        self.second.with_user(self.odoo).group_ids -= self.env.ref(ADMINISTRATOR)
        with self.assertRaisesRegex(UserError, "Archive it"):
            accounts.browse(self.second.id).unlink()
        self.second.with_user(self.odoo).active = False
        accounts.browse(self.clerk.id).unlink()
        self.assertFalse(self.clerk.exists())

    def test_who_gets_a_role_is_shown_by_login_and_beside_namesakes(self):
        self.give(self.clerk, OFFICER)
        change = self.waiting(self.clerk)
        self.assertIn("Login: clerk", change.summary)
        self.assertNotIn("Other accounts", change.summary)
        self.clerk.name = f" {self.second.name.upper()} "
        change.invalidate_recordset()
        self.assertIn(f"have this name, too: {self.second.login}", change.summary)

    def test_what_a_group_includes_is_shown(self):
        """It may include a role from before, or by an addon."""
        group = self.env["res.groups"].create({"name": "From before"})
        group.implied_ids = self.env.ref(OFFICER)
        self.clerk.with_user(self.odoo).group_ids += group
        self.env.invalidate_all()
        summary = self.waiting(self.clerk).summary
        self.assertIn("Included in these groups:", summary)
        self.assertIn(self.env.ref(OFFICER).display_name, summary)

    def test_no_way_round_by_groups(self):
        officer = self.env.ref(OFFICER).with_user(self.odoo)
        mine = self.env["res.groups"].create(
            {"name": "Mine", "user_ids": [Command.link(self.clerk.id)]}
        )
        empty = self.env["res.groups"].create({"name": "Empty"})
        attempts = {
            "members": lambda: officer.write(
                {"user_ids": [Command.link(self.clerk.id)]}
            ),
            "implied": lambda: mine.with_user(self.odoo).write(
                {"implied_ids": [Command.link(officer.id)]}
            ),
            "implied, for whom it will have": lambda: self.env["res.groups"]
            .with_user(self.odoo)
            .create({"name": "Empty", "implied_ids": [Command.link(officer.id)]}),
            "implied, from the other side": lambda: officer.write(
                {"implied_by_ids": [Command.link(empty.id)]}
            ),
            "a group that reaches code": lambda: empty.with_user(self.odoo).write(
                {"implied_ids": [Command.link(self.env.ref(CODE[0]).id)]}
            ),
            "new group": lambda: self.env["res.groups"]
            .with_user(self.odoo)
            .create(
                {
                    "name": "Other",
                    "implied_ids": [Command.link(officer.id)],
                    "user_ids": [Command.link(self.clerk.id)],
                }
            ),
        }
        for name, attempt in attempts.items():
            with self.subTest(name):
                with self.assertRaises(UserError), self.env.cr.savepoint():
                    attempt()
                # As at the end of a request that failed.
                self.registry.clear_cache("groups")
                self.env.invalidate_all()
                self.assertFalse(self.clerk.has_group(OFFICER))

    def test_another_name_of_an_account_with_a_role_waits(self):
        auditor, before = self.second, self.second.name
        self.let_manage_users(self.odoo)
        auditor.with_user(self.odoo).write({"name": "Somebody Else"})
        self.env.invalidate_all()
        self.assertEqual(auditor.name, before)
        self.waiting(auditor).with_user(self.first).action_approve()
        self.assertEqual(auditor.name, "Somebody Else")
        self.assertEqual(auditor.partner_id.name, "Somebody Else")

    def test_an_archived_account_with_a_role_is_revived_by_two(self):
        """Former staff still know their passwords."""
        self.let_manage_users(self.odoo)
        auditor = self.second.with_user(self.odoo)
        auditor.write({"active": False})
        auditor.action_unarchive()
        self.env.invalidate_all()
        self.assertFalse(auditor.active)
        with self.assertRaisesRegex(UserError, "waiting for a second person"):
            auditor.write({"active": True})
        with patch.object(expressions, "request", ServedRequest(self.odoo.id)):
            with self.assertRaises(UserError):
                auditor.sudo().write({"active": True})
        third = self.create_user("administrator", "third")
        self.waiting(auditor).with_user(third).action_approve()
        self.assertTrue(self.second.active)
        self.clerk.with_user(self.odoo).write({"active": False})
        self.clerk.with_user(self.odoo).write({"active": True})
        self.assertTrue(self.clerk.active)

    def test_nobody_gets_a_role_with_the_contact_of_others(self):
        self.let_manage_users(self.odoo)
        accounts = self.env["res.users"].with_user(self.odoo)
        other = accounts.create(
            {"login": "quinn", "partner_id": self.clerk.partner_id.id}
        )
        self.give(self.clerk, OFFICER)
        change = self.waiting(self.clerk)
        with (
            patch.object(expressions, "request", ServedRequest(self.second.id)),
            self.assertRaisesRegex(UserError, "quinn"),
            self.env.cr.savepoint(),
        ):
            change.with_user(self.second).action_approve()
        self.registry.clear_all_caches()
        self.env.invalidate_all()
        self.assertFalse(self.clerk.has_group(OFFICER))
        other.sudo().partner_id = self.env["res.partner"].create({"name": "Quinn"})
        change.with_user(self.second).action_approve()
        self.assertTrue(self.clerk.has_group(OFFICER))

    def test_whose_account_it_is_stays_until_a_second_person_decides(self):
        self.let_manage_users(self.odoo)
        self.give(self.clerk, OFFICER)
        partner = self.env["res.partner"].create({"name": "Somebody else"})
        for values in ({"login": "other"}, {"partner_id": partner.id}):
            with self.assertRaisesRegex(UserError, "waiting for a second person"):
                self.clerk.with_user(self.odoo).write(values)

    def test_nobody_gets_an_account_on_the_contact_of_one_with_a_role(self):
        """They could change its e-mail address, as their own."""
        self.let_manage_users(self.odoo)
        accounts = self.env["res.users"].with_user(self.odoo)
        values = {"login": "quinn", "partner_id": self.second.partner_id.id}
        for create in (
            lambda: accounts.create(values),
            lambda: accounts.with_context(
                default_partner_id=values["partner_id"]
            ).create({"login": "quinn", "name": "x"}),
        ):
            with self.assertRaisesRegex(UserError, "has a role"):
                with self.env.cr.savepoint():
                    create()

    def test_no_way_round_to_another_name(self):
        """The history shows names: nobody acts in that of another person."""
        self.let_manage_users(self.odoo)
        contact = self.second.partner_id
        other = self.env["res.partner"].create({"name": "Somebody Else"})
        name = {"name": "Somebody Else"}
        attempts = {
            "contact": lambda: contact.with_user(self.odoo).write(name),
            "own": lambda: self.second.with_user(self.second).write(name),
            "own contact": lambda: contact.with_user(self.second).write(name),
            "another contact": lambda: self.second.with_user(self.odoo).write(
                {"partner_id": other.id}
            ),
            "contact of another": lambda: self.clerk.with_user(self.odoo).write(
                {"partner_id": contact.id}
            ),
        }
        for what, attempt in attempts.items():
            with (
                self.subTest(what),
                self.assertRaisesRegex(UserError, "history shows|not allowed"),
            ):
                attempt()
        self.assertNotEqual(contact.name, other.name)
        self.clerk.with_user(self.odoo).write(name)
        self.assertEqual(self.clerk.name, other.name)

    def test_the_first_two_are_made_by_odoos_administrator(self):
        self.env.cr.execute("DELETE FROM spar_group_log")
        self.env.invalidate_all()
        third = new_test_user(self.env, "third", groups="base.group_user")
        for user in (self.clerk, third):
            self.give(user, ADMINISTRATOR)
            self.assertTrue(user.has_group(ADMINISTRATOR))
            user.with_user(self.odoo).write({"email": f"{user.login}@example.org"})
        fourth = new_test_user(self.env, "fourth", groups="base.group_user")
        self.give(fourth, ADMINISTRATOR)
        self.assertFalse(fourth.has_group(ADMINISTRATOR))
        # The user who gave them the role may know their passwords, until they set their
        # own.
        change = self.waiting(fourth)
        for user in (self.clerk, third):
            with self.assertRaises(UserError):
                change.with_user(user).action_approve()
            user.with_user(user).sudo().password = "a Password of their own 1"
        # An address that was changed afterwards still counts.
        with self.assertRaises(UserError):
            change.with_user(third).action_approve()
        change.with_user(self.clerk).action_approve()
        self.env.invalidate_all()
        self.assertTrue(fourth.has_group(ADMINISTRATOR))


class TestWhatTakesEffect(AccountCase):
    def test_a_record_that_a_change_names_is_not_edited(self):
        change = self.propose()
        theirs = self.backend.with_user(self.first)
        with self.assertRaisesRegex(UserError, "something that uses it"):
            theirs.write({"name": "Other"})
        with self.assertRaises(UserError):
            theirs.unlink()
        change.with_user(self.first).action_refuse()
        theirs.write({"name": "Other"})

    def test_what_is_named_has_changed_past_the_registry(self):
        names = [n for n, _l in self.backend._selection_implementation()]
        change = self.propose()
        self.backend.write({"implementation": names[-1], "active": False})
        change.with_user(self.second).action_approve()
        self.assertEqual(change.state, "stale")
        self.assertFalse(self.id_type.backend_id)

    def test_the_second_person_sees_all_that_is_set(self):
        self.id_type.write(
            {"tokeniser": "openg2p-sha3-256", "tokeniser_parameter": "p9"}
        )
        change = self.propose(sequence=12)
        self.assertIn("Sequence: 10 → 12", change.summary)
        for text in ("Tokeniser parameter: p9", "Strategy: token:{sub}@nationalId"):
            self.assertIn(text, change.summary)

    def test_kinds_of_address_their_parts_and_strategies(self):
        kinds = self.env["spar.fa.type"].with_user(self.first)
        part = {"key": "number", "label": "Number", "kind": "text"}
        kind = kinds.create(
            {
                "name": "Card",
                "code": "card",
                "part_ids": [Command.create(part)],
                "strategy_ids": [
                    Command.create(
                        {
                            "name": "Card",
                            "template": "card:{number}",
                            "is_default": True,
                        }
                    )
                ],
            }
        )
        strategy = kind.strategy_ids
        known = self.env["spar.fa.strategy"]._get_known_strategies
        self.assertFalse(kind.active or strategy.is_approved or strategy.is_default)
        self.assertNotIn("card:", known())
        with self.assertRaises(UserError):
            kind.part_ids.write({"check_code": "luhn"})
        for record in (kind, strategy):
            self.waiting(record).with_user(self.second).action_approve()
            self.env.invalidate_all()
        self.assertTrue(kind.active and strategy.is_approved and strategy.is_default)
        self.assertIn("card:", known())
        kind.part_ids.with_user(self.first).write({"check_code": "luhn"})
        self.assertFalse(kind.part_ids.check_code)
        self.assertTrue(self.waiting(kind.part_ids))

    def test_another_default_waits(self):
        default = self.env.ref("spar_fa_directory.strategy_account")
        other = self.env.ref("spar_fa_directory.strategy_openg2p_bank")
        other.with_user(self.first).action_set_default()
        self.env.invalidate_all()
        self.assertTrue(default.is_default)
        self.waiting(other).with_user(self.second).action_approve()
        self.env.invalidate_all()
        self.assertEqual((default.is_default, other.is_default), (False, True))
