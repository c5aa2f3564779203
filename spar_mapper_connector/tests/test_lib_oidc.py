import base64
import hashlib
import json
from dataclasses import replace
from urllib.parse import parse_qs

from odoo.tests import BaseCase

from ..exceptions import OutgoingRefused, TargetTooSlow
from ..lib.oidc import client_authentication, presets
from ..lib.oidc.authorization import (
    AttemptSecrets,
    LoginAttempt,
    add_query,
    build_request,
    get_local_path,
    read_error,
    read_response,
)
from ..lib.oidc.discovery import get_address, read_discovery
from ..lib.oidc.exceptions import (
    AttemptCancelled,
    AttemptUnknown,
    CodeRefused,
    IdTokenRefused,
    LoginRefused,
    NotFresh,
    NotStrongEnough,
    ProviderUnavailable,
    UserinfoRefused,
    WrongProvider,
)
from ..lib.oidc.id_token import ExpectedClaims, check_id_token
from ..lib.oidc.relying_party import Ports, RelyingParty, TokenResponse, discover
from ..lib.oidc.settings import ClientAuthentication, ProviderSettings, UserinfoFormat
from ..lib.oidc.verified import VerifiedLogin, merge_claims
from ..lib.outgoing import HttpResponse

NOW = 1_800_000_000
ISSUER = "https://op.example"
SETTINGS = ProviderSettings(
    issuer=ISSUER,
    client_id="spar",
    authorization_endpoint=f"{ISSUER}/auth",
    token_endpoint=f"{ISSUER}/token",
    userinfo_endpoint=f"{ISSUER}/userinfo",
    jwks_uri=f"{ISSUER}/jwks",
    algorithms=("PS256",),
    client_authentication=ClientAuthentication.PRIVATE_KEY_JWT,
    client_secret="the secret",
)
SECRETS = AttemptSecrets("the-state", "the-nonce", "the-verifier")
ATTEMPT = LoginAttempt(SECRETS, "https://spar.example/callback", NOW - 60)
CLAIMS = {
    "iss": ISSUER,
    "aud": "spar",
    "sub": "subject",
    "iat": NOW,
    "exp": NOW + 300,
    "nonce": "the-nonce",
}


class TestAuthorization(BaseCase):
    def test_request_contains_the_values_of_the_attempt(self):
        request = build_request(SETTINGS, ATTEMPT, "fr")
        self.assertEqual(
            request,
            {
                "response_type": "code",
                "client_id": "spar",
                "redirect_uri": "https://spar.example/callback",
                "scope": "openid",
                "state": "the-state",
                "nonce": "the-nonce",
                "code_challenge": SECRETS.challenge,
                "code_challenge_method": "S256",
                "ui_locales": "fr",
            },
        )

    def test_request_for_a_fresh_login_asks_for_one(self):
        settings = replace(SETTINGS, fresh_prompt="login", acr_values="a b")
        request = build_request(settings, replace(ATTEMPT, fresh=True))
        self.assertEqual(request["max_age"], "0")
        self.assertEqual(request["prompt"], "login")
        self.assertEqual(request["acr_values"], "a b")
        self.assertNotIn("prompt", build_request(settings, ATTEMPT))

    def test_secrets_are_random_and_never_shown(self):
        first, second = AttemptSecrets.make(), AttemptSecrets.make()
        self.assertEqual(
            len({*vars(first).values(), *vars(second).values()}), 6, "all differ"
        )
        self.assertNotIn(first.state, repr(first))
        self.assertNotIn("the-nonce", repr(ATTEMPT))

    def test_query_is_appended_to_the_existing_one(self):
        self.assertEqual(add_query("https://a/b", {"x": "1 2"}), "https://a/b?x=1+2")
        self.assertEqual(
            add_query("https://a/b?y=1", {"x": "&"}), "https://a/b?y=1&x=%26"
        )

    def test_code_is_read(self):
        self.assertEqual(
            read_response(SETTINGS, {"code": "c", "iss": ISSUER}).code, "c"
        )
        self.assertEqual(read_response(SETTINGS, {"code": "c"}).code, "c")

    def test_invalid_responses_are_refused(self):
        strict = replace(SETTINGS, sends_issuer=True)
        for settings, parameters, refused in (
            (SETTINGS, {"code": "c", "iss": "https://other"}, WrongProvider),
            (strict, {"code": "c"}, WrongProvider),
            (strict, {"code": "c", "iss": ""}, WrongProvider),
            (
                SETTINGS,
                {"error": "access_denied", "iss": "https://other"},
                WrongProvider,
            ),
            (SETTINGS, {"error": "access_denied"}, AttemptCancelled),
            (SETTINGS, {"error": "access_denied", "code": "c"}, AttemptCancelled),
            (SETTINGS, {}, AttemptUnknown),
            (SETTINGS, {"code": ""}, AttemptUnknown),
            (SETTINGS, {"code": "c" * 4097}, AttemptUnknown),
        ):
            with self.subTest(parameters), self.assertRaises(refused):
                read_response(settings, parameters)

    def test_only_error_codes_of_the_provider_are_logged(self):
        for error in (
            "4711",
            "ID 4711 unknown",
            "x" * 65,
            "Access_Denied",
            "",
            None,
            1,
        ):
            self.assertEqual(read_error(error), "other")
        self.assertEqual(read_error("login_required"), "login_required")

    def test_paths_of_this_site_only(self):
        for good in ("/", "/spar", "/spar/change/1?x=//y"):
            self.assertEqual(get_local_path(good, "/spar"), good)
        for bad in (
            "",
            "spar",
            "//evil",
            "/\\evil",
            "\\\\evil",
            "https://evil",
            "/a\\b",
            "/a\nb",
            "/\tevil",
            "javascript:alert(1)",
            "/" + "x" * 600,
        ):
            with self.subTest(bad):
                self.assertEqual(get_local_path(bad, "/spar"), "/spar")


