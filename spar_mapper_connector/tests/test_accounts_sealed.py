"""No user becomes another from inside: neither by an expression nor by SQL."""

import os
from datetime import datetime, timedelta
from unittest.mock import patch

from odoo.exceptions import AccessDenied, AccessError, UserError, ValidationError
from odoo.fields import Command
from odoo.modules import module
from odoo.tests import HttpCase, new_test_user, tagged
from odoo.tools import mute_logger, safe_eval

from odoo.addons.base.models.res_users import ResUsers as BaseUsers

from .. import expressions
from ..exceptions import AccountAltered, CalledFromExpression
from ..models.spar_keyring import KEYRING_VARIABLE
from ..server import expression_names
from .common import KeyringCase
from .loading_case import loading_addon
from .test_two_accounts import ADMINISTRATOR, AccountCase, ServedRequest

#: The loggers of alarms.
MUTED = (
    "odoo.addons.spar_mapper_connector.expressions",
    "odoo.addons.spar_mapper_connector.models.spar_settings_seal",
    "odoo.addons.spar_mapper.models.audit.spar_alarm",
)
AUDITOR = "spar_fa_directory.group_auditor"

#: What an expression tries with the account ``them``, which has a role.
EXPRESSIONS = {
    "an API key": (
        "env['res.users.apikeys'].with_user(them).sudo()._generate("
        "'rpc', 'x', datetime.datetime(2099, 1, 1))"
    ),
    "a session": "them._compute_session_token('a' * 84)",
    "an old session": "them._legacy_session_token_hash_compute('a' * 84)",
    "a password": "them.write({'password': 'a new Password 1'})",
    "a password's hash": (
        "them._set_encrypted_password(them.id, '$pbkdf2-sha512$1$YQ$YQ')"
    ),
    "another login": "them.write({'login': 'somebody-else'})",
    "no account": "them.write({'active': False})",
    "a role": "clerk.write({'group_ids': [(4, role.id)]})",
    "a role by its group": "role.write({'user_ids': [(4, clerk.id)]})",
    "a role by another group": "other.write({'implied_ids': [(4, role.id)]})",
    "an account with a role": (
        "env['res.users'].create({'name': 'x', 'login': 'x-1', "
        "'group_ids': [(4, role.id)]})"
    ),
    "a copy": "them.copy({'login': 'x-2'})",
    "an approval": "change.with_user(them).action_approve()",
}


