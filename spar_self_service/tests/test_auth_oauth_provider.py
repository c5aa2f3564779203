import json
import os
from types import SimpleNamespace
from unittest.mock import patch
from urllib.parse import quote

from odoo.exceptions import AccessDenied, AccessError, ValidationError
from odoo.tests import Form, new_test_user, tagged
from odoo.tools import mute_logger
from odoo.tools.misc import file_open

from odoo.addons.spar_mapper_connector.lib.contract import Capability
from odoo.addons.spar_mapper_connector.lib.oidc.exceptions import ProviderNotReady
from odoo.addons.spar_staff_login.lib.settings import STAFF_HOST_VARIABLE

from ..hooks import uninstall_hook
from ..models import auth_oauth_provider
from ..models.auth_oauth_provider import FLOW
from .common import LoginCase, ProviderCase

FORM = "spar_self_service.auth_oauth_provider_view_form"
NEUTRALIZE = "spar_self_service/data/neutralize.sql"
ROLES = ("viewer", "officer", "supervisor", "auditor")


@tagged("post_install", "-at_install")
class TestProviderForm(ProviderCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.first, cls.second = (
            cls.create_user("administrator", login) for login in ("first", "second")
        )

    def open_form(self, preset="esignet", **context):
        providers = self.env["auth.oauth.provider"].with_user(self.first)
        context = {"default_flow": FLOW, "default_preset": preset, **context}
        return Form(providers.with_context(**context), FORM)

    def fill_in(self, preset="esignet"):
        form = self.open_form(preset)
        form.issuer = f"{self.hostile.issuer}/.well-known/openid-configuration"
        form.name = "New ID"
        form.body = "Log in with New ID"
        form.client_id = "new"
        form.id_type_id = self.env.ref("spar_mapper_connector.id_type_national_id")
        return form

    # === FILLING IN === #

    def test_form_is_filled_in_from_the_metadata(self):
        provider = self.fill_in().save()
        self.assertEqual(provider.issuer, self.hostile.issuer)
        self.assertEqual(provider.auth_endpoint, f"{self.hostile.issuer}/auth")
        self.assertEqual(provider.token_endpoint, f"{self.hostile.issuer}/token")
        self.assertEqual(provider.jwks_uri, f"{self.hostile.issuer}/jwks")
        self.assertEqual(provider.algorithms, "PS256 ES256 EdDSA")
        self.assertTrue(provider.tells_issuer)
        self.assertFalse(provider.use_par)

    def test_esignet_is_filled_in(self):
        provider = self.fill_in().save()
        self.assertEqual(provider.client_authentication, "private_key_jwt")
        self.assertEqual(provider.userinfo_format, "jws")
        self.assertEqual(provider.id_claim, "individual_id")
        self.assertIn("mosip:idp:acr:biometrics", provider.accepted_acrs)
        self.assertTrue(json.loads(provider.claims)["userinfo"]["individual_id"])
        self.assertFalse(provider.fresh_prompt)

    def test_keycloak_is_filled_in(self):
        provider = self.fill_in("keycloak").save()
        self.assertEqual(provider.client_authentication, "client_secret_basic")
        self.assertEqual(provider.userinfo_format, "json")
        self.assertEqual(provider.fresh_prompt, "login")
        self.assertEqual(provider.assertion_audience, "issuer")

    def test_address_that_does_not_answer_is_explained(self):
        self.provider.discovery_uri = "http://127.0.0.1:1/nowhere"
        with self.assertRaisesRegex(ValidationError, "Check the URL"):
            self.provider.action_discover()

    def test_metadata_of_another_provider_is_refused(self):
        described = {**self.hostile.metadata, "issuer": "https://other.example"}
        self.answer_discovery(described)
        with self.assertRaisesRegex(ValidationError, "wrong provider"):
            self.provider.action_discover()

    def test_metadata_may_have_another_path_than_the_issuer(self):
        """eSignet's is an example."""
        path = "/v1/esignet/oidc/.well-known/openid-configuration"
        issuer = f"{self.hostile.issuer}/v1/esignet"
        body = json.dumps({**self.hostile.metadata, "issuer": issuer}).encode()
        self.hostile.responses[path] = (200, body, "application/json")
        form = self.open_form()
        form.issuer = f"{self.hostile.issuer}{path}"
        self.assertEqual(form.issuer, issuer)
        self.assertEqual(form.discovery_uri, f"{self.hostile.issuer}{path}")

    def test_unusable_metadata_is_refused(self):
        whole = self.hostile.metadata
        weak = {**whole, "id_token_signing_alg_values_supported": ["none", "HS256"]}
        without = {k: v for k, v in whole.items() if k != "jwks_uri"}
        strange = {**whole, "token_endpoint": "javascript:alert(1)"}
        for described in (weak, without, strange, [], "x", None):
            self.answer_discovery(described)
            with self.subTest(described), self.assertRaises(ValidationError):
                self.provider.action_discover()

    def answer_discovery(self, described):
        body = json.dumps(described).encode()
        path = "/.well-known/openid-configuration"
        self.hostile.responses[path] = (200, body, "application/json")

    def test_private_address_that_is_not_allowed_is_never_called(self):
        self.provider.discovery_uri = "http://169.254.169.254"
        with self.assertRaisesRegex(ValidationError, "OutgoingRefused"):
            self.provider.action_discover()

    def test_weak_algorithm_is_chosen_only_as_the_last_resort(self):
        described = {
            **self.hostile.metadata,
            "id_token_signing_alg_values_supported": ["RS256", "PS256"],
        }
        self.answer_discovery(described)
        provider = self.fill_in().save()
        self.assertEqual(provider.algorithms, "PS256")
        described["id_token_signing_alg_values_supported"] = ["RS256"]
        self.answer_discovery(described)
        provider.action_discover()
        self.assertEqual(provider.algorithms, "RS256")

    # === CHECKS === #

    def test_algorithm_none_is_refused(self):
        for wrong in ("none", "HS256", "PS256 none"):
            with self.assertRaisesRegex(ValidationError, "cannot be used"):
                self.provider.algorithms = wrong

    def test_claims_request_must_be_an_object(self):
        for wrong in ("{", "[]", "4711"):
            with self.assertRaisesRegex(ValidationError, "not a JSON object"):
                self.provider.claims = wrong

    def test_incomplete_provider_cannot_be_enabled(self):
        with self.assertRaisesRegex(ValidationError, "Fill in: JWKS URL"):
            self.provider.jwks_uri = False

    def test_flow_of_a_provider_cannot_be_changed(self):
        with self.assertRaisesRegex(ValidationError, "cannot be changed"):
            self.provider.flow = "token"
        core = self.env["auth.oauth.provider"].create(
            {
                "name": "Core",
                "body": "Core",
                "auth_endpoint": "https://op.example",
                "validation_endpoint": "https://op.example",
            }
        )
        with self.assertRaisesRegex(ValidationError, "cannot be changed"):
            core.flow = FLOW

    # === TWO PEOPLE === #

    def get_change(self, provider):
        return self.env["spar.setting.change"].search(
            [("res_id", "=", provider.id), ("state", "=", "waiting")]
        )

    def test_new_provider_waits_for_a_second_person(self):
        form = self.fill_in()
        form.enabled = True
        provider = form.save()
        self.assertFalse(provider.enabled)
        change = self.get_change(provider)
        self.assertIn("Allowed: no → yes", change.summary)
        with self.assertRaisesRegex(Exception, "another administrator"):
            change.with_user(self.first).action_approve()
        self.assertFalse(provider.enabled)
        change.with_user(self.second).action_approve()
        self.assertTrue(provider.enabled)

    def test_change_of_a_provider_in_use_waits(self):
        provider = self.provider.with_user(self.first)
        before = provider.issuer
        provider.issuer = "https://evil.example"
        self.assertEqual(provider.issuer, before)
        change = self.get_change(provider)
        change.with_user(self.second).action_refuse()
        self.assertEqual(provider.issuer, before)

    def test_every_setting_that_identifies_people_is_guarded(self):
        free = {
            "name",
            "body",
            "css_class",
            "sequence",
            "is_offered",
            "preset",
            "flow",
            "data_endpoint",
            "display_name",
            "id",
            "has_client_secret",
            "create_uid",
            "create_date",
            "write_uid",
            "write_date",
            "setting_change_ids",
            "redirect_uri",
            "staff_redirect_uri",
            "key_set_uri",
            "public_keys",
            "is_overtaken",
            "id_type_issuers",
        }
        guarded = set(self.provider._guarded_fields)
        self.assertEqual(set(self.provider._fields) - free, guarded)

    def test_disabling_a_provider_needs_one_person(self):
        self.provider.with_user(self.first).enabled = False
        self.assertFalse(self.provider.enabled)

    def test_secret_needs_approval_and_is_never_shown(self):
        self.provider._set_client_secret("old secret")
        self.provider.with_user(self.first).client_secret = "new secret"
        self.assertEqual(self.provider._get_client_secret(), "old secret")
        change = self.get_change(self.provider)
        self.assertNotIn("new secret", change.summary)
        change.with_user(self.second).action_approve()
        self.assertEqual(self.provider._get_client_secret(), "new secret")

    # === SECRETS AND RIGHTS === #

    def test_secret_cannot_be_read(self):
        self.provider._set_client_secret("a very secret secret")
        self.env.flush_all()
        values = self.provider.with_user(self.first).read()[0]
        self.assertFalse(values["client_secret"])
        self.assertTrue(values["has_client_secret"])
        self.env.cr.execute("SELECT t::text FROM auth_oauth_provider t")
        text = str(self.env.cr.fetchall())
        self.assertNotIn("very secret", text)
        self.assertNotIn(b"very secret".hex(), text)

    def test_secret_moved_to_another_provider_cannot_be_unsealed(self):
        self.provider._set_client_secret("a very secret secret")
        other = self.create_provider(client_id="other")
        self.env.cr.execute(
            """UPDATE auth_oauth_provider SET client_secret_sealed = (
                   SELECT client_secret_sealed FROM auth_oauth_provider WHERE id = %s)
                WHERE id = %s""",
            (self.provider.id, other.id),
        )
        with self.assertRaisesRegex(Exception, "moved or altered"):
            other._get_client_secret()

    def test_only_administrators_have_access(self):
        for role in ROLES:
            user = self.create_user(role)
            for operation in ("read", "write", "create", "unlink"):
                with self.subTest(role=role, operation=operation):
                    provider = self.provider.with_user(user)
                    self.assertFalse(provider.has_access(operation))

    def test_administrator_cannot_create_a_login_for_staff(self):
        providers = self.env["auth.oauth.provider"].with_user(self.first)
        self.assertEqual(set(providers.search([]).mapped("flow")), {FLOW})
        with self.assertRaises(AccessError):
            providers.create(
                {
                    "name": "Mine",
                    "body": "Mine",
                    "auth_endpoint": "https://evil.example",
                    "validation_endpoint": "https://evil.example",
                }
            )

    def test_helped_person_returns_to_the_staff_host(self):
        login, provider = self.env["spar.login"], self.provider
        self.assertFalse(provider.staff_redirect_uri)
        host = {STAFF_HOST_VARIABLE: "staff.example.org"}
        redirect_uris = []
        self.patch(
            type(provider),
            "_get_authorization_address",
            lambda _provider, attempt: redirect_uris.append(attempt.redirect_uri)
            or "x",
        )
        with patch.dict(os.environ, host):
            provider.invalidate_recordset()
            for purpose in ("login", "test"):
                login._begin(provider, purpose, "secret")
            at_staff = f"//staff.example.org/spar/oidc/callback/{provider.id}"
        self.assertEqual(redirect_uris[0], provider.redirect_uri)
        self.assertEqual(redirect_uris[1].partition(":")[2], at_staff)

    def test_each_provider_has_keys_of_its_own(self):
        other = self.create_provider(client_id="other")
        kids = [
            {key["kid"] for key in provider._get_key_set()["keys"]}
            for provider in (self.provider, other)
        ]
        self.assertTrue(all(kids))
        self.assertFalse(kids[0] & kids[1])


@tagged("post_install", "-at_install")
class TestSubjectWarnings(ProviderCase):
    """*Test connection* of a mapper elsewhere says that a person may be two there."""

    def list_warnings(self, *kinds, able=(Capability.OWN_ADDRESS,), **values):
        self.provider.write(values)
        self.seal_settings("auth.oauth.provider")
        found = SimpleNamespace(subject_types=kinds)
        backend = self.env["spar.mapper.backend"].new({"implementation": "x"})
        with patch.object(auth_oauth_provider, "discover", return_value=found):
            return backend._list_warnings(frozenset(able))

    def test_pairwise_subjects_are_named_where_the_id_is_the_subject(self):
        for kinds in (("pairwise",), ("pairwise", "public"), ()):
            with self.subTest(kinds):
                (text,) = self.list_warnings(*kinds, id_claim="sub")
                self.assertIn("sector_identifier_uri", text)

    def test_nothing_is_said_where_a_person_has_one_id(self):
        for kinds, values in (
            (("public",), {"id_claim": "sub"}),
            (("pairwise",), {"id_claim": "individual_id"}),
            (("pairwise",), {"id_claim": "sub", "able": (Capability.RESOLVE,)}),
        ):
            with self.subTest(kinds, **values):
                self.assertEqual(self.list_warnings(*kinds, **values), [])


@tagged("post_install", "-at_install")
class TestProviderPages(LoginCase):
    def test_only_our_public_keys_are_published(self):
        key_set = self.url_open(f"/spar/oidc/{self.provider.id}/jwks.json").json()
        self.assertTrue(key_set["keys"])
        for key in key_set["keys"]:
            self.assertFalse({"d", "p", "q", "k"} & set(key))

    def test_unknown_provider_has_no_keys(self):
        key_set = self.url_open("/spar/oidc/999999/jwks.json").json()
        self.assertEqual(key_set, {"keys": []})

    def test_test_login_shows_names_of_claims_without_values(self):
        self.create_user("administrator", "trying")
        self.provider.enabled = False
        self.authenticate("trying", "trying")
        answer = self.url_open(
            f"/spar/oidc/test/{self.provider.id}", allow_redirects=False
        )
        self.ask(answer.headers["Location"])
        page = self.come_back()
        self.assertEqual(page.status_code, 200)
        self.assertIn("individual_id", page.text)
        self.assertIn("National ID", page.text)
        for value in ("7712345678", "Asha", "asha@"):
            self.assertNotIn(value, page.text)
        self.assertEqual(self.get_session_user().login, "trying")
        self.assertEqual(self.count_people(), 0)

    def test_test_login_is_for_administrators(self):
        self.create_user("officer", "curious")
        self.authenticate("curious", "curious")
        with mute_logger("odoo.http", "odoo.addons.base.models.ir_model"):
            answer = self.url_open(f"/spar/oidc/test/{self.provider.id}")
        self.assertEqual(answer.status_code, 403)

    # === ODOO'S OWN LOGIN === #

    def test_staff_login_page_links_to_the_beneficiary_login(self):
        page = self.url_open("/web/login").text
        self.assertIn('href="/spar"', page)
        self.assertNotIn(self.hostile.issuer, page)
        self.assertNotIn("Log in with Test ID", page)

    def test_staff_login_page_has_no_link_without_a_provider(self):
        self.provider.enabled = False
        self.assertNotIn('href="/spar"', self.url_open("/web/login").text)

    def test_implicit_flow_is_not_for_our_providers(self):
        database = self.env.cr.dbname
        state = {"d": database, "p": self.provider.id, "r": "/web"}
        answer = self.url_open(
            f"/auth_oauth/signin?access_token=x&state={quote(json.dumps(state))}",
            allow_redirects=False,
        )
        self.assertIn("oauth_error=3", answer.headers["Location"])
        self.assertEqual(self.hostile.requests[-1:], [])
        self.assertIsNone(self.get_session_user())

    def test_implicit_flow_refuses_anything_but_its_own_providers(self):
        users = self.env["res.users"]
        for provider in (self.provider.id, str(self.provider.id), None, 999999):
            with self.subTest(provider), self.assertRaises(AccessDenied):
                users.auth_oauth(provider, {"access_token": "x", "state": "{}"})
            with self.assertRaises(AccessDenied):
                users._auth_oauth_validate(provider, "x")

    def test_staff_still_log_in(self):
        new_test_user(self.env, "test_clerk", groups="base.group_user")
        form = {"login": "test_clerk", "password": "test_clerk"}
        self.url_open("/web/login", data={**form, "csrf_token": self.get_token()})
        self.assertEqual(self.get_session_user().login, "test_clerk")

    def test_no_provider_lets_in_users_with_a_role(self):
        """Odoo's administrator could add a provider that names any user."""
        self.create_user("officer", "test_officer")
        new_test_user(self.env, "test_clerk", groups="base.group_user")
        for login, is_let_in in (("test_clerk", True), ("test_officer", False)):
            user = self.env["res.users"].search([("login", "=", login)])
            user.sudo().oauth_access_token = f"token of {login}"
            credential = {
                "type": "oauth_token",
                "login": login,
                "token": f"token of {login}",
            }
            users = self.env["res.users"].with_user(user)
            with self.subTest(login):
                if is_let_in:
                    found = users._check_credentials(credential, {"interactive": True})
                    self.assertEqual(found["uid"], user.id)
                else:
                    with self.assertRaises(AccessDenied):
                        users._check_credentials(credential, {"interactive": True})

    def test_odoo_account_cannot_log_in(self):
        self.assertFalse(self.env.ref("auth_oauth.provider_openerp").enabled)

    def test_providers_are_disabled_after_uninstallation(self):
        uninstall_hook(self.env)
        self.assertFalse(self.provider.enabled)

    def test_neutralised_copy_has_no_secret(self):
        self.provider._set_client_secret("secret")
        self.env.cr.execute(file_open(NEUTRALIZE).read())
        self.assertEqual(self.provider._get_client_secret(), "")
        with self.assertRaises(ProviderNotReady):
            self.provider._sign_assertion({})
