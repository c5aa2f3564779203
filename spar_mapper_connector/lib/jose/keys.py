"""Our own keys and those of others: PEM, X.509 and JWK in, JWK and PEM out."""

from __future__ import annotations

import json
import re
import warnings
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from functools import cached_property, lru_cache
from typing import cast

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import DictKey, ECKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from .exceptions import KeyRefused

# joserfc warns of RSA keys below 2,048 bits, which are refused here, and of the name
# EdDSA (RFC 9864), which the protocol uses. Both can come from strangers: they must
# not be able to fill the log.
warnings.filterwarnings("ignore", category=SecurityWarning)

#: The only algorithms for signatures.
ALGORITHMS = ("PS256", "ES256", "EdDSA", "RS256")
#: The only algorithm for messages encrypted for us.
ENCRYPTION_ALGORITHM = "RSA-OAEP-256"

#: The supported kinds of key.
PublicMaterial = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey
PrivateMaterial = (
    rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
)

MIN_RSA_BITS, MAX_RSA_BITS = 2048, 8192
_MAX_RSA_EXPONENT_BITS = 33
MAX_KEY_TEXT = 64 * 1024
MAX_CERTIFICATES = 8
_CERTIFICATE = re.compile(r"[A-Za-z0-9+/]{1,8192}={0,2}")

#: The key classes of joserfc, by ``kty``.
JoseKey = RSAKey | ECKey | OKPKey
_KEY_TYPES: dict[str, type[RSAKey] | type[ECKey] | type[OKPKey]] = {
    "RSA": RSAKey,
    "EC": ECKey,
    "OKP": OKPKey,
}
# The primitives themselves: ``jws.validate_compact`` reads the header again for each
# form of a document, and a document may be verified in several.
_ALGORITHMS = {name: JWSRegistry.algorithms[name] for name in ALGORITHMS}


def encode_base64url(data: bytes) -> str:
    """Return ``data`` in base64url without padding (RFC 7515 2).

    >>> encode_base64url(b"\\xff\\xfe")
    '__4'
    """
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def decode_base64url(text: str) -> bytes:
    """Return the bytes in ``text``; ValueError unless it is canonical base64url.

    >>> decode_base64url("__4")
    b'\\xff\\xfe'
    """
    data = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if encode_base64url(data) != text:
        raise ValueError("not base64url")
    return data


@dataclass(frozen=True)
class PublicKey:
    """The key of another party that verifies signatures, by ``algorithms`` only.

    ``certificates`` is the chain that its owner published with it (x5c), to be kept as
    evidence: nothing here trusts it.
    """

    kid: str
    algorithms: tuple[str, ...]
    jwk: dict[str, str] = field(repr=False, compare=False)
    key: PublicMaterial = field(repr=False, compare=False)
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    certificates: tuple[str, ...] = field(default=(), repr=False, compare=False)

    @property
    def thumbprint(self) -> str:
        """Return the SHA-256 thumbprint of the key (RFC 7638, RFC 8037).

        >>> read_jwk({"kty": "OKP", "crv": "Ed25519", "kid": "any",
        ...     "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}).thumbprint
        'kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k'
        """
        return self._jose_key.thumbprint()

    def verifies(self, algorithm: str, signed: bytes, signature: bytes) -> bool:
        """Return whether ``signature`` of ``signed`` was made with the private half."""
        if algorithm not in self.algorithms:
            return False
        return _ALGORITHMS[algorithm].verify(signed, signature, self._jose_key)

    @cached_property
    def _jose_key(self) -> JoseKey:
        return _wrap(self.key)