class TestByExpressions(AccountCase):
    def setUp(self):
        super().setUp()
        self.open_names()
        self.role = self.env.ref(AUDITOR)
        self.other = self.env["res.groups"].create(
            {"name": "Other", "user_ids": [Command.link(self.clerk.id)]}
        )
        self.change = self.propose()

    def read_state(self):
        self.env.flush_all()
        self.env.cr.execute(
            """SELECT (SELECT string_agg(concat_ws(' ', id, login, password, active),
                                         ',' ORDER BY id) FROM res_users),
                      (SELECT string_agg(concat(gid, ' ', uid), ',' ORDER BY gid, uid)
                         FROM res_groups_users_rel),
                      (SELECT count(*) FROM res_groups_implied_rel),
                      (SELECT count(*) FROM res_users_apikeys),
                      (SELECT string_agg(state, ',' ORDER BY id)
                         FROM spar_setting_change)"""
        )
        return self.env.cr.fetchone()

    def evaluate(self, expression):
        """Return the result of a server action's expression, or the exception."""
        ids = {
            "them": ("res.users", self.second.id),
            "clerk": ("res.users", self.clerk.id),
            "role": ("res.groups", self.role.id),
            "other": ("res.groups", self.other.id),
            "change": ("spar.setting.change", self.change.id),
        }
        lines = [f"{k} = env['{m}'].sudo().browse({i})" for k, (m, i) in ids.items()]
        lines.append(f"action = {{'name': str({expression})}}")
        values = {
            "name": "x",
            "model_id": self.env["ir.model"]._get("res.partner").id,
            "state": "code",
            "code": "\n".join(lines),
        }
        try:
            with self.env.cr.savepoint():
                result = self.env["ir.actions.server"].create(values).run()["name"]
                self.env.flush_all()
                return result
        # Any exception counts: pylint: disable-next=broad-except
        except Exception as error:
            self.env.invalidate_all()
            return error

    def test_each_is_refused(self):
        before = self.read_state()
        for name, expression in EXPRESSIONS.items():
            with self.subTest(name), mute_logger(*MUTED):
                given = self.evaluate(expression)
                is_refused = isinstance(given, Exception) or given == "False"
                self.assertTrue(is_refused, given)
                for mistake in ("not defined", "AttributeError", "TypeError", "Syntax"):
                    self.assertNotIn(mistake, repr(given))
                self.assertEqual(self.read_state(), before)

    def test_without_a_role_odoo_is_as_it_was(self):
        """Automations of Odoo may still create and edit ordinary accounts."""
        for expression in (
            "env['res.users'].create({'name': 'x', 'login': 'x-3'})",
            "clerk.write({'active': False})",
            "clerk.write({'password': 'a new Password 1'})",
            "clerk.unlink()",
        ):
            with self.subTest(expression):
                given = self.evaluate(expression)
                self.assertNotIsInstance(given, Exception, given)

    def test_an_action_that_is_no_code_counts_as_one(self):
        """Odoo's own kinds of actions write values that somebody typed.

        They evaluate nothing.
        """
        field = self.env["ir.model.fields"]._get("res.users", "group_ids")
        action = self.env["ir.actions.server"].create(
            {
                "name": "x",
                "model_id": self.env["ir.model"]._get("res.users").id,
                "state": "object_write",
                "update_path": "group_ids",
                "update_field_id": field.id,
                "update_m2m_operation": "add",
                "resource_ref": f"res.groups,{self.role.id}",
            }
        )
        run = action.with_context(
            active_model="res.users", active_id=self.clerk.id, active_ids=self.clerk.ids
        ).run
        with mute_logger(*MUTED):
            with self.assertRaises(CalledFromExpression):
                run()
        self.env.invalidate_all()
        self.assertNotIn(self.role, self.clerk.group_ids)

    def test_an_action_that_was_put_into_the_database_is_not_run(self):
        action = self.env["ir.actions.server"].create(
            {
                "name": "x",
                "model_id": self.env["ir.model"]._get("res.partner").id,
                "state": "object_create",
                "value": "x",
            }
        )
        ours = self.env["ir.model"]._get("spar.id.type")
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE ir_act_server SET model_id = %s, crud_model_id = %s WHERE id = %s",
            (ours.id, ours.id, action.id),
        )
        self.env.invalidate_all()
        with self.assertRaises(ValidationError):
            action.run()


class TestNames(AccountCase):
    """Names that lead past every check are refused in expressions."""

    def test_neither_sql_nor_what_is_shared_nor_ours(self):
        for expression in (
            "env.cr.execute('SELECT 1')",
            "env.cr",
            "env['res.users']._cr",
            "env.registry.cursor()",
            "env.execute_query(1)",
            "env['res.users']._search([])",
            "env['res.users'].browse(1)._as_query().add_where('1')",
            "env['res.users']._flush_search([])",
            "env['ir.http'].routing_map()",
            "request.session.sid",
            "env.cr.postcommit.add(1)",
            "env['res.users'].pool",
            "env.registry.clear_all_caches()",
            "env['res.users']._onchange_methods",
            "env['res.users']._fields['login']._get_cache(env)",
            "env.transaction",
            "request._get_session_and_dbname()",
            "request.reroute('/')",
            "request.make_response('').call_on_close(1)",
            "env['spar.keyring']._get_phase().clear()",
            "env['spar.settings.seal']._seal_all()",
            "env['res.groups']._get_spar_role_ids()",
            "(lambda e: e.cr)(env)",
            "[x._seal_credentials() for x in env['res.users']]",
        ):
            with self.subTest(expression, channel="server action"):
                with self.assertRaisesRegex(Exception, "forbidden name"):
                    safe_eval.safe_eval(expression, {"env": self.env, "request": None})
            with self.subTest(expression, channel="QWeb"):
                view = self.env["ir.ui.view"].create(
                    {
                        "name": "x",
                        "type": "qweb",
                        "arch": f'<t t-name="x"><t t-out="{expression}"/></t>',
                    }
                )
                with self.assertRaisesRegex(Exception, "forbidden name"):
                    self.env["ir.qweb"]._render(view.id)

    def test_what_odoo_itself_names_is_open(self):
        for expression in ("env.ref('base.user_admin')._is_internal()", "env.user.id"):
            self.assertTrue(safe_eval.safe_eval(expression, {"env": self.env}))
        # Variables are called as people like.
        code = "for _ in [1]:\n    _x = cache = endpoint = cursor = _\n"
        self.assertFalse(safe_eval.test_python_expr(code, mode="exec"))
        # Addons that are not installed open their names while they are installed.
        self.assertTrue(expression_names.is_closed("_send_reminder"))
        loaded = {"base", "calendar"}
        with patch.object(expression_names, "list_loaded_addons", lambda: loaded):
            if module.get_module_path("calendar", display_warning=False):
                self.assertFalse(expression_names.is_closed("_send_reminder"))
            self.assertTrue(expression_names.is_closed("_no_such_name_anywhere"))
        # Odoo's own actions, and the pages of all installed addons.
        for action in self.env["ir.actions.server"].search([("state", "=", "code")]):
            safe_eval.test_python_expr(action.code.strip(), mode="exec")

    def test_no_expression_writes_our_records(self):
        code = "env['spar.fsp'].sudo().create({'name': 'x', 'code': 'X'})"
        with mute_logger(*MUTED), self.assertRaisesRegex(Exception, "Expression"):
            safe_eval.safe_eval(code, {"env": self.env})


