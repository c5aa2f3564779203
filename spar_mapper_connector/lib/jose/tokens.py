"""JWT (RFC 7519): signed by us for others, and by others for us (RFC 8725)."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import timedelta
from typing import Any

import jwt

from .exceptions import JwtRefused
from .keys import ALGORITHMS, PrivateKey, PublicKey

LEEWAY = timedelta(seconds=30)
MAX_TOKEN = 16 * 1024

#: ``(kid, algorithm) -> key``; raises KeySetUnavailable, or returns None for no key.
FindKey = Callable[[str, str], PublicKey | None]


def sign_token(claims: dict[str, object], key: PrivateKey, typ: str = "JWT") -> str:
    """Return a token with ``claims``.

    >>> ours = PrivateKey.generate("ES256")
    >>> token = sign_token({"iss": "a", "aud": "b"}, ours)
    >>> verify_token(token, lambda kid, alg: ours.public, issuer="a", audience="b")
    {'iss': 'a', 'aud': 'b'}
    """
    headers = {"kid": key.public.kid, "typ": typ}
    return jwt.encode(claims, key.key, algorithm=key.algorithm, headers=headers)


def read_token_header(token: str) -> dict[str, object]:
    """Return the unverified header of ``token``; raises JwtRefused."""
    if len(token) > MAX_TOKEN:
        raise JwtRefused("malformed", "the token is too long")
    try:
        return dict(jwt.get_unverified_header(token))
    except jwt.InvalidTokenError:
        raise JwtRefused("malformed", "this is not a token") from None


def verify_token(
    token: str,
    find_key: FindKey,
    *,
    issuer: str | Collection[str],
    audience: str | Collection[str],
    required: Collection[str] = (),
    algorithms: Collection[str] = ALGORITHMS,
    types: Collection[str] = (),
    leeway: timedelta = LEEWAY,
) -> dict[str, Any]:
    """Return the claims of ``token``; check signature, issuer, audience and time.

    ``required`` claims must be present; ``types`` are the permitted values of the
    header's ``typ`` (in lower case; empty for any). Raises JwtRefused.
    """
    header = read_token_header(token)
    algorithm = str(header.get("alg"))
    if algorithm not in algorithms or algorithm not in ALGORITHMS:
        raise JwtRefused("algorithm", "the token's algorithm is not allowed")
    if "crit" in header:
        raise JwtRefused("critical", "crit is not supported")
    if types and _get_type(header) not in types:
        raise JwtRefused("type", "this type of token is not accepted here")
    kid = header.get("kid", "")
    key = find_key(kid if isinstance(kid, str) else "", algorithm)
    if key is None or algorithm not in key.algorithms:
        raise JwtRefused("unknown_key", "the key is unknown")
    return _decode(token, key, algorithm, issuer, audience, required, leeway)


def _get_type(header: dict[str, object]) -> str:
    return str(header.get("typ", "")).lower().removeprefix("application/")


def _decode(
    token: str,
    key: PublicKey,
    algorithm: str,
    issuer: str | Collection[str],
    audience: str | Collection[str],
    required: Collection[str],
    leeway: timedelta,
) -> dict[str, Any]:
    try:
        return jwt.decode(
            token,
            key.key,
            algorithms=[algorithm],
            issuer=issuer,
            audience=audience,
            leeway=leeway,
            options={"require": ["iss", "aud", *required]},
        )
    except jwt.InvalidTokenError as error:
        code, text = next(
            reason for kind, reason in _REASONS.items() if isinstance(error, kind)
        )
        raise JwtRefused(code, text) from None


#: In this order: the last ones are bases of the others.
_REASONS: dict[type[Exception], tuple[str, str]] = {
    jwt.ExpiredSignatureError: ("expired", "the token has expired"),
    jwt.ImmatureSignatureError: ("not_yet", "the token is not valid yet"),
    jwt.InvalidIssuerError: ("issuer", "the token was issued by another issuer"),
    jwt.InvalidAudienceError: ("audience", "the token is for another audience"),
    jwt.MissingRequiredClaimError: ("claim", "the token has no such claim"),
    jwt.InvalidSignatureError: ("mismatch", "the token's signature is invalid"),
    jwt.DecodeError: ("malformed", "this is not a token"),
    jwt.InvalidTokenError: ("claim", "a claim of the token is invalid"),
}
