"""Addresses that were moved to the successor of a closed provider or branch."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from odoo.addons.spar_mapper_connector.exceptions import SealBroken

from ..exceptions import RowBroken
from ..lib import seals
from ..lib.chain import commit_to, describe_place, mac_event
from ..lib.records import ADDRESS_COLUMNS, Head, StoredAddress, Subject
from ..lib.transitions import LEAVES, MOVES
from .database import (
    Row,
    StoreCursor,
    build_array,
    build_bytes_array,
    build_texts,
    fetch,
)
from .listing import EVENT, read_event
from .opening import (
    HEAD_ALTERED,
    HEAD_COLUMNS,
    ID_COLUMNS,
    NEWEST_MAC,
    SUBJECT_COLUMNS,
    Opener,
    name_columns,
)

_EVENT_ALTERED = "the move of the address was altered"
#: Columns of the period that ended with a move.
_PERIOD = (
    "id",
    "state",
    "version",
    "state_since",
    "address_uuid",
    "address_version",
    "sealed",
    *ADDRESS_COLUMNS,
)
_PERIOD_WIDTH = len(_PERIOD)
_PERIOD_PLAIN = _PERIOD_WIDTH - len(ADDRESS_COLUMNS)
#: It is followed by the event's row, the address that it names, and all its columns.
_EVENT_END = _PERIOD_WIDTH + 2 + len(EVENT)

#: An address is followed if it ended with a move, and only moves have put another one
#: into its place since. At most three, as with addresses in force.
_MOVED = f"""
    SELECT wanted.place, {name_columns("m", tuple(f"old_{n}" for n in _PERIOD))},
           {name_columns("e", ("id",))}, m.moved_uuid, {name_columns("e", EVENT)},
           {ID_COLUMNS}, {SUBJECT_COLUMNS}, {NEWEST_MAC}, {HEAD_COLUMNS}
      FROM unnest(%s::bytea[], %s::varchar[], %s::bigint[])
           WITH ORDINALITY AS wanted (digest, purpose, subject_id, place)
     CROSS JOIN LATERAL (
           SELECT m.*, i.id AS identifier_id, e.id AS event_id,
                  next.address_uuid AS moved_uuid,
                  {", ".join(f"p.{n} AS old_{n}" for n in _PERIOD)}
             FROM spar_mapping_period p
             JOIN spar_mapping m ON m.id = p.mapping_id
            CROSS JOIN LATERAL (
                  SELECT n.seq, n.address_uuid FROM spar_mapping_period n
                   WHERE n.subject_id = p.subject_id
                     AND n.mapping_id = p.mapping_id AND n.seq > p.seq
                   ORDER BY n.seq LIMIT 1) next
             JOIN spar_event e ON e.subject_id = p.subject_id AND e.seq = next.seq
                              AND e.format > 1 AND e.kind = ANY(%s)
            CROSS JOIN LATERAL (
                  SELECT id FROM spar_subject_id
                   WHERE subject_id = m.subject_id
                     AND (%s::int[] IS NULL OR type_id = ANY(%s::int[]))
                   ORDER BY active DESC, id LIMIT 1) i
            WHERE p.fa_digest_{{column}} = wanted.digest
              AND m.purpose IN (wanted.purpose, '')
              AND m.state IN ('active', 'suspended')
              AND (wanted.subject_id IS NULL OR p.subject_id = wanted.subject_id)
              AND NOT EXISTS (
                  SELECT FROM spar_event l
                   WHERE l.subject_id = p.subject_id AND l.mapping_id = p.mapping_id
                     AND l.seq > p.seq AND l.format > 1 AND l.kind = ANY(%s))
            LIMIT 3) m
     CROSS JOIN LATERAL (SELECT * FROM spar_event WHERE id = m.event_id LIMIT 1) e
     CROSS JOIN LATERAL (
           SELECT * FROM spar_subject_id WHERE id = m.identifier_id LIMIT 1) i
     CROSS JOIN LATERAL (
           SELECT * FROM spar_subject WHERE id = m.subject_id LIMIT 1) s
"""


class WantedAddress(NamedTuple):
    """An address that no one has now: of any person, or of only one."""

    key: str
    purpose: str
    subject_id: int | None = None


class MovedAddress(NamedTuple):
    """The end of an address: its period and the move, as rows."""

    period: Row
    event: Row


class MovedPerson(NamedTuple):
    """A person who had an address and was moved.

    ``row`` is that of ID, subject, newest MAC and head, as resolve finds them.
    """

    past: MovedAddress
    row: Row


class Follower:
    """Finds people by the address from which they were moved.

    :param types: the ID types that may be disclosed; None for all
    """

    def __init__(self, cr: StoreCursor, opener: Opener, types: Iterable[int] | None):
        self.cr = cr
        self.opener = opener
        self.types = None if types is None else build_array(types)

    def find(
        self, wanted: dict[WantedAddress, set[str]]
    ) -> dict[WantedAddress, list[MovedPerson]]:
        """Return who had each address; one statement, whatever their number.

        :param wanted: the requested addresses, and the texts their digests may be made
            of
        """
        keyring = self.opener.keyring
        digest = keyring.digester(seals.ADDRESS)
        requested = [
            (digest(text), one) for one, texts in wanted.items() for text in texts
        ]
        rows = fetch(
            self.cr,
            _MOVED.format(column=keyring.roles.read_column),
            build_bytes_array([digest for digest, _one in requested]),
            build_texts([one.purpose for _digest, one in requested]),
            build_array([one.subject_id for _digest, one in requested]),
            list(MOVES),
            self.types,
            self.types,
            list(LEAVES),
        )
        found: dict[WantedAddress, list[MovedPerson]] = {}
        for place, *row in rows:
            period, event = row[:_PERIOD_WIDTH], row[_PERIOD_WIDTH:_EVENT_END]
            past = MovedAddress(tuple(period), tuple(event))
            one = MovedPerson(past, tuple(row[_EVENT_END:]))
            found.setdefault(requested[place - 1][1], []).append(one)
        return found

    def open(self, subject: Subject, head: Head, past: MovedAddress) -> StoredAddress:
        """Return the address that was moved; raises RowBroken.

        The event's MAC proves that it was this person's, in this place, and that it was
        moved: the event names the earlier state by a commitment.
        """
        address = self._open_address(subject, past.period)
        event_id, address_uuid, *content = past.event
        event = read_event(tuple(content), subject.uuid, head.uuid, address_uuid)
        if event.mac != mac_event(self.opener.keyring, event):
            raise RowBroken("spar_event", event_id, _EVENT_ALTERED)
        _row_id, state, version, since, uuid = past.period[:5]
        manner = (head.purpose, head.rank, state, version)
        description = describe_place(
            subject.uuid, head.uuid, manner, since, uuid, address
        )
        if commit_to(self.opener.keyring, description) != event.commitment_before:
            raise RowBroken("spar_event", event_id, _EVENT_ALTERED)
        return address

    def _open_address(self, subject: Subject, period: Row) -> StoredAddress:
        row_id, _state, _version, _since, uuid, version, sealed = period[:_PERIOD_PLAIN]
        plain = period[_PERIOD_PLAIN:]
        try:
            return self.opener.open_address(
                subject, uuid, version or 0, sealed or b"", plain
            )
        except SealBroken as error:
            problem = ("spar_mapping_period", row_id, HEAD_ALTERED)
            raise RowBroken(*problem) from error