class TestClientAuthentication(BaseCase):
    def authenticate(self, **changes):
        settings = replace(SETTINGS, **changes)
        self.signed = []

        def sign(claims):
            self.signed.append(claims)
            return "signed"

        call = client_authentication.ClientRequest(
            settings, settings.token_endpoint, NOW, sign
        )
        return client_authentication.authenticate(call)

    def test_assertion_is_short_lived_and_new_each_time(self):
        credentials = self.authenticate()
        self.assertEqual(credentials.form["client_assertion"], "signed")
        self.assertFalse(credentials.headers)
        (claims,) = self.signed
        self.assertEqual((claims["iss"], claims["sub"]), ("spar", "spar"))
        self.assertEqual(claims["aud"], f"{ISSUER}/token")
        self.assertEqual((claims["iat"], claims["exp"]), (NOW, NOW + 60))
        self.assertNotIn("nbf", claims)
        before = claims["jti"]
        self.authenticate()
        self.assertNotEqual(self.signed[0]["jti"], before)

    def test_assertion_may_be_for_the_issuer(self):
        self.authenticate(assertion_audience="issuer")
        self.assertEqual(self.signed[0]["aud"], ISSUER)

    def test_secret_in_the_header_is_encoded(self):
        credentials = self.authenticate(
            client_authentication=ClientAuthentication.SECRET_BASIC,
            client_id="a:b",
            client_secret="c d/é",
        )
        encoded = credentials.headers["Authorization"].removeprefix("Basic ")
        self.assertEqual(base64.b64decode(encoded), b"a%3Ab:c+d%2F%C3%A9")
        self.assertFalse(credentials.form)

    def test_secret_in_the_form(self):
        credentials = self.authenticate(
            client_authentication=ClientAuthentication.SECRET_POST
        )
        self.assertEqual(
            credentials.form, {"client_id": "spar", "client_secret": "the secret"}
        )

    def test_secret_is_never_shown(self):
        self.assertNotIn("the secret", repr(SETTINGS))