class TestBySql(AccountCase):
    """Values that came past the registry open nothing, and are named."""

    def alter(self, query, *values):
        self.env.flush_all()
        self.env.cr.execute(query, values)
        self.env.invalidate_all()
        self.env.registry.clear_cache("default", "groups")

    def find_named(self, table="res_users"):
        found = self.env["spar.settings.seal"]._check_all()
        return {row_id for where, row_id, _problem in found if where == table}

    def assert_closed(self, user):
        with mute_logger(*MUTED):
            self.assertIn(user.id, self.find_named())
            with self.assertRaises(AccountAltered):
                expressions.check_person(self.env(user=user.id))

    def test_nothing_is_named_of_what_odoo_does(self):
        self.second.password = "a new Password 1"
        self.second.login = "second-2"
        self.clerk.group_ids += self.env.ref(AUDITOR)
        self.first.group_ids -= self.env.ref(ADMINISTRATOR)
        role = self.env.ref(AUDITOR)
        role.user_ids += self.first
        self.assertFalse(self.find_named())
        expressions.check_person(self.env(user=self.second.id))
        self.clerk.unlink()
        self.assertFalse(self.find_named())

    def test_a_role(self):
        self.alter(
            "INSERT INTO res_groups_users_rel (gid, uid) VALUES (%s, %s)",
            self.env.ref(AUDITOR).id,
            self.clerk.id,
        )
        self.assertTrue(self.clerk.has_group(AUDITOR))
        self.assert_closed(self.clerk)

    def test_a_role_by_another_group(self):
        other = self.env["res.groups"].create(
            {"name": "Other", "user_ids": [Command.link(self.clerk.id)]}
        )
        self.alter(
            "INSERT INTO res_groups_implied_rel (gid, hid) VALUES (%s, %s)",
            other.id,
            self.env.ref(AUDITOR).id,
        )
        self.assert_closed(self.clerk)

    def test_a_role_by_the_name_of_another_group(self):
        other = self.env["res.groups"].create(
            {"name": "Other", "user_ids": [Command.link(self.clerk.id)]}
        )
        self.alter(
            """UPDATE ir_model_data SET res_id = %s
                WHERE module = 'spar_fa_directory' AND name = 'group_auditor'""",
            other.id,
        )
        self.assert_closed(self.clerk)

    def test_what_lets_somebody_log_in(self):
        for query in (
            "UPDATE res_users SET password = (SELECT password FROM res_users "
            "WHERE id = %s) WHERE id = %s",
            "UPDATE res_users SET login = login || %s::text WHERE id = %s",
        ):
            with self.subTest(query), self.env.cr.savepoint() as savepoint:
                self.clerk.password = "a known Password 1"
                self.alter(query, self.clerk.id, self.second.id)
                self.assert_closed(self.second)
                credential = {
                    "type": "password",
                    "login": self.second.login,
                    "password": "a known Password 1",
                }
                users = self.env["res.users"].with_user(self.second)
                with mute_logger(*MUTED), self.assertRaises(AccessDenied):
                    users._check_credentials(credential, {"interactive": True})
                savepoint.rollback()
            self.env.invalidate_all()
        expressions.check_person(self.env(user=self.second.id))

    def log_in(self, user):
        """Log in with the password that a test has set: the login, padded."""
        password = user.login.ljust(8, "x")
        credential = {"type": "password", "login": user.login, "password": password}
        users = self.env["res.users"].with_user(user)
        return users._check_credentials(credential, {"interactive": True})

    def test_without_keys_nobody_with_a_role_logs_in(self):
        with patch.dict(os.environ, {KEYRING_VARIABLE: "/nowhere/keyring"}):
            self.assertTrue(self.log_in(self.clerk))
            with self.assertRaisesRegex(AccessDenied, "encryption keys"):
                self.log_in(self.second)
        self.assertTrue(self.log_in(self.second))

    def test_another_server_lets_nobody_with_a_role_in(self):
        def answer(users, credential, env):
            return {"uid": users.env.uid, "auth_method": "oauth", "mfa": "default"}

        with patch.object(BaseUsers, "_check_credentials", answer):
            self.assertTrue(self.log_in(self.clerk))
            with self.assertRaises(AccessDenied):
                self.log_in(self.second)

    def test_another_write_does_not_make_it_good(self):
        self.alter(
            "INSERT INTO res_groups_users_rel (gid, uid) VALUES (%s, %s)",
            self.env.ref(AUDITOR).id,
            self.clerk.id,
        )
        with mute_logger(*MUTED):
            self.clerk.password = "a new Password 1"
            self.clerk.group_ids += self.env.ref("base.group_partner_manager")
            self.env.ref(AUDITOR).user_ids += self.second
        self.assert_closed(self.clerk)
        self.assertNotIn(self.second.id, self.find_named())

    def test_rights_on_our_models(self):
        access = self.env["ir.model.access"].search(
            [("model_id.model", "=", "spar.setting.change")], limit=1
        )
        rule = self.env["ir.rule"].search(
            [("model_id.model", "=like", "spar.%"), ("domain_force", "!=", False)]
        )
        rule = rule._filter_sealed()[:1]
        for row, query in (
            (access, "UPDATE ir_model_access SET perm_write = true WHERE id = %s"),
            (access, "DELETE FROM ir_model_access WHERE id = %s"),
            (rule, "UPDATE ir_rule SET domain_force = '[]' WHERE id = %s"),
            (rule, "UPDATE ir_rule SET active = false WHERE id = %s"),
        ):
            if not row:
                continue  # without a store there is no rule
            with self.subTest(query), self.env.cr.savepoint() as savepoint:
                self.assertFalse(self.find_named(row._table))
                self.alter(query, row.id)
                self.assertEqual(self.find_named(row._table), {row.id})
                savepoint.rollback()
            self.env.invalidate_all()

    def test_forms_and_jobs(self):
        view = self.env["ir.ui.view"].search([("model", "=", "spar.setting.change")])
        job = self.env["ir.cron"].search([("code", "like", "_cron_reseal")])
        cleaning = self.env.ref("base.autovacuum_job")
        arch = 'UPDATE ir_ui_view SET arch_db = \'{"en_US": "<list/>"}\' WHERE id = %s'
        for row, query in (
            (view[0], arch),
            (job, "UPDATE ir_cron SET active = false WHERE id = %s"),
            (job, "UPDATE ir_cron SET nextcall = '2099-01-01' WHERE id = %s"),
            (cleaning, "UPDATE ir_cron SET active = false WHERE id = %s"),
            (
                job,
                """UPDATE ir_act_server SET code = 'True' WHERE id = (
                   SELECT ir_actions_server_id FROM ir_cron WHERE id = %s)""",
            ),
        ):
            with self.subTest(query), self.env.cr.savepoint() as savepoint:
                self.assertFalse(self.find_named(row._table))
                self.alter(query, row.id)
                self.assertEqual(self.find_named(row._table), {row.id})
                savepoint.rollback()
            self.env.invalidate_all()

    def test_who_has_a_shell_may_seal_it(self):
        self.alter("UPDATE res_users SET password = 'x' WHERE id = %s", self.second.id)
        self.assert_closed(self.second)
        self.env["spar.settings.seal"]._seal_all()
        self.assertFalse(self.find_named())
        expressions.check_person(self.env(user=self.second.id))

    def test_a_session_is_not_made_of_what_stands_in_the_database(self):
        token = self.second._compute_session_token("a" * 84)
        values = self.second._session_token_get_values()
        self.assertNotEqual(
            token, self.second._session_token_hash_compute("a" * 84, values)
        )
        self.assertFalse(self.second._legacy_session_token_hash_compute("a" * 84))
        self.assertTrue(self.clerk._legacy_session_token_hash_compute("a" * 84))


