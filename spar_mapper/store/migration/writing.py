"""The writing of converted subjects: each new table with one COPY per batch."""

from __future__ import annotations

from collections.abc import Sequence

from odoo.addons.spar_mapper_connector.lib.keyring import OpenKeyring

from ...lib.chain import FORMAT
from ...lib.old_store.convert import NewSubject
from ...lib.records import FIRST_ID_FORM
from .. import listing
from ..database import (
    Row,
    StoreCursor,
    build_array,
    build_bytes_array,
    copy_rows,
    fetch,
)
from .tables import NEXT, list_columns

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
_EVENT = ("subject_id", "format", *listing.EVENT)
_PLACED = ("old_id", "subject_id", "mapping_id", "period_id")
#: The old row with its new values: the place, the base, the seal.
_CHANGED = ("id", "mapping_id", "base_version", "sealed")


class Writer:
    """Converts new subjects to the rows of the new tables."""

    def __init__(self, cr: StoreCursor, keyring: OpenKeyring):
        self.cr = cr
        self.keyring = keyring

    def take_period_ids(self, count: int) -> Sequence[int]:
        """Return the given number of new period ids."""
        query = f"""SELECT ARRAY(SELECT nextval('{NEXT}.spar_mapping_period_id_seq')
                                   FROM generate_series(1, %s))"""
        ((ids,),) = fetch(self.cr, query, count)
        return list(ids)

    def save(self, subjects: Sequence[NewSubject]) -> None:
        """Write everything of ``subjects`` but their old events, notices and cases."""
        everything: dict[tuple[str, tuple[str, ...]], list[Row]] = {
            ("spar_subject", listing.SUBJECT): [
                listing.list_subject(self.keyring, s.subject, s.since) for s in subjects
            ],
            ("spar_subject_id", _ID): [r for s in subjects for r in _list_ids(s)],
            ("spar_mapping", listing.HEAD): [
                listing.list_head(self.keyring, s.subject, head)
                for s in subjects
                for head in s.heads
            ],
            ("spar_mapping_period", listing.PERIOD): [
                listing.list_period(
                    s.subject, p.head, p.row, listing.pair_digests(p.digests)
                )
                for s in subjects
                for p in s.periods
            ],
            ("spar_event", _EVENT): [r for s in subjects for r in _list_migrated(s)],
            ("placed", _PLACED): [r for s in subjects for r in _list_placed(s)],
        }
        for (table, columns), rows in everything.items():
            copy_rows(self.cr, f"{NEXT}.{table}", columns, rows)
        self._write_changes(subjects)

    def _write_changes(self, subjects: Sequence[NewSubject]) -> None:
        """Write the new values of changes; the rest is copied within the database."""
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


def _list_ids(new: NewSubject) -> list[Row]:
    subject = new.subject
    return [
        (
            row.row_id,
            subject.row_id,
            row.type_id,
            row.uuid,
            True,
            FIRST_ID_FORM,
            subject.last_seq,
            sealed,
            *listing.pair_digests(row.digests),
        )
        for row, sealed in new.ids
    ]


def _list_migrated(new: NewSubject) -> list[Row]:
    if new.migrated is None:
        return []
    return [(new.subject.row_id, FORMAT, *listing.list_content(new.migrated))]


def _list_placed(new: NewSubject) -> list[Row]:
    return [
        (old_id, new.subject.row_id, first.head.row_id, first.row.row_id)
        for old_id, first in new.firsts.items()
    ]
