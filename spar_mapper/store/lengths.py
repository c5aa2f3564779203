"""The lengths of stored IDs, without the IDs themselves."""

from __future__ import annotations

from collections.abc import Callable

from odoo.addons.spar_mapper_connector.lib.id_rules import Identifier, get_value

from ..exceptions import RowBroken
from .database import fetch
from .identifying import find_rows
from .opening import ID_COLUMNS, ID_WIDTH, NEWEST_MAC, SUBJECT_COLUMNS
from .work import Work

#: The number of a type's newest IDs that are sampled, out of the newest IDs of all
#: types.
SAMPLE_SIZE, RECENT_ROWS = 100, 20_000

_NEWEST = f"""
    SELECT {ID_COLUMNS}, {SUBJECT_COLUMNS}, {NEWEST_MAC}
      FROM (SELECT * FROM spar_subject_id
             WHERE type_id = %s AND active
               AND id > (SELECT max(id) FROM spar_subject_id) - %s
             ORDER BY id DESC LIMIT %s) i
      JOIN spar_subject s ON s.id = i.subject_id
"""


def find_doubt(
    work: Work, identifier: Identifier, text: str, clean: Callable[[str], str]
) -> str:
    """Return why a new ID may be mistyped: ``letters``, ``length``, or "" for no doubt.

    There is no doubt about an ID that is already stored.

    :param clean: returns the value in ``text``, spelt as its type spells it
    """
    if find_rows(work.cr, work.keyring, [identifier.canonical]):
        return ""
    value = clean(text)
    if not value.isdecimal():
        return "letters"
    lengths = list_lengths(work, identifier.type_id)
    return "" if len(value) in lengths else "length"


def list_lengths(work: Work, type_id: int) -> frozenset[int]:
    """Return the lengths of a type's stored IDs, without what surrounds the value."""
    opener, lengths = work.load().opener, set()
    for row in fetch(work.cr, _NEWEST, type_id, RECENT_ROWS, SAMPLE_SIZE):
        try:
            subject = opener.open_subject(row[ID_WIDTH:])
            lengths.add(len(get_value(opener.open_id(subject, row[:ID_WIDTH]))))
        except RowBroken as error:
            work.problems.append(error.problem)
    return frozenset(lengths)