@dataclass(frozen=True)
class PrivateKey:
    """A key of our own; ``algorithm`` is its only use."""

    algorithm: str
    key: PrivateMaterial = field(repr=False)

    @classmethod
    def generate(cls, algorithm: str) -> PrivateKey:
        """Return a new key for ``algorithm``; raises KeyRefused if unsupported."""
        if algorithm not in _GENERATE:
            raise KeyRefused("algorithm", "keys cannot be generated for this algorithm")
        return cls(algorithm, _GENERATE[algorithm]())

    @classmethod
    def from_pem(cls, pem: str | bytes, algorithm: str) -> PrivateKey:
        """Return the key in ``pem`` (PKCS 8); raises KeyRefused."""
        raw = pem.encode() if isinstance(pem, str) else pem
        try:
            key = serialization.load_pem_private_key(raw, None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise KeyRefused("unreadable", "this is not a private key in PEM") from None
        return cls._checked(key, algorithm)

    @classmethod
    def from_jwk(cls, jwk: dict[str, object], algorithm: str = "") -> PrivateKey:
        """Return the key in ``jwk``, for ``algorithm`` or the one that it names."""
        if str(jwk.get("kty")) not in _KEY_TYPES or "d" not in jwk:
            raise KeyRefused("kind", "this is not a private RSA, EC or OKP key")
        key = _import_material(jwk)
        return cls._checked(key, algorithm or str(jwk.get("alg", "")))

    @classmethod
    def _checked(cls, key: object, algorithm: str) -> PrivateKey:
        if not isinstance(key, PrivateMaterial):
            raise _refuse_kind()
        able = (*_get_algorithms(key.public_key()), *_get_encryption(key))
        chosen = algorithm or able[0]
        if chosen not in able:
            raise KeyRefused("algorithm", "the key is not for this algorithm")
        return cls(chosen, key)

    @cached_property
    def public(self) -> PublicKey:
        """Return the half that is published; its id is its thumbprint."""
        jose_key = _wrap(self.key.public_key())
        kid = jose_key.thumbprint()
        use = "enc" if self.algorithm == ENCRYPTION_ALGORITHM else "sig"
        jwk = {**_build_jwk(jose_key), "kid": kid, "use": use, "alg": self.algorithm}
        return PublicKey(kid, (self.algorithm,), jwk, self.key.public_key())

    def sign(self, data: bytes) -> bytes:
        """Return the signature of ``data``."""
        return _ALGORITHMS[self.algorithm].sign(data, self.jose_key)

    @cached_property
    def jose_key(self) -> JoseKey:
        """Return the key as joserfc takes it."""
        return _wrap(self.key)

    def to_pem(self) -> str:
        """Return the key in PEM, in clear: for sealing."""
        encoding = serialization.Encoding.PEM
        form = serialization.PrivateFormat.PKCS8
        no_password = serialization.NoEncryption()
        return self.key.private_bytes(encoding, form, no_password).decode()

    def to_jwk(self) -> dict[str, object]:
        """Return the key as a JWK, in clear: for its owner."""
        return {**self.jose_key.as_dict(private=True), **self.public.jwk}


def _generate_rsa() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, MIN_RSA_BITS)


_GENERATE: dict[str, Callable[[], PrivateMaterial]] = {
    "PS256": _generate_rsa,
    "RS256": _generate_rsa,
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate,
    ENCRYPTION_ALGORITHM: _generate_rsa,
}


# === READING KEYS OF OTHERS === #


@lru_cache(maxsize=4096)
def read_public_key(text: str) -> PublicKey:
    """Return the one public key in ``text``: PEM, X.509 certificate (PEM) or JWK.

    Reading a key is slower than using it, hence the cache. Raises KeyRefused for
    anything that is not a key, for a private or symmetric key, for RSA below 2,048
    bits, for curves other than P-256 and Ed25519, and for a key that is not for
    signatures.
    """
    if len(text) > MAX_KEY_TEXT:
        raise KeyRefused("unreadable", "this is too long for a key")
    text = text.strip()
    if text.startswith("{"):
        return read_jwk(_load_json(text))
    if "PRIVATE KEY-----" in text:
        raise KeyRefused(
            "private", "this is a private key: keep it secret and send the public key"
        )
    if text.count("-----BEGIN ") > 1:
        raise KeyRefused("several", "this contains more than one key")
    if "-----BEGIN CERTIFICATE-----" in text:
        return _read_certificate(text)
    try:
        key = serialization.load_pem_public_key(text.encode())
    except (ValueError, UnsupportedAlgorithm):
        raise KeyRefused(
            "unreadable", "this is not a key in PEM, X.509 or JWK"
        ) from None
    return _build_public(key)


def _load_json(text: str) -> dict[str, object]:
    try:
        document: dict[str, object] = json.loads(text)
    except (ValueError, RecursionError):
        raise KeyRefused("unreadable", "the JWK is not JSON") from None
    if "keys" in document:
        raise KeyRefused("several", "this is a key set: enter one of its keys")
    return document


def _read_certificate(text: str) -> PublicKey:
    """Return the key of an X.509 certificate, valid as long as the certificate is."""
    try:
        certificate = x509.load_pem_x509_certificate(text.encode())
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        raise KeyRefused("unreadable", "the certificate cannot be read") from None
    # The old name of the properties is gone in some versions, the new one missing in
    # others.
    if hasattr(certificate, "not_valid_before_utc"):
        first, last = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    else:
        first = certificate.not_valid_before.replace(tzinfo=timezone.utc)
        last = certificate.not_valid_after.replace(tzinfo=timezone.utc)
    kid = encode_base64url(certificate.fingerprint(hashes.SHA256()))
    return _build_public(key, kid=kid, valid_from=first, valid_to=last)


