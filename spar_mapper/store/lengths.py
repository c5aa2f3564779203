"""How long the IDs are that the store has: their lengths, never the IDs."""

from __future__ import annotations

from odoo.addons.spar_mapper_connector.lib.id_rules import get_value

from ..exceptions import RowBroken
from .database import fetch
from .opening import ID_COLUMNS, ID_WIDTH, NEWEST_MAC, SUBJECT_COLUMNS
from .work import Work

#: So many of a type's newest IDs are looked at, among so many newest IDs of all.
SEEN, RECENT = 100, 20_000

_NEWEST = f"""
    SELECT {ID_COLUMNS}, {SUBJECT_COLUMNS}, {NEWEST_MAC}
      FROM (SELECT * FROM spar_subject_id
             WHERE type_id = %s AND active
               AND id > (SELECT max(id) FROM spar_subject_id) - %s
             ORDER BY id DESC LIMIT %s) i
      JOIN spar_subject s ON s.id = i.subject_id
"""


def list_lengths(work: Work, type_id: int) -> frozenset[int]:
    """Return the lengths that IDs of a type have, without what stands around them."""
    opener, lengths = work.load().opener, set()
    for row in fetch(work.cr, _NEWEST, type_id, RECENT, SEEN):
        try:
            subject = opener.open_subject(row[ID_WIDTH:])
            lengths.add(len(get_value(opener.open_id(subject, row[:ID_WIDTH]))))
        except RowBroken as error:
            work.problems.append(error.problem)
    return frozenset(lengths)