class TestIdToken(BaseCase):
    def check(self, attempt=ATTEMPT, settings=SETTINGS, **changes):
        claims = {k: v for k, v in {**CLAIMS, **changes}.items() if v is not None}
        check_id_token(claims, ExpectedClaims(settings, attempt, "access", NOW))

    def test_honest_tokens_pass(self):
        for changes in (
            {},
            {"aud": ["spar"]},
            {"aud": ["spar", "other"], "azp": "spar"},
            {"exp": NOW - 5},
            {"iat": NOW + 5},
            {"nbf": NOW},
            {"acr": "anything"},
        ):
            with self.subTest(changes):
                self.check(**changes)

    def test_hash_of_the_access_token_is_checked(self):
        for digest in (
            hashlib.sha256(b"access").digest()[:16],
            hashlib.sha512(b"access").digest()[:32],
        ):
            at_hash = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
            self.check(at_hash=at_hash)
        for wrong in ("", "x", 4711, ["x"], {}):
            with self.assertRaises(IdTokenRefused) as caught:
                self.check(at_hash=wrong)
            self.assertEqual(caught.exception.reason, "at_hash")

    def test_each_check_refuses_by_its_own_name(self):
        for reason, changes in (
            ("iss", {"iss": f"{ISSUER}/"}),
            ("aud", {"aud": []}),
            ("aud", {"aud": "spar2"}),
            ("aud", {"aud": {"spar": 1}}),
            ("azp", {"aud": ["spar", "x"]}),
            ("azp", {"azp": "x"}),
            ("exp", {"exp": NOW - 11}),
            ("exp", {"exp": True}),
            ("iat", {"iat": NOW + 11}),
            ("iat", {"iat": "1"}),
            ("iat", {"nbf": NOW + 11}),
            ("sub", {"sub": " " * 256}),
            ("nonce", {"nonce": "the-nonce "}),
            ("nonce", {"nonce": None}),
            ("nonce", {"nonce": "\ud800"}),
        ):
            with self.subTest(changes), self.assertRaises(IdTokenRefused) as caught:
                self.check(**changes)
            self.assertEqual(caught.exception.reason, reason)

    def test_one_of_the_authentication_contexts_must_be_accepted(self):
        settings = replace(SETTINGS, accepted_acrs=frozenset({"otp", "finger"}))
        self.check(settings=settings, acr="otp")
        self.check(settings=settings, acr="pin finger")
        for wrong in (None, "", "pin", "otp-not", 1, ["otp"]):
            with self.subTest(wrong), self.assertRaises(NotStrongEnough):
                self.check(settings=settings, acr=wrong)

    def test_fresh_means_after_the_attempt_began(self):
        fresh = replace(ATTEMPT, fresh=True)
        self.check(fresh, auth_time=NOW)
        self.check(fresh, auth_time=fresh.began_at)
        for wrong in (fresh.began_at - 1, NOW + 11, None, "now", True, 0, -1):
            with self.subTest(wrong), self.assertRaises(NotFresh):
                self.check(fresh, auth_time=wrong)


class TestVerified(BaseCase):
    def build(self, **claims):
        return VerifiedLogin(ISSUER, "subject", claims)

    def test_only_verified_contacts_count(self):
        contacts = {"email": "a@b.example", "phone_number": "+1"}
        for verified in (None, False, "false", "", "1", "yes", 1, ["true"]):
            person = self.build(
                **contacts, email_verified=verified, phone_number_verified=verified
            )
            self.assertEqual(
                (person.contacts.email, person.contacts.phone_number), ("", "")
            )
        person = self.build(**contacts, email_verified=True, phone_number_verified=True)
        self.assertEqual(person.contacts.email, "a@b.example")
        self.assertEqual(person.contacts.phone_number, "+1")

    def test_provider_may_send_true_as_text(self):
        contacts = {"email": "a@b.example", "phone_number": "+1"}
        for verified in ("true", "True", " TRUE "):
            with self.subTest(verified):
                person = self.build(
                    **contacts, email_verified=verified, phone_number_verified=verified
                )
                self.assertEqual(person.contacts.email, "a@b.example")
                self.assertEqual(person.contacts.phone_number, "+1")

    def test_name_may_have_a_language_tag(self):
        self.assertEqual(self.build(**{"name#fr": "B", "name#en": "A"}).name, "A")
        self.assertEqual(self.build(name=["x"]).name, "")
        self.assertEqual(self.build(name="x" * 999).name, "x" * 256)

    def test_id_is_the_unchanged_claim(self):
        person = self.build(individual_id=" 4711 ", number=4711)
        self.assertEqual(person.get_id_claim("individual_id"), " 4711 ")
        self.assertEqual(person.get_id_claim("number"), "")
        self.assertEqual(person.get_id_claim("missing"), "")
        self.assertEqual(person.get_id_claim("sub"), "subject")

    def test_claims_about_the_token_are_dropped(self):
        merged = merge_claims(
            {**CLAIMS, "name": "old"}, {"sub": "subject", "name": "new", "aud": "x"}
        )
        self.assertEqual(merged, {"name": "new"})

    def test_representation_contains_no_personal_data(self):
        self.assertNotIn("4711", repr(self.build(individual_id="4711")))
        self.assertNotIn("subject", repr(self.build()))


