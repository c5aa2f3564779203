"""The checks of an ID token after its signature: OpenID Core 3.1.3.7."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeGuard

from .authorization import LoginAttempt
from .exceptions import IdTokenRefused, NotFresh, NotStrongEnough
from .settings import ProviderSettings

#: How far the provider's clock and ours may differ, in seconds.
LEEWAY = 10
MAX_SUBJECT = 255


@dataclass(frozen=True)
class ExpectedClaims:
    """The values that an ID token is compared with; ``now`` is in seconds."""

    settings: ProviderSettings
    attempt: LoginAttempt
    access_token: str
    now: int


def check_id_token(claims: dict[str, object], expected: ExpectedClaims) -> None:
    """Raise a leaf of LoginRefused unless ``claims`` belong to this login."""
    for reason, holds in _CHECKS.items():
        if not holds(claims, expected):
            raise IdTokenRefused(reason)
    check_acr(claims, expected.settings)
    if expected.attempt.fresh:
        check_fresh(claims, expected)


def check_acr(claims: dict[str, object], settings: ProviderSettings) -> None:
    """Raise NotStrongEnough unless one of the ways used is accepted.

    eSignet returns all of them, separated by spaces.
    """
    accepted, acr = settings.accepted_acrs, claims.get("acr")
    used = acr.split() if isinstance(acr, str) else ()
    if accepted and not accepted.intersection(used):
        raise NotStrongEnough("acr")


def check_fresh(claims: dict[str, object], expected: ExpectedClaims) -> None:
    """Raise NotFresh unless the person authenticated after the attempt began.

    There is no leeway at the start: an authentication a moment earlier was for
    something else.
    """
    auth_time = claims.get("auth_time")
    if not is_time(auth_time):
        raise NotFresh("auth_time")
    if not expected.attempt.began_at <= auth_time <= expected.now + LEEWAY:
        raise NotFresh("auth_time")


# === CHECKS === #


def is_time(value: object) -> TypeGuard[float]:
    """Return whether a claim is a time in seconds."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_of_issuer(claims: dict[str, object], expected: ExpectedClaims) -> bool:
    return claims.get("iss") == expected.settings.issuer


def _is_for_us(claims: dict[str, object], expected: ExpectedClaims) -> bool:
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    return expected.settings.client_id in audiences


def _is_authorised(claims: dict[str, object], expected: ExpectedClaims) -> bool:
    """Check ``azp``: required with several audiences, and ours where present."""
    audience = claims.get("aud")
    if "azp" in claims:
        return claims["azp"] == expected.settings.client_id
    return not isinstance(audience, list) or len(audience) == 1


def _is_not_expired(claims: dict[str, object], expected: ExpectedClaims) -> bool:
    expiry = claims.get("exp")
    return is_time(expiry) and expected.now < expiry + LEEWAY


def _is_not_of_the_future(claims: dict[str, object], expected: ExpectedClaims) -> bool:
    issued, begins = claims.get("iat"), claims.get("nbf", 0)
    latest = expected.now + LEEWAY
    return is_time(issued) and is_time(begins) and max(issued, begins) <= latest


def _has_subject(claims: dict[str, object], expected: ExpectedClaims) -> bool:
    subject = claims.get("sub")
    return isinstance(subject, str) and 0 < len(subject) <= MAX_SUBJECT


def _has_nonce(claims: dict[str, object], expected: ExpectedClaims) -> bool:
    nonce = claims.get("nonce")
    known = expected.attempt.secrets.nonce
    return isinstance(nonce, str) and hmac.compare_digest(
        nonce.encode("utf-8", "replace"), known.encode()
    )


def _belongs_to_access_token(
    claims: dict[str, object], expected: ExpectedClaims
) -> bool:
    """Check ``at_hash``, where present: the left half of SHA-256 over the token.

    Every algorithm that we accept uses SHA-256, except EdDSA, for which some providers
    use half of SHA-512.
    """
    if "at_hash" not in claims:
        return True
    at_hash, token = claims["at_hash"], expected.access_token.encode()
    halves = (hashlib.sha256(token).digest()[:16], hashlib.sha512(token).digest()[:32])
    known = [base64.urlsafe_b64encode(half).rstrip(b"=").decode() for half in halves]
    return at_hash in known


_CHECKS: dict[str, Callable[[dict[str, object], ExpectedClaims], bool]] = {
    "iss": _is_of_issuer,
    "aud": _is_for_us,
    "azp": _is_authorised,
    "exp": _is_not_expired,
    "iat": _is_not_of_the_future,
    "sub": _has_subject,
    "nonce": _has_nonce,
    "at_hash": _belongs_to_access_token,
}
