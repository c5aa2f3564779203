"""People without an ID card: who they are, and the ID that they get later."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..exceptions import NotDecidable, RowBroken
from ..lib import audit
from ..lib.chain import commit_to, mark_id
from ..lib.records import Holding
from ..lib.transitions import ID_ADDED, ID_NOT_ADDED, ID_PROPOSED, MERGED
from .database import StoreCursor, build_array, fetch

if TYPE_CHECKING:
    from .loading import CanonicalId
    from .work import Work

_UNJOINED = """
    SELECT subject_id FROM spar_subject_id
     WHERE subject_id = ANY(%s::bigint[]) AND active
     GROUP BY subject_id HAVING bool_and(type_id = %s)
"""
_LAST = """
    SELECT kind, commitment_after FROM spar_event
     WHERE subject_id = %s AND kind = ANY(%s) AND format > 1
     ORDER BY seq DESC LIMIT 1
"""
_KINDS = [ID_PROPOSED, ID_ADDED, ID_NOT_ADDED, MERGED]


def fetch_unjoined(cr: StoreCursor, subject_ids: list[int], type_id: int) -> set[int]:
    """Return which subjects have no active ID but provisional references."""
    if not subject_ids or not type_id:
        return set()
    rows = fetch(cr, _UNJOINED, build_array(subject_ids), type_id)
    return {subject_id for (subject_id,) in rows}


def find_provisional(
    work: Work,
    identifiers: Mapping[str, CanonicalId],
    holdings: Mapping[str, Holding],
) -> set[int]:
    """Return the subjects of a batch who have no ID but a provisional reference.

    It takes a statement only if the batch names such a reference: somebody who is found
    by another ID has one.
    """
    named = [
        holding.subject.row_id
        for canonical, holding in holdings.items()
        if identifiers[canonical].type_id == work.provisional_type
    ]
    return fetch_unjoined(work.cr, named, work.provisional_type)


def propose_id(work: Work, subject_id: int, uuid: str) -> None:
    """Record that an ID waits to be added to a subject; raises RowBroken."""
    _note(work, subject_id, ID_PROPOSED, uuid)


def drop_id(work: Work, subject_id: int, uuid: str) -> None:
    """Record that an ID which waited is not added; raises RowBroken."""
    _note(work, subject_id, ID_NOT_ADDED, uuid)


def check_proposed(work: Work, subject_id: int, uuid: str) -> None:
    """Raise RowBroken unless the history says that exactly this ID waits.

    A row that was set back to waiting, or exchanged for another one, is refused.
    """
    holding = _load(work, subject_id)
    rows = fetch(work.cr, _LAST, subject_id, _KINDS)
    text = f"joining {holding.subject.uuid} {uuid}"
    expected = (ID_PROPOSED, commit_to(work.keyring, text))
    if [(kind, bytes(after or b"")) for kind, after in rows] != [expected]:
        raise RowBroken("spar_joining", 0, audit.NOT_AS_RECORDED)


def add_id(work: Work, subject_id: int, identifier: CanonicalId) -> None:
    """Add an ID that nobody has to a subject, whose other IDs stay.

    Raises NotDecidable if it is somebody's by now or an objection is open, RowBroken if
    the subject was altered.
    """
    subject = _load(work, subject_id).subject
    if subject.change_lock == "objection":
        raise NotDecidable("objection")
    stored = work.load().add_to(subject, identifier)
    if stored is None:
        raise NotDecidable("gone")
    ledger = work.begin()
    subject.marks[mark_id(stored.row_id)] = 0
    ledger.add_id(subject, stored)
    work.save(ledger)


def _note(work: Work, subject_id: int, kind: str, uuid: str) -> None:
    subject = _load(work, subject_id).subject
    ledger = work.begin()
    ledger.note_joining(subject, kind, uuid)
    work.save(ledger)


def _load(work: Work, subject_id: int) -> Holding:
    """Return a subject, locked; raises RowBroken if it cannot be trusted."""
    holding = work.load().load_subject(subject_id)
    if holding is None or holding.is_broken:
        raise RowBroken("spar_subject", subject_id, audit.NOT_AS_RECORDED)
    return holding
