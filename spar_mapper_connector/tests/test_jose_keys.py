import base64
import datetime
import json

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import (
    dsa,
    ec,
    ed448,
    ed25519,
    rsa,
    x25519,
)
from cryptography.x509.oid import NameOID

from odoo.tests import BaseCase

from ..lib.jose import keys
from ..lib.jose.exceptions import KeyRefused
from ..lib.jose.keys import PrivateKey, read_jwk, read_public_key

#: Kind of key -> what makes a permitted one, and its algorithms.
KINDS = {
    "RSA": (lambda: rsa.generate_private_key(65537, 2048), ("PS256", "RS256")),
    "EC": (lambda: ec.generate_private_key(ec.SECP256R1()), ("ES256",)),
    "OKP": (ed25519.Ed25519PrivateKey.generate, ("EdDSA",)),
}


def to_pem(key) -> str:
    return key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    ).decode()


def to_private_pem(key) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()


def to_certificate(key, days=1) -> str:
    """Return a self-signed certificate for ``key``, from an hour ago for ``days``."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "payer.example")])
    now = datetime.datetime.now(datetime.timezone.utc)
    signed_with = (
        None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=days))
        .sign(key, signed_with)
    )
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def encode(number: int) -> str:
    size = (number.bit_length() + 7) // 8
    data = base64.urlsafe_b64encode(number.to_bytes(size, "big"))
    return data.rstrip(b"=").decode()


class TestReading(BaseCase):
    def assert_refused(self, code, function, *arguments):
        with self.assertRaises(KeyRefused) as caught:
            function(*arguments)
        self.assertEqual(caught.exception.code, code)
        return caught.exception

    def test_every_kind_in_every_form_is_the_same_key(self):
        for kind, (make, algorithms) in KINDS.items():
            with self.subTest(kind):
                private = make()
                pem = to_pem(private.public_key())
                by_pem = read_public_key(pem)
                by_jwk = read_public_key(json.dumps(by_pem.jwk))
                by_certificate = read_public_key(to_certificate(private))
                self.assertEqual(by_pem.algorithms, algorithms)
                self.assertEqual(by_pem.thumbprint, by_jwk.thumbprint)
                self.assertEqual(by_pem.thumbprint, by_certificate.thumbprint)
                self.assertEqual(by_pem.kid, by_pem.thumbprint)
                self.assertEqual(by_pem.jwk["kty"], kind)

    def test_a_certificate_gives_its_thumbprint_and_its_dates(self):
        private = KINDS["EC"][0]()
        text = to_certificate(private, days=3)
        certificate = x509.load_pem_x509_certificate(text.encode())
        key = read_public_key(text)
        thumbprint = certificate.fingerprint(hashes.SHA256())
        self.assertEqual(key.kid, keys.encode_base64url(thumbprint))
        self.assertEqual(
            key.valid_to - key.valid_from, datetime.timedelta(days=3, hours=1)
        )

    def test_a_jwk_keeps_its_name_and_its_one_algorithm(self):
        jwk = read_public_key(to_pem(KINDS["RSA"][0]().public_key())).jwk
        for kid in ("a\0b", "\ud800", "a\nb"):
            named = read_jwk({**jwk, "kid": kid})
            self.assertEqual(named.kid, named.thumbprint)
        key = read_jwk({**jwk, "kid": "mine-1", "alg": "PS256", "use": "sig"})
        self.assertEqual((key.kid, key.algorithms), ("mine-1", ("PS256",)))

    def test_a_public_jwk_has_no_private_member(self):
        for kind, (make, _algorithms) in KINDS.items():
            with self.subTest(kind):
                jwk = read_public_key(to_pem(make().public_key())).jwk
                self.assertLessEqual(set(jwk), {"kty", "n", "e", "crv", "x", "y"})

    def test_a_private_key_is_refused_in_every_form(self):
        for kind, (make, _algorithms) in KINDS.items():
            with self.subTest(kind):
                private = make()
                error = self.assert_refused(
                    "private", read_public_key, to_private_pem(private)
                )
                self.assertIn("private", str(error))
                jwk = PrivateKey.from_pem(to_private_pem(private), "").to_jwk()
                self.assertIn("d", jwk)
                self.assert_refused("private", read_public_key, json.dumps(jwk))

    def test_keys_that_are_too_weak_or_of_another_kind(self):
        small = rsa.generate_private_key(65537, 1024).public_key()
        self.assert_refused("weak", read_public_key, to_pem(small))
        numbers = KINDS["RSA"][0]().public_key().public_numbers()
        huge = {"kty": "RSA", "n": encode(numbers.n), "e": encode(2**40 + 1)}
        self.assert_refused("weak", read_jwk, huge)
        for key in (
            ec.generate_private_key(ec.SECP384R1()),
            ec.generate_private_key(ec.SECP256K1()),
            ed448.Ed448PrivateKey.generate(),
            x25519.X25519PrivateKey.generate(),
        ):
            with self.subTest(type(key).__name__):
                self.assert_refused("kind", read_public_key, to_pem(key.public_key()))

    def test_malformed_public_keys_are_refused(self):
        good = read_public_key(to_pem(KINDS["RSA"][0]().public_key())).jwk
        pem = to_pem(KINDS["EC"][0]().public_key())
        for code, text in (
            ("unreadable", ""),
            ("unreadable", "hello"),
            (
                "unreadable",
                "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
            ),
            (
                "unreadable",
                "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
            ),
            ("unreadable", "{"),
            ("unreadable", "[" * 10000),
            ("unreadable", "x" * 70000),
            ("several", pem + pem),
            ("several", json.dumps({"keys": [good]})),
            ("symmetric", json.dumps({"kty": "oct", "k": "AAAA"})),
            ("kind", json.dumps({"kty": "XYZ"})),
            ("unreadable", json.dumps({"kty": "RSA"})),
            ("unreadable", json.dumps({**good, "n": "!!"})),
            ("use", json.dumps({**good, "use": "enc"})),
            ("algorithm", json.dumps({**good, "alg": "HS256"})),
            ("algorithm", json.dumps({**good, "alg": "RS512"})),
            ("algorithm", json.dumps({**good, "alg": "none"})),
        ):
            with self.subTest(text[:50]):
                self.assert_refused(code, read_public_key, text)

    def test_a_key_is_parsed_once(self):
        text = to_pem(KINDS["RSA"][0]().public_key())
        self.assertIs(read_public_key(text), read_public_key(text))


class TestOurs(BaseCase):
    def test_a_key_comes_back_from_its_pem_and_its_jwk(self):
        for algorithm in (*keys.ALGORITHMS, keys.ENCRYPTION_ALGORITHM):
            with self.subTest(algorithm):
                ours = PrivateKey.generate(algorithm)
                again = PrivateKey.from_pem(ours.to_pem(), algorithm)
                self.assertEqual(again.public.kid, ours.public.kid)
                third = PrivateKey.from_jwk(ours.to_jwk())
                self.assertEqual(third.public.kid, ours.public.kid)
                self.assertEqual(third.algorithm, algorithm)

    def test_a_published_key_names_its_use_and_algorithm(self):
        jwk = PrivateKey.generate("ES256").public.jwk
        self.assertEqual((jwk["alg"], jwk["use"]), ("ES256", "sig"))
        jwk = PrivateKey.generate(keys.ENCRYPTION_ALGORITHM).public.jwk
        self.assertEqual((jwk["alg"], jwk["use"]), ("RSA-OAEP-256", "enc"))
        self.assertNotIn("d", jwk)

    def test_a_key_does_not_show_itself(self):
        ours = PrivateKey.generate("ES256")
        self.assertEqual(
            repr(ours).count("EllipticCurve") + repr(ours).count("PRIVATE"), 0
        )

    def test_a_private_key_of_another_kind_is_refused(self):
        for key in (
            dsa.generate_private_key(2048),
            ec.generate_private_key(ec.SECP384R1()),
            ed448.Ed448PrivateKey.generate(),
            x25519.X25519PrivateKey.generate(),
        ):
            for algorithm in ("", "ES256", "EdDSA", keys.ENCRYPTION_ALGORITHM):
                with (
                    self.subTest(kind=type(key).__name__, algorithm=algorithm),
                    self.assertRaises(KeyRefused) as caught,
                ):
                    PrivateKey.from_pem(to_private_pem(key), algorithm)
                self.assertEqual(caught.exception.code, "kind")

    def test_malformed_private_keys_are_refused(self):
        for function, arguments in (
            (PrivateKey.generate, ("HS256",)),
            (PrivateKey.generate, ("none",)),
            (PrivateKey.from_pem, ("hello", "ES256")),
            (PrivateKey.from_pem, (PrivateKey.generate("ES256").to_pem(), "PS256")),
            (PrivateKey.from_jwk, ({"kty": "RSA"},)),
            (PrivateKey.from_jwk, (PrivateKey.generate("ES256").public.jwk,)),
            (PrivateKey.from_jwk, ({"kty": "EC", "crv": "P-256", "d": "AA"},)),
        ):
            with self.subTest(arguments=arguments[1:]), self.assertRaises(KeyRefused):
                function(*arguments)
