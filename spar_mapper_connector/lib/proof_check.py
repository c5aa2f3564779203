"""The verification of an owner's proof: pure, over keys that the caller finds.

It is the same when a change is made, years later, and outside the database: times are
compared with the moment of the change, never with now, and the keys are those that the
issuer had then.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import jwt

from .jose.exceptions import JwtRefused
from .jose.keys import ALGORITHMS, PublicKey
from .jose.tokens import read_token_header
from .oidc.id_token import LEEWAY, MAX_SUBJECT, is_time
from .oidc.signed import SIGNATURE_ONLY
from .owner_proof import VERSION, ConfirmedChange, OwnerProof, build_nonce

#: The parts of a proof, as a refusal names them.
ID_TOKEN, USERINFO, SALT, EVENT = "id_token", "userinfo", "salt", "event"
#: The part that names the issuer and says when the change was shown.
PAGE = "page"

#: ``(kid, algorithm) -> the issuer's keys of that name``, none if it had no such key.
FindKeys = Callable[[str, str], Sequence[PublicKey]]


class ProofRefused(Exception):
    """A proof that proves nothing.

    ``part`` is the part at fault; ``code`` says why: malformed, algorithm, critical,
    key, signature, version, issuer, receiver, audience, subject, nonce, expired,
    not_yet, acr, old_login, claim. No text contains a token or a value.
    """

    def __init__(self, part: str, code: str):
        super().__init__(f"{part}: {code}")
        self.part, self.code = part, code


@dataclass(frozen=True)
class IssuerRules:
    """What a store accepts from one issuer.

    :param audiences: the clients at the issuer whose logins count
    :param acr_values: the accepted ways to authenticate; empty for any
    :param claim: the claim that holds the person's ID
    """

    issuer: str
    audiences: frozenset[str]
    algorithms: tuple[str, ...]
    acr_values: frozenset[str] = frozenset()
    claim: str = "sub"


#: The longest time of a visit to a portal, and the oldest token that it is read with.
MAX_VISIT_SECONDS = 1800


@dataclass(frozen=True)
class ProvedPerson:
    """Who confirmed the change, and the keys by which that was verified.

    ``id_value`` is the claim that holds the person's ID.
    """

    subject: str = field(repr=False)
    id_value: str = field(repr=False)
    auth_time: float
    keys: tuple[PublicKey, ...]


def check_proof(
    proof: OwnerProof,
    change: ConfirmedChange,
    rules: IssuerRules,
    find_keys: FindKeys,
    moment: float,
) -> ProvedPerson:
    """Return the person who confirmed exactly ``change``; raises ProofRefused.

    :param moment: when the change was made, in seconds since 1970
    """
    if proof.version != VERSION:
        raise ProofRefused(PAGE, "version")
    if proof.issuer != rules.issuer:
        raise ProofRefused(PAGE, "issuer")
    if proof.receiver != change.receiver:
        raise ProofRefused(PAGE, "receiver")
    claims, token_key = _read_signed(ID_TOKEN, proof.id_token, rules, find_keys)
    subject = _check_id_token(claims, rules, moment)
    auth_time = _check_fresh(claims, proof, moment)
    _check_nonce(claims, change)
    userinfo, keys = dict[str, object](), [token_key]
    if proof.userinfo:
        userinfo, key = _read_signed(USERINFO, proof.userinfo, rules, find_keys)
        _check_userinfo(userinfo, subject, rules)
        keys.append(key)
    id_value = _read_id(claims, userinfo, subject, rules)
    return ProvedPerson(subject, id_value, auth_time, tuple(keys))


def check_id_token(
    token: str, rules: IssuerRules, find_keys: FindKeys, moment: float
) -> dict[str, object]:
    """Return the claims of an ID token that is valid at ``moment``, whatever it is for.

    Raises ProofRefused.
    """
    claims, _key = _read_signed(ID_TOKEN, token, rules, find_keys)
    _check_id_token(claims, rules, moment)
    return claims


def check_login(
    id_token: str,
    userinfo: str,
    rules: IssuerRules,
    find_keys: FindKeys,
    moment: float,
) -> str:
    """Return the claim with the ID of a person who has logged in, whatever for.

    It says nothing about why: who has a session at the provider may be logged in at
    another site without a page. What they want to be shown is said by the visit that
    they allow on the store's own page. Raises ProofRefused.

    :param userinfo: the signed userinfo of the same person, or ""
    """
    claims = check_id_token(id_token, rules, find_keys, moment)
    _check_recent(claims, moment)
    subject, found = str(claims["sub"]), dict[str, object]()
    if userinfo:
        found, _key = _read_signed(USERINFO, userinfo, rules, find_keys)
        _check_userinfo(found, subject, rules)
    return _read_id(claims, found, subject, rules)


# === SIGNATURES === #


def _read_signed(
    part: str, token: str, rules: IssuerRules, find_keys: FindKeys
) -> tuple[dict[str, object], PublicKey]:
    """Return the claims of a token, and the key that verified its signature.

    Keys in the token itself (jwk, jku, x5c) are ignored.
    """
    kid, algorithm = _read_header(part, token, rules)
    keys = [key for key in find_keys(kid, algorithm) if algorithm in key.algorithms]
    if not keys:
        raise ProofRefused(part, "key")
    for key in keys:
        try:
            claims = jwt.decode(
                token, key.key, algorithms=[algorithm], options=SIGNATURE_ONLY
            )
        except jwt.InvalidSignatureError:
            continue
        except jwt.InvalidTokenError:
            raise ProofRefused(part, "malformed") from None
        return claims, key
    raise ProofRefused(part, "signature")


def _read_header(part: str, token: str, rules: IssuerRules) -> tuple[str, str]:
    """Return the key and the algorithm that a token names, if that is allowed."""
    try:
        header = read_token_header(token)
    except JwtRefused:
        raise ProofRefused(part, "malformed") from None
    algorithm, kid = header.get("alg"), header.get("kid", "")
    if algorithm not in rules.algorithms or algorithm not in ALGORITHMS:
        raise ProofRefused(part, "algorithm")
    if "crit" in header:
        raise ProofRefused(part, "critical")
    return kid if isinstance(kid, str) else "", algorithm


# === CLAIMS === #


def _check_id_token(
    claims: dict[str, object], rules: IssuerRules, moment: float
) -> str:
    """Check issuer, audience, times, acr and subject; return the subject."""
    if claims.get("iss") != rules.issuer:
        raise ProofRefused(ID_TOKEN, "issuer")
    if not _is_for_us(claims, rules):
        raise ProofRefused(ID_TOKEN, "audience")
    _check_times(claims, moment)
    acr = claims.get("acr")
    used = acr.split() if isinstance(acr, str) else ()
    if rules.acr_values and not rules.acr_values.intersection(used):
        raise ProofRefused(ID_TOKEN, "acr")
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= MAX_SUBJECT:
        raise ProofRefused(ID_TOKEN, "subject")
    return subject


def _check_times(claims: dict[str, object], moment: float) -> None:
    """Check that the token was valid at ``moment``."""
    expiry, issued, begins = (claims.get(name) for name in ("exp", "iat", "nbf"))
    begins = issued if begins is None else begins
    if not (is_time(expiry) and is_time(issued) and is_time(begins)):
        raise ProofRefused(ID_TOKEN, "malformed")
    if moment >= expiry + LEEWAY:
        raise ProofRefused(ID_TOKEN, "expired")
    if max(issued, begins) > moment + LEEWAY:
        raise ProofRefused(ID_TOKEN, "not_yet")


def _is_for_us(claims: dict[str, object], rules: IssuerRules) -> bool:
    """Return whether the token is for a client of ours (OpenID Core 3.1.3.7)."""
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    ours = [each for each in audiences if each in _texts(rules.audiences)]
    if "azp" in claims:
        return bool(ours) and claims["azp"] in _texts(rules.audiences)
    return bool(ours) and len(audiences) == 1


def _texts(values: frozenset[str]) -> tuple[str, ...]:
    """Return ``values`` as what any claim can be compared with, hashable or not."""
    return tuple(values)


def _check_fresh(claims: dict[str, object], proof: OwnerProof, moment: float) -> float:
    """Return when the person logged in: not before the page was shown.

    There is no leeway: a login a moment earlier was for something else.
    """
    auth_time = claims.get("auth_time")
    if not is_time(auth_time):
        raise ProofRefused(ID_TOKEN, "old_login")
    if not proof.shown_at <= auth_time:
        raise ProofRefused(ID_TOKEN, "old_login")
    if auth_time > moment + LEEWAY:
        raise ProofRefused(ID_TOKEN, "not_yet")
    return auth_time


def _check_recent(claims: dict[str, object], moment: float) -> None:
    """Check that the token is not from an earlier visit, whenever it expires."""
    issued = claims.get("iat")
    if not is_time(issued):
        raise ProofRefused(ID_TOKEN, "malformed")
    if moment > issued + MAX_VISIT_SECONDS:
        raise ProofRefused(ID_TOKEN, "expired")


def _check_nonce(claims: dict[str, object], change: ConfirmedChange) -> None:
    """Check that the login was for exactly ``change``."""
    nonce = claims.get("nonce")
    try:
        expected = build_nonce(change)
    except ValueError:
        raise ProofRefused(EVENT, "malformed") from None
    if not isinstance(nonce, str) or not hmac.compare_digest(
        nonce.encode("utf-8", "replace"), expected.encode()
    ):
        raise ProofRefused(EVENT, "nonce")


def _check_userinfo(
    userinfo: dict[str, object], subject: str, rules: IssuerRules
) -> None:
    """Check that a signed userinfo is of the same person (OpenID Core 5.3)."""
    if userinfo.get("sub") != subject:
        raise ProofRefused(USERINFO, "subject")
    # A signed userinfo should name both (5.3.2). Where one is absent, the signature
    # alone says whose words these are.
    if userinfo.get("iss", rules.issuer) != rules.issuer:
        raise ProofRefused(USERINFO, "issuer")
    if "aud" in userinfo and not _is_for_us({"aud": userinfo["aud"]}, rules):
        raise ProofRefused(USERINFO, "audience")


def _read_id(
    claims: dict[str, object],
    userinfo: dict[str, object],
    subject: str,
    rules: IssuerRules,
) -> str:
    """Return the claim that holds the ID; in both documents it must be the same."""
    if rules.claim == "sub":
        return subject
    found = [each[rules.claim] for each in (claims, userinfo) if rules.claim in each]
    if not found:
        raise ProofRefused(USERINFO if userinfo else ID_TOKEN, "claim")
    value = found[0]
    if not isinstance(value, str) or not value or found[-1] != value:
        raise ProofRefused(USERINFO if userinfo else ID_TOKEN, "claim")
    return value
