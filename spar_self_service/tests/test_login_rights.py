import os
from unittest.mock import patch

from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from odoo.addons.spar_mapper_connector.tests.common import ROLES

from ..lib.demo_clients import CLIENTS
from .common import LoginCase, ProviderCase

OPERATIONS = ("read", "write", "create", "unlink")
ALLOWED = {
    ("auth.oauth.provider", "administrator"): set(OPERATIONS),
    ("spar.identity", "auditor"): {"read"},
}
MODELS = (
    "auth.oauth.provider",
    "spar.identity",
    "spar.login.attempt",
    "spar.login.proof",
)


@tagged("post_install", "-at_install")
class TestRights(ProviderCase):
    def get_allowed(self, user, model):
        records = self.env[model].with_user(user)
        return {each for each in OPERATIONS if records.has_access(each)}

    def test_each_role_has_what_it_needs_and_no_more(self):
        for role in ROLES:
            user = self.create_user(role)
            for model in MODELS:
                with self.subTest(role=role, model=model):
                    expected = ALLOWED.get((model, role), set())
                    self.assertEqual(self.get_allowed(user, model), expected)

    def test_user_without_a_role_has_no_access(self):
        outsiders = (
            self.create_user(login="test_no_role"),
            new_test_user(self.env, "test_portal", groups="base.group_portal"),
            self.env.ref("base.public_user"),
            self.create_channel(),
        )
        for user in outsiders:
            for model in MODELS:
                with self.subTest(user=user.login, model=model):
                    self.assertEqual(self.get_allowed(user, model), set())

    def test_odoo_administrator_sees_no_identities(self):
        system = new_test_user(self.env, "test_system", groups="base.group_system")
        for model in MODELS[1:]:
            self.assertEqual(self.get_allowed(system, model), set())

    def test_auditor_sees_logins_without_names(self):
        identities = self.env["spar.identity"].with_user(self.create_user("auditor"))
        names = set(identities.fields_get())
        for known in ("sealed", "person_digest_a", "name", "id_value", "subject"):
            self.assertNotIn(known, names)

    def test_methods_of_the_login_cannot_be_called_remotely(self):
        for model in ("spar.login", "spar.beneficiary", *MODELS[1:]):
            ours = {
                name
                for base in type(self.env[model]).mro()
                if "spar_self_service" in base.__module__
                for name in vars(base)
                if not name.startswith("_") and callable(getattr(base, name, None))
            }
            # Odoo calls it at installation, and refuses remote calls of it.
            self.assertEqual(ours - {"init"}, set(), model)


@tagged("post_install", "-at_install")
class TestRemoteCalls(LoginCase):
    """A beneficiary's session, and Odoo's own ways to call methods."""

    def setUp(self):
        super().setUp()
        self.log_in()

    def call_kw(self, model, method, *arguments, **named):
        call = {"model": model, "method": method, "args": arguments, "kwargs": named}
        with mute_logger("odoo.http"):
            answer = self.url_open(
                "/web/dataset/call_kw",
                json={"jsonrpc": "2.0", "method": "call", "params": call},
            )
        return answer.json()

    def test_private_methods_stay_private(self):
        for model, method in (
            ("spar.beneficiary", "_get_current"),
            ("spar.beneficiary", "_take_step_up"),
            ("spar.login", "_begin"),
            ("spar.identity", "_get_beneficiary"),
            ("auth.oauth.provider", "_get_client_secret"),
            ("auth.oauth.provider", "_sign_assertion"),
        ):
            with self.subTest(method):
                self.assertIn("error", self.call_kw(model, method, []))

    def test_tables_of_the_login_cannot_be_read(self):
        for model in MODELS:
            with self.subTest(model):
                answer = self.call_kw(model, "search_read", [], ["id"])
                self.assertIn("error", answer)

    def test_own_user_cannot_get_another_login(self):
        user = self.get_session_user()
        for values in ({"login": "me"}, {"oauth_uid": "x"}, {"group_ids": []}):
            with self.subTest(values):
                answer = self.call_kw("res.users", "write", [user.id], values)
                self.assertIn("error", answer)


@tagged("post_install", "-at_install")
class TestDemo(ProviderCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.demo = cls.env["spar.self.service.demo"]

    def flag(self, value):
        return patch.dict(os.environ, {"SPAR_DEMO": value})

    def test_demo_refuses_without_its_variable(self):
        with self.flag(""):
            with self.assertRaises(AccessError):
                self.demo._make_clients()
            with self.assertRaises(AccessError):
                self.demo._set_addresses("http://127.0.0.1", self.hostile.issuer)

    def test_clients_are_made_once_with_fresh_secrets(self):
        with self.flag("1"):
            first, second = self.demo._make_clients(), self.demo._make_clients()
        self.assertEqual(len(first), len(CLIENTS))
        for before, after in zip(first, second, strict=True):
            self.assertEqual(before["login_path"], after["login_path"])
            secret = before["metadata"].get("client_secret")
            if secret:
                self.assertNotEqual(secret, after["metadata"]["client_secret"])
            else:
                self.assertTrue(before["metadata"]["jwks"]["keys"])

    def test_buttons_are_translated_into_active_languages(self):
        for code in ("ar_001", "fr_FR"):
            self.env["res.lang"]._activate_lang(code)
        with self.flag("1"):
            self.demo._make_clients()
        for client in CLIENTS:
            provider = self.demo._get_provider(client)
            for code in ("en_US", "ar_001", "fr_FR"):
                spoken = client.button.get(code, client.button["en_US"])
                with self.subTest(client=client.client_id, code=code):
                    self.assertEqual(provider.with_context(lang=code).body, spoken)

    def test_clients_are_enabled_when_the_provider_answers(self):
        with self.flag("1"):
            self.demo._make_clients()
            self.demo._set_addresses("http://127.0.0.1:8069", self.hostile.issuer)
        for client in CLIENTS:
            provider = self.demo._get_provider(client)
            self.assertTrue(provider.enabled)
            self.assertEqual(provider.issuer, self.hostile.issuer)
            self.assertEqual(provider.is_offered, client.values["is_offered"])
        url = self.env["ir.config_parameter"].get_param("web.base.url")
        self.assertEqual(url, "http://127.0.0.1:8069")