class TestInDoubt(AccountCase):
    """An account in doubt is opened as it was left, and by nobody who took part."""

    SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"

    def setUp(self):
        super().setUp()
        if "totp_secret" not in self.second._fields:
            self.skipTest("there are no authenticators")
        self.second.totp_secret = self.SECRET
        self.third = self.create_user("administrator", "third")

    def act(self, user, values):
        """Write values of the second administrator's account in a user's request."""
        with (
            patch.object(expressions, "request", ServedRequest(user.id)),
            mute_logger(*MUTED),
        ):
            self.second.with_user(user).sudo().write(values)
            self.env.flush_all()

    def alter(self, query, *values):
        self.env.flush_all()
        self.env.cr.execute(query, values)
        self.env.invalidate_all()

    def is_open(self):
        self.env.invalidate_all()
        with mute_logger(*MUTED):
            return bool(self.second._filter_true_accounts())

    def open_as(self, user):
        """Open the account by the newest act on it that there is."""
        act = self.env["spar.account.act"].search(
            [("account_id", "=", self.second.id)], limit=1
        )
        with mute_logger(*MUTED):
            act.with_user(user).action_open_account()

    def assert_not_opened(self, user, words):
        with self.assertRaisesRegex(UserError, words):
            self.open_as(user)
        self.assertFalse(self.is_open())

    def forge(self, actor):
        self.alter(
            """INSERT INTO spar_account_act
                      (account_id, login, kind, actor_id, actor_login, date)
               VALUES (%s, 'x', 'factor', %s, 'x', now() AT TIME ZONE 'UTC')""",
            self.second.id,
            actor.id,
        )

    def test_another_administrator_opens_it(self):
        self.act(self.odoo, {"totp_secret": False})
        self.assertFalse(self.is_open())
        with mute_logger(*MUTED), self.assertRaises(AccountAltered):
            expressions.check_person(self.env(user=self.second.id))
        self.open_as(self.third)
        self.assertTrue(self.is_open())
        expressions.check_person(self.env(user=self.second.id))

    def test_a_forged_act_opens_no_account_that_sql_altered(self):
        self.alter("UPDATE res_users SET password = 'x' WHERE id = %s", self.second.id)
        self.forge(self.odoo)
        self.assert_not_opened(self.third, "outside Odoo")

    def test_what_sql_changed_since_is_not_opened(self):
        for query in (
            "UPDATE res_users SET password = 'x' WHERE id = %s",
            "UPDATE res_users SET totp_secret = 'x' WHERE id = %s",
            "UPDATE res_users SET spar_account_seal = NULL WHERE id = %s",
            "UPDATE res_users SET spar_account_seal = '\\x00ff' WHERE id = %s",
        ):
            with self.subTest(query), self.env.cr.savepoint() as savepoint:
                self.act(self.odoo, {"totp_secret": False})
                self.alter(query, self.second.id)
                self.assert_not_opened(self.third, "outside Odoo")
                savepoint.rollback()
            self.env.invalidate_all()

    def test_what_was_altered_before_stays_altered(self):
        self.alter("UPDATE res_users SET password = 'x' WHERE id = %s", self.second.id)
        self.act(self.odoo, {"totp_secret": False})
        self.assert_not_opened(self.third, "outside Odoo")

    def test_a_forged_act_hides_nobody_who_changed_the_factor(self):
        self.act(self.third, {"totp_secret": False})
        self.forge(self.odoo)
        self.assert_not_opened(self.third, "you changed")
        self.assert_not_opened(self.second, "Only an administrator")
        # Nor does another name in the seal.
        self.alter(
            """UPDATE res_users
                  SET spar_account_seal = substring(spar_account_seal FOR 32) || %s
                WHERE id = %s""",
            str(self.odoo.id).encode(),
            self.second.id,
        )
        self.assert_not_opened(self.third, "outside Odoo")

    def test_a_later_change_stays_in_doubt_and_counts(self):
        """A member of staff who lost everything gets a password, too."""
        fourth = self.create_user("administrator", "fourth")
        self.act(self.odoo, {"totp_secret": False})
        self.act(self.third, {"password": "a new Password 1"})
        self.assertFalse(self.is_open())
        self.assert_not_opened(self.third, "you changed")
        self.open_as(fourth)
        self.assertTrue(self.is_open())

    def test_a_change_of_groups_leaves_it_in_doubt(self):
        self.act(self.odoo, {"totp_secret": False})
        with mute_logger(*MUTED):
            self.env.ref(AUDITOR).user_ids += self.second
        self.assertFalse(self.is_open())
        self.open_as(self.third)
        self.assertTrue(self.is_open())

    def test_an_account_without_doubt_is_not_opened(self):
        self.forge(self.odoo)
        with self.assertRaisesRegex(UserError, "outside Odoo"):
            self.open_as(self.third)
        self.assertTrue(self.is_open())


