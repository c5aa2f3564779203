"""A client's signed assertion of who it is (private_key_jwt: RFC 7523 3)."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Collection
from dataclasses import dataclass

import jwt

from odoo.addons.spar_mapper_connector.lib.jose.exceptions import JwtRefused
from odoo.addons.spar_mapper_connector.lib.jose.tokens import FindKey, verify_token

from ..exceptions import InvalidClient
from .tokens import is_name

#: Maximum lifetime of an assertion in seconds, for which its jti is kept.
MAX_LIFE = 600
MAX_ID = 255


@dataclass(frozen=True)
class Assertion:
    """A verified assertion; its ID may be used once until it expires."""

    id_digest: str
    expires_at: int


def read_assertion_client(assertion: str) -> str:
    """Return the client that ``assertion`` names, without verifying it.

    Raises InvalidClient.
    """
    try:
        claims = jwt.decode(assertion, options={"verify_signature": False})
    except jwt.InvalidTokenError:
        raise InvalidClient() from None
    subject = claims.get("sub")
    if not is_name(subject):
        raise InvalidClient()
    return subject


def verify_assertion(
    text: str, client_id: str, audiences: Collection[str], find_key: FindKey
) -> Assertion:
    """Return the assertion in ``text``, verified with a key of the client.

    Its issuer and subject are the client; it is for one of ``audiences``, expires
    within ``MAX_LIFE`` and has an ID. Raises InvalidClient.
    """
    try:
        claims = verify_token(
            text,
            find_key,
            issuer=client_id,
            audience=audiences,
            required=("sub", "exp", "jti"),
        )
    except JwtRefused:
        raise InvalidClient() from None
    jti, expires_at = claims["jti"], int(claims["exp"])
    fits = is_name(jti) and len(jti) <= MAX_ID
    if claims["sub"] != client_id or not fits or expires_at > time.time() + MAX_LIFE:
        raise InvalidClient()
    return Assertion(hashlib.sha256(jti.encode()).hexdigest(), expires_at)
