import time
from unittest.mock import patch
from uuid import uuid4

import jwt

from odoo.exceptions import ValidationError
from odoo.tests import tagged

from odoo.addons.spar_g2p_connect.lib.token_request import ASSERTION_TYPE
from odoo.addons.spar_g2p_connect.models.participant import spar_token_issuer as issuers
from odoo.addons.spar_mapper_connector.lib.jose.key_sets import KeySetCache
from odoo.addons.spar_mapper_connector.lib.jose.keys import PrivateKey
from odoo.addons.spar_mapper_connector.lib.jose.tokens import sign_token

from .common import EVERY_RIGHT, build_items, build_message
from .signing import SigningCase

ISSUER = "https://idp.example/realms/payments"


@tagged("post_install", "-at_install")
class TestIssuer(SigningCase):
    """Access tokens by another issuer, in Keycloak's format."""

    def setUp(self):
        super().setUp()
        self.idp = PrivateKey.generate("RS256")
        self.startPatcher(patch.object(issuers, "check_url"))
        cache = KeySetCache(self.fetch)
        self.startPatcher(patch.object(issuers, "CACHE", cache))
        issuer = self.env["spar.token.issuer"].create(
            {
                "name": "Keycloak",
                "issuer": ISSUER,
                "audience": "spar",
                "jwks_url": f"{ISSUER}/protocol/openid-connect/certs",
            }
        )
        self.payer = self.make_participant(
            "external.example",
            token_issuer_id=issuer.id,
            issuer_client_id="payer",
            **EVERY_RIGHT,
        )
        self.env.flush_all()

    def fetch(self, address):
        jwk = {k: v for k, v in self.idp.public.jwk.items() if k != "use"}
        return ('{"keys": [%s]}' % str(jwk).replace("'", '"')).encode()

    def ask(self, *, typ="JWT", key=None, operation="resolve", **changed):
        now = int(time.time())
        claims = {
            **{
                "iss": ISSUER,
                "aud": ["spar", "account"],
                "sub": "uuid",
                "azp": "payer",
            },
            **{"iat": now, "exp": now + 300, "typ": "Bearer"},
            "scope": "profile mapper.resolve mapper.link",
        }
        claims = {k: v for k, v in {**claims, **changed}.items() if v is not None}
        token = sign_token(claims, key or self.idp, typ)
        message = build_message(operation, "external.example", build_items("x"))
        header = {"Authorization": f"Bearer {token}"}
        return self.post(message, operation, **header)

    def test_keycloak_token_is_accepted(self):
        self.assertEqual(self.ask().status_code, 200)
        self.assertEqual(self.ask(typ="at+jwt", client_id="payer").status_code, 200)

    def test_tokens_for_other_purposes_are_refused(self):
        now = int(time.time())
        for name, changed in {
            "expired": {"exp": now - 60},
            "for another audience": {"aud": "account"},
            "without an audience": {"aud": None},
            "by another issuer": {"iss": "https://other.example"},
            "an ID token": {"typ": "ID", "aud": "payer"},
            "an ID token for us": {"typ": "ID"},
            "a refresh token": {"typ": "Refresh"},
            "of an unknown client": {"azp": "nobody"},
            "without a client": {"azp": None},
            "without an end": {"exp": None},
            "without a subject": {"sub": None},
            "not valid yet": {"nbf": now + 90},
            "with a scope that is no text": {"scope": ["mapper.resolve"]},
            "by another key": {"key": PrivateKey.generate("RS256")},
            "a signed message": {"typ_header": "secevent+jwt"},
        }.items():
            with self.subTest(name):
                typ = changed.pop("typ_header", "JWT")
                key = changed.pop("key", None)
                response = self.request_with(typ, key, changed)
                self.assertHttpError(response, 401, "err.request.unauthorized")

    def request_with(self, typ, key, changed):
        claim_type = changed.pop("typ", "Bearer")
        return self.request_with_claims(typ, key, {"typ": claim_type, **changed})

    def request_with_claims(self, typ, key, claims):
        now = int(time.time())
        payload = {
            **{"iss": ISSUER, "aud": ["spar"], "sub": "uuid", "azp": "payer"},
            **{"iat": now, "exp": now + 300, "scope": "mapper.resolve", **claims},
        }
        payload = {name: value for name, value in payload.items() if value is not None}
        token = sign_token(payload, key or self.idp, typ)
        message = build_message("resolve", "external.example", build_items("x"))
        return self.post(message, **{"Authorization": f"Bearer {token}"})

    def test_token_without_a_scope_is_refused(self):
        for scope in ("", "profile email", "mapper.link"):
            with self.subTest(scope):
                response = self.ask(scope=scope)
                self.assertHttpError(response, 403, "err.request.forbidden")
        response = self.ask(scope=None)
        self.assertHttpError(response, 403, "err.request.forbidden")

    def test_forgeable_algorithms_are_refused(self):
        now = int(time.time())
        claims = {"iss": ISSUER, "aud": "spar", "sub": "u", "azp": "payer"}
        claims |= {"iat": now, "exp": now + 60, "scope": "mapper.resolve"}
        kid = {"kid": self.idp.public.kid}
        for token in (
            jwt.encode(claims, None, algorithm="none", headers=kid),
            jwt.encode(claims, "s" * 32, algorithm="HS256", headers=kid),
        ):
            message = build_message("resolve", "external.example", build_items("x"))
            response = self.post(message, Authorization=f"Bearer {token}")
            self.assertHttpError(response, 401, "err.request.unauthorized")

    def test_names_that_no_database_can_contain(self):
        for name in ("a\x00", "\ud800", ""):
            for claims in ({"iss": name}, {"azp": name}):
                with self.subTest(**claims):
                    response = self.request_with_claims("JWT", None, claims)
                    self.assertHttpError(response, 401, "err.request.unauthorized")

    def test_jwks_url_is_checked(self):
        self.startPatcher(patch.object(issuers, "check_url", issuers.check_url))
        with (
            patch.object(
                issuers, "check_url", side_effect=issuers.OutgoingRefused("x")
            ),
            self.assertRaises(ValidationError),
        ):
            self.payer.token_issuer_id.jwks_url = "http://10.0.0.1/"