class TestRelyingParty(BaseCase):
    """Requests and answers, with a network that a test scripts."""

    def setUp(self):
        super().setUp()
        self.sent = []
        self.answers = {
            "/token": self.build_answer(
                {"access_token": "access", "id_token": "id", "token_type": "Bearer"}
            ),
            "/userinfo": self.build_answer({"sub": "subject", "name": "Asha"}),
        }
        self.claims = {"id": CLAIMS}

    def build_answer(self, body, status=200, kind="application/json"):
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        return HttpResponse(status, {"content-type": kind}, body)

    def send(self, method, url, **options):
        self.sent.append((method, url, options))
        answer = self.answers[url.removeprefix(ISSUER)]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def build_party(self, **changes):
        ports = Ports(
            send=self.send,
            sign=lambda claims: "signed",
            verify=lambda settings, token: self.claims[token],
            decrypt=lambda text: text.removeprefix("sealed "),
        )
        return RelyingParty(replace(SETTINGS, **changes), ports)

    def complete(self, **changes):
        party = self.build_party(**changes)
        response = read_response(party.settings, {"code": "the-code"})
        return party.complete(response, ATTEMPT, NOW)

    def test_whole_login(self):
        person = self.complete()
        self.assertEqual((person.issuer, person.subject), (ISSUER, "subject"))
        self.assertEqual(person.name, "Asha")
        (method, _url, options), (_get, _url2, userinfo_options) = self.sent
        form = {k: v[0] for k, v in parse_qs(options["body"].decode()).items()}
        self.assertEqual(method, "POST")
        self.assertEqual(form["code"], "the-code")
        self.assertEqual(form["code_verifier"], "the-verifier")
        self.assertEqual(form["redirect_uri"], ATTEMPT.redirect_uri)
        self.assertEqual(userinfo_options["headers"]["Authorization"], "Bearer access")

    def test_userinfo_has_the_agreed_format(self):
        self.claims["user"] = {"sub": "subject", "name": "Signed"}
        jwt = "application/jwt; charset=utf-8"
        self.answers["/userinfo"] = self.build_answer(b"user\n", kind=jwt)
        self.assertEqual(
            self.complete(userinfo_format=UserinfoFormat.SIGNED).name, "Signed"
        )
        self.answers["/userinfo"] = self.build_answer(b"sealed user", kind=jwt)
        self.assertEqual(
            self.complete(userinfo_format=UserinfoFormat.ENCRYPTED).name, "Signed"
        )
        with self.assertRaises(UserinfoRefused):
            self.complete(userinfo_format=UserinfoFormat.JSON)

    def test_plain_userinfo_does_not_replace_signed_userinfo(self):
        for wanted in (UserinfoFormat.SIGNED, UserinfoFormat.ENCRYPTED):
            with self.subTest(wanted), self.assertRaises(UserinfoRefused):
                self.complete(userinfo_format=wanted)

    def test_userinfo_for_another_audience_is_refused(self):
        for claims in (
            {"sub": "other"},
            {"iss": "https://other"},
            {"aud": ["x"]},
            {"exp": NOW - 60},
            {"exp": "never"},
        ):
            self.answers["/userinfo"] = self.build_answer({"sub": "subject", **claims})
            with self.subTest(claims), self.assertRaises(UserinfoRefused):
                self.complete()

    def test_network_failure_counts_as_an_unavailable_provider(self):
        for path in ("/token", "/userinfo"):
            honest = self.answers[path]
            for error in (TargetTooSlow("slow"), OutgoingRefused("private")):
                self.answers[path] = error
                with self.subTest(path=path, error=error):
                    with self.assertRaises(ProviderUnavailable):
                        self.complete()
            self.answers[path] = honest

    def test_refused_code_has_the_error_of_the_provider(self):
        self.answers["/token"] = self.build_answer({"error": "invalid_grant"}, 400)
        with self.assertRaises(CodeRefused) as caught:
            self.complete()
        self.assertEqual(caught.exception.reason, "invalid_grant")

    def test_unusable_tokens_are_refused(self):
        honest = {"access_token": "access", "id_token": "id", "token_type": "Bearer"}
        for response in (
            {**honest, "access_token": 1},
            {**honest, "access_token": "a\r\nX: y"},
            {**honest, "access_token": "é"},
            {**honest, "id_token": ""},
            {**honest, "token_type": "DPoP"},
            {k: v for k, v in honest.items() if k != "token_type"},
        ):
            self.answers["/token"] = self.build_answer(response)
            with self.subTest(response), self.assertRaises(ProviderUnavailable):
                self.complete()

    def test_pushed_request(self):
        self.answers["/par"] = self.build_answer({"request_uri": "urn:x"}, 201)
        party = self.build_party(par_endpoint=f"{ISSUER}/par")
        address = party.build_address(ATTEMPT, "en", NOW)
        self.assertEqual(address, f"{ISSUER}/auth?client_id=spar&request_uri=urn%3Ax")
        body = self.sent[0][2]["body"].decode()
        self.assertIn("state=the-state", body)
        self.assertIn("client_assertion=signed", body)

    def test_refused_pushed_request_is_reported(self):
        party = self.build_party(par_endpoint=f"{ISSUER}/par")
        for response, status in (({}, 201), ({"request_uri": 1}, 201), ({}, 400)):
            self.answers["/par"] = self.build_answer(response, status)
            with self.assertRaises(ProviderUnavailable):
                party.build_address(ATTEMPT, "en", NOW)

    def test_tokens_are_never_shown(self):
        self.assertEqual(repr(TokenResponse("secret", "secret")), "TokenResponse()")


