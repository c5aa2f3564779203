"""The database does not contain what opens an account with a role."""

import re
from unittest.mock import patch

from odoo.exceptions import AccessDenied, AccessError, UserError
from odoo.modules.module import load_script
from odoo.tests import tagged
from odoo.tools import file_path, hash_sign, mute_logger
from odoo.tools.safe_eval import safe_eval

from odoo.addons.spar_mapper_connector.tests.other_addon import AUTOMATION, load_addon

from .common import PASSWORD, StaffCase, compute_code

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
NAMES = "odoo.addons.spar_mapper_connector.server.expression_names"
GUARD = "odoo.addons.spar_mapper_connector.expressions"
READING = "odoo.addons.spar_mapper_connector.server.reading"


@tagged("post_install", "-at_install")
class TestWhatOpensAnAccount(StaffCase):
    def setUp(self):
        super().setUp()
        self.set_environment(factor="on")
        # Not by their names: by their place among the callers they are refused here.
        self.startPatcher(patch(f"{NAMES}.is_closed", lambda name: False))
        self.officer.partner_id.email = "officer@staff.example"

    def evaluate(self, expression):
        """Return a server action's result for an expression about ``user``."""
        action = self.env["ir.actions.server"].create(
            {
                "name": "x",
                "model_id": self.env["ir.model"]._get("res.partner").id,
                "state": "code",
                "code": f"user = env['res.users'].sudo().browse({self.officer.id})\n"
                f"action = {{'name': str({expression})}}",
            }
        )
        with mute_logger(GUARD):
            return action.run()["name"]

    # === AUTHENTICATORS === #

    def read_row(self):
        self.env.flush_all()
        self.env.cr.execute(
            "SELECT row_to_json(u)::text FROM res_users u WHERE id = %s",
            [self.officer.id],
        )
        return self.env.cr.fetchone()[0]

    def test_a_secret_is_sealed_and_works(self):
        self.officer.totp_secret = SECRET
        self.assertNotIn(SECRET, self.read_row())
        self.env.invalidate_all()
        self.assertEqual(self.officer.totp_secret, SECRET)
        self.assertTrue(self.officer.totp_enabled)
        self.log_in(self.officer.login)
        form = {"csrf_token": self.get_token(), "totp_token": compute_code(SECRET)}
        answer = self.open("/web/login/totp", data=form)
        self.assertEqual(answer.status_code, 303)
        self.assertEqual(self.open("/odoo").status_code, 200)
        self.officer.totp_secret = False
        self.assertFalse(self.officer.totp_enabled)

    def test_an_expression_reads_and_takes_no_secret(self):
        self.officer.totp_secret = SECRET
        self.env.flush_all()
        for expression in (
            "user.totp_secret",
            "user.write({'totp_secret': False})",
            "env['auth.passkey.key'].with_user(user).sudo().create("
            "{'name': 'x', 'credential_identifier': 'x'})",
        ):
            with self.subTest(expression), self.assertRaises(Exception) as caught:
                with self.env.cr.savepoint():
                    self.evaluate(expression)
                    self.env.flush_all()
            self.assertIn("CalledFromExpression", repr(caught.exception))
            self.env.invalidate_all()
        # Whether there is a secret is public: pages show it.
        self.assertEqual(self.evaluate("user.totp_enabled"), "True")

    def test_no_filter_guesses_a_secret(self):
        """Automations apply their filters as superuser."""
        self.officer.totp_secret = SECRET
        self.env.flush_all()
        work = load_addon(self, AUTOMATION)
        for is_cached in (False, True):
            for domain in (
                [("totp_secret", "=like", f"{SECRET[:4]}%")],
                [("totp_secret", "<", "Z")],
                [("totp_secret", "!=", False)],
            ):
                self.env.invalidate_all()
                if is_cached:
                    # As after the check of a code, which writes a counter then.
                    self.assertEqual(self.officer.sudo().totp_secret, SECRET)
                with (
                    self.subTest(domain, is_cached=is_cached),
                    mute_logger(READING),
                    self.assertRaises(AccessError),
                ):
                    work.filter_by(self.officer, domain)
        named = work.filter_by(self.officer, [("totp_enabled", "=", True)])
        self.assertEqual(named, self.officer)

    def test_no_expression_finds_a_secret_in_the_cache(self):
        self.officer.totp_secret = SECRET
        self.env.flush_all()
        self.assertEqual(self.officer.sudo().totp_secret, SECRET)
        values = {"user": self.officer.sudo()}
        with mute_logger(GUARD), self.assertRaisesRegex(ValueError, "Expression"):
            safe_eval("user.totp_secret", values)

    def test_an_automation_beside_stops_no_check_of_a_code(self):
        """Odoo's automations stand between the ORM and what it computes."""
        self.officer.totp_secret = SECRET
        self.env.flush_all()
        self.env.invalidate_all()
        beside, pass_ = load_addon(self, AUTOMATION).compute_beside, lambda *_args: None
        users = self.registry["res.users"]
        beside.origin = users._compute_field_value
        with (
            patch.object(users, "_compute_field_value", beside),
            # They need a request.
            patch.multiple(users, _totp_rate_limit=pass_, _totp_rate_limit_purge=pass_),
        ):
            found = self.officer._check_credentials(
                {"type": "totp", "token": int(compute_code(SECRET))}, {}
            )
        self.assertEqual(found["auth_method"], "totp")

    def test_nobody_reads_a_new_secret_in_odoos_own_form(self):
        form = self.env["auth_totp.wizard"].create(
            {"user_id": self.employee.id, "secret": SECRET}
        )
        work = load_addon(self, AUTOMATION)
        for name in ("secret", "url", "qrcode"):
            with self.subTest(name), mute_logger(READING):
                with self.assertRaises(AccessError):
                    work.show(form, name)
        with self.assertRaises(UserError):
            self.env["ir.actions.server"].create(
                {
                    "name": "x",
                    "state": "code",
                    "model_id": self.env["ir.model"]._get_id("auth_totp.wizard"),
                }
            )
        shown = load_addon(self, "web").show_to_user(
            form.with_user(self.employee), "secret"
        )
        self.assertEqual(shown, [SECRET])

    def test_no_field_copies_a_secret(self):
        """Odoo would compute it as superuser, and store it in clear."""
        for model, path in (
            ("res.users", "totp_secret"),
            ("res.partner", "user_ids.totp_secret"),
            ("res.users", "totp_last_counter"),
        ):
            with self.subTest(model, path=path), self.assertRaises(UserError):
                self.env["ir.model.fields"].create(
                    {
                        "name": "x_copy",
                        "field_description": "Copy",
                        "model_id": self.env["ir.model"]._get_id(model),
                        "ttype": "integer" if "counter" in path else "char",
                        "state": "manual",
                        "related": path,
                        "store": True,
                    }
                )

    def test_a_copy_from_before_is_named(self):
        """It was related to the secret, and is an ordinary field now."""
        self.officer.totp_secret = SECRET
        fields = self.env["ir.model.fields"]
        kept, other = fields.create(
            [
                {
                    "name": name,
                    "field_description": name,
                    "model_id": self.env["ir.model"]._get_id("res.users"),
                    "ttype": "char",
                    "state": "manual",
                }
                for name in ("x_copy", "x_other")
            ]
        )
        self.assertNotIn(kept.id, fields._find_foreign())
        self.officer.write({"x_copy": SECRET, "x_other": "JBSWY3DPEHPK3PXP"})
        found = self.env["ir.model.fields"]._find_foreign()
        self.assertIn(kept.id, found)
        self.assertNotIn(other.id, found)

    def test_secret_of_another_user_cannot_be_unsealed(self):
        self.officer.totp_secret = SECRET
        self.employee.totp_secret = SECRET
        self.env.flush_all()
        self.env.cr.execute(
            """UPDATE res_users u SET totp_secret = o.totp_secret,
                                      totp_sealed = o.totp_sealed
                 FROM res_users o WHERE o.id = %s AND u.id = %s""",
            [self.employee.id, self.officer.id],
        )
        self.env.invalidate_all()
        with self.assertRaises(Exception) as caught:
            self.officer.mapped("totp_secret")
        self.assertIn("SealBroken", repr(caught.exception))

    def test_secrets_from_before_there_were_keys_are_sealed(self):
        self.env.cr.execute(
            "UPDATE res_users SET totp_secret = %s WHERE id = %s",
            [SECRET, self.officer.id],
        )
        self.env.invalidate_all()
        self.assertEqual(self.officer.totp_secret, SECRET)
        path = file_path("spar_staff_login/migrations/19.0.1.1.0/post-migration.py")
        load_script(path, "spar_staff_login_secrets").migrate(self.env.cr, "19.0.1.0.0")
        self.assertNotIn(SECRET, self.read_row())
        self.assertEqual(self.officer.totp_secret, SECRET)

    def test_the_seal_key_is_replaced(self):
        self.officer.totp_secret = SECRET
        self.env.flush_all()
        users = self.env["res.users"]
        keyring = self.env["spar.keyring"]._open()
        self.assertTrue(users._count_sealed_with([keyring.roles.seal_key]))
        users._reseal(keyring, [keyring.roles.seal_key], 0, 100)
        self.env.invalidate_all()
        self.assertEqual(self.officer.totp_secret, SECRET)

    def test_a_device_is_not_trusted(self):
        self.officer.totp_secret = SECRET
        devices = self.env["auth_totp.device"].with_user(self.officer).sudo()
        key = devices._generate("browser", "mine", None)
        known = {"scope": "browser", "key": key, "uid": self.officer.id}
        with mute_logger("odoo.addons.spar_mapper_connector.models.res_users_account"):
            self.assertFalse(devices._check_credentials_for_uid(**known))
        self.log_in(self.officer.login)
        self.assertNotIn('name="remember"', self.open("/web/login/totp").text)
        self.employee.totp_secret = SECRET
        self.log_in(self.employee.login)
        self.assertIn('name="remember"', self.open("/web/login/totp").text)

    def test_core_wizard_that_stores_a_new_secret_is_not_used(self):
        action = self.officer.with_user(self.officer).action_totp_enable_wizard()
        self.assertEqual(action["url"], "/web/second-factor")

    # === LINKS === #

    def make_link(self):
        """Request a link; return what the mail contains."""
        server = type(self.env["ir.mail_server"])
        with patch.object(server, "send_email", autospec=True) as send:
            self.officer.action_reset_password()
        return str(send.call_args.args[1].get_content())

    def test_an_account_is_created_without_a_mail_server(self):
        """So does Odoo; whoever presses the button for a link sees what is wrong."""
        server = type(self.env["ir.mail_server"])
        away = ConnectionRefusedError(111, "Connection refused")
        with patch.object(server, "send_email", autospec=True, side_effect=away):
            new = self.env["res.users"].create(
                {"name": "New", "login": "new", "email": "new@staff.example"}
            )
            with self.assertRaisesRegex(UserError, "mail server"):
                self.officer.action_reset_password()
        self.assertFalse(new.partner_id.signup_type)

    def get_token_of(self, text):
        return re.search(r"token=([^&\s]+)", text).group(1).replace("%7E", "~")

    def test_the_link_of_the_mail_sets_a_password(self):
        text = self.make_link()
        self.assertIn("test_officer", text)
        token = self.get_token_of(text)
        partners = self.env["res.partner"]
        self.assertEqual(
            partners._get_partner_from_token(token), self.officer.partner_id
        )
        self.env["res.users"].signup({"password": "another Password 1"}, token)
        self.assertIsNone(partners._get_partner_from_token(token))
        with self.assertRaises(AccessDenied):
            self.log_in_as("test_officer", PASSWORD)
        self.log_in_as("test_officer", "another Password 1")

    def log_in_as(self, login, password):
        credential = {"type": "password", "login": login, "password": password}
        users = self.env["res.users"].with_user(self.officer)
        return users._check_credentials(credential, {"interactive": True})

    def test_database_content_is_not_enough_for_a_link(self):
        self.officer.partner_id.signup_prepare("reset")
        partner = self.officer.partner_id
        values = [partner.id, self.officer.ids, partner._get_login_date(), "reset"]
        forged = hash_sign(self.env, "signup", values, expiration_hours=1)
        partners = self.env["res.partner"]
        for token in (forged, f"{forged}~", f"{forged}~00", f"{forged}~é"):
            self.assertIsNone(partners._get_partner_from_token(token))
        made = self.evaluate("user.partner_id._generate_signup_token()")
        self.assertIsNone(partners._get_partner_from_token(made))

    def test_links_of_an_account_with_a_role_are_signed_whatever_its_type(self):
        internal = self.env.ref("base.group_user")
        for name in ("viewer", "officer"):
            self.env.ref(f"spar_fa_directory.group_{name}").implied_ids -= internal
        self.officer.group_ids -= internal
        self.assertFalse(self.officer._is_internal())
        self.test_database_content_is_not_enough_for_a_link()

    def test_an_expression_sends_no_link(self):
        with self.assertRaises(Exception) as caught:
            self.evaluate("user.action_reset_password()")
        self.assertIn("CalledFromExpression", repr(caught.exception))

    def test_visitors_get_links_as_odoo_sends_them(self):
        partner = self.env["res.partner"].create(
            {"name": "Visitor", "email": "visitor@example.org"}
        )
        partner.signup_prepare("signup")
        token = partner._generate_signup_token()
        self.assertNotIn("~", token)
        self.assertEqual(
            self.env["res.partner"]._get_partner_from_token(token), partner
        )
