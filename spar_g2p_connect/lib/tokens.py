"""Access tokens: short-lived, signed with a key that only the server has.

A token says who its holder is, but nothing of what the holder may do, apart from a
narrower scope that it requested: rights are read anew on each call.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, TypeGuard, cast
from uuid import uuid4

import jwt
from jwt.algorithms import Algorithm

from odoo.addons.spar_mapper_connector.lib.contract import Capability, Operation

from ..exceptions import ExpiredToken, InvalidScope, InvalidToken, MissingToken

ISSUER = "spar"
LIFETIME = timedelta(minutes=5)
MAX_LENGTH = 4096
MAX_FOREIGN_LENGTH = 16 * 1024

_ALGORITHM = "HS256"
_TYPE = "at+jwt"
#: How the claims of a token are verified after its signature.
_OPTIONS: Any = {
    "verify_signature": False,
    "verify_exp": True,
    "verify_nbf": True,
    "verify_aud": True,
    "verify_iss": True,
    "verify_sub": True,
    "verify_jti": True,
    # Clocks of hosts differ a little; exp alone limits the token.
    "verify_iat": False,
    "require": ["iss", "aud", "sub", "iat", "exp", "jti"],
}


@dataclass(frozen=True)
class Claims:
    """The claims of a token; ``scope`` is "" where it was not narrowed.

    A token of another issuer names its scope, or grants nothing.
    """

    client_id: str
    scope: str = ""
    names_scope: bool = False
    #: when it expires, in seconds since 1970; set for tokens that were read
    expires: float = 0

    def check_time(self, now: float) -> None:
        """Raise ExpiredToken where the token has expired at ``now``."""
        if self.expires <= now:
            raise ExpiredToken()

    def narrow(self, operations: frozenset[Operation]) -> frozenset[Operation]:
        """Return those of ``operations`` that the token is for."""
        if not self.scope and not self.names_scope:
            return operations
        return read_scope(self.scope, operations)

    def narrow_extension(
        self, extension: frozenset[Capability]
    ) -> frozenset[Capability]:
        """Return those of the rights of another SPAR that the token is for."""
        if not self.scope and not self.names_scope:
            return extension
        return read_extension_scope(self.scope, extension)


#: Returns the HMAC-SHA-256 of a message under a key that it does not disclose.
Mac = Callable[[bytes], bytes]


class _FunctionHmac(Algorithm):
    """HS256 (RFC 7518 3.2) with a function in place of a key's bytes."""

    def prepare_key(self, key: Mac) -> Mac:
        return key

    def sign(self, msg: bytes, key: Mac) -> bytes:
        return key(msg)

    def verify(self, msg: bytes, key: Mac, sig: bytes) -> bool:
        return hmac.compare_digest(key(msg), sig)

    @staticmethod
    def to_jwk(key_obj: Mac, as_dict: bool = False) -> Any:
        raise NotImplementedError()

    @staticmethod
    def from_jwk(jwk: Any) -> Any:
        raise NotImplementedError()


_SIGNATURES = jwt.PyJWS(algorithms=[])
_SIGNATURES.register_algorithm(_ALGORITHM, _FunctionHmac())


def issue(mac: Mac, audience: str, claims: Claims, now: datetime) -> str:
    """Return a token for ``claims``, signed by ``mac``.

    It is valid at ``audience`` for ``LIFETIME``.

    >>> from datetime import timezone
    >>> now = datetime.now(timezone.utc)
    >>> def mac(message):
    ...     return hmac.digest(bytes(32), message, "sha256")
    >>> read(mac, "db", issue(mac, "db", Claims("client"), now)).client_id
    'client'
    """
    payload = {
        "iss": ISSUER,
        "aud": audience,
        "sub": claims.client_id,
        "iat": int(now.timestamp()),
        "exp": int((now + LIFETIME).timestamp()),
        "jti": str(uuid4()),
    }
    if claims.scope:
        payload["scope"] = claims.scope
    text = json.dumps(payload, separators=(",", ":")).encode()
    # PyJWT's types name only its own kinds of keys, but it passes any object on.
    key: Any = mac
    return _SIGNATURES.encode(text, key, algorithm=_ALGORITHM, headers={"typ": _TYPE})


def read(mac: Mac, audience: str, token: str) -> Claims:
    """Return the claims of ``token``; raises ExpiredToken or InvalidToken.

    >>> from datetime import timezone
    >>> now = datetime.now(timezone.utc)
    >>> def mac(message):
    ...     return hmac.digest(bytes(32), message, "sha256")
    >>> token = issue(mac, "db", Claims("client"), now - timedelta(minutes=6))
    >>> read(mac, "db", token)
    Traceback (most recent call last):
    ...
    odoo.addons.spar_g2p_connect.exceptions.ExpiredToken: \
401 Unauthorized: the token has expired
    """
    try:
        text, key = token[:MAX_LENGTH], cast(Any, mac)
        _SIGNATURES.decode(text, key, algorithms=[_ALGORITHM])
        payload = jwt.decode(text, audience=audience, issuer=ISSUER, options=_OPTIONS)
    except jwt.ExpiredSignatureError:
        raise ExpiredToken() from None
    except jwt.InvalidTokenError:
        raise InvalidToken() from None
    return Claims(payload["sub"], payload.get("scope", ""), expires=payload["exp"])