class TestDiscovery(BaseCase):
    ADDRESS = get_address(ISSUER)
    WHOLE = {
        "issuer": ISSUER,
        "authorization_endpoint": f"{ISSUER}/auth",
        "token_endpoint": f"{ISSUER}/token",
        "userinfo_endpoint": f"{ISSUER}/me",
        "jwks_uri": f"{ISSUER}/jwks",
        "id_token_signing_alg_values_supported": ["RS256", "none", "ES256", "HS256"],
    }

    def test_metadata_is_read(self):
        found = read_discovery(self.WHOLE, self.ADDRESS)
        self.assertEqual(found.algorithms, ("ES256", "RS256"))
        self.assertEqual(
            found.client_authentications, (ClientAuthentication.SECRET_BASIC,)
        )
        self.assertFalse(found.sends_issuer or found.requires_par)
        self.assertEqual(found.end_session_endpoint, "")

    def test_trailing_slash_of_the_issuer_is_kept(self):
        document = {**self.WHOLE, "issuer": f"{ISSUER}/"}
        self.assertEqual(read_discovery(document, self.ADDRESS).issuer, f"{ISSUER}/")

    def test_metadata_of_another_site_is_refused(self):
        for issuer in ("https://other.example", "http://op.example", f"{ISSUER}.evil"):
            with self.subTest(issuer), self.assertRaises(WrongProvider):
                read_discovery({**self.WHOLE, "issuer": issuer}, self.ADDRESS)

    def test_metadata_without_required_members_is_refused(self):
        for name in self.WHOLE:
            document = {k: v for k, v in self.WHOLE.items() if k != name}
            with self.subTest(name), self.assertRaises(ProviderUnavailable):
                read_discovery(document, self.ADDRESS)

    def test_missing_metadata_is_reported(self):
        for answer in (HttpResponse(404, {}, b"{}"), HttpResponse(200, {}, b"<html>")):
            with self.assertRaises(LoginRefused):
                discover(lambda *_a, answer=answer, **_o: answer, self.ADDRESS)


class TestPresets(BaseCase):
    def test_every_preset_fills_in_the_same_fields(self):
        filled = {
            frozenset(preset.values)
            for preset in presets.PRESETS.values()
            if preset.values
        }
        self.assertEqual(len(filled), 1)

    def test_claims_of_presets_are_json(self):
        for preset in presets.PRESETS.values():
            claims = preset.values.get("claims")
            self.assertTrue(not claims or json.loads(claims))
