"""Key material, and every operation with it.

The keyring is a file outside the data directory and the database, the same on every
host. A :class:`Keyring` is that file; an :class:`OpenKeyring` is the file together with
the roles that the database assigns to its keys (which one seals now, which column is
searched).

Every purpose has a key of its own, derived by HKDF-SHA-256 (RFC 5869) from the file's
material. No bytes of a key outlive the reading of the file: an open keyring has only
cipher and HMAC objects, which use a key and never reveal it, since the value of any
attribute can be printed (``"{0.attribute}".format(…)``).

Sealing is AES-256-GCM with a random 96-bit nonce (NIST SP 800-38D 8.2.2);
a sealed value is ``version (1) | key id (4) | nonce (12) | ciphertext and tag``.
"""

from __future__ import annotations

import hmac
import json
import os
import secrets
import stat
from base64 import b64decode, b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC

from ..exceptions import KeyringExists, KeyringUnavailable, SealBroken

SEALED_VERSION = b"\x01"
KEY_ID_BYTES = 4
NONCE_BYTES = 12
#: Where the nonce begins in a sealed value, and where the ciphertext does.
_HEADER = len(SEALED_VERSION) + KEY_ID_BYTES
_TEXT = _HEADER + NONCE_BYTES

#: The uses of keys: sealing values, finding them, proving history, signing tokens.
KINDS = ("seal", "index", "audit", "token")


@dataclass(frozen=True)
class KeyringKey:
    """One secret of 256 bits; ``key_id`` is public and names it in ciphertexts."""

    key_id: str
    kind: str
    material: bytes = field(repr=False)

    @property
    def check_value(self) -> str:
        """Return the check value that the database keeps to recognise the key."""
        return hmac.digest(self.material, b"spar check value", "sha256").hex()

    def make_opaque(self) -> OpaqueKey:
        """Return an object that uses this key and does not reveal it."""
        # The first step of HKDF, extract: no salt means a salt of 32 zeros (RFC 5869
        # 2.2).
        extracted = hmac.digest(bytes(32), self.material, "sha256")
        return OpaqueKey(self.kind, HMAC(extracted, SHA256()))


class OpaqueKey:
    """A key whose bytes can no longer be read: it only makes ciphers and MACs."""

    def __init__(self, kind: str, extracted: HMAC):
        self.kind = kind
        self._extracted = extracted

    def _expand(self, purpose: str) -> bytes:
        """Return the 256-bit key of one purpose (HKDF's second step, RFC 5869 2.3)."""
        expanding = self._extracted.copy()
        expanding.update(f"spar/{self.kind}/{purpose}".encode() + b"\x01")
        return expanding.finalize()

    def make_cipher(self, purpose: str) -> AESGCM:
        """Return the cipher of one purpose."""
        return AESGCM(self._expand(purpose))

    def make_mac(self, purpose: str) -> HMAC:
        """Return the HMAC-SHA-256 of one purpose, to be copied for each message."""
        return HMAC(self._expand(purpose), SHA256())


def make_key(kind: str) -> KeyringKey:
    """Return a new random key of ``kind``."""
    return KeyringKey(
        secrets.token_bytes(KEY_ID_BYTES).hex(), kind, secrets.token_bytes(32)
    )


class Keyring:
    """The keys of one file, by id."""

    def __init__(self, keys: list[KeyringKey]):
        self.keys = {key.key_id: key for key in keys}

    def of_kind(self, kind: str) -> list[KeyringKey]:
        """Return the keys of ``kind``, oldest first."""
        return [key for key in self.keys.values() if key.kind == kind]

    def add(self, key: KeyringKey) -> Keyring:
        """Return a keyring with one more key."""
        return Keyring([*self.keys.values(), key])