# === TOKENS OF OTHER ISSUERS === #


@dataclass(frozen=True)
class TokenNames:
    """The issuer and client that a token names, "" for none; nothing is verified."""

    is_ours: bool
    issuer: str
    client_id: str


@lru_cache(maxsize=1024)
def read_names(token: str) -> TokenNames:
    """Return the names in ``token``; raises InvalidToken for what is not a token."""
    read = _read_unverified(token)
    is_ours, payload = read["header"].get("alg") == _ALGORITHM, read["payload"]
    client = payload.get("client_id") or payload.get("azp")
    if is_ours:
        client = payload.get("sub")
    names = (payload.get("iss"), client)
    return TokenNames(is_ours, *(name if is_name(name) else "" for name in names))


def is_name(value: object) -> TypeGuard[str]:
    r"""Return whether a claim can be a name that is looked up in the database.

    Such a text contains neither NUL nor half of a surrogate pair.

    >>> is_name("payer"), is_name("a\x00"), is_name("\ud800"), is_name(""), is_name(7)
    (True, False, False, False, False)
    """
    return isinstance(value, str) and bool(value) and value.isprintable()


def _read_unverified(token: str) -> dict[str, Any]:
    if len(token) > MAX_FOREIGN_LENGTH:
        raise InvalidToken()
    try:
        return jwt.decode_complete(token, options={"verify_signature": False})
    except jwt.InvalidTokenError:
        raise InvalidToken() from None


def check_access_token(payload: dict[str, object]) -> Claims:
    """Return the claims in the verified ``payload`` of another issuer's token.

    Raises InvalidToken for what is not an access token (RFC 8725 3.11; Keycloak states
    in ``typ`` what its tokens are for), or names no client.

    >>> check_access_token({"azp": "payer", "scope": "mapper.link"}).client_id
    'payer'
    """
    if payload.get("typ", "Bearer") != "Bearer":
        raise InvalidToken()
    client = payload.get("client_id") or payload.get("azp")
    scope = payload.get("scope", "")
    if not (is_name(client) and isinstance(scope, str)):
        raise InvalidToken()
    return Claims(client, scope, names_scope=True)


def read_bearer(header: str | None) -> str:
    """Return the token in an Authorization header (RFC 6750 2.1).

    Raises MissingToken.

    >>> read_bearer("bearer abc")
    'abc'
    """
    scheme, _space, token = (header or "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise MissingToken()
    return token.strip()


# === SCOPES === #


def build_scope(
    operations: frozenset[Operation], extension: frozenset[Capability] = frozenset()
) -> str:
    """Return the scope that stands for ``operations`` and ``extension``.

    >>> build_scope(frozenset({Operation.RESOLVE, Operation.LINK}))
    'mapper.link mapper.resolve'
    >>> build_scope(frozenset(), frozenset({Capability.HISTORY}))
    'spar.history'
    """
    words = {f"mapper.{operation.value}" for operation in operations}
    return " ".join(sorted(words | {f"spar.{each.value}" for each in extension}))


def read_scope(scope: str, operations: frozenset[Operation]) -> frozenset[Operation]:
    """Return those of ``operations`` that ``scope`` names, by dots or slashes (A42).

    >>> read_scope("mapper/link openid", frozenset({Operation.LINK}))
    frozenset({<Operation.LINK: 'link'>})
    """
    names = _get_names(scope)
    return frozenset(o for o in operations if f"mapper.{o.value}" in names)


def read_extension_scope(
    scope: str, extension: frozenset[Capability]
) -> frozenset[Capability]:
    """Return those of the rights of another SPAR that ``scope`` names.

    >>> both = frozenset({Capability.HISTORY, Capability.SUSPEND})
    >>> read_extension_scope("mapper.link spar.history", both)
    frozenset({<Capability.HISTORY: 'history'>})
    """
    names = _get_names(scope)
    return frozenset(each for each in extension if f"spar.{each.value}" in names)


def _get_names(scope: str) -> set[str]:
    return {name.replace("/", ".") for name in scope.split()}


def grant_scope(
    requested: str,
    operations: frozenset[Operation],
    extension: frozenset[Capability] = frozenset(),
) -> str:
    """Return the scope of a new token, "" for everything.

    Raises InvalidScope where none of ``requested`` can be granted.
    """
    if not requested:
        return ""
    granted = read_scope(requested, operations)
    granted_extension = read_extension_scope(requested, extension)
    if not (granted or granted_extension):
        raise InvalidScope()
    return build_scope(granted, granted_extension)
