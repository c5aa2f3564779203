"""Tokens signed by a provider's published key with an allowed algorithm."""

from __future__ import annotations

import jwt
from jwt.types import Options

from ..jose.exceptions import (
    JwtRefused,
    KeySetUnavailable,
)
from ..jose.key_sets import KeySetCache
from ..jose.keys import ALGORITHMS, PublicKey
from ..jose.tokens import read_token_header
from .exceptions import IdTokenRefused, ProviderUnavailable
from .settings import ProviderSettings

#: Signature only: the required claims differ between ID token and userinfo.
SIGNATURE_ONLY: Options = {
    "verify_signature": True,
    "verify_aud": False,
    "verify_iss": False,
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
    "verify_sub": False,
    "verify_jti": False,
}


def read_signed(
    settings: ProviderSettings, token: str, key_sets: KeySetCache
) -> dict[str, object]:
    """Return the claims in ``token`` after verifying its signature only.

    The algorithm is one of those agreed with the provider, the key one that it
    publishes: keys in the token itself (jwk, jku, x5c) are ignored.

    Raises IdTokenRefused or ProviderUnavailable.
    """
    algorithm, kid = _read_header(settings, token)
    key = _find_key(settings, kid, algorithm, key_sets)
    try:
        return jwt.decode(
            token, key.key, algorithms=[algorithm], options=SIGNATURE_ONLY
        )
    except jwt.InvalidTokenError:
        raise IdTokenRefused("signature") from None


def _read_header(settings: ProviderSettings, token: str) -> tuple[str, str]:
    try:
        header = read_token_header(token)
    except JwtRefused:
        raise IdTokenRefused("malformed") from None
    algorithm, kid = header.get("alg"), header.get("kid", "")
    if algorithm not in settings.algorithms or algorithm not in ALGORITHMS:
        raise IdTokenRefused("alg")
    if "crit" in header:
        raise IdTokenRefused("crit")
    return algorithm, kid if isinstance(kid, str) else ""


def _find_key(
    settings: ProviderSettings, kid: str, algorithm: str, key_sets: KeySetCache
) -> PublicKey:
    try:
        key = key_sets.find(settings.jwks_uri, kid, algorithm)
    except KeySetUnavailable:
        raise ProviderUnavailable("jwks") from None
    if key is None:
        raise IdTokenRefused("kid")
    return key
