"""Who has suspended payments to the addresses of a batch."""

from __future__ import annotations

from collections.abc import Collection

from ..lib.records import Head
from ..lib.stopping import ENDS_STOP, SUSPENDED, Stop, build_stop, join_stops
from .database import StoreCursor, build_array, fetch

#: Every suspension of a place since it was last paid to. An approval is the event just
#: before what was approved.
_STOPS = """
    SELECT e.mapping_id, e.channel, e.actor, e.authenticated_by, EXISTS (
           SELECT FROM spar_event a
            WHERE a.subject_id = e.subject_id AND a.mapping_id = e.mapping_id
              AND a.seq = e.seq - 1 AND a.kind = 'change_approved')
      FROM spar_mapping m
      JOIN spar_event e ON e.subject_id = m.subject_id AND e.mapping_id = m.id
     WHERE m.id = ANY(%s::bigint[]) AND e.kind = %s
       AND NOT EXISTS (
           SELECT FROM spar_event n
            WHERE n.subject_id = e.subject_id AND n.mapping_id = e.mapping_id
              AND n.id > e.id AND n.kind = ANY(%s))
"""


def fetch_stops(cr: StoreCursor, head_ids: Collection[int]) -> dict[int, Stop]:
    """Return who has suspended payments to each of these places, by the head's id.

    All of them are suspended. It takes one statement, and none without places.
    """
    if not head_ids:
        return {}
    stops: dict[int, list[Stop]] = {head_id: [] for head_id in head_ids}
    rows = fetch(cr, _STOPS, build_array(head_ids), SUSPENDED, list(ENDS_STOP))
    for head_id, channel, actor, proof, is_approved in rows:
        stops[head_id].append(build_stop(channel, actor, proof, is_approved))
    return {head_id: join_stops(found) for head_id, found in stops.items()}


def find_stops(cr: StoreCursor, heads: Collection[Head]) -> None:
    """Note in each suspended head who has suspended payments to its address."""
    stopped = {h.row_id: h for h in heads if h.row_id and h.state == SUSPENDED}
    for head_id, stop in fetch_stops(cr, list(stopped)).items():
        stopped[head_id].stop = stop
