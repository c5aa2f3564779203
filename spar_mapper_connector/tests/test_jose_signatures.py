import json
import time

import jwt
from jwcrypto.jwk import JWK
from jwcrypto.jws import JWS

from odoo.tests import BaseCase

from ..lib.jose.canonical import canonicalise
from ..lib.jose.exceptions import SignatureRefused
from ..lib.jose.keys import ALGORITHMS, PrivateKey, encode_base64url, read_public_key
from ..lib.jose.signatures import read_signature, sign_detached

PAYLOAD = canonicalise({"header": {"action": "link"}, "message": {"x": [1, "é"]}})


def sign_independently(payload, private, **header) -> str:
    """Return a detached signature made by another JOSE library."""
    protected = {"alg": private.algorithm, "kid": private.public.kid, **header}
    signed = JWS(payload)
    signed.add_signature(JWK(**private.to_jwk()), protected=json.dumps(protected))
    signed.detach_payload()
    return signed.serialize(compact=True)


class SignatureCase(BaseCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ours = {name: PrivateKey.generate(name) for name in ALGORITHMS}

    def assert_refused(self, code, text, key=None, payload=PAYLOAD):
        key = key or self.ours["ES256"].public
        with self.assertRaises(SignatureRefused) as caught:
            read_signature(text).verify([payload], key)
        self.assertEqual(caught.exception.code, code)


class TestBothWays(SignatureCase):
    """Our library and another one verify each other's signatures."""

    def test_signatures_of_another_library_are_verified(self):
        for name, private in self.ours.items():
            with self.subTest(name):
                text = sign_independently(PAYLOAD, private)
                read_signature(text).verify([PAYLOAD], private.public)

    def test_our_signatures_are_verified_by_another_library(self):
        for name, private in self.ours.items():
            with self.subTest(name):
                text = sign_detached(PAYLOAD, private)
                key = JWK(**private.public.jwk)
                read = JWS.from_jose_token(text)
                read.verify(key, name, detached_payload=PAYLOAD)
                self.assertTrue(read.is_valid)

    def test_the_payload_may_be_attached_where_it_is_the_same(self):
        private = self.ours["PS256"]
        detached = sign_detached(PAYLOAD, private)
        attached = detached.replace("..", f".{encode_base64url(PAYLOAD)}.")
        read_signature(attached).verify([PAYLOAD], private.public)
        other = detached.replace("..", f".{encode_base64url(b'{}')}.")
        self.assert_refused("mismatch", other, private.public)

    def test_one_of_several_forms_of_the_document_is_enough(self):
        text = sign_detached(PAYLOAD, self.ours["EdDSA"])
        forms = [b"{}", PAYLOAD, b"[]"]
        read_signature(text).verify(forms, self.ours["EdDSA"].public)


class TestAttacks(SignatureCase):
    def test_another_document(self):
        text = sign_detached(PAYLOAD, self.ours["ES256"])
        self.assert_refused("mismatch", text, payload=PAYLOAD + b" ")
        self.assert_refused("mismatch", text, payload=b"")

    def test_another_key_of_the_same_kind(self):
        text = sign_detached(PAYLOAD, PrivateKey.generate("ES256"))
        self.assert_refused("mismatch", text)

    def test_an_algorithm_that_the_key_is_not_for(self):
        rsa_key = self.ours["RS256"]
        only_pss = PrivateKey(key=rsa_key.key, algorithm="PS256").public
        text = sign_detached(PAYLOAD, rsa_key)
        self.assert_refused("mismatch", text, only_pss)
        self.assert_refused("mismatch", text, self.ours["ES256"].public)

    def test_no_algorithm_and_symmetric_ones(self):
        public = self.ours["RS256"].public
        secret = public.key  # what a naive verifier would use as an HMAC's secret
        self.assertTrue(secret)
        for name in ("none", "None", "HS256", "HS512", "RS512", "ES384", "", None, 7):
            header = encode_base64url(json.dumps({"alg": name}).encode())
            with self.subTest(name):
                self.assert_refused("algorithm", f"{header}..AAAA", public)
        by_hmac = jwt.PyJWS().encode(PAYLOAD, b"s" * 32, "HS256")
        first, _payload, last = by_hmac.split(".")
        self.assert_refused("algorithm", f"{first}..{last}", public)

    def test_headers_that_want_to_be_understood(self):
        private = self.ours["ES256"]
        for header in ({"crit": ["exp"], "exp": 1}, {"crit": []}, {"b64": False}):
            with self.subTest(header):
                text = sign_detached(PAYLOAD, private, **header)
                self.assert_refused("critical", text)

    def test_a_key_that_the_signature_brings_along_is_not_looked_at(self):
        stranger = PrivateKey.generate("ES256")
        brought = {
            "jwk": stranger.public.jwk,
            "jku": "https://attacker.example/keys",
            "x5u": "https://attacker.example/cert",
            "x5c": ["AAAA"],
        }
        for name, value in brought.items():
            with self.subTest(name):
                kid = self.ours["ES256"].public.kid
                text = sign_detached(PAYLOAD, stranger, kid=kid, **{name: value})
                self.assert_refused("mismatch", text)
                ours = sign_detached(PAYLOAD, self.ours["ES256"], **{name: value})
                read_signature(ours).verify([PAYLOAD], self.ours["ES256"].public)

    def test_its_own_dates_are_honoured(self):
        private, now = self.ours["ES256"], int(time.time())
        for header in ({"exp": now - 60}, {"iat": now + 60}):
            with self.subTest(header):
                self.assert_refused(
                    "expired", sign_detached(PAYLOAD, private, **header)
                )
        text = sign_detached(PAYLOAD, private, iat=now, exp=now + 60)
        read_signature(text).verify([PAYLOAD], private.public)

    def test_a_signature_of_something_else(self):
        private = self.ours["ES256"]
        for kind in ("at+jwt", "dpop+jwt", "secevent+jwt"):
            with self.subTest(kind):
                self.assert_refused("type", sign_detached(PAYLOAD, private, typ=kind))
        for kind in ("JWT", "JOSE", "g2pc+jws"):
            text = sign_detached(PAYLOAD, private, typ=kind)
            read_signature(text).verify([PAYLOAD], private.public)

    def test_malformed_signatures_are_refused(self):
        first, _none, last = sign_detached(PAYLOAD, self.ours["ES256"]).split(".")
        twice = encode_base64url(b'{"alg":"ES256","alg":"ES256"}')
        for text in (
            "",
            ".",
            "..",
            "a.b",
            "a.b.c.d",
            f"{first}..",
            f"{first}..{last}=",
            f"{first}..{last[:-1]}",
            f"{first}..!!!!",
            f"{first[:-2]}..{last}",
            f"{encode_base64url(b'[]')}..{last}",
            f"{encode_base64url(b'{')}..{last}",
            f"{twice}..{last}",
            f"{'A' * 9000}..{last}",
            f"{first}..{'A' * 3000}",
            "é..é",
        ):
            with self.subTest(text[:40]), self.assertRaises(SignatureRefused):
                read_signature(text).verify([PAYLOAD], self.ours["ES256"].public)


class TestSpeed(SignatureCase):
    def test_verifying_takes_less_than_a_millisecond(self):
        for name, private in self.ours.items():
            text = sign_detached(PAYLOAD, private)
            jwk = json.dumps(private.public.jwk)
            best = min(self.measure(text, jwk) for _round in range(20))
            with self.subTest(name):
                self.assertLess(best, 0.001)

    @staticmethod
    def measure(text, jwk):
        started = time.perf_counter()
        read_signature(text).verify([PAYLOAD], read_public_key(jwk))
        return time.perf_counter() - started


class TestCanonical(BaseCase):
    def test_white_space_and_order_change_nothing(self):
        for text in (
            '{"a":1,"b":{"c":[1,2],"d":"x"}}',
            '{ "b" : {"d":"x", "c":[1,\n2]},\t"a":1 }',
        ):
            self.assertEqual(
                canonicalise(json.loads(text)), b'{"a":1,"b":{"c":[1,2],"d":"x"}}'
            )

    def test_values_change_it(self):
        forms = {
            canonicalise(value)
            for value in ([1], ["1"], [1.0], [True], [None], [], {}, {"": 1}, [[1]])
        }
        self.assertEqual(len(forms), 9)

    def test_values_without_a_canonical_form_are_refused(self):
        for value in (float("nan"), float("inf"), "\ud800"):
            with self.subTest(repr(value)), self.assertRaises(ValueError):
                canonicalise([value])
