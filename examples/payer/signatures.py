"""Keys and detached signatures (RFC 7515, appendix F) of messages and answers."""

import json
import uuid
from base64 import urlsafe_b64decode, urlsafe_b64encode

from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm, get_default_algorithms
from jwt.api_jwk import PyJWK
from jwt.exceptions import PyJWTError

#: Those with a private and a public key.
_ALGORITHMS = {
    name: algorithm
    for name, algorithm in get_default_algorithms().items()
    if name.startswith(("ES", "PS", "RS", "EdDSA"))
}


def canonicalise(document: object) -> bytes:
    """Return the bytes to sign of a document: sorted members, no white space, UTF-8.

    >>> canonicalise({"b": 1, "a": "é"}).decode()
    '{"a":"é","b":1}'
    """
    return json.dumps(
        document, sort_keys=True, separators=(",", ":"), ensure_ascii=False
    ).encode()


def encode(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def get_signed_members(message: dict) -> dict:
    """Return the members of a message that its own signature covers."""
    return {name: message[name] for name in ("header", "message") if name in message}


# === SIGNING === #


class SigningKey:
    """A private key (JWK), parsed once, because parsing takes longer than signing."""

    def __init__(self, jwk: dict):
        """Parse the key.

        :raises ValueError: when the JWK is not a private key
        """
        if str(jwk.get("alg")) not in _ALGORITHMS or "d" not in jwk:
            raise ValueError("not a private key (JWK) of a supported algorithm")
        self.kid, self.algorithm = jwk.get("kid", ""), jwk["alg"]
        try:
            self._key = PyJWK(jwk, algorithm=self.algorithm).key
        except (PyJWTError, TypeError) as error:
            raise ValueError(f"not a private key (JWK): {error}") from error

    def sign(self, payload: bytes, **header: object) -> str:
        """Return the detached signature of ``payload``.

        :param header: further members of the protected header, or replacements
        """
        protected = {"alg": self.algorithm, "kid": self.kid, **header}
        first = encode(canonicalise(protected))
        signed = f"{first}.{encode(payload)}".encode()
        return f"{first}..{encode(_ALGORITHMS[self.algorithm].sign(signed, self._key))}"

    def sign_message(self, message: dict) -> dict:
        """Return ``message`` with its signature (jws_envelope).

        It covers the header and the message.
        """
        payload = canonicalise(get_signed_members(message))
        return {**message, "signature": self.sign(payload)}


def make_jwk() -> dict:
    """Return a new private key."""
    made = ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP256R1()), as_dict=True)
    jwk = {name: made[name] for name in ("kty", "crv", "x", "y", "d")}
    return {**jwk, "alg": "ES256", "kid": f"key-{uuid.uuid4().hex[:8]}"}


def get_public_jwk(jwk: dict) -> dict:
    """Return the public key of a private one."""
    return {name: value for name, value in jwk.items() if name != "d"}


# === VERIFYING === #


def verify(payload: bytes, signature: str, keys: list[dict]) -> bool:
    """Return whether ``signature`` of ``payload`` was made with one of ``keys``."""
    first, _nothing, last = signature.split(".")
    header = json.loads(decode(first))
    jwk = next((jwk for jwk in keys if jwk["kid"] == header["kid"]), None)
    if jwk is None or header["alg"] != jwk["alg"]:
        return False
    key = PyJWK(jwk).key
    signed = f"{first}.{encode(payload)}".encode()
    return _ALGORITHMS[header["alg"]].verify(signed, key, decode(last))


def verify_answer(answer: dict, keys: list[dict]) -> bool:
    """Return whether an answer's own signature is valid."""
    return verify(canonicalise(get_signed_members(answer)), answer["signature"], keys)
