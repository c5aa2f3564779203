"""The owner's proof as the store keeps it: one text, and MACs over its parts.

The event of the change commits to the parts, each by a MAC of its own: the check can
name the part that was altered. The digest of issuer and nonce, by which a login is used
only once, is keyed: without our key it says nothing about an account, and it stays when
the proof itself is erased.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field

from odoo.addons.spar_mapper_connector.lib.jose.canonical import canonicalise
from odoo.addons.spar_mapper_connector.lib.keyring import OpenKeyring, bind
from odoo.addons.spar_mapper_connector.lib.owner_proof import (
    AddressItem,
    ConfirmedChange,
    ConfirmedItem,
    ConfirmedOperation,
    EventItem,
    OwnerProof,
    PersonItem,
    ProofUnreadable,
    build_nonce,
    read_proof,
    write_proof,
)
from odoo.addons.spar_mapper_connector.lib.proof_check import (
    EVENT,
    ID_TOKEN,
    PAGE,
    SALT,
    USERINFO,
    IssuerRules,
)

from .records import ProofRow, new_uuid

PURPOSE = "owner proof"
#: The parts in the order of their MACs.
PARTS = (ID_TOKEN, USERINFO, SALT, EVENT, PAGE)
_MAC_BYTES = 32

#: What an owner confirmed, by the kind of the event, where that is certain.
OPERATIONS = {
    "linked": ConfirmedOperation.LINK,
    "proposed": ConfirmedOperation.LINK,
    "updated": ConfirmedOperation.UPDATE,
    "updated_suspended": ConfirmedOperation.UPDATE,
    "unlinked": ConfirmedOperation.UNLINK,
    "objected": ConfirmedOperation.UNDO,
    "objection_confirmed": ConfirmedOperation.UNDO,
    "changes_unlocked": ConfirmedOperation.UNLOCK,
}


@dataclass(frozen=True)
class KeptProof:
    """A proof, the change that it proves, and the rules by which it was accepted.

    ``is_token`` states that the ID of the change is not the value that the issuer
    asserted, but a token that the store's ID type makes of it.
    """

    proof: OwnerProof
    change: ConfirmedChange = field(repr=False)
    rules: IssuerRules
    is_token: bool = False


# === TEXT === #

_ITEMS: dict[ConfirmedOperation, type[ConfirmedItem]] = {
    ConfirmedOperation.UNDO: EventItem,
    ConfirmedOperation.UNLOCK: PersonItem,
}


def describe_change(change: ConfirmedChange) -> dict[str, object]:
    """Return the part of a change that its proof does not hold, as JSON."""
    return {
        "operation": change.operation.value,
        "purpose": change.purpose,
        "rank": change.rank,
        "base_version": change.base_version,
        "item": asdict(change.item),
    }


def write_kept(kept: KeptProof) -> str:
    """Return a proof, its change and its rules as one text, to be sealed."""
    document = {
        "proof": json.loads(write_proof(kept.proof)),
        "change": describe_change(kept.change),
        "rules": describe_rules(kept.rules),
        "is_token": kept.is_token,
    }
    return canonicalise(document).decode()


def read_kept(text: str) -> KeptProof:
    """Return what :func:`write_kept` wrote; raises ProofUnreadable."""
    try:
        document = json.loads(text)
        proof = read_proof(canonicalise(document["proof"]))
        change = read_change(document["change"], proof)
        is_token = document["is_token"] is True
        return KeptProof(proof, change, read_rules(document["rules"]), is_token)
    except (ValueError, TypeError, KeyError, RecursionError):
        raise ProofUnreadable("kept proof") from None


def read_change(document: dict[str, object], proof: OwnerProof) -> ConfirmedChange:
    """Return the change that :func:`describe_change` wrote; raises ProofUnreadable."""
    try:
        operation = ConfirmedOperation(document["operation"])
        item, rank = document["item"], document["rank"]
        base, purpose = document["base_version"], document["purpose"]
        if not (isinstance(item, dict) and isinstance(purpose, str)):
            raise TypeError("item")
        if not (type(rank) is int and (base is None or type(base) is int)):
            raise TypeError("number")
        return ConfirmedChange(
            receiver=proof.receiver,
            operation=operation,
            item=_read_item(operation, item),
            draft_id=proof.draft_id,
            salt=proof.salt,
            purpose=purpose,
            rank=rank,
            base_version=base,
            version=proof.version,
        )
    except (ValueError, TypeError, KeyError):
        raise ProofUnreadable("change") from None


def _read_item(
    operation: ConfirmedOperation, document: dict[str, object]
) -> ConfirmedItem:
    kind = _ITEMS.get(operation, AddressItem)
    values = dict(document)
    if isinstance(values.get("additional_info"), list):
        values["additional_info"] = tuple(values["additional_info"])  # type: ignore[arg-type]
    if set(values) != set(kind.__dataclass_fields__):
        raise TypeError("item")
    return kind(**values)  # type: ignore[arg-type]


def describe_rules(rules: IssuerRules) -> dict[str, object]:
    """Return the rules of an issuer as JSON."""
    return {
        "issuer": rules.issuer,
        "audiences": sorted(rules.audiences),
        "algorithms": list(rules.algorithms),
        "acr_values": sorted(rules.acr_values),
        "claim": rules.claim,
    }


def read_rules(document: dict[str, object]) -> IssuerRules:
    """Return the rules that were described; raises ProofUnreadable."""
    names = ("audiences", "algorithms", "acr_values")
    lists = [document.get(name) for name in names]
    if not all(isinstance(each, list) for each in lists):
        raise ProofUnreadable("rules")
    audiences, algorithms, acr_values = (
        tuple(text for text in each if isinstance(text, str))
        for each in lists
        if isinstance(each, list)
    )
    return IssuerRules(
        str(document.get("issuer")),
        frozenset(audiences),
        algorithms,
        frozenset(acr_values),
        str(document.get("claim")),
    )


# === PARTS === #


def split_parts(kept: KeptProof) -> dict[str, bytes]:
    """Return the bytes of each part of a proof, by its name."""
    proof = kept.proof
    page = {
        "issuer": proof.issuer,
        "receiver": proof.receiver,
        "draft_id": proof.draft_id,
        "shown_at": proof.shown_at,
        "version": proof.version,
        "rules": describe_rules(kept.rules),
        "is_token": kept.is_token,
    }
    return {
        ID_TOKEN: proof.id_token.encode(),
        USERINFO: proof.userinfo.encode(),
        SALT: proof.salt,
        EVENT: canonicalise(describe_change(kept.change)),
        PAGE: canonicalise(page),
    }


def mac_parts(keyring: OpenKeyring, uuid: str, kept: KeptProof) -> bytes:
    """Return the MACs of the parts of proof ``uuid``, one after the other."""
    parts = split_parts(kept)
    macs = [
        keyring.mac("owner proof part", bind(uuid, name) + parts[name])
        for name in PARTS
    ]
    return b"".join(macs)


def list_altered(known: bytes, present: bytes) -> list[str]:
    """Return the names of the parts whose MACs differ.

    >>> list_altered(bytes(160), bytes(159) + b"x")
    ['page']
    """
    size = _MAC_BYTES
    return [
        name
        for number, name in enumerate(PARTS)
        if known[number * size :][:size] != present[number * size :][:size]
    ]


def commit_to_proof(keyring: OpenKeyring, uuid: str, parts: bytes) -> bytes:
    """Return the commitment by which an event names its proof."""
    return keyring.mac("commitment", bind("owner proof", uuid, parts.hex()))


def digest_login(keyring: OpenKeyring, issuer: str, nonce: str) -> bytes:
    """Return the digest under which a login is used up, for ever."""
    return keyring.mac("owner proof login", bind(issuer, nonce))


def build_row(keyring: OpenKeyring, kept: KeptProof) -> ProofRow:
    """Return the row of a verified proof."""
    uuid = new_uuid()
    parts = mac_parts(keyring, uuid, kept)
    return ProofRow(
        uuid=uuid,
        login_digest=digest_login(keyring, kept.proof.issuer, build_nonce(kept.change)),
        parts=parts,
        commitment=commit_to_proof(keyring, uuid, parts),
        text=write_kept(kept),
    )


def is_same_id(claim: str, item: ConfirmedItem) -> bool:
    """Return whether the ID of a change has the value that the issuer asserted.

    >>> is_same_id("20 07-816", PersonItem("token:2007816@nationalId"))
    True
    >>> is_same_id("2007817", PersonItem("token:2007816@nationalId"))
    False
    """
    return _compact(claim) == _compact(_get_value(item.id_value))


def _get_value(id_value: str) -> str:
    return id_value.partition(":")[2].rpartition("@")[0] or id_value


def _compact(text: str) -> str:
    return "".join(char for char in text.casefold() if char.isalnum())


def proof_context(uuid: str, subject_uuid: str) -> bytes:
    """Return the context of a sealed proof: which one, and whose."""
    return bind(PURPOSE, uuid, subject_uuid)
