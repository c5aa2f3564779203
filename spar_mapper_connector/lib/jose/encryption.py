"""The decryption of messages for us: JWE, compact (RFC 7516)."""

from __future__ import annotations

import json

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256

from .exceptions import DecryptionFailed
from .keys import ENCRYPTION_ALGORITHM, PrivateKey, decode_base64url

MAX_MESSAGE = 256 * 1024

#: ``enc`` -> length of the content's key in bytes.
_CONTENT_KEYS = {"A128GCM": 16, "A256GCM": 32}
_OAEP = OAEP(MGF1(SHA256()), SHA256(), None)
_NONCE_BYTES, _TAG_BYTES = 12, 16


def read_encryption_header(text: str) -> dict[str, object]:
    """Return the header of the JWE in ``text``, which names the key (``kid``)."""
    parts = text.split(".")
    if len(parts) != 5 or len(text) > MAX_MESSAGE:
        raise DecryptionFailed("malformed", "this is no JWE in the compact form")
    try:
        header = json.loads(decode_base64url(parts[0]))
    except (ValueError, RecursionError):
        raise DecryptionFailed("malformed", "the JWE's header is not JSON") from None
    if not isinstance(header, dict):
        raise DecryptionFailed("malformed", "the JWE's header is no object")
    return header


def decrypt(text: str, key: PrivateKey) -> bytes:
    """Return the content of the JWE in ``text``, which was encrypted for ``key``.

    Accepts only RSA-OAEP-256 with A128GCM or A256GCM. Raises DecryptionFailed, with the
    same text for every mismatch.
    """
    header, ours = read_encryption_header(text), key.key
    is_alike = header.get("alg") == key.algorithm == ENCRYPTION_ALGORITHM
    if not is_alike or not isinstance(ours, RSAPrivateKey):
        raise DecryptionFailed("algorithm", f"alg: must be {ENCRYPTION_ALGORITHM}")
    size = _CONTENT_KEYS.get(str(header.get("enc")))
    if size is None or {"zip", "crit"} & set(header):
        raise DecryptionFailed("algorithm", "enc: must be A128GCM or A256GCM")
    try:
        encoded = text.split(".")
        wrapped, nonce, sealed, tag = map(decode_base64url, encoded[1:])
        if len(nonce) != _NONCE_BYTES or len(tag) != _TAG_BYTES:
            raise ValueError("not of GCM")
        content_key = ours.decrypt(wrapped, _OAEP)
        if len(content_key) != size:
            raise ValueError("not a key of this size")
        return AESGCM(content_key).decrypt(nonce, sealed + tag, encoded[0].encode())
    except (ValueError, InvalidTag):
        raise DecryptionFailed("mismatch", "the JWE does not open") from None
