import base64
import hmac
from datetime import datetime, timedelta, timezone

import jwt

from odoo.tests import BaseCase, tagged

from odoo.addons.spar_g2p_connect.exceptions import (
    ExpiredToken,
    InvalidClient,
    InvalidScope,
    InvalidToken,
    InvalidTokenRequest,
    MissingToken,
    UnsupportedGrantType,
)
from odoo.addons.spar_g2p_connect.lib import tokens
from odoo.addons.spar_g2p_connect.lib.token_request import read_token_request
from odoo.addons.spar_mapper_connector.lib.contract import Operation

from .common import RestCase, build_items, build_message

KEY = bytes(range(32))


def make_mac(key):
    """Return a MAC function like a keyring's, with its token key."""
    return lambda message: hmac.digest(key, message, "sha256")


MAC = make_mac(KEY)
ALL = frozenset({Operation.LINK, Operation.RESOLVE})


def make_basic(text):
    return "Basic " + base64.b64encode(text.encode()).decode()


class TestTokens(BaseCase):
    """Tokens on their own: what is accepted, and everything that is not."""

    def setUp(self):
        super().setUp()
        self.now = datetime.now(timezone.utc)
        self.claims = {
            "iss": "spar",
            "aud": "db",
            "sub": "client",
            "iat": self.now,
            "exp": self.now + timedelta(minutes=1),
            "jti": "1",
        }

    def assertRefused(self, token, error=InvalidToken):
        with self.assertRaises(error):
            tokens.read(MAC, "db", token)

    def test_issued_token_is_accepted(self):
        token = tokens.issue(
            MAC, "db", tokens.Claims("client", "mapper.link"), self.now
        )
        claims = tokens.read(MAC, "db", token)
        self.assertEqual((claims.client_id, claims.scope), ("client", "mapper.link"))

    def test_token_lives_five_minutes(self):
        early = self.now - timedelta(minutes=4, seconds=50)
        tokens.read(MAC, "db", tokens.issue(MAC, "db", tokens.Claims("c"), early))
        late = self.now - timedelta(minutes=5, seconds=1)
        token = tokens.issue(MAC, "db", tokens.Claims("c"), late)
        self.assertRefused(token, ExpiredToken)

    def test_foreign_key_audience_and_issuer(self):
        self.assertRefused(jwt.encode(self.claims, bytes(32), "HS256"))
        self.assertRefused(jwt.encode({**self.claims, "aud": "other"}, KEY, "HS256"))
        self.assertRefused(jwt.encode({**self.claims, "iss": "other"}, KEY, "HS256"))

    def test_every_claim_is_required(self):
        for claim in self.claims:
            with self.subTest(claim):
                claims = {k: v for k, v in self.claims.items() if k != claim}
                self.assertRefused(jwt.encode(claims, KEY, "HS256"))

    def test_other_algorithms(self):
        self.assertRefused(jwt.encode(self.claims, None, "none"))
        self.assertRefused(jwt.encode(self.claims, KEY * 2, "HS512"))

    def test_invalid_tokens(self):
        for text in ("", "x", "a.b.c", "." * 5000, "é.é.é"):
            with self.subTest(text[:10]):
                self.assertRefused(text)

    def test_altered_token(self):
        token = jwt.encode(self.claims, KEY, "HS256")
        head, body, signature = token.split(".")
        self.assertRefused(f"{head}.{body}A.{signature}")
        self.assertRefused(f"{head}.{body}.")

    def test_bearer_header(self):
        self.assertEqual(tokens.read_bearer("Bearer  x "), "x")
        for header in (None, "", "Bearer", "Bearer ", "Basic eDp5", "x"):
            with self.subTest(header), self.assertRaises(MissingToken):
                tokens.read_bearer(header)

    def test_scope_narrows_and_never_widens(self):
        self.assertEqual(tokens.grant_scope("", ALL), "")
        self.assertEqual(
            tokens.grant_scope("mapper/link mapper.unlink", ALL), "mapper.link"
        )
        self.assertEqual(
            tokens.Claims("c", "mapper.link").narrow(ALL), {Operation.LINK}
        )
        self.assertEqual(tokens.Claims("c", "mapper.unlink").narrow(ALL), frozenset())
        with self.assertRaises(InvalidScope):
            tokens.grant_scope("mapper.unlink openid", ALL)


class TestTokenRequest(BaseCase):
    def read_request(self, authorization=None, *parameters, **form):
        form = {"grant_type": "client_credentials", **form}
        return read_token_request([*form.items(), *parameters], authorization)

    def test_credentials_in_the_form_or_in_the_header(self):
        in_form = self.read_request(client_id="a", client_secret="b")
        in_header = self.read_request(make_basic("a:b"))
        self.assertEqual(in_form, in_header)
        self.assertNotIn("b", repr(in_form).replace("TokenRequest", ""))

    def test_header_is_decoded_as_in_the_rfc(self):
        request = self.read_request(make_basic("a%3A1:b+c"))
        self.assertEqual((request.client_id, request.client_secret), ("a:1", "b c"))

    def test_refused_forms(self):
        for form in (
            {},
            {"client_id": "a"},
            {"client_secret": "b"},
            {"client_id": "a", "client_secret": ""},
            {"client_id": "a\x00", "client_secret": "b"},
            {"client_id": "a", "client_secret": "b" * 513},
            {"client_id": "é", "client_secret": "b"},
            {"grant_type": "", "client_id": "a", "client_secret": "b"},
        ):
            with self.subTest(form), self.assertRaises(InvalidTokenRequest):
                self.read_request(**form)

    def test_repeated_parameter_is_refused(self):
        with self.assertRaises(InvalidTokenRequest):
            self.read_request(
                None, ("client_id", "b"), client_id="a", client_secret="b"
            )

    def test_credentials_in_both_places_are_refused(self):
        with self.assertRaises(InvalidTokenRequest):
            self.read_request(make_basic("a:b"), client_secret="b")

    def test_other_grant_types(self):
        for grant_type in ("password", "authorization_code", "refresh_token"):
            with self.subTest(grant_type), self.assertRaises(UnsupportedGrantType):
                self.read_request(
                    grant_type=grant_type, client_id="a", client_secret="b"
                )

    def test_headers_without_credentials_are_refused(self):
        for header in ("Bearer x", "Basic !", "Basic YQ==", make_basic(":"), "Basic"):
            with self.subTest(header), self.assertRaises(InvalidClient):
                self.read_request(header)


