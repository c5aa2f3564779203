"""The destruction of what was kept about a person."""

from __future__ import annotations

from odoo.addons.spar_mapper_connector.exceptions import SealBroken

from .database import fetch
from .work import Work


def erase_proofs(work: Work, subject_id: int) -> int:
    """Destroy the proofs of one person, salts included; return how many there were.

    What the events commit to stays, and so do the digests of the logins: without the
    salt they say nothing. Raises SealBroken for a person who does not open.
    """
    holding = work.load().load_subject(subject_id)
    if holding is None or holding.is_broken:
        raise SealBroken("the ID or its address does not open")
    rows = fetch(
        work.cr,
        """UPDATE spar_owner_proof SET sealed = NULL
            WHERE subject_id = %s AND sealed IS NOT NULL RETURNING id""",
        subject_id,
    )
    if rows:
        ledger = work.begin()
        ledger.erase_proofs(holding.subject)
        work.save(ledger)
    return len(rows)
