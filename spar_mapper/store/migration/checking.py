"""The checks of the old store as a whole, and the comparisons at the end."""

from __future__ import annotations

from collections.abc import Iterator

from ...lib import audit
from ..database import StoreCursor, fetch
from .copying import list_old_columns
from .tables import NEXT

SUBJECT_REMOVED = "its ID or its subject was removed"
MAPPING_REMOVED = "its mapping was removed"
EVENT_REMOVED = "its event was removed"

#: Table, the problem with its rows ``r``, and the condition that selects them.
_ORPHANS = (
    (
        "spar_subject_id",
        SUBJECT_REMOVED,
        "LEFT JOIN spar_subject s ON s.id = r.subject_id WHERE s.id IS NULL",
    ),
    (
        "spar_mapping",
        SUBJECT_REMOVED,
        """LEFT JOIN spar_subject s ON s.id = r.subject_id
           LEFT JOIN spar_subject_id i ON i.id = r.identifier_id
           WHERE s.id IS NULL OR i.id IS NULL""",
    ),
    (
        "spar_event",
        MAPPING_REMOVED,
        "LEFT JOIN spar_mapping m ON m.id = r.mapping_id WHERE m.id IS NULL",
    ),
    (
        "spar_event",
        audit.NOTICE_REMOVED,
        "LEFT JOIN spar_notice n ON n.event_id = r.id WHERE n.id IS NULL",
    ),
    (
        "spar_notice",
        EVENT_REMOVED,
        "LEFT JOIN spar_event e ON e.id = r.event_id WHERE e.id IS NULL",
    ),
    (
        "spar_change",
        MAPPING_REMOVED,
        "LEFT JOIN spar_mapping m ON m.id = r.mapping_id WHERE m.id IS NULL",
    ),
    (
        "spar_objection",
        EVENT_REMOVED,
        """LEFT JOIN spar_event e ON e.id = r.event_id
           LEFT JOIN spar_mapping m ON m.id = r.mapping_id
           WHERE e.id IS NULL OR m.id IS NULL""",
    ),
)
#: Table -> how many rows the new one must have, based on the old ones.
_COUNTS = {
    "spar_subject": "SELECT count(*) FROM spar_subject",
    "spar_subject_id": "SELECT count(*) FROM spar_subject_id",
    "spar_mapping": """SELECT count(DISTINCT (subject_id, coalesce(purpose, ''),
                                              coalesce(rank, 1))) FROM spar_mapping""",
    "spar_event": """SELECT (SELECT count(*) FROM spar_event)
                          + (SELECT count(DISTINCT subject_id) FROM spar_mapping)""",
    "spar_notice": "SELECT count(*) FROM spar_notice",
    "spar_change": "SELECT count(*) FROM spar_change",
    "spar_objection": "SELECT count(*) FROM spar_objection",
}


def find_orphans(cr: StoreCursor) -> Iterator[audit.Finding]:
    """Yield the rows of the old store that belong to nothing."""
    for table, problem, condition in _ORPHANS:
        if not list_old_columns(cr, table):
            continue
        query = f"SELECT r.id FROM {table} r {condition} ORDER BY r.id"
        for (row_id,) in fetch(cr, query):
            yield table, row_id, problem


def compare_counts(cr: StoreCursor) -> Iterator[str]:
    """Yield a line for each new table that does not have as many rows as it must."""
    for table, query in _COUNTS.items():
        if not list_old_columns(cr, table):
            continue
        ((expected,),) = fetch(cr, query)
        ((count,),) = fetch(cr, f"SELECT count(*) FROM {NEXT}.{table}")
        if count != expected:
            yield f"{table}: {count} rows of {expected} were made"
    query = f"SELECT (SELECT count(*) FROM spar_mapping) - count(*) FROM {NEXT}.placed"
    ((missing,),) = fetch(cr, query)
    if missing:
        yield f"spar_mapping: {missing} rows have no place"
