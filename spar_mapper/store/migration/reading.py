"""The reading of the old store: some subjects with all their rows, five statements."""

from __future__ import annotations

from ...lib.old_store.rows import OldChange, OldId, OldMapping, OldSubject
from ...lib.records import ADDRESS_COLUMNS, EventRow, StoredAddress
from ...lib.seals import ChangeTerms
from ..database import Row, StoreCursor, build_array, fetch
from ..listing import EVENT, read_digests, read_event
from ..opening import name_columns

_SUBJECTS = """
    SELECT id, uuid, since, change_lock, coalesce(pay_stop, false) FROM spar_subject
     WHERE id > %s ORDER BY id LIMIT %s
"""
_IDS = """
    SELECT subject_id, digest_a, digest_b, id, uuid, type_id,
           coalesce(active, false), sealed
      FROM spar_subject_id WHERE subject_id = ANY(%s::bigint[]) ORDER BY id
"""
_MAPPINGS = f"""
    SELECT m.subject_id, m.fa_digest_a, m.fa_digest_b, m.id, m.identifier_id,
           m.purpose, m.rank, m.state, m.version, m.valid_to, m.last_seq, m.last_mac,
           m.sealed, m.uuid, {name_columns("m", ADDRESS_COLUMNS)}
      FROM spar_mapping m WHERE m.subject_id = ANY(%s::bigint[]) ORDER BY m.id
"""
#: Where the bytes, and the columns of the address, begin.
_SEALED_START, _PLAIN_START = 11, 13
#: The last column is new: a legacy event concerns no change.
_EVENTS = f"""
    SELECT e.mapping_id, e.id, {name_columns("e", EVENT[:-2])}, NULL, NULL
      FROM spar_event e WHERE e.mapping_id = ANY(%s::bigint[])
     ORDER BY e.mapping_id, e.seq, e.id
"""
_CONTENT_START = 2
#: Where the terms of a change begin.
_TERMS_START = 6
_CHANGES = f"""
    SELECT m.subject_id, c.id, c.mapping_id, c.uuid, c.state, c.sealed,
           {name_columns("c", ChangeTerms._fields)}
      FROM spar_change c JOIN spar_mapping m ON m.id = c.mapping_id
     WHERE m.id = ANY(%s::bigint[]) ORDER BY c.id
"""


def read_subjects(cr: StoreCursor, after: int, limit: int) -> list[OldSubject]:
    """Return the next ``limit`` subjects after an id, still sealed."""
    rows = fetch(cr, _SUBJECTS, after, limit)
    subjects = {row[0]: OldSubject(*row) for row in rows}
    if subjects:
        _add_ids(cr, subjects)
        _add_mappings(cr, subjects)
    return list(subjects.values())


def _add_ids(cr: StoreCursor, subjects: dict[int, OldSubject]) -> None:
    for subject_id, a, b, *row, sealed in fetch(cr, _IDS, build_array(subjects)):
        values: Row = (*row, bytes(sealed or b""), read_digests(a, b))
        subjects[subject_id].ids[row[0]] = OldId(*values)


def _add_mappings(cr: StoreCursor, subjects: dict[int, OldSubject]) -> None:
    mappings: dict[int, OldMapping] = {}
    for row in fetch(cr, _MAPPINGS, build_array(subjects)):
        mapping = _build_mapping(row)
        mappings[mapping.row_id] = mapping
        subjects[row[0]].mappings[mapping.row_id] = mapping
    ids = build_array(mappings)
    for row in fetch(cr, _EVENTS, ids):
        mapping = mappings[row[0]]
        mapping.events.append((row[1], _build_event(mapping, row)))
    for row in fetch(cr, _CHANGES, ids):
        subjects[row[0]].changes.append(_build_change(row))


def _build_mapping(row: Row) -> OldMapping:
    _subject, digest_a, digest_b, *values = row[:_SEALED_START]
    last_mac, sealed = (bytes(v or b"") for v in row[_SEALED_START:_PLAIN_START])
    uuid, *plain = row[_PLAIN_START:]
    address = StoredAddress(uuid, 0, "", *plain)
    digests = read_digests(digest_a, digest_b)
    given: Row = (*values, last_mac, sealed, digests, address)
    return OldMapping(*given)


def _build_change(row: Row) -> OldChange:
    _subject, *values, sealed = row[:_TERMS_START]
    terms = ChangeTerms(*row[_TERMS_START:])
    given: Row = (*values, bytes(sealed or b""), terms)
    return OldChange(*given)


def _build_event(mapping: OldMapping, row: Row) -> EventRow:
    return read_event(row[_CONTENT_START:], "", "", mapping.uuid)
