"""Access tokens: short-lived, signed with a key that only the server has.

A token says who, nothing of what one may do, but for a narrower scope that its holder
asked for: rights are read anew on each call.
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

from odoo.addons.spar_mapper_connector.lib.contract import Operation

from ..exceptions import ExpiredToken, InvalidScope, InvalidToken, MissingToken

ISSUER = "spar"
LIFETIME = timedelta(minutes=5)
MAX_LENGTH = 4096
MAX_FOREIGN_LENGTH = 16 * 1024

_ALGORITHM = "HS256"
_TYPE = "at+jwt"
#: How the claims of a token are verified whose signature was.
_OPTIONS: Any = {
    "verify_signature": False,
    "verify_exp": True,
    "verify_nbf": True,
    "verify_aud": True,
    "verify_iss": True,
    "verify_sub": True,
    "verify_jti": True,
    # Hosts' clocks differ a little; exp alone bounds the token.
    "verify_iat": False,
    "require": ["iss", "aud", "sub", "iat", "exp", "jti"],
}


@dataclass(frozen=True)
class Claims:
    """What a token says; ``scope`` is "" where it was not narrowed.

    A token of another issuer names its scope, or is for nothing.
    """

    client_id: str
    scope: str = ""
    names_scope: bool = False
    #: when it ends, in seconds since 1970; known of what was read
    expires: float = 0

    def check_time(self, now: float) -> None:
        """Raise ExpiredToken where the token has ended at ``now``."""
        if self.expires <= now:
            raise ExpiredToken()

    def narrow(self, operations: frozenset[Operation]) -> frozenset[Operation]:
        """Those of ``operations`` that the token is for."""
        if not self.scope and not self.names_scope:
            return operations
        return read_scope(self.scope, operations)


#: Returns HMAC-SHA-256 of a message, under a key that it keeps to itself.
Mac = Callable[[bytes], bytes]


class _ShutHmac(Algorithm):
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
_SIGNATURES.register_algorithm(_ALGORITHM, _ShutHmac())


def issue(mac: Mac, audience: str, claims: Claims, now: datetime) -> str:
    """A token for ``claims``, signed by ``mac``, good at ``audience`` for LIFETIME.

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
    # PyJWT names only its own kinds of keys, and passes on what it is given.
    key: Any = mac
    return _SIGNATURES.encode(text, key, algorithm=_ALGORITHM, headers={"typ": _TYPE})


def read(mac: Mac, audience: str, token: str) -> Claims:
    """What ``token`` says; raises ExpiredToken or InvalidToken.

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


# === OF OTHER ISSUERS === #


@dataclass(frozen=True)
class Names:
    """Who a token says it is from and for, "" for nobody: nothing of it is proved."""

    is_ours: bool
    issuer: str
    client_id: str


@lru_cache(maxsize=1024)
def read_names(token: str) -> Names:
    """Whom ``token`` names; raises InvalidToken for what is no token."""
    read = _read_unverified(token)
    is_ours, payload = read["header"].get("alg") == _ALGORITHM, read["payload"]
    client = payload.get("client_id") or payload.get("azp")
    if is_ours:
        client = payload.get("sub")
    names = (payload.get("iss"), client)
    return Names(is_ours, *(name if is_name(name) else "" for name in names))


def is_name(value: object) -> TypeGuard[str]:
    r"""Whether a claim can be somebody's name: what is looked for in the database is
    neither NUL nor half of a surrogate pair.

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
    """What the verified ``payload`` of another issuer's token says.

    Raises InvalidToken for what is no access token (RFC 8725 3.11; Keycloak says in
    ``typ`` what its tokens are for), or names no client.

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
    """The token in an Authorization header (RFC 6750 2.1); raises MissingToken.

    >>> read_bearer("bearer abc")
    'abc'
    """
    scheme, _space, token = (header or "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise MissingToken()
    return token.strip()


# === SCOPES === #


def build_scope(operations: frozenset[Operation]) -> str:
    """The scope that stands for ``operations``.

    >>> build_scope(frozenset({Operation.RESOLVE, Operation.LINK}))
    'mapper.link mapper.resolve'
    """
    return " ".join(sorted(f"mapper.{operation.value}" for operation in operations))


def read_scope(scope: str, operations: frozenset[Operation]) -> frozenset[Operation]:
    """Those of ``operations`` that ``scope`` names, with dots or slashes (A42).

    >>> read_scope("mapper/link openid", frozenset({Operation.LINK}))
    frozenset({<Operation.LINK: 'link'>})
    """
    names = {name.replace("/", ".") for name in scope.split()}
    return frozenset(o for o in operations if f"mapper.{o.value}" in names)


def grant_scope(asked: str, operations: frozenset[Operation]) -> str:
    """The scope of a new token, "" for everything; raises InvalidScope for nothing."""
    if not asked:
        return ""
    granted = read_scope(asked, operations)
    if not granted:
        raise InvalidScope()
    return build_scope(granted)
