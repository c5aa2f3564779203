"""Which office people belong to."""

from __future__ import annotations

from collections.abc import Iterable

from odoo.addons.spar_mapper_connector.lib.keyring import OpenKeyring

from ..exceptions import RowBroken
from ..lib.offices import commit_to_office
from .database import Row, StoreCursor, build_array, fetch
from .work import Work

_STANDING = """
    SELECT p.subject_id, s.uuid, o.uuid, p.seq, e.commitment_after
      FROM spar_office_person p
      JOIN spar_subject s ON s.id = p.subject_id
      LEFT JOIN spar_office o ON o.id = p.office_id
      LEFT JOIN spar_event e ON e.subject_id = p.subject_id AND e.seq = p.seq
                            AND e.format > 1 AND e.kind = 'office_changed'
     WHERE p.subject_id = ANY(%s::bigint[])
"""
_LAST = """
    SELECT DISTINCT ON (subject_id) subject_id, seq FROM spar_event
     WHERE kind = 'office_changed' AND format > 1 AND subject_id = ANY(%s::bigint[])
     ORDER BY subject_id, seq DESC
"""


def assign_office(
    work: Work, subject_ids: Iterable[int], office: tuple[int, str] | None
) -> int:
    """Assign people to an office (its row and UUID) or to none, with an event for each.

    Return how many were moved; people who already belong there are skipped. Raises
    RowBroken if one cannot be verified.
    """
    ids = sorted(set(subject_ids))
    there = {row[0]: row[2] for row in fetch(work.cr, _STANDING, build_array(ids))}
    wanted = office[1] if office else None
    moving = [row_id for row_id in ids if there.get(row_id) != wanted]
    holdings = work.load().load_subjects(moving)
    ledger = work.begin()
    for row_id in moving:
        holding = holdings.get(row_id)
        if holding is None or holding.is_broken:
            raise RowBroken("spar_subject", row_id, "the record cannot be verified")
        ledger.change_office(holding.subject, wanted or "")
    work.save(ledger)
    for row_id in moving:
        work.cr.execute(
            """INSERT INTO spar_office_person (subject_id, office_id, seq)
               VALUES (%s, %s, %s)
               ON CONFLICT (subject_id) DO UPDATE
                  SET office_id = EXCLUDED.office_id, seq = EXCLUDED.seq""",
            (row_id, office[0] if office else None, holdings[row_id].subject.last_seq),
        )
    return len(moving)


def find_misplaced(
    cr: StoreCursor, keyring: OpenKeyring, subject_ids: Iterable[int]
) -> list[int]:
    """Return those of these people whose office differs from their history."""
    ids = build_array(subject_ids)
    last: dict[int, int] = {row[0]: row[1] for row in fetch(cr, _LAST, ids)}
    rows: dict[int, Row] = {row[0]: row for row in fetch(cr, _STANDING, ids)}
    wrong = set(last.keys() ^ rows.keys())
    for row_id, (_id, subject, office, seq, commitment) in rows.items():
        expected = commit_to_office(keyring, subject, office or "")
        if last.get(row_id) != seq or bytes(commitment or b"") != expected:
            wrong.add(row_id)
    return sorted(wrong)
