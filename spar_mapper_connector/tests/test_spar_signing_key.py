import json
from datetime import timedelta

from jwcrypto.jwe import JWE
from jwcrypto.jwk import JWK

from odoo import fields
from odoo.exceptions import AccessError

from ..exceptions import KeyMissing, KeyringUnavailable, SealBroken
from ..lib.jose.exceptions import DecryptionFailed, SignatureRefused
from ..lib.jose.keys import ALGORITHMS, ENCRYPTION_ALGORITHM, PrivateKey, read_jwk
from ..lib.jose.signatures import read_signature
from ..lib.jose.tokens import verify_token
from ..lib.keyring import bind
from ..models import spar_signing_key
from .common import KeyringCase

PAYLOAD = b'{"header":{}}'


class SigningKeyCase(KeyringCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.keys = cls.env["spar.signing.key"]
        cls.channel = cls.create_channel()

    def get_states(self, use="test"):
        found = self.keys.search([("use", "=", use)])
        return {key.kid: key.state for key in found}

    def get_column(self, key):
        self.env.flush_all()
        self.env.cr.execute(
            "SELECT private_key FROM spar_signing_key WHERE id = %s", [key.id]
        )
        return self.env.cr.fetchone()[0]


class TestMaking(SigningKeyCase):
    def test_the_first_key_of_a_use_is_in_use_at_once_and_made_once(self):
        key = self.keys._generate("test")
        self.assertEqual((key.state, key.algorithm), ("current", "ES256"))
        self.assertEqual(self.keys._generate("test"), key)
        self.assertNotEqual(self.keys._generate("other").kid, key.kid)

    def test_every_algorithm(self):
        for algorithm in (*ALGORITHMS, ENCRYPTION_ALGORITHM):
            with self.subTest(algorithm):
                key = self.keys._generate("test", algorithm)
                jwk = json.loads(key.public_jwk)
                self.assertEqual(jwk["alg"], algorithm)
                self.assertEqual(jwk["kid"], key.kid)
                self.assertNotIn("d", jwk)

    def test_the_private_half_is_nowhere_in_clear(self):
        key = self.keys._generate("test")
        sealed = bytes(self.get_column(key))
        self.assertNotIn(b"PRIVATE", sealed)
        pem = self.keys._get_private_key("test").to_pem()
        self.assertNotIn(pem.splitlines()[1].encode(), sealed)
        self.assertNotIn("private_key", self.keys._fields)

    def test_a_sealed_key_opens_in_its_own_row_only(self):
        first, second = self.keys._generate("test"), self.keys._generate("other")
        # A key opened earlier by this process opens nowhere else, nor twice.
        self.keys._sign("other", PAYLOAD)
        self.env.cr.execute(
            "UPDATE spar_signing_key SET private_key = %s WHERE id = %s",
            (self.get_column(second), first.id),
        )
        self.env["spar.row.versions"]._forget()
        for _time in range(2):
            with self.assertRaises(SealBroken):
                self.keys._sign("test", PAYLOAD)

    def test_a_key_of_another_public_half_never_signs(self):
        key = self.keys._generate("test")
        stranger = PrivateKey.generate(key.algorithm).to_pem()
        sealed = self.keyring.seal(
            "signing key", stranger, bind(key.kid, "test", key.algorithm)
        )
        self.env.cr.execute(
            "UPDATE spar_signing_key SET private_key = %s WHERE id = %s",
            (sealed, key.id),
        )
        self.env["spar.row.versions"]._forget()
        for _time in range(2):
            with self.assertRaises(SealBroken):
                self.keys._sign("test", PAYLOAD)


class TestUsing(SigningKeyCase):
    def verify(self, text, use="test"):
        signature = read_signature(text)
        found = self.keys._get_key_set(use)["keys"]
        jwk = next(jwk for jwk in found if jwk["kid"] == signature.kid)
        signature.verify([PAYLOAD], read_jwk(jwk))

    def test_our_signatures_are_verified_by_our_key_set(self):
        for algorithm in ALGORITHMS:
            with self.subTest(algorithm):
                self.keys._generate("test", algorithm)
                self.verify(self.keys._sign("test", PAYLOAD, algorithm))

    def test_a_channel_signs_without_a_right_on_keys(self):
        self.keys._generate("test")
        self.verify(self.keys.with_user(self.channel)._sign("test", PAYLOAD))

    def test_signing_costs_no_statement_but_once_a_transaction(self):
        self.keys._generate("test")
        self.keys._sign("test", PAYLOAD)
        count = self.count_statements(self.keys._sign, "test", PAYLOAD)
        self.assertEqual(count, 0)
        self.env["spar.row.versions"]._forget()
        count = self.count_statements(self.keys._sign, "test", PAYLOAD)
        self.assertEqual(count, 1)

    def test_our_tokens_are_verified_by_our_key_set(self):
        self.keys._generate("test")
        token = self.keys._sign_token("test", {"iss": "a", "aud": "b"}, "at+jwt")
        (jwk,) = self.keys._get_key_set("test")["keys"]
        claims = verify_token(
            token, lambda kid, alg: read_jwk(jwk), issuer="a", audience="b"
        )
        self.assertEqual(claims, {"iss": "a", "aud": "b"})

    def test_a_key_that_does_not_exist_signs_nothing(self):
        with self.assertRaises(KeyMissing):
            self.keys._sign("test", PAYLOAD)
        self.keys._generate("test", "ES256")
        with self.assertRaises(KeyMissing):
            self.keys._sign("test", PAYLOAD, "PS256")

    def test_decryption(self):
        key = self.keys._generate("test", ENCRYPTION_ALGORITHM)
        jwk = json.loads(key.public_jwk)
        public = JWK(**{name: jwk[name] for name in ("kty", "n", "e")})
        header = {"alg": ENCRYPTION_ALGORITHM, "enc": "A256GCM"}
        for kid in ({"kid": key.kid}, {}):
            text = self.encrypt(b"secret", public, {**header, **kid})
            self.assertEqual(self.keys._decrypt("test", text), b"secret")
        self.keys._rotate("test", ENCRYPTION_ALGORITHM)
        text = self.encrypt(b"late", public, {**header, "kid": key.kid})
        self.assertEqual(self.keys._decrypt("test", text), b"late")
        with self.assertRaises(DecryptionFailed):
            self.keys._decrypt("other", text)

    @staticmethod
    def encrypt(content, public, header):
        """Return a JWE made by another library."""
        message = JWE(content, json.dumps(header), recipient=public)
        return message.serialize(compact=True)


class TestRotation(SigningKeyCase):
    def test_the_next_key_is_published_before_it_is_used(self):
        first = self.keys._generate("test")
        second = self.keys._generate("test", state="next")
        published = [jwk["kid"] for jwk in self.keys._get_key_set("test")["keys"]]
        self.assertCountEqual(published, [first.kid, second.kid])
        self.assertEqual(self.keys._rotate("test"), second)
        states = self.get_states()
        self.assertEqual(states[first.kid], "retired")
        self.assertEqual(states[second.kid], "current")
        self.assertEqual(sorted(states.values()), ["current", "next", "retired"])
        self.assertEqual(
            read_signature(self.keys._sign("test", PAYLOAD)).kid, second.kid
        )

    def test_a_retired_key_verifies_and_signs_no_more(self):
        first = self.keys._generate("test")
        text = self.keys._sign("test", PAYLOAD)
        self.keys._rotate("test")
        jwks = {jwk["kid"]: jwk for jwk in self.keys._get_key_set("test")["keys"]}
        read_signature(text).verify([PAYLOAD], read_jwk(jwks[first.kid]))
        self.assertIsNone(self.get_column(first))

    def test_a_retired_key_is_published_for_a_while_only(self):
        first = self.keys._generate("test")
        self.keys._rotate("test")
        long_ago = fields.Datetime.now() - spar_signing_key.PUBLISHED
        first.retired_at = long_ago - timedelta(minutes=1)
        published = [jwk["kid"] for jwk in self.keys._get_key_set("test")["keys"]]
        self.assertNotIn(first.kid, published)

    def test_one_use_rotates_without_the_others(self):
        other = self.keys._generate("other")
        self.keys._generate("test")
        self.keys._rotate("test")
        self.assertEqual(self.get_states("other"), {other.kid: "current"})

    def test_a_strangers_signature_is_refused_by_our_key_set(self):
        self.keys._generate("test")
        (jwk,) = self.keys._get_key_set("test")["keys"]
        stranger = PrivateKey.generate("ES256")
        forged = read_signature(self.keys._sign("test", PAYLOAD))
        with self.assertRaises(SignatureRefused):
            forged.verify([PAYLOAD], stranger.public)
        self.assertNotEqual(jwk["kid"], stranger.public.kid)


class TestRights(SigningKeyCase):
    def test_an_administrator_retires_a_key_and_changes_nothing_else(self):
        user = self.create_user("administrator")
        key = self.keys._generate("test").with_user(user)
        key.action_rotate()
        self.assertEqual(key.state, "retired")
        for refused in (
            lambda: key.write({"state": "current"}),
            lambda: key.create({"use": "x", "kid": "x"}),
            key.unlink,
        ):
            with self.assertRaises(AccessError):
                refused()

    def test_only_auditors_and_administrators_see_keys(self):
        key = self.keys._generate("test")
        auditor = key.with_user(self.create_user("auditor"))
        self.assertEqual(auditor.state, "current")
        with self.assertRaises(AccessError):
            auditor.action_rotate()
        for role in ("viewer", "officer", "supervisor"):
            with self.subTest(role), self.assertRaises(AccessError):
                key.with_user(self.create_user(role)).read(["kid"])


class TestKeyrings(SigningKeyCase):
    def setUp(self):
        super().setUp()
        self.use_new_keyring()

    def test_a_rotated_seal_key_opens_the_same_keys(self):
        key = self.keys._generate("test")
        before = bytes(self.get_column(key))
        self.keyrings._start_rotation()
        for _done in self.keyrings._reseal_steps():
            pass
        self.assertEqual(self.keyrings._finish_rotation(), 0)
        self.assertNotEqual(bytes(self.get_column(key)), before)
        self.assertTrue(self.keys._sign("test", PAYLOAD))

    def test_no_key_is_made_without_a_keyring(self):
        self.forget_keys()
        with self.assertRaises(KeyringUnavailable):
            self.keys._generate("test")
