"""The rows of the store's tables: their columns, and the values in the same order.

Code that writes the tables (a batch, or the migration of an older store) lists rows
here, and code that reads events back takes their columns from here.
"""

from __future__ import annotations

from datetime import datetime
from operator import attrgetter

from odoo.addons.spar_mapper_connector.lib.keyring import OpenKeyring

from ..lib.chain import describe, mac_head, mac_subject, write_marks
from ..lib.records import (
    ADDRESS_COLUMNS,
    KEY_FORM,
    EventRow,
    Head,
    PeriodRow,
    StoredAddress,
    Subject,
)
from .database import Row

#: The order of :func:`list_subject`.
SUBJECT = (
    "id",
    "uuid",
    "since",
    "change_lock",
    "pay_stop",
    "merged_into",
    "last_seq",
    "last_mac",
    "marks",
    "mac",
)
#: The order of :func:`list_head`.
HEAD = (
    "id",
    "subject_id",
    "uuid",
    "purpose",
    "rank",
    "state",
    "version",
    "state_since",
    "last_seq",
    "period_id",
    "address_uuid",
    "address_version",
    "sealed",
    "mac",
    *ADDRESS_COLUMNS,
)
#: The order of :func:`list_period`.
PERIOD = (
    "id",
    "subject_id",
    "mapping_id",
    "seq",
    "state",
    "version",
    "state_since",
    "address_uuid",
    "address_version",
    "form",
    "sealed",
    "fa_digest_a",
    "fa_digest_b",
    *ADDRESS_COLUMNS,
)
#: The content of an event, and the bytes that secure it: the order of
#: :func:`list_content`.
EVENT_WORDS = (
    "uuid",
    "seq",
    "kind",
    "actor",
    "on_behalf_of",
    "channel",
    "authenticated_by",
    "message_reference",
    "reason",
    "happened_at",
)
EVENT_BYTES = (
    "commitment_before",
    "commitment_after",
    "previous_mac",
    "mac",
    "commitment_change",
    "commitment_proof",
)
EVENT = (*EVENT_WORDS, *EVENT_BYTES)

#: The digests of an address for both columns, None for one that is not written now.
DigestPair = tuple[bytes | None, bytes | None]

_get_content = attrgetter(*EVENT)
_get_plain = attrgetter(*ADDRESS_COLUMNS)
_NO_ADDRESS: Row = (None,) * len(ADDRESS_COLUMNS)


def list_subject(keyring: OpenKeyring, subject: Subject, since: datetime) -> Row:
    """Return a subject with its MAC."""
    marks = write_marks(subject.marks)
    return (
        subject.row_id,
        subject.uuid,
        since,
        subject.change_lock,
        subject.pay_stop,
        subject.merged_into,
        subject.last_seq,
        subject.last_mac,
        marks,
        mac_subject(keyring, subject, marks),
    )


def list_head(keyring: OpenKeyring, subject: Subject, head: Head) -> Row:
    """Return a head with its MAC; its address is already sealed."""
    address = head.address
    description = head.description or describe(subject.uuid, head)
    return (
        head.row_id,
        subject.row_id,
        head.uuid,
        head.purpose,
        head.rank,
        head.state,
        head.version,
        head.state_since,
        head.last_seq,
        head.period.row_id if head.period else None,
        head.address_uuid,
        address.version if address else None,
        address.sealed if address else None,
        mac_head(keyring, description, head.last_seq),
        *_list_plain(address),
    )


def list_period(
    subject: Subject, head: Head, period: PeriodRow, digests: DigestPair
) -> Row:
    """Return a period; its address is already sealed."""
    address = period.address
    return (
        period.row_id,
        subject.row_id,
        head.row_id,
        period.seq,
        period.state,
        period.version,
        period.valid_from,
        period.address_uuid,
        address.version if address else None,
        address.form if address else KEY_FORM,
        address.sealed if address else None,
        *digests,
        *_list_plain(address),
    )


def list_content(event: EventRow) -> Row:
    """Return the content of an event, and its bytes."""
    values: Row = _get_content(event)
    return values


def _list_plain(address: StoredAddress | None) -> Row:
    values: Row = _get_plain(address) if address else _NO_ADDRESS
    return values


def read_event(
    content: Row, subject_uuid: str, head_uuid: str, address: str
) -> EventRow:
    """Return the event with the columns ``content``: see :func:`list_content`.

    :param address: the uuid of the address that it concerns
    """
    count = len(EVENT_WORDS)
    uuid, *words = content[:count]
    *commitments, mac, change, proof = (
        bytes(value or b"") for value in content[count:]
    )
    values: Row = (*words, *commitments, head_uuid, address, mac, change, proof)
    return EventRow(uuid, subject_uuid, *values)


def read_digests(digest_a: bytes | None, digest_b: bytes | None) -> dict[str, bytes]:
    """Return the digests of a row by column, without missing ones."""
    columns = {"a": digest_a, "b": digest_b}
    return {name: bytes(digest) for name, digest in columns.items() if digest}


def pair_digests(digests: dict[str, bytes]) -> DigestPair:
    """Return the digests of a row by column as a pair: see :func:`read_digests`."""
    return digests.get("a"), digests.get("b")