@tagged("post_install", "-at_install")
class TestAssertion(SigningCase):
    """private_key_jwt at our own token endpoint."""

    def build(self, **changed):
        now = int(time.time())
        client = self.signer.client_id
        claims = {"iss": client, "sub": client, "aud": "spar.example", "iat": now}
        claims |= {"exp": now + 60, "jti": str(uuid4()), **changed}
        return {name: value for name, value in claims.items() if value is not None}

    def request_by_assertion(self, assertion, **form):
        payload = {
            "client_id": None,
            "client_secret": None,
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": assertion,
            **form,
        }
        return self.request_token(self.signer, **payload)

    def sign(self, private=None, **changed):
        return sign_token(self.build(**changed), private or self.private[self.signer])

    def test_assertion_obtains_a_token(self):
        response = self.request_by_assertion(self.sign())
        self.assertEqual(response.status_code, 200, response.text)
        self.tokens[self.signer] = response.json()["access_token"]
        message = build_message("resolve", "signer.example", build_items("x"))
        self.assertEqual(self.send_signed(self.signer, message).status_code, 200)

    def test_assertion_is_valid_once(self):
        assertion = self.sign()
        self.assertEqual(self.request_by_assertion(assertion).status_code, 200)
        response = self.request_by_assertion(assertion)
        self.assertEqual(response.status_code, 401)
        self.assertEqual(response.json()["error"], "invalid_client")

    def test_audiences_of_an_assertion(self):
        parameters = self.env["ir.config_parameter"]
        base = parameters.get_param("web.base.url")
        for audience in (f"{base}/spar/v1", f"{base}/spar/v1/oauth2/client/token"):
            self.assertEqual(
                self.request_by_assertion(self.sign(aud=audience)).status_code, 200
            )

    def test_invalid_assertions_are_refused(self):
        now, other = int(time.time()), PrivateKey.generate("ES256")
        for name, assertion in {
            "expired": self.sign(exp=now - 60),
            "good for too long": self.sign(exp=now + 3600),
            "without an end": self.sign(exp=None),
            "without an id": self.sign(jti=None),
            "with an id that is no text": self.sign(jti=7),
            "with an id that is no whole text": self.sign(jti="\ud800"),
            "for what no database holds": self.sign(sub="a\x00"),
            "for half a character": self.sign(sub="\ud800"),
            "for another audience": self.sign(aud="https://other.example"),
            "of somebody else": self.sign(iss="somebody"),
            "for another client": self.sign(sub="somebody", iss="somebody"),
            "by another key": self.sign(other),
            "no token": "x.y.z",
        }.items():
            with self.subTest(name):
                response = self.request_by_assertion(assertion)
                self.assertEqual(response.status_code, 401, name)
                self.assertEqual(response.json()["error"], "invalid_client")

    def test_invalid_forms_are_refused(self):
        for form in (
            {"client_secret": "x"},
            {"client_assertion_type": "urn:other"},
            {"client_assertion_type": None},
        ):
            with self.subTest(form):
                response = self.request_by_assertion(self.sign(), **form)
                self.assertEqual(response.status_code, 400)
                self.assertEqual(response.json()["error"], "invalid_request")
        response = self.request_by_assertion(self.sign(), client_id="somebody")
        self.assertEqual(response.status_code, 401)

    def test_disabled_participant_gets_no_token(self):
        self.signer.state = "disabled"
        self.env.flush_all()
        self.assertEqual(self.request_by_assertion(self.sign()).status_code, 401)

    def test_expired_assertions_are_deleted(self):
        used = self.env["spar.participant.assertion"]
        self.request_by_assertion(self.sign())
        self.env.cr.execute(
            "UPDATE spar_participant_assertion SET expires_at = now() - interval '2 d'"
        )
        used._gc_expired()
        self.assertFalse(used.search_count([]))
