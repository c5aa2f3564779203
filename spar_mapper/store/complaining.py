"""Complaints in a person's history."""

from __future__ import annotations

from .work import Work


def note_complaint(work: Work, subject_id: int, kind: str) -> bool:
    """Record an event about a complaint; return whether the person's record opens."""
    holding = work.load().load_subject(subject_id)
    if holding is None or holding.is_broken:
        return False
    ledger = work.begin()
    ledger.note_complaint(holding.subject, kind)
    work.save(ledger)
    return True