class TestByRequests(AccountCase):
    """Superuser code that runs for a request, or for the schedule, is no operator."""

    def setUp(self):
        super().setUp()
        self.role = self.env.ref(ADMINISTRATOR)

    def assert_refused(self, function, as_request=True, words="This would add"):
        """Assert that superuser code of a request, or ``function``, is refused."""
        request = object() if as_request else expressions.request
        with (
            patch.object(expressions, "request", request),
            self.assertRaisesRegex(UserError, words),
            self.env.cr.savepoint(),
        ):
            function()
        self.env.invalidate_all()
        # As Odoo does when a request fails.
        self.env.registry.clear_cache("groups")

    def test_a_copy_of_an_administrator(self):
        copy = self.second.sudo().copy
        self.assert_refused(lambda: copy({"name": "Me", "login": "me"}))

    def test_a_new_account_with_a_role(self):
        chosen = {"group_ids": [Command.link(self.role.id)]}
        users = self.env["res.users"].sudo()
        values = {"name": "Me", "login": "me", **chosen}
        self.assert_refused(lambda: users.create(values))
        with expressions.scheduled():
            self.assert_refused(lambda: users.create(values), as_request=False)

    def test_a_default_of_the_context_or_the_database(self):
        users = self.env["res.users"].with_user(self.odoo)
        chosen = [Command.set(self.role.ids)]
        by_context = users.with_context(default_group_ids=chosen)
        first = by_context.create({"name": "Me", "login": "me"})
        self.env["ir.default"].set("res.users", "group_ids", self.role.ids)
        second = users.create({"name": "Me", "login": "me-too"})
        for user in (first, second):
            self.assertFalse(user.has_group(ADMINISTRATOR))
            self.assertTrue(self.waiting(user))
        with patch.object(expressions, "request", ServedRequest(None)):
            third = users.sudo().create({"name": "Me", "login": "me-three"})
        self.assertFalse(third.has_group(ADMINISTRATOR))

    def test_odoo_s_default_groups_may_bring_a_watched_one(self):
        """An ordinary account is made, and waits for what reaches code."""
        default = self.env.ref("base.default_user_group", raise_if_not_found=False)
        if not default:
            self.skipTest("there are no default groups")
        with loading_addon(self.registry, "mail"):
            default.implied_ids += self.env.ref("base.group_system")
        users = self.env["res.users"].with_user(self.odoo)
        user = users.create({"name": "New", "login": "new-default"})
        self.assertTrue(user.has_group("base.group_user"))
        self.assertFalse(user.has_group("base.group_system"))
        self.assertTrue(self.waiting(user))

    def test_a_group_that_begins_to_bring_it_along(self):
        other = self.env["res.groups"].create(
            {"name": "Other", "user_ids": [Command.link(self.clerk.id)]}
        )
        members = [Command.link(self.clerk.id)]
        implied = [Command.link(self.role.id)]
        self.assert_refused(
            lambda: other.sudo().write({"implied_ids": implied}),
            words="cannot include a role",
        )
        self.assert_refused(lambda: self.role.sudo().write({"user_ids": members}))

    def test_what_two_people_want_is_done(self):
        self.give(self.clerk, AUDITOR)
        with patch.object(expressions, "check_person", lambda env: None):
            self.waiting(self.clerk).with_user(self.second).action_approve()
        self.env.invalidate_all()
        self.assertTrue(self.clerk.has_group(AUDITOR))
        expressions.check_person(self.env(user=self.clerk.id))

    def test_a_guarded_value_by_default(self):
        """No default sets a value that would take effect at once on a new record."""
        backends = self.env["spar.mapper.backend"].with_user(self.first)
        values = {"name": "New", "implementation": self.get_implementation()}
        backend = backends.with_context(default_is_default=True).create(values)
        self.assertFalse(backend.is_default)
        self.assertEqual(len(backend.setting_change_ids), 1)