@tagged("post_install", "-at_install")
class TestTokenEndpoint(RestCase):
    def assertTokenRefused(self, response, status, error):
        self.assertEqual(response.status_code, status, response.text)
        self.assertEqual(response.json()["error"], error)
        self.assertTrue(response.json()["errors"][0]["code"].startswith("err.request."))
        self.assertNotIn("access_token", response.text)
        self.assertEqual(response.headers["Cache-Control"], "no-store")

    def test_answer_with_a_token(self):
        answer = self.request_token(self.bank).json()
        self.assertEqual(answer["token_type"], "bearer")
        self.assertEqual(answer["expires_in"], "300")
        self.assertEqual(answer["scope"], "mapper.link mapper.resolve mapper.update")
        self.assertTrue(answer["access_token"])

    def test_unknown_disabled_and_wrong_secret_look_alike(self):
        disabled = self.make_participant("disabled.example", state="disabled")
        draft = self.make_participant("draft.example", state="draft")
        self.env.flush_all()
        answers = [
            self.request_token(self.full, client_id="spar-unknown"),
            self.request_token(self.full, client_secret="wrong"),
            self.request_token(self.full, client_secret=self.secrets[self.bank]),
            self.request_token(disabled),
            self.request_token(draft),
        ]
        for answer in answers:
            self.assertTokenRefused(answer, 401, "invalid_client")
            self.assertIn("Basic", answer.headers["WWW-Authenticate"])
        self.assertEqual(len({answer.text for answer in answers}), 1)

    def test_participant_without_a_secret_gets_no_token(self):
        fresh = self.env["spar.participant"].create(
            {"name": "fresh", "sender_id": "fresh.example", "state": "active"}
        )
        self.secrets[fresh] = "anything"
        self.assertTokenRefused(self.request_token(fresh), 401, "invalid_client")

    def test_refused_requests(self):
        for parameters, error in (
            ({"grant_type": "password"}, "unsupported_grant_type"),
            ({"grant_type": ""}, "invalid_request"),
            ({"client_id": ""}, "invalid_request"),
            ({"scope": "mapper.disburse"}, "invalid_scope"),
        ):
            with self.subTest(parameters):
                response = self.request_token(self.full, **parameters)
                self.assertTokenRefused(response, 400, error)

    def test_new_secret_ends_the_old_one(self):
        old = self.secrets[self.bank]
        new = self.bank._set_new_client_secret()
        self.assertTokenRefused(
            self.request_token(self.bank, client_secret=old), 401, "invalid_client"
        )
        response = self.request_token(self.bank, client_secret=new)
        self.assertEqual(response.status_code, 200)

    def test_calls_without_a_valid_token_are_refused(self):
        message = build_message("resolve", "full.example", build_items("t"))
        now = datetime.now(timezone.utc)
        keyring = self.env["spar.keyring"]._open()
        audience = self.env["spar.g2p.connect.token"]._get_audience()
        claims = tokens.Claims(self.full.client_id)
        foreign = tokens.issue(keyring.token_mac, "another", claims, now)
        forged = tokens.issue(make_mac(bytes(32)), audience, claims, now)
        cases = {
            "": 'Bearer realm="spar"',
            "Basic eDp5": 'Bearer realm="spar"',
            "Bearer x.y.z": "invalid_token",
            f"Bearer {foreign}": "invalid_token",
            f"Bearer {forged}": "invalid_token",
        }
        for header, challenge in cases.items():
            with self.subTest(header[:12]):
                response = self.call(
                    self.full, "resolve", message, Authorization=header
                )
                self.assertHttpError(response, 401, "err.request.unauthorized")
                self.assertIn(challenge, response.headers["WWW-Authenticate"])

    def test_expired_token(self):
        keyring = self.env["spar.keyring"]._open()
        token = tokens.issue(
            keyring.token_mac,
            self.env["spar.g2p.connect.token"]._get_audience(),
            tokens.Claims(self.full.client_id),
            datetime.now(timezone.utc) - timedelta(minutes=6),
        )
        response = self.call(self.full, "link", b"{}", Authorization=f"Bearer {token}")
        self.assertHttpError(response, 401, "err.request.unauthorized", "expired")

    def test_narrowed_token_is_limited_to_its_scope(self):
        token = self.request_token(self.full, scope="mapper/resolve").json()[
            "access_token"
        ]
        header = f"Bearer {token}"
        message = build_message("resolve", "full.example", build_items("n"))
        response = self.call(self.full, "resolve", message, Authorization=header)
        self.assertEqual(response.status_code, 200)
        response = self.call(self.full, "link", message, Authorization=header)
        self.assertHttpError(response, 403, "err.request.forbidden")
