"""Representatives of people, in the people's history."""

from __future__ import annotations

from collections.abc import Callable

from odoo.addons.spar_mapper_connector.lib.keyring import OpenKeyring

from ..exceptions import RowBroken
from .work import Work

#: Returns the commitment to a representative, from the person's UUID.
Commit = Callable[[OpenKeyring, str], bytes]


def note_representative(work: Work, subject_id: int, kind: str, commit: Commit) -> None:
    """Record an event about a representative; raises RowBroken for a broken person."""
    holding = work.load().load_subject(subject_id)
    if holding is None or holding.is_broken or holding.subject.merged_into:
        raise RowBroken("spar_subject", subject_id, "the record cannot be verified")
    ledger = work.begin()
    subject = holding.subject
    ledger.note_representative(subject, kind, commit(work.keyring, subject.uuid))
    work.save(ledger)