class TestKeys(AccountCase):
    """A program takes part as a participant, not as a person."""

    def test_nobody_with_a_role_has_an_api_key(self):
        keys = self.env["res.users.apikeys"]
        until = datetime.now() + timedelta(days=1)
        key = keys.with_user(self.clerk).sudo()._generate("rpc", "x", until)
        self.assertEqual(keys._check_credentials(scope="rpc", key=key), self.clerk.id)
        with self.assertRaisesRegex(UserError, "API keys"):
            keys.with_user(self.second).sudo()._generate("rpc", "x", until)
        self.clerk.group_ids += self.env.ref(AUDITOR)
        with mute_logger("odoo.addons.spar_mapper_connector.models.res_users_account"):
            self.assertIsNone(keys._check_credentials(scope="rpc", key=key))


class TestCustomising(AccountCase):
    """Rules about rights come with addons only."""

    def test_rights_names_defaults_and_forms_are_not_changed(self):
        model = self.env["ir.model"]._get("spar.setting.change")
        form = {
            "model": "spar.setting.change",
            "arch": "<form><field name='id'/></form>",
        }
        own = self.env["ir.model.access"].search([("model_id", "=", model.id)], limit=1)
        name = self.env.ref(AUDITOR)
        data = self.env["ir.model.data"].search(
            [("module", "=", "spar_fa_directory"), ("name", "=", "group_auditor")]
        )
        system = self.env["ir.model.data"].search(
            [("module", "=", "base"), ("name", "=", "group_system")]
        )
        access = {"name": "x", "model_id": model.id, "perm_read": True}
        attempts = {
            "access": lambda: self.env["ir.model.access"].create(access),
            "more access": lambda: own.write({"perm_unlink": True}),
            "no access": lambda: own.unlink(),
            "a role's name": lambda: data.write({"res_id": name.id + 1}),
            "no name": lambda: data.unlink(),
            "a name of Odoo": lambda: system.write({"res_id": name.id}),
            "a new name": lambda: data.copy({"name": "group_more"}),
            "a default": lambda: self.env["ir.default"].set(
                "spar.id.type", "active", True
            ),
            "a form": lambda: self.env["ir.ui.view"].create({"name": "x", **form}),
            "the frame of staff's screens": lambda: self.env["ir.ui.view"].create(
                {
                    "name": "x",
                    "type": "qweb",
                    "mode": "extension",
                    "inherit_id": self.env.ref("web.layout").id,
                    "arch": "<xpath expr='//head' position='inside'><script/></xpath>",
                }
            ),
            "a template by their key": lambda: self.env["ir.ui.view"].create(
                {"name": "x", "type": "qweb", "key": "web.layout", "arch": "<p/>"}
            ),
            "a key that is given later": lambda: self.env["ir.ui.view"]
            .create({"name": "x", "type": "qweb", "key": "x.layout", "arch": "<p/>"})
            .write({"key": "web.layout"}),
            "a template by its external ID": lambda: self.env["ir.model.data"].create(
                {
                    "module": "web",
                    "name": "layout_2",
                    "model": "ir.ui.view",
                    "res_id": self.env.ref("base.view_users_form").id,
                }
            ),
            "an action that fills a form in": lambda: self.env[
                "ir.actions.act_window"
            ].create(
                {
                    "name": "x",
                    "res_model": "spar.id.type",
                    "context": "{'default_active': True}",
                }
            ),
        }
        for what, attempt in attempts.items():
            with self.subTest(what), self.assertRaises(ValidationError):
                with self.env.cr.savepoint():
                    attempt()

    def test_staff_load_no_scripts_but_of_addons(self):
        assets = self.env["ir.asset"]
        script = {"name": "x", "path": "/x/y.js"}
        bundle = {"name": "x", "url": "/web/assets/1/web.assets_web.min.js"}
        kept = self.env["ir.attachment"].create({**bundle, "raw": b"ours"})
        with patch.object(expressions, "request", object()):
            with self.assertRaises(ValidationError):
                kept.write({"raw": b"theirs"})
            with self.assertRaises(ValidationError):
                self.env["ir.attachment"].create({**bundle, "raw": b"theirs"})
            for bundle in ("web.assets_backend", "web.assets_web", "web._assets_core"):
                with self.subTest(bundle), self.assertRaises(ValidationError):
                    assets.create({**script, "bundle": bundle})
            assets.create({**script, "bundle": "web.assets_frontend"})
            style = {
                "path": "/_custom/y.scss",
                "bundle": "web._assets_primary_variables",
                "directive": "replace",
                "target": "/website/y.scss",
            }
            assets.create({**script, **style})

    def test_jobs_are_not_switched_off(self):
        job = self.env["ir.cron"].search([("code", "like", "_cron_reseal")])
        partner = self.env["ir.model"]._get("res.partner").id
        other = self.env["ir.cron"].search([("id", "!=", job.id)], limit=1)
        with patch.object(expressions, "request", object()):
            for values in ({"model_id": partner}, {"code": "True"}):
                with self.subTest(values), self.assertRaises(ValidationError):
                    job.ir_actions_server_id.write(values)
            for values in (
                {"active": False},
                {"interval_number": 999},
                {"model_id": partner},
                {"ir_actions_server_id": other.ir_actions_server_id.id},
            ):
                with self.subTest(values), self.assertRaises(UserError):
                    job.write(values)
            with self.assertRaises(UserError):
                job.unlink()

    def test_what_is_not_ours_is_customised(self):
        partner = self.env["ir.model"]._get("res.partner")
        self.env["ir.model.access"].create({"name": "x", "model_id": partner.id})
        self.env["ir.default"].set("res.partner", "name", "x")
        self.env["ir.model.data"].create(
            {"module": "__import__", "name": "x", "model": "res.partner", "res_id": 1}
        )


