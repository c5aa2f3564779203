import json
import time

import jwt
from jwcrypto.jwk import JWK
from jwcrypto.jwt import JWT

from odoo.tests import BaseCase

from ..lib.jose.exceptions import JwtRefused
from ..lib.jose.keys import ALGORITHMS, PrivateKey, encode_base64url
from ..lib.jose.tokens import sign_token, verify_token


class TestTokens(BaseCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ours = {name: PrivateKey.generate(name) for name in ALGORITHMS}

    def build_claims(self, **changed):
        now = int(time.time())
        claims = {
            "iss": "issuer",
            "aud": "spar",
            "sub": "s",
            "iat": now,
            "exp": now + 60,
        }
        claims = {**claims, **changed}
        return {name: value for name, value in claims.items() if value is not None}

    def verify(self, token, **words):
        words = {"issuer": "issuer", "audience": "spar", "required": ("exp",), **words}
        return verify_token(token, self.find_key, **words)

    def find_key(self, kid, algorithm):
        keys = {private.public.kid: private.public for private in self.ours.values()}
        return keys.get(kid)

    def assert_refused(self, code, token, **words):
        with self.assertRaises(JwtRefused) as caught:
            self.verify(token, **words)
        self.assertEqual(caught.exception.code, code)
        self.assertNotIn(token, str(caught.exception))

    def test_every_algorithm_and_another_library_both_ways(self):
        for name, private in self.ours.items():
            with self.subTest(name):
                claims = self.build_claims()
                token = sign_token(claims, private)
                self.assertEqual(self.verify(token), claims)
                read = JWT(jwt=token, key=JWK(**private.public.jwk), algs=[name])
                self.assertEqual(json.loads(read.claims), claims)
                header = {"alg": name, "kid": private.public.kid}
                made = JWT(header, claims, algs=[name])
                made.make_signed_token(JWK(**private.to_jwk()))
                self.assertEqual(self.verify(made.serialize()), claims)

    def test_issuer_and_audience_may_be_one_of_several(self):
        token = sign_token(self.build_claims(aud=["other", "spar"]), self.ours["ES256"])
        self.verify(token, issuer=["a", "issuer"], audience=["spar", "b"])

    def test_claims_that_are_not_right(self):
        now = int(time.time())
        for code, changed in (
            ("expired", {"exp": now - 60}),
            ("not_yet", {"nbf": now + 60}),
            ("not_yet", {"iat": now + 60}),
            ("issuer", {"iss": "attacker"}),
            ("claim", {"iss": None}),
            ("audience", {"aud": "other"}),
            ("audience", {"aud": ["x", "y"]}),
            ("claim", {"aud": None}),
            ("claim", {"exp": None}),
            ("malformed", {"exp": "soon"}),
        ):
            with self.subTest(changed):
                token = sign_token(self.build_claims(**changed), self.ours["ES256"])
                self.assert_refused(code, token)

    def test_a_required_claim_must_be_present(self):
        token = sign_token(self.build_claims(), self.ours["ES256"])
        self.assert_refused("claim", token, required=("nonce",))

    def test_a_token_of_another_type_is_refused(self):
        token = sign_token(self.build_claims(), self.ours["ES256"], typ="JWT")
        self.assert_refused("type", token, types=("at+jwt",))
        token = sign_token(self.build_claims(), self.ours["ES256"], typ="at+JWT")
        self.verify(token, types=("at+jwt",))

    def test_algorithms(self):
        public = self.ours["RS256"].public
        unsigned = jwt.encode(self.build_claims(), None, algorithm="none")
        self.assert_refused("algorithm", unsigned)
        headers = {"kid": public.kid}
        by_hmac = jwt.encode(
            self.build_claims(), "s" * 32, algorithm="HS256", headers=headers
        )
        self.assert_refused("algorithm", by_hmac)
        token = sign_token(self.build_claims(), self.ours["RS256"])
        self.assert_refused("algorithm", token, algorithms=("PS256",))
        self.assert_refused("algorithm", by_hmac, algorithms=("HS256",))

    def test_keys(self):
        stranger = PrivateKey.generate("ES256")
        self.assert_refused("unknown_key", sign_token(self.build_claims(), stranger))
        kid = self.ours["ES256"].public.kid
        forged = jwt.encode(
            self.build_claims(), stranger.key, algorithm="ES256", headers={"kid": kid}
        )
        self.assert_refused("mismatch", forged)
        confused = jwt.encode(
            self.build_claims(),
            self.ours["RS256"].key,
            algorithm="RS256",
            headers={"kid": kid},
        )
        self.assert_refused("unknown_key", confused)

    def test_malformed_tokens_are_refused(self):
        crit = jwt.encode(
            self.build_claims(),
            self.ours["ES256"].key,
            algorithm="ES256",
            headers={"crit": ["x"], "x": 1},
        )
        for token in ("", "a", "a.b.c", "x" * 20000, encode_base64url(b"{}"), crit):
            with self.subTest(token[:20]), self.assertRaises(JwtRefused):
                self.verify(token)
        token = sign_token(self.build_claims(), self.ours["ES256"])
        self.assert_refused("mismatch", token[:-8] + "AAAAAAAA")
