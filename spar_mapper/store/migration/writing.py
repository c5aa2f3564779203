"""Writing what became of old subjects: each new table by one COPY for a batch."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter

from odoo.addons.spar_mapper_connector.lib.keyring import OpenKeyring

from ...lib.chain import FORMAT, describe, mac_head, mac_subject, write_marks
from ...lib.old_store.convert import NewPeriod, NewSubject
from ...lib.records import ADDRESS_COLUMNS, FORM, Head
from ..database import Cursor, Row, build_array, build_bytes_array, copy_rows, fetch
from .tables import NEXT, list_columns

_SUBJECT = (
    "id",
    "uuid",
    "since",
    "change_lock",
    "pay_stop",
    "last_seq",
    "last_mac",
    "marks",
    "mac",
)
_ID = (
    "id",
    "subject_id",
    "type_id",
    "uuid",
    "active",
    "form",
    "last_seq",
    "sealed",
    "digest_a",
    "digest_b",
)
#: What a head and a period have in common, in the order of :func:`_list_address`.
_ADDRESS = ("address_version", "sealed", *ADDRESS_COLUMNS)
_HEAD = (
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
    "mac",
    *_ADDRESS,
)
_PERIOD = (
    "id",
    "subject_id",
    "mapping_id",
    "seq",
    "state",
    "version",
    "state_since",
    "address_uuid",
    "form",
    "fa_digest_a",
    "fa_digest_b",
    *_ADDRESS,
)
_SAID = (
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
    "commitment_before",
    "commitment_after",
    "previous_mac",
    "mac",
)
_EVENT = ("subject_id", "format", *_SAID)
_PLACED = ("old_id", "subject_id", "mapping_id", "period_id")
_get_said = attrgetter(*_SAID)
_get_plain = attrgetter(*ADDRESS_COLUMNS)
_NO_ADDRESS: Row = (None,) * len(_ADDRESS)

#: The old row with what is new of it: the place, the base, the seal.
_CHANGED = ("id", "mapping_id", "base_version", "sealed")


class Writer:
    """The way from converted subjects to the rows of the new tables."""

    def __init__(self, cr: Cursor, keyring: OpenKeyring):
        self.cr = cr
        self.keyring = keyring

    def take_period_ids(self, count: int) -> Sequence[int]:
        """Return so many new ids of periods."""
        query = f"""SELECT ARRAY(SELECT nextval('{NEXT}.spar_mapping_period_id_seq')
                                   FROM generate_series(1, %s))"""
        ((ids,),) = fetch(self.cr, query, count)
        return list(ids)

    def save(self, subjects: Sequence[NewSubject]) -> None:
        """Write everything of ``subjects`` but their old events, notices and cases."""
        everything: dict[tuple[str, tuple[str, ...]], list[Row]] = {
            ("spar_subject", _SUBJECT): list(map(self._list_subject, subjects)),
            ("spar_subject_id", _ID): [r for s in subjects for r in _list_ids(s)],
            ("spar_mapping", _HEAD): [r for s in subjects for r in self._list_heads(s)],
            ("spar_mapping_period", _PERIOD): [
                _list_period(s, period) for s in subjects for period in s.periods
            ],
            ("spar_event", _EVENT): [r for s in subjects for r in _list_migrated(s)],
            ("placed", _PLACED): [r for s in subjects for r in _list_placed(s)],
        }
        for (table, columns), rows in everything.items():
            copy_rows(self.cr, f"{NEXT}.{table}", columns, rows)
        self._write_changes(subjects)

    def _list_subject(self, new: NewSubject) -> Row:
        subject = new.subject
        return (
            subject.row_id,
            subject.uuid,
            new.since,
            subject.change_lock,
            subject.pay_stop,
            subject.last_seq,
            subject.last_mac,
            write_marks(subject.marks),
            mac_subject(self.keyring, subject),
        )

    def _list_heads(self, new: NewSubject) -> list[Row]:
        return [self._list_head(new, head) for head in new.heads]

    def _list_head(self, new: NewSubject, head: Head) -> Row:
        description = describe(new.subject.uuid, head)
        return (
            head.row_id,
            new.subject.row_id,
            head.uuid,
            head.purpose,
            head.rank,
            head.state,
            head.version,
            head.state_since,
            head.last_seq,
            head.period.row_id if head.period else None,
            head.address_uuid,
            mac_head(self.keyring, description, head.last_seq),
            *_list_address(head),
        )

    def _write_changes(self, subjects: Sequence[NewSubject]) -> None:
        """What is not new of a change is copied in the database."""
        changes = [change for new in subjects for change in new.changes]
        if not changes:
            return
        kept = [name for name in list_columns("spar_change") if name not in _CHANGED]
        self.cr.execute(
            f"""INSERT INTO {NEXT}.spar_change ({", ".join((*_CHANGED, *kept))})
                SELECT v.*, {", ".join(f"c.{name}" for name in kept)}
                  FROM unnest(%s::bigint[], %s::bigint[], %s::int[], %s::bytea[])
                    AS v ({", ".join(_CHANGED)})
                  JOIN spar_change c ON c.id = v.id""",
            (
                build_array([change.row_id for change in changes]),
                build_array([change.head.row_id for change in changes]),
                build_array([change.terms.base_version for change in changes]),
                build_bytes_array([change.sealed for change in changes]),
            ),
        )


def _list_address(row: Head | NewPeriod) -> Row:
    address = row.row.address if isinstance(row, NewPeriod) else row.address
    if address is None:
        return _NO_ADDRESS
    return (address.version, address.sealed, *_get_plain(address))


def _list_ids(new: NewSubject) -> list[Row]:
    subject = new.subject
    return [
        (
            row.row_id,
            subject.row_id,
            row.type_id,
            row.uuid,
            True,
            FORM,
            subject.last_seq,
            sealed,
            row.digests.get("a"),
            row.digests.get("b"),
        )
        for row, sealed in new.ids
    ]


def _list_period(new: NewSubject, period: NewPeriod) -> Row:
    row = period.row
    return (
        row.row_id,
        new.subject.row_id,
        period.head.row_id,
        row.seq,
        row.state,
        row.version,
        row.valid_from,
        row.address_uuid,
        FORM,
        period.digests.get("a"),
        period.digests.get("b"),
        *_list_address(period),
    )


def _list_migrated(new: NewSubject) -> list[Row]:
    if new.migrated is None:
        return []
    return [(new.subject.row_id, FORMAT, *_get_said(new.migrated))]


def _list_placed(new: NewSubject) -> list[Row]:
    return [
        (old_id, new.subject.row_id, first.head.row_id, first.row.row_id)
        for old_id, first in new.firsts.items()
    ]