@tagged("post_install", "-at_install")
class TestSessions(KeyringCase, HttpCase):
    """No page can turn the session of a request into another user's."""

    def setUp(self):
        super().setUp()
        self.auditor = new_test_user(
            self.env, "a-auditor", groups=f"base.group_user,{AUDITOR}"
        )
        new_test_user(self.env, "a-clerk", groups="base.group_user")

    def show(self, expression, before="", around="str(%s)") -> str:
        view = self.env["ir.ui.view"].create(
            {
                "name": "x",
                "type": "qweb",
                "key": "attempt.page",
                "arch": f'<t t-name="x">{before}<t t-out="{around % expression}"/></t>',
            }
        )
        template = type(self.env["ir.ui.view"])._render_template
        with patch.object(
            type(self.env["ir.ui.view"]),
            "_render_template",
            lambda views, *_args, **_kw: template(views, view.id, {}),
        ):
            return self.url_open("/web/login").text

    def test_the_key_of_a_session_is_nobody_s(self):
        """Check that a format string, which names nothing, does not print it."""
        self.authenticate("a-auditor", "a-auditor")
        sid = self.session.sid
        for attempt in (
            "'{0.session.sid}'.format(request)",
            "'{0.httprequest.environ}'.format(request)",
            "'{0.httprequest.headers}'.format(request)",
            "'{0.httprequest.cookies} {0.cookies}'.format(request)",
            "'{0.httprequest._session_id__}'.format(request)",
        ):
            muted = ("odoo.http", "odoo.addons.http_routing.models.ir_http", *MUTED)
            with self.subTest(attempt), mute_logger(*muted):
                self.assertNotIn(sid, self.show(attempt))

    def test_markup_formats_by_code_of_its_own(self):
        self.authenticate("a-auditor", "a-auditor")
        sid = self.session.sid
        with mute_logger(
            "odoo.http", "odoo.addons.http_routing.models.ir_http", *MUTED
        ):
            text = self.show(
                "request", '<t t-set="c">{0.session.sid}</t>', "c.format(%s)"
            )
        self.assertNotIn(sid, text)

    @mute_logger(
        "odoo.http",
        "odoo.addons.base.models.ir_qweb",
        "odoo.addons.http_routing.models.ir_http",
    )
    def test_an_expression_changes_no_session(self):
        self.open_names()
        uid = self.auditor.id
        for attempt in (
            f"request.session.update(uid={uid}, login='a-auditor')",
            f"request.session.setdefault('pre_uid', {uid})",
            f"request.session.update(pre_uid={uid}, pre_login='a-auditor')"
            " or request.session.finalize(request.env)",
            "request.session.update(spar_login=1)",
            "request.session.update({'identity-check-last': 9999999999})",
        ):
            with self.subTest(attempt):
                self.authenticate(None, None)
                with mute_logger(*MUTED):
                    self.show(attempt)
                session = self.session.__class__
                self.assertIsNotNone(session)
                answer = self.url_open("/odoo", allow_redirects=False)
                self.assertIn("/web/login", answer.headers.get("Location", ""))

    def test_who_is_logged_in_works(self):
        self.authenticate("a-auditor", "a-auditor")
        answer = self.url_open("/odoo", allow_redirects=False)
        self.assertEqual(answer.status_code, 200)
        self.env["res.users"].browse(self.auditor.id).check_access("read")
        with self.assertRaises(AccessError):
            self.env["res.groups"].with_user(self.auditor).create({"name": "x"})