def read_jwk(jwk: object) -> PublicKey:
    """Return the key in a JWK (RFC 7517); refuses keys as ``read_public_key`` does."""
    if not isinstance(jwk, dict):
        raise KeyRefused("unreadable", "a JWK must be an object")
    if jwk.get("kty") == "oct" or "k" in jwk:
        raise KeyRefused("symmetric", "this is a secret, not a public key")
    if "d" in jwk:
        raise KeyRefused(
            "private", "this is a private key: keep it secret and send the public key"
        )
    if jwk.get("use", "sig") != "sig":
        raise KeyRefused("use", "the key is not for signatures")
    if str(jwk.get("kty")) not in _KEY_TYPES:
        raise _refuse_kind()
    key = _build_public(_import_material(jwk), jwk.get("kid"), jwk.get("alg"))
    return replace(key, certificates=_read_chain(jwk.get("x5c")))


def _read_chain(chain: object) -> tuple[str, ...]:
    """Return the certificates of a JWK (RFC 7517 4.7); none if they are unusable.

    >>> _read_chain(["MIIB", "MIIC"]), _read_chain(["MI IB"]), _read_chain("MIIB")
    (('MIIB', 'MIIC'), (), ())
    """
    if not isinstance(chain, list) or not len(chain) <= MAX_CERTIFICATES:
        return ()
    texts = [text for text in chain if isinstance(text, str)]
    is_usable = len(texts) == len(chain) and all(map(_CERTIFICATE.fullmatch, texts))
    return tuple(texts) if is_usable else ()


def _import_material(jwk: dict[str, object]) -> object:
    """Return the key in ``jwk``, of any size and curve; raises KeyRefused.

    Only the members that define the key are read: what it may be used for is decided
    by the caller.
    """
    kind = _KEY_TYPES[str(jwk["kty"])]
    names = ("kty", *kind.value_registry)
    # Values of another type are refused by joserfc.
    members = cast(DictKey, {name: jwk[name] for name in names if name in jwk})
    try:
        return kind.import_key(members).raw_value
    except (JoseError, ValueError, TypeError, KeyError, UnsupportedAlgorithm):
        raise KeyRefused("unreadable", "the JWK cannot be read") from None


def _is_name(kid: str) -> bool:
    """Return whether a key's name can be stored and shown.

    >>> [_is_name(kid) for kid in ("key-1", "", "a\\u0000b", "\\ud800", "x" * 256)]
    [True, False, False, False, False]
    """
    return 0 < len(kid) <= 255 and kid.isprintable()


def _build_public(
    key: object, kid: object = None, algorithm: object = None, **validity: datetime
) -> PublicKey:
    if not isinstance(key, PublicMaterial):
        raise _refuse_kind()
    able = _get_algorithms(key)
    if algorithm is not None:
        able = tuple(name for name in able if name == algorithm)
    if not able:
        raise KeyRefused(
            "algorithm", "the key names an algorithm that it cannot be used with"
        )
    jose_key = _wrap(key)
    named = kid if isinstance(kid, str) and _is_name(kid) else None
    kid = named or jose_key.thumbprint()
    times = validity.get("valid_from"), validity.get("valid_to")
    return PublicKey(kid, able, _build_jwk(jose_key), key, *times)


def _refuse_kind() -> KeyRefused:
    return KeyRefused("kind", "only RSA, P-256 and Ed25519 keys are supported")


def _get_algorithms(key: PublicMaterial) -> tuple[str, ...]:
    """Return the algorithms of ``key``; raises KeyRefused for an unsupported kind."""
    if isinstance(key, rsa.RSAPublicKey):
        return _get_rsa_algorithms(key)
    if isinstance(key, ed25519.Ed25519PublicKey):
        return ("EdDSA",)
    if isinstance(key.curve, ec.SECP256R1):
        return ("ES256",)
    raise _refuse_kind()


def _get_rsa_algorithms(key: rsa.RSAPublicKey) -> tuple[str, ...]:
    # A huge key or exponent costs us time with every message (RFC 8725 3.5).
    exponent = key.public_numbers().e
    if key.key_size < MIN_RSA_BITS or exponent < 3:
        raise KeyRefused("weak", f"an RSA key needs at least {MIN_RSA_BITS} bits")
    if key.key_size > MAX_RSA_BITS or exponent.bit_length() > _MAX_RSA_EXPONENT_BITS:
        raise KeyRefused("weak", f"an RSA key may have at most {MAX_RSA_BITS} bits")
    return ("PS256", "RS256")


def _get_encryption(key: PrivateMaterial) -> tuple[str, ...]:
    return (ENCRYPTION_ALGORITHM,) if isinstance(key, rsa.RSAPrivateKey) else ()


# === JWK === #


def _wrap(key: PublicMaterial | PrivateMaterial) -> JoseKey:
    if isinstance(key, (rsa.RSAPublicKey, rsa.RSAPrivateKey)):
        return RSAKey(key, key)
    if isinstance(key, (ec.EllipticCurvePublicKey, ec.EllipticCurvePrivateKey)):
        return ECKey(key, key)
    return OKPKey(key, key)


def _build_jwk(public: JoseKey) -> dict[str, str]:
    """Return the members that define the key, without those that describe it."""
    return {name: str(value) for name, value in public.as_dict().items()}
