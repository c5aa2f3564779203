"""Verifiable history: commitments to past states, and a chain of MACs over events.

Without the audit key a commitment reveals nothing about an address. With the key,
anyone can check that the row in the table is the one that the event refers to. Each
event's MAC covers the MAC of the event before it, so that no event can be changed,
inserted or cut. A subject's MAC covers the end of its chain and the number of the event
that last changed each of its places and IDs, so that an older row cannot pass for the
present one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache

from odoo.addons.spar_mapper_connector.lib.keyring import OpenKeyring, bind

from .records import EventRow, Head, StoredAddress, StoredId, Subject

#: The numbers of the event formats in a subject's chain: that of an event without an
#: owner's proof, and that of one with a proof. 1 dates from before the chains of
#: subjects (see ``old_chain.py``).
FORMAT, PROOF_FORMAT = 2, 3
CHAIN_FORMATS = (FORMAT, PROOF_FORMAT)


def describe(subject_uuid: str, head: Head) -> str:
    """Return everything that ``head`` states about a subject as one text.

    The bytes are those of ``bind`` over all values in this order. Values that many rows
    share are bound once for all of them.
    """
    return describe_place(
        subject_uuid,
        head.uuid,
        (head.purpose, head.rank, head.state, head.version),
        head.state_since,
        head.address_uuid,
        head.address,
    )


def describe_place(
    subject_uuid: str,
    head_uuid: str,
    manner: tuple[str | int, ...],
    since: datetime | None,
    address_uuid: str,
    address: StoredAddress | None,
) -> str:
    """Return the text of :func:`describe`, for periods too.

    :param manner: purpose, rank, state and version
    :param since: when the state began
    """
    begin = (
        f"{len(subject_uuid)}:{subject_uuid}{len(head_uuid)}:{head_uuid}"
        f"{bind_shared(*manner)}{bind_moment(since)}"
        f"{len(address_uuid)}:{address_uuid}"
    )
    if address is None:
        return begin
    fa, details = address.fa, address.packed_details
    rest = bind_shared(
        address.version,
        address.authority,
        address.channel,
        address.origin,
        address.proof,
        address.strategy_number or 0,
        address.fa_type_id or 0,
        address.provider_id or 0,
        address.branch_id or 0,
    )
    return (
        f"{begin}{len(fa)}:{fa}{len(details)}:{details}{rest}"
        f"{bind_moment(address.valid_from)}{bind_moment(address.asserted_at)}"
    )


def describe_id(subject_uuid: str, stored: StoredId) -> str:
    """Return everything that an ID states about a subject as one text.

    Its form is left out: it only records which rules last read the ID.
    """
    active = int(stored.active)
    values = ("id", subject_uuid, stored.uuid, stored.type_id, active)
    return bind(*values, stored.canonical, stored.typed).decode()


def commit_to(keyring: OpenKeyring, description: str) -> bytes:
    """Return the keyed commitment to a text of :func:`describe`."""
    return keyring.mac("commitment", description.encode())


def mac_head(keyring: OpenKeyring, description: str, last_seq: int) -> bytes:
    """Return the MAC of a head that event ``last_seq`` was the last to change."""
    return keyring.mac("head", f"{last_seq}.{description}".encode())


def mac_subject(
    keyring: OpenKeyring, subject: Subject, marks: str | None = None
) -> bytes:
    """Return the MAC over a subject, the end of its chain and its marks.

    :param marks: the subject's marks as they are stored, if they were already written
        or read
    """
    uuid, last = subject.uuid, subject.last_mac.hex()
    marks = write_marks(subject.marks) if marks is None else marks
    state = bind_shared(
        subject.change_lock,
        int(subject.pay_stop),
        subject.merged_into or 0,
        subject.last_seq,
    )
    return keyring.mac(
        "subject",
        f"{len(uuid)}:{uuid}{state}{len(last)}:{last}{len(marks)}:{marks}".encode(),
    )


def mac_event(keyring: OpenKeyring, event: EventRow) -> bytes:
    """Return the link of the chain: a MAC over the event and the MAC before it.

    The bytes are those of ``bind`` over all values in this order. In format 2, the last
    one is left out if the event concerns no change; in format 3 it is always there, and
    followed by the commitment to the owner's proof.
    """
    previous, subject, uuid = event.previous_mac.hex(), event.subject_uuid, event.uuid
    head, address = event.head_uuid, event.address_uuid
    before, after = event.commitment_before.hex(), event.commitment_after.hex()
    change = event.commitment_change
    rest = f"{2 * len(change)}:{change.hex()}" if change else ""
    proof = event.commitment_proof
    if proof:
        rest = f"{rest or '0:'}{2 * len(proof)}:{proof.hex()}"
    manner = bind_shared(
        PROOF_FORMAT if proof else FORMAT,
        event.seq,
        event.kind,
        event.actor,
        event.on_behalf_of,
        event.channel,
        event.authenticated_by,
        event.message_reference,
        event.reason,
    )
    return keyring.mac(
        "event",
        f"{len(previous)}:{previous}{len(subject)}:{subject}{len(uuid)}:{uuid}"
        f"{len(head)}:{head}{len(address)}:{address}{manner}"
        f"{bind_moment(event.happened_at)}{len(before)}:{before}"
        f"{len(after)}:{after}{rest}".encode(),
    )


def get_format(event: EventRow) -> int:
    """Return the number of the format in which an event is secured."""
    return PROOF_FORMAT if event.commitment_proof else FORMAT


def commit_to_change(
    keyring: OpenKeyring,
    uuid: str,
    text: str,
    terms: Sequence[object],
    *statements: str,
) -> bytes:
    """Return the commitment to a pending change.

    :param text: its address and details, as they are sealed
    :param statements: when the proposer states it was true, and their other statements
    """
    parts = [uuid, text, *map(str, terms), "said", *statements]
    return keyring.mac("commitment", bind("change", *parts))


def commit_to_past(
    keyring: OpenKeyring,
    old_ends: Iterable[tuple[str, int, bytes]],
    descriptions: list[str],
) -> bytes:
    """Return the commitment of an event ``migrated`` to the chains before it.

    :param old_ends: for each old chain, the uuid of its address and the number and MAC
        of its last event
    :param descriptions: the descriptions of the periods made from them, in order
    """
    parts: list[str | int] = []
    for uuid, seq, mac in sorted(old_ends):
        parts += (uuid, seq, mac.hex())
    return keyring.mac("commitment", bind("migrated", *parts, "periods", *descriptions))


# === MARKS === #


def mark_head(row_id: int | None) -> str:
    """Return the name of a head among the marks of its subject."""
    return f"h{row_id}"


def mark_id(row_id: int) -> str:
    """Return the name of an ID among the marks of its subject."""
    return f"i{row_id}"


def write_marks(marks: Mapping[str, int]) -> str:
    """Return marks as they are stored.

    >>> write_marks({"i4": 0, "h12": 7})
    'h12:7 i4:0'
    """
    return " ".join([f"{name}:{marks[name]}" for name in sorted(marks)])


def read_marks(text: str | None) -> dict[str, int]:
    """Return the marks in ``text``; none if it is not a list of marks.

    >>> read_marks("h12:7 i4:0")
    {'h12': 7, 'i4': 0}
    >>> read_marks("h12")
    {}
    """
    try:
        pairs = [word.split(":") for word in (text or "").split(" ") if word]
        return {name: int(seq) for name, seq in pairs}
    except ValueError:
        return {}


@lru_cache(maxsize=1024)
def bind_shared(*values: str | int) -> str:
    """Return ``bind`` of values that the rows of a batch have in common."""
    return bind(*values).decode()


@lru_cache(maxsize=1024)
def bind_moment(moment: datetime | None) -> str:
    """Return ``bind`` of a moment, or of an empty text if there is none."""
    return bind(moment.isoformat(timespec="microseconds") if moment else "").decode()
