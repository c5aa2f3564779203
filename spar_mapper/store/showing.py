"""The display of addresses to people, and the trace that an access leaves."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from odoo.addons.spar_mapper_connector.exceptions import SealBroken

from ..exceptions import RowBroken
from ..lib.records import Head, PeriodRow
from .database import Row, build_array, fetch
from .history import PERIODS, Historian, PastSubject, read_period
from .opening import (
    HEAD_COLUMNS,
    HEAD_START,
    ID_COLUMNS,
    ID_WIDTH,
    NEWEST_MAC,
    SUBJECT_COLUMNS,
)
from .work import Work

_SHOWN = f"""
    SELECT i.type_id, {ID_COLUMNS}, {SUBJECT_COLUMNS}, {NEWEST_MAC}, {HEAD_COLUMNS}
      FROM spar_mapping m
      JOIN spar_subject s ON s.id = m.subject_id
      JOIN LATERAL (
           SELECT * FROM spar_subject_id WHERE subject_id = s.id
            ORDER BY active DESC, type_id = %s, id LIMIT 1) i ON true
     WHERE m.id = ANY(%s::bigint[])
"""
_IDS = f"""
    SELECT {ID_COLUMNS}, {SUBJECT_COLUMNS}, {NEWEST_MAC}
      FROM spar_subject_id i JOIN spar_subject s ON s.id = i.subject_id
     WHERE i.id = ANY(%s::bigint[])
"""
_PAST = f"""
    SELECT DISTINCT ON (mapping_id) * FROM (
           {PERIODS} WHERE p.mapping_id = ANY(%s::bigint[])
                       AND p.subject_id = ANY(%s::bigint[])
                       AND p.sealed IS NOT NULL) past
     ORDER BY mapping_id, seq DESC
"""


class ShownPlace(NamedTuple):
    """An ID, its type, and the address that its place has, or had last.

    ``phone`` is the contact who is notified of changes of the address in force.
    """

    canonical: str
    type_id: int
    fa: str
    phone: str = ""


def show_heads(work: Work, row_ids: Iterable[int]) -> dict[int, ShownPlace]:
    """Return the content of each head; one that cannot be trusted is omitted.

    Its ID is the person's oldest, but no provisional reference once there is another.
    """
    historian, opener = Historian(work), work.load().opener
    shown, ended = {}, {}
    for type_id, *columns in fetch(
        work.cr, _SHOWN, work.provisional_type, build_array(row_ids)
    ):
        row = tuple(columns)
        try:
            subject = opener.open_subject(row[ID_WIDTH:HEAD_START])
            canonical = opener.open_id(subject, row[:ID_WIDTH])
            head = opener.open_head(subject, row[HEAD_START:])
        except RowBroken as error:
            work.problems.append(error.problem)
            continue
        address = head.address
        row_id, fa = row[HEAD_START], address.fa if address else ""
        phone = address.details.phone_number if address else ""
        shown[row_id] = ShownPlace(canonical, type_id, fa, phone)
        if not fa:
            ended[row_id] = PastSubject(subject.row_id, subject.uuid)
    for row_id, fa in _show_past(work, historian, ended).items():
        shown[row_id] = shown[row_id]._replace(fa=fa)
    return shown


def _show_past(
    work: Work, historian: Historian, ended: dict[int, PastSubject]
) -> dict[int, str]:
    """Return the last address of each place that has ended."""
    if not ended:
        return {}
    subjects = build_array({subject.row_id for subject in ended.values()})
    found = {}
    for row in fetch(work.cr, _PAST, build_array(ended), subjects):
        record = read_period(row)
        try:
            found[record.head_id] = historian.open(ended[record.head_id], record).fa
        except RowBroken as error:
            work.problems.append(error.problem)
    return found


def show_periods(work: Work, row_ids: Iterable[int]) -> dict[int, str]:
    """Return the address of each period; one that does not open is omitted."""
    historian = Historian(work)
    rows = fetch(
        work.cr,
        f"""SELECT s.id, s.uuid, past.* FROM (
                   {PERIODS} WHERE p.id = ANY(%s::bigint[])) past
              JOIN spar_mapping_period own ON own.id = past.id
              JOIN spar_subject s ON s.id = own.subject_id""",
        build_array(row_ids),
    )
    shown = {}
    for row in rows:
        record = read_period(row[2:])
        if record.sealed is None:
            shown[record.row_id] = ""
            continue
        try:
            subject = PastSubject(*row[:2])
            shown[record.row_id] = historian.open(subject, record).fa
        except RowBroken as error:
            work.problems.append(error.problem)
    return shown


def record_reveal(work: Work, head_id: int, period_id: int | None = None) -> int:
    """Record an access to a place or to one of its periods; return the event.

    Raises SealBroken for what does not open.
    """
    head_row = fetch(
        work.cr, "SELECT subject_id FROM spar_mapping WHERE id = %s", head_id
    )
    holding = work.load().load_subject(head_row[0][0]) if head_row else None
    if holding is None or holding.is_broken:
        raise SealBroken("the ID or its address does not open")
    heads = holding.subject.heads.values()
    head = next(head for head in heads if head.row_id == head_id)
    ledger = work.begin()
    period = _get_period(work, head, period_id)
    event = ledger.note(holding, head, "revealed", period=period)
    work.save(ledger)
    ((event_id,),) = fetch(
        work.cr,
        "SELECT id FROM spar_event WHERE subject_id = %s AND seq = %s AND format > 1",
        holding.subject.row_id,
        event.seq,
    )
    return int(event_id)


def _get_period(work: Work, head: Head, period_id: int | None) -> PeriodRow | None:
    """Return the period of ``head`` that is viewed; None for the present one."""
    if period_id is None:
        return None
    rows: list[Row] = fetch(
        work.cr,
        """SELECT seq, id, address_uuid FROM spar_mapping_period
            WHERE id = %s AND mapping_id = %s""",
        period_id,
        head.row_id,
    )
    seq, row_id, address_uuid = rows[0]
    return PeriodRow(seq, row_id, address_uuid=address_uuid)


def show_ids(work: Work, row_ids: Iterable[int]) -> dict[int, str]:
    """Return the stored spelling of each ID; one that does not open is omitted."""
    opener, shown = work.load().opener, {}
    for row in fetch(work.cr, _IDS, build_array(row_ids)):
        try:
            subject = opener.open_subject(row[ID_WIDTH:])
            shown[row[0]] = opener.open_id(subject, row[:ID_WIDTH])
        except RowBroken as error:
            work.problems.append(error.problem)
    return shown
