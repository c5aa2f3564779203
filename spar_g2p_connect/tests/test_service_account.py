"""The account of the REST server is nobody's."""

from unittest.mock import patch

from odoo.exceptions import AccessDenied
from odoo.http import Session
from odoo.tests import HttpCase, new_test_user, tagged
from odoo.tools import mute_logger

_PASSWORD = "a long password of a test"
_LOGINS = "odoo.addons.base.models.res_users"


@tagged("post_install", "-at_install")
class TestServiceAccount(HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.service = cls.env.ref("spar_g2p_connect.user_service")
        cls.user = new_test_user(cls.env, "test_service", password=_PASSWORD)

    def log_in(self, user):
        credential = {"login": user.login, "password": _PASSWORD, "type": "password"}
        env = {"interactive": True}
        return user.with_user(user)._check_credentials(credential, env)

    def finalize(self, user):
        """Finish the login of a session, as each way to log in does."""
        session = Session({"pre_login": user.login, "pre_uid": user.id}, "x" * 84)
        session.finalize(self.env)
        return session

    def get_programs(self):
        """Return accounts in whose name programs act."""
        member = new_test_user(
            self.env, "test_channel", "base.group_user,spar_g2p_connect.group_server"
        )
        root = self.env.ref("base.user_root")
        return self.service | member | root | self.env.ref("base.public_user")

    def test_nobody_logs_in_as_the_server(self):
        self.service.password = _PASSWORD
        with self.assertRaises(AccessDenied):
            self.log_in(self.service)

    def test_others_do(self):
        self.assertEqual(self.log_in(self.user)["uid"], self.user.id)
        self.assertEqual(self.finalize(self.user).uid, self.user.id)

    def test_no_session_becomes_that_of_a_program(self):
        """Whichever addon has authenticated it."""
        for user in self.get_programs():
            with self.subTest(user.login), self.assertRaises(AccessDenied):
                self.finalize(user)

    def test_its_group_taken_away_changes_nothing(self):
        self.service.group_ids = self.env.ref("base.group_user")
        with self.assertRaises(AccessDenied):
            self.finalize(self.service)

    def test_a_session_from_before_is_not_valid(self):
        for user in self.get_programs():
            self.assertFalse(user._compute_session_token("x" * 84), user.login)
        self.assertTrue(self.user._compute_session_token("x" * 84))

    def test_no_addon_names_it_after_a_login_elsewhere(self):
        """As OAuth does after a refusal, and LDAP for a login in other letters."""
        users = self.env["res.users"]
        way = {"uid": self.service.id, "auth_method": "ldap", "mfa": "default"}
        credential = {"login": "SPAR.rest.server", "password": "x", "type": "password"}
        below = self.registry["res.users"].__mro__[1]
        with patch.object(below, "_login", lambda *_, **__: way, create=True):
            with self.assertRaises(AccessDenied):
                users.authenticate(credential, {"interactive": True})

    def test_no_key_opens_it(self):
        keys = self.env["res.users.apikeys"]
        keys_sudo = keys.with_user(self.service).sudo()
        key = keys_sudo._generate("rpc", "x", None)
        with self.assertLogs("odoo.addons.spar_mapper_connector", "WARNING"):
            self.assertFalse(keys._check_credentials(scope="rpc", key=key))

    @mute_logger(_LOGINS)
    def test_an_oauth_provider_of_an_administrator_opens_nothing(self):
        if "auth.oauth.provider" not in self.env:
            self.skipTest("needs auth_oauth")
        provider = self.env["auth.oauth.provider"].create(
            {
                "name": "x",
                "auth_endpoint": "https://idp.example/a",
                "validation_endpoint": "https://idp.example/v",
                "body": "x",
                "enabled": True,
            }
        )
        self.service.write({"oauth_provider_id": provider.id, "oauth_uid": "x"})
        users = self.env["res.users"].sudo()
        answer = {"user_id": "x"}
        with patch.object(type(users), "_auth_oauth_rpc", lambda *_: answer):
            params = {"access_token": "token-13", "state": "{}"}
            _db, login, token = users.auth_oauth(provider.id, params)
            credential = {"login": login, "token": token, "type": "oauth_token"}
            with self.assertRaises(AccessDenied):
                users.authenticate(credential, {"interactive": True})
