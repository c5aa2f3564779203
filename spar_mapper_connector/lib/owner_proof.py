"""The owner's proof: what a person confirmed, and how a login is bound to it.

Before a person logs in to confirm a change, the store computes the login's nonce from
the change that its own page shows (:func:`build_nonce`). The ID provider signs the
nonce, so that the signed ID token says: this person confirmed exactly this change.

The digest is the one hash over an ID and an account that is not keyed: the provider
sees it, and an examiner without our keys must be able to compute it. The salt, 256
random bits that only the store knows, keeps an account from being guessed by it.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import asdict, dataclass, field
from enum import Enum
from typing import TypeAlias

from .jose.canonical import canonicalise
from .jose.keys import decode_base64url, encode_base64url

#: The number of the form in which a change is written. A new form gets a new number.
VERSION = 1
SALT_BYTES = 32


class ConfirmedOperation(str, Enum):
    """What owners confirm by a login."""

    LINK = "link"
    UPDATE = "update"
    UNLINK = "unlink"
    UNDO = "undo"  # "this was not me": an event of the person's own is undone
    UNLOCK = "unlock"  # the person's own lock of changes is lifted
    VISIT = "visit"  # nothing is changed: a portal may show the person their address


@dataclass(frozen=True)
class AddressItem:
    """An address as it was sent, for the ID as it was sent; ``fa`` is "" for none.

    ``additional_info`` is JSON; ``asserted_at`` is a time in ISO 8601, or "".
    """

    id_value: str = field(repr=False)
    fa: str = field(default="", repr=False)
    name: str = field(default="", repr=False)
    phone_number: str = field(default="", repr=False)
    additional_info: tuple[object, ...] = field(default=(), repr=False)
    asserted_at: str = ""


@dataclass(frozen=True)
class EventItem:
    """One event of a person's history, by its period and its number."""

    id_value: str = field(repr=False)
    period: str
    seq: int


@dataclass(frozen=True)
class PersonItem:
    """The person as a whole, by the ID as it was sent."""

    id_value: str = field(repr=False)


@dataclass(frozen=True)
class PortalItem:
    """The portal that may show the person their address; who it is, the login says."""

    portal: str
    id_value: str = field(default="", init=False)


ConfirmedItem: TypeAlias = AddressItem | EventItem | PersonItem | PortalItem


@dataclass(frozen=True)
class ConfirmedChange:
    """A change as the store's page shows it to the person.

    :param receiver: the receiver ID of the store
    :param purpose: "" for any
    :param base_version: the version that the person saw; None where there was none
    :param draft_id: names the person's draft, or the portal's proposal
    :param salt: 256 random bits: see :func:`make_salt`
    """

    receiver: str
    operation: ConfirmedOperation
    item: ConfirmedItem
    draft_id: str
    salt: bytes = field(repr=False)
    purpose: str = ""
    rank: int = 1
    base_version: int | None = None
    version: int = VERSION


@dataclass(frozen=True)
class OwnerProof:
    """The signed words of an ID provider, and what is needed to verify them.

    :param issuer: the provider, as the store's list of issuers names it
    :param id_token: the signed ID token
    :param userinfo: the signed userinfo of the same subject (where it was encrypted,
        the JWS inside), or "" where the ID is in the ID token
    :param receiver: the receiver ID under which the change was shown
    :param shown_at: when the store's page showed the change, in seconds since 1970:
        a login from before does not count
    """

    issuer: str
    id_token: str = field(repr=False)
    draft_id: str
    salt: bytes = field(repr=False)
    receiver: str
    shown_at: int
    userinfo: str = field(default="", repr=False)
    version: int = VERSION


class ProofUnreadable(ValueError):
    """A stored proof is not one; the text names no content."""


# === THE NONCE === #


def make_salt() -> bytes:
    """Return a new salt.

    >>> len(make_salt()), make_salt() == make_salt()
    (32, False)
    """
    return secrets.token_bytes(SALT_BYTES)


def write_change(change: ConfirmedChange) -> bytes:
    """Return the canonical JSON of ``change``: the same bytes for ever.

    Raises ValueError for a version that is not known here, for a salt of another
    length, and for values that are not JSON.

    >>> change = ConfirmedChange("spar.example", ConfirmedOperation.UNLOCK,
    ...     PersonItem("token:1@nationalId"), draft_id="d1", salt=bytes(32))
    >>> print(write_change(change).decode().replace(",", ",\\n "))
    {"base_version":null,
     "draft_id":"d1",
     "item":{"id_value":"token:1@nationalId"},
     "operation":"unlock",
     "purpose":"",
     "rank":1,
     "receiver":"spar.example",
     "salt":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
     "version":1}
    """
    if change.version != VERSION:
        raise ValueError("the version of the change is unknown")
    if len(change.salt) != SALT_BYTES:
        raise ValueError("a salt has 256 bits")
    return canonicalise(
        {
            "base_version": change.base_version,
            "draft_id": change.draft_id,
            "item": asdict(change.item),
            "operation": change.operation.value,
            "purpose": change.purpose,
            "rank": change.rank,
            "receiver": change.receiver,
            "salt": encode_base64url(change.salt),
            "version": change.version,
        }
    )


def build_nonce(change: ConfirmedChange) -> str:
    """Return the nonce of the login that confirms ``change``.

    >>> change = ConfirmedChange("spar.example", ConfirmedOperation.UNLINK,
    ...     AddressItem("token:1@nationalId"), draft_id="d1", salt=bytes(32))
    >>> build_nonce(change)
    'gNbQ3yyqlwVsAAZBKGBG5DfW_7ogNHQGnv5dZXEcykA'
    """
    return encode_base64url(hashlib.sha256(write_change(change)).digest())


# === STORAGE === #

_TEXTS = ("issuer", "id_token", "draft_id", "salt", "receiver", "userinfo")
_NUMBERS = ("shown_at", "version")


def write_proof(proof: OwnerProof) -> bytes:
    """Return ``proof`` as canonical JSON, to be sealed; it holds the salt."""
    return canonicalise({**asdict(proof), "salt": encode_base64url(proof.salt)})


def read_proof(data: bytes) -> OwnerProof:
    """Return the proof that was written; raises ProofUnreadable.

    >>> proof = OwnerProof("https://id", "a.b.c", "d1", bytes(32), "spar.example", 7)
    >>> read_proof(write_proof(proof)) == proof
    True
    """
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        raise ProofUnreadable("json") from None
    if not isinstance(document, dict) or set(document) != {*_TEXTS, *_NUMBERS}:
        raise ProofUnreadable("members")
    if not _has_types(document):
        raise ProofUnreadable("types")
    try:
        salt = decode_base64url(document["salt"])
    except ValueError:
        raise ProofUnreadable("salt") from None
    return OwnerProof(**{**document, "salt": salt})


def _has_types(document: dict[str, object]) -> bool:
    texts = all(isinstance(document[name], str) for name in _TEXTS)
    return texts and all(type(document[name]) is int for name in _NUMBERS)
