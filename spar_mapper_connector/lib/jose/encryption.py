"""The decryption of messages for us: JWE, compact (RFC 7516)."""

from __future__ import annotations

import json

from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from .exceptions import DecryptionFailed
from .keys import ENCRYPTION_ALGORITHM, PrivateKey, decode_base64url

MAX_MESSAGE = 256 * 1024

#: The only algorithms for the content (``enc``).
_CONTENT_ALGORITHMS = ("A128GCM", "A256GCM")


class _EncryptionRegistry(jwe.JWERegistry):
    """What joserfc accepts: our algorithms, any member of the header, our one limit."""

    max_protected_header_length = MAX_MESSAGE
    max_encrypted_key_length = MAX_MESSAGE
    max_ciphertext_length = MAX_MESSAGE


_REGISTRY = _EncryptionRegistry(
    algorithms=[ENCRYPTION_ALGORITHM, *_CONTENT_ALGORITHMS], strict_check_header=False
)


def read_encryption_header(text: str) -> dict[str, object]:
    """Return the header of the JWE in ``text``, which names the key (``kid``)."""
    parts = text.split(".")
    if len(parts) != 5 or len(text) > MAX_MESSAGE:
        raise DecryptionFailed("malformed", "this is not a JWE in compact form")
    try:
        header = json.loads(decode_base64url(parts[0]))
    except (ValueError, RecursionError):
        raise DecryptionFailed("malformed", "the JWE's header is not JSON") from None
    if not isinstance(header, dict):
        raise DecryptionFailed("malformed", "the JWE's header is not an object")
    return header


def decrypt(text: str, key: PrivateKey) -> bytes:
    """Return the content of the JWE in ``text``, which was encrypted for ``key``.

    Accepts only RSA-OAEP-256 with A128GCM or A256GCM. Raises DecryptionFailed, with the
    same text for every mismatch.
    """
    header, ours = read_encryption_header(text), key.jose_key
    is_alike = header.get("alg") == key.algorithm == ENCRYPTION_ALGORITHM
    if not is_alike or not isinstance(ours, RSAKey):
        raise DecryptionFailed("algorithm", f"alg: must be {ENCRYPTION_ALGORITHM}")
    # Compressed content could be small and open large.
    is_plain = not {"zip", "crit"} & set(header)
    if header.get("enc") not in _CONTENT_ALGORITHMS or not is_plain:
        raise DecryptionFailed("algorithm", "enc: must be A128GCM or A256GCM")
    try:
        content = jwe.decrypt_compact(text, ours, registry=_REGISTRY).plaintext
    except (JoseError, ValueError):
        content = None
    if content is None:
        raise DecryptionFailed("mismatch", "the JWE cannot be decrypted")
    return content