def read_file(path: Path) -> Keyring:
    """Return the keyring in ``path``.

    Raises KeyringUnavailable when it is missing, unreadable, open to other users or not
    a keyring.
    """
    try:
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise KeyringUnavailable(
                "the keyring can be read by other users (chmod 600)"
            )
        document = json.loads(path.read_bytes())
        return Keyring(
            [
                KeyringKey(k["id"], k["kind"], b64decode(k["material"]))
                for k in document["keys"]
            ]
        )
    except OSError as error:
        raise KeyringUnavailable(
            f"the keyring cannot be read: {error.strerror}"
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise KeyringUnavailable("the keyring file is damaged") from error


def write_file(path: Path, keyring: Keyring, replace: bool = False) -> None:
    """Write ``keyring`` to ``path`` with mode 0600, whole or not at all.

    Raises KeyringExists when there is a file and ``replace`` is not set.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        _write_draft(draft, keyring)
        # A link, unlike a rename, fails if another process has written its keys
        # meanwhile.
        (os.replace if replace else os.link)(draft, path)
    except FileExistsError as error:
        raise KeyringExists("the keyring file exists already") from error
    finally:
        draft.unlink(missing_ok=True)


def _write_draft(path: Path, keyring: Keyring) -> None:
    keys = [
        {"id": k.key_id, "kind": k.kind, "material": b64encode(k.material).decode()}
        for k in keyring.keys.values()
    ]
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        json.dump({"spar_keyring": 1, "keys": keys}, file, indent=1)
        file.flush()
        os.fsync(file.fileno())


def bind(*parts: str | int) -> bytes:
    """Return a length-prefixed concatenation: different lists give different bytes.

    >>> bind("ab", "c") == bind("a", "bc")
    False
    >>> bind("a", 12)
    b'1:a2:12'
    """
    bound = []
    for part in parts:
        text = part if part.__class__ is str else str(part)
        bound.append(f"{len(text)}:{text}")
    return "".join(bound).encode()


@dataclass(frozen=True)
class KeyRoles:
    """The roles that the database assigns to its keys.

    ``index_keys`` gives the key id of each digest column that is written (``a``,
    ``b``); ``read_column`` is the one that is searched.
    """

    seal_key: str
    index_keys: dict[str, str]
    read_column: str
    audit_key: str
    token_key: str


class OpenKeyring:
    """Sealing, blind index, audit MACs: every operation with keys, and nothing else."""

    def __init__(self, keyring: Keyring, roles: KeyRoles):
        self._keys = {key_id: key.make_opaque() for key_id, key in keyring.keys.items()}
        self.roles = roles
        self._ciphers: dict[tuple[bytes, str], AESGCM] = {}
        self._ready: dict[tuple[str, str], HMAC] = {}
        self._audit: dict[str, HMAC] = {}
        self._seal_id = bytes.fromhex(roles.seal_key)

    # sealing

    def _cipher(self, key_id: bytes, purpose: str) -> AESGCM:
        cipher = self._ciphers.get((key_id, purpose))
        if cipher is None:
            key = self._keys.get(key_id.hex())
            if key is None or key.kind != "seal":
                raise SealBroken("sealed with a key that is not in the keyring")
            cipher = self._ciphers[key_id, purpose] = key.make_cipher(purpose)
        return cipher

    def seal(self, purpose: str, text: str, context: bytes) -> bytes:
        """Return ``text`` sealed for ``purpose``; it opens only in its ``context``."""
        nonce = os.urandom(NONCE_BYTES)
        cipher = self._cipher(self._seal_id, purpose)
        sealed = cipher.encrypt(nonce, text.encode(), context)
        return b"".join((SEALED_VERSION, self._seal_id, nonce, sealed))

    def seal_all(
        self, purpose: str, values: Sequence[tuple[str, bytes]]
    ) -> list[bytes]:
        """Return each text sealed in its context; their nonces are drawn at once."""
        cipher = self._cipher(self._seal_id, purpose)
        header = SEALED_VERSION + self._seal_id
        drawn = os.urandom(NONCE_BYTES * len(values))
        places = range(0, len(drawn), NONCE_BYTES)
        nonces = [drawn[place : place + NONCE_BYTES] for place in places]
        return [
            b"".join((header, nonce, cipher.encrypt(nonce, text.encode(), context)))
            for nonce, (text, context) in zip(nonces, values, strict=True)
        ]

    def unseal(self, purpose: str, sealed: bytes, context: bytes) -> str:
        """Return the text in ``sealed``; raises SealBroken if moved or altered."""
        if not sealed.startswith(SEALED_VERSION):
            raise SealBroken("not a sealed value")
        key_id = sealed[1:_HEADER]
        cipher = self._ciphers.get((key_id, purpose)) or self._cipher(key_id, purpose)
        try:
            nonce, text = sealed[_HEADER:_TEXT], sealed[_TEXT:]
            return cipher.decrypt(nonce, text, context).decode()
        except (InvalidTag, ValueError) as error:
            raise SealBroken("the sealed value was moved or altered") from error

    # blind index

    def digest(self, purpose: str, text: str) -> bytes:
        """Return the digest to search for: HMAC-SHA-256 under the index key."""
        return self._digest(self.roles.read_column, purpose, text)

    def digests(self, purpose: str, text: str) -> dict[str, bytes]:
        """Return the digest for each column that is written."""
        message = text.encode()
        return {
            column: self._mac(key_id, purpose, message)
            for column, key_id in self.roles.index_keys.items()
        }

    def digests_all(self, purpose: str, texts: Sequence[str]) -> dict[str, list[bytes]]:
        """Return the digest of each text for each column that is written."""
        return {
            column: list(map(self._digester(column, purpose), texts))
            for column in self.roles.index_keys
        }

    def digester(self, purpose: str) -> Callable[[str], bytes]:
        """Return ``digest`` for many texts of one purpose: a function of the text."""
        return self._digester(self.roles.read_column, purpose)

    def _digester(self, column: str, purpose: str) -> Callable[[str], bytes]:
        key_id = self.roles.index_keys[column]
        ready = self._ready.get((key_id, purpose)) or self._prepare(key_id, purpose)
        return partial(_compute, ready)

    def _digest(self, column: str, purpose: str, text: str) -> bytes:
        return self._mac(self.roles.index_keys[column], purpose, text.encode())

    # history

    def mac(self, purpose: str, message: bytes) -> bytes:
        """Return the HMAC-SHA-256 of ``message`` under the audit key."""
        # As _mac(), but without a call more: this runs for each item of a batch.
        ready = self._audit.get(purpose)
        if ready is None:
            ready = self._prepare(self.roles.audit_key, purpose)
            self._audit[purpose] = ready
        mac = ready.copy()
        mac.update(message)
        return mac.finalize()

    # tokens and secrets of callers

    def token_mac(self, message: bytes) -> bytes:
        """Return the MAC of an access token's signed part (HS256, RFC 7518 3.2)."""
        return self._mac(self.roles.token_key, "access token", message)

    def secret_digest(self, owner: str, secret: str) -> bytes:
        """Return the stored digest of a caller's secret.

        It is an HMAC-SHA-256 under the token key and includes the owner, so that it is
        valid for no other caller.
        """
        message = bind(owner, secret)
        return self._mac(self.roles.token_key, "secret of a client", message)

    def is_secret(self, owner: str, secret: str, kept: bytes) -> bool:
        """Return whether ``kept`` is the digest of the owner's secret.

        Legacy digests are of the secret alone. Both are computed each time, so that an
        unknown caller takes as long.
        """
        alone = self._mac(self.roles.token_key, "client secret", secret.encode())
        bound = self.secret_digest(owner, secret)
        return hmac.compare_digest(bound, kept) | hmac.compare_digest(alone, kept)

    def link_digest(self, token: str) -> bytes:
        """Return the digest of a one-time link: HMAC-SHA-256 under the token key."""
        return self._mac(self.roles.token_key, "one-time link", token.encode())

    def _mac(self, key_id: str, purpose: str, message: bytes) -> bytes:
        """Return the HMAC-SHA-256 under the key of one purpose.

        The key is set up once: for a short message that costs more than the rest.
        """
        ready = self._ready.get((key_id, purpose)) or self._prepare(key_id, purpose)
        mac = ready.copy()
        mac.update(message)
        return mac.finalize()

    def _prepare(self, key_id: str, purpose: str) -> HMAC:
        """Make the HMAC of a purpose once: deriving it costs more than using it."""
        ready = self._ready[key_id, purpose] = self._keys[key_id].make_mac(purpose)
        return ready


def _compute(ready: HMAC, text: str) -> bytes:
    mac = ready.copy()
    mac.update(text.encode())
    return mac.finalize()
