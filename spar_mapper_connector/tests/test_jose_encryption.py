import json

from jwcrypto import jwe
from jwcrypto.jwk import JWK

from odoo.tests import BaseCase

from ..lib.jose.encryption import decrypt, read_encryption_header
from ..lib.jose.exceptions import DecryptionFailed
from ..lib.jose.keys import ENCRYPTION_ALGORITHM, PrivateKey, encode_base64url


class TestEncryption(BaseCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ours = PrivateKey.generate(ENCRYPTION_ALGORITHM)

    def encrypt(self, text=b"hello", alg="RSA-OAEP-256", enc="A256GCM", **header):
        """Return a message that another library encrypts for us."""
        header = {"alg": alg, "enc": enc, "kid": self.ours.public.kid, **header}
        jwk = {k: v for k, v in self.ours.public.jwk.items() if k not in ("alg", "use")}
        message = jwe.JWE(
            text, json.dumps(header), recipient=JWK(**jwk), algs=[alg, enc, "DEF"]
        )
        return message.serialize(compact=True)

    def assert_fails(self, code, text, key=None):
        with self.assertRaises(DecryptionFailed) as caught:
            decrypt(text, key or self.ours)
        self.assertEqual(caught.exception.code, code)

    def test_a_message_encrypted_by_another_library_is_decrypted(self):
        for enc in ("A128GCM", "A256GCM"):
            with self.subTest(enc):
                text = self.encrypt(b"\x00 any bytes", enc=enc)
                self.assertEqual(decrypt(text, self.ours), b"\x00 any bytes")
                self.assertEqual(
                    read_encryption_header(text)["kid"], self.ours.public.kid
                )

    def test_other_algorithms_are_refused(self):
        for alg, enc in (
            ("RSA-OAEP", "A256GCM"),
            ("RSA1_5", "A256GCM"),
            ("RSA-OAEP-256", "A128CBC-HS256"),
            ("RSA-OAEP-256", "A192GCM"),
        ):
            with self.subTest(alg=alg, enc=enc):
                self.assert_fails("algorithm", self.encrypt(alg=alg, enc=enc))
        self.assert_fails("algorithm", self.encrypt(zip="DEF"))

    def test_an_enc_that_is_not_text_is_refused(self):
        for enc in ([], {}, None, 7):
            header = json.dumps({"alg": ENCRYPTION_ALGORITHM, "enc": enc}).encode()
            _first, *others = self.encrypt().split(".")
            text = ".".join((encode_base64url(header), *others))
            with self.subTest(enc):
                self.assert_fails("algorithm", text)

    def test_only_an_rsa_key_opens(self):
        text = self.encrypt()
        for algorithm in ("ES256", "EdDSA"):
            key = PrivateKey.generate(algorithm)
            with self.subTest(algorithm):
                self.assert_fails("algorithm", text, key)
                # Nor does one that claims it could.
                named = PrivateKey(ENCRYPTION_ALGORITHM, key.key)
                self.assert_fails("algorithm", text, named)

    def test_another_key_and_altered_parts(self):
        text = self.encrypt()
        self.assert_fails("mismatch", text, PrivateKey.generate(ENCRYPTION_ALGORITHM))
        for number in range(1, 5):
            parts = text.split(".")
            parts[number] = ("B" if parts[number][0] == "A" else "A") + parts[number][
                1:
            ]
            with self.subTest(number):
                self.assert_fails("mismatch", ".".join(parts))
        self.assert_fails("algorithm", text, PrivateKey.generate("PS256"))

    def test_a_tag_that_was_cut_off(self):
        parts = self.encrypt().split(".")
        for tag in ("", "AAAA", encode_base64url(bytes(17))):
            with self.subTest(tag):
                self.assert_fails("mismatch", ".".join([*parts[:4], tag]))

    def test_malformed_jwe_is_refused(self):
        for text in ("", "a.b.c", "....", "{}", "x" * 300000, "W10....", "AA.A.A.A.A"):
            with self.subTest(text[:10]):
                self.assert_fails("malformed", text)
