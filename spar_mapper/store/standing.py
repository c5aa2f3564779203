"""Whether people would be paid now: what resolving says, and what may change it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from odoo.addons.spar_mapper_connector.lib.contract import (
    MAX_SHARED,
    ResolveRequest,
    Result,
    Standing,
    get_payment_state,
)

from ..lib.records import IN_FORCE, Head, Subject
from ..lib.waiting import OBJECTION_LOCK
from .database import StoreCursor, build_array, build_texts, fetch

_WAITING = """
    SELECT m.subject_id, m.purpose
      FROM spar_change c JOIN spar_mapping m ON m.id = c.mapping_id
     WHERE c.state = 'waiting' AND m.subject_id = ANY(%s::bigint[])
"""
#: How many other people have the same address, for those who share theirs. An account
#: that thousands share (that of an office, for example) is not counted to the end. Few
#: share one: the first step finds them by one index look-up for each place.
_SHARED = """
    WITH shared AS MATERIALIZED (
         SELECT m.id, m.subject_id, p.fa_digest_{column} AS digest
           FROM spar_mapping m
           JOIN spar_mapping_period p ON p.id = m.period_id
          WHERE m.id = ANY(%s::bigint[])
            AND EXISTS (SELECT FROM spar_mapping_period q
                         WHERE q.fa_digest_{column} = p.fa_digest_{column}
                           AND q.subject_id <> p.subject_id))
    SELECT shared.id, others.count
      FROM shared
     CROSS JOIN LATERAL (
           SELECT count(*) FROM (
                  SELECT DISTINCT o.subject_id
                    FROM spar_mapping_period q
                    JOIN spar_mapping o ON o.id = q.mapping_id AND o.period_id = q.id
                   WHERE q.fa_digest_{column} = shared.digest
                     AND o.subject_id <> shared.subject_id
                     AND o.state = ANY(%s::varchar[])
                   LIMIT %s) other) others
"""


class _Place(NamedTuple):
    """The owner of an ID, and the place that a payer would be answered from."""

    subject: Subject
    head: Head | None


class StandingReader:
    """Completes the results of resolving with what payers do not receive.

    It takes two statements, whatever the number of IDs. ``note_place`` is called for
    each ID that is resolved; ``build_all`` is called once, with all their results.
    """

    def __init__(self, cr: StoreCursor, column: str):
        self.cr = cr
        self.column = column
        self._places: dict[str, _Place] = {}

    def note_place(
        self, request: ResolveRequest, subject: Subject, head: Head | None
    ) -> None:
        """Remember whose ID it is, and which place is in force."""
        self._places[request.id_value or ""] = _Place(subject, head)

    def build_all(
        self, requests: Sequence[ResolveRequest], results: Sequence[Result]
    ) -> list[Standing]:
        """Return the standing of each request, in the same order."""
        waiting = self._fetch_waiting()
        shared = self._fetch_shared()
        return [
            self._build(request, result, waiting, shared)
            for request, result in zip(requests, results, strict=True)
        ]

    def _build(
        self,
        request: ResolveRequest,
        result: Result,
        waiting: set[tuple[int | None, str]],
        shared: dict[int | None, int],
    ) -> Standing:
        id_value = request.id_value or ""
        state = get_payment_state(result)
        place = self._places.get(id_value)
        if place is None:
            return Standing(id_value, request.purpose, state)
        subject, head = place
        purposes = {request.purpose, head.purpose if head else ""}
        asked = {(subject.row_id, purpose) for purpose in purposes}
        return Standing(
            id_value,
            request.purpose,
            state,
            is_disputed=subject.change_lock == OBJECTION_LOCK,
            has_waiting_change=not waiting.isdisjoint(asked),
            shared_with=shared.get(head.row_id, 0) if head else None,
            provider=result.provider,
        )

    def _fetch_waiting(self) -> set[tuple[int | None, str]]:
        subjects = {place.subject.row_id for place in self._places.values()}
        if not subjects:
            return set()
        rows = fetch(self.cr, _WAITING, build_array(subjects))
        return {(subject_id, purpose) for subject_id, purpose in rows}

    def _fetch_shared(self) -> dict[int | None, int]:
        heads = {place.head.row_id for place in self._places.values() if place.head}
        if not heads:
            return {}
        query = _SHARED.format(column=self.column)
        states = build_texts(list(IN_FORCE))
        rows = fetch(self.cr, query, build_array(heads), states, MAX_SHARED)
        return dict(rows)
