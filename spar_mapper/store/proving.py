"""Owners' proofs: stored with their event, used once, and read back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from odoo.addons.spar_mapper_connector.exceptions import SealBroken
from odoo.addons.spar_mapper_connector.lib.keyring import OpenKeyring
from odoo.addons.spar_mapper_connector.lib.owner_proof import ProofUnreadable

from ..lib.proofs import PURPOSE, KeptProof, proof_context, read_kept
from ..lib.records import EventRow, ProofRow
from .database import Row, StoreCursor, build_array, copy_rows, fetch

_COLUMNS = (
    "uuid",
    "subject_id",
    "event_id",
    "used_at",
    "login_digest",
    "parts",
    "sealed",
)
_STORED = """
    SELECT p.id, p.uuid, p.parts, p.sealed, s.uuid, e.id, e.commitment_proof, e.kind,
           e.happened_at, e.subject_id, e.mapping_id, e.period_id, e.uuid
      FROM spar_owner_proof p
      JOIN spar_event e ON e.id = p.event_id
      JOIN spar_subject s ON s.id = p.subject_id
     WHERE {condition} ORDER BY p.id
"""


class StoredProof(NamedTuple):
    """A stored proof and its event, as their rows state them."""

    row_id: int
    uuid: str
    parts: bytes | None
    sealed: bytes | None
    subject_uuid: str
    event_id: int
    commitment: bytes | None
    kind: str
    happened_at: datetime
    subject_id: int
    mapping_id: int | None
    period_id: int | None
    event_uuid: str


@dataclass(frozen=True)
class OpenedProof:
    """A stored proof that opens."""

    stored: StoredProof
    kept: KeptProof


# === WRITING === #


def is_used(cr: StoreCursor, proof: ProofRow) -> bool:
    """Return whether the login of ``proof`` was used before.

    The person is locked meanwhile, so that a second call with the same login waits
    here; the table's unique index would refuse it in any case.
    """
    query = "SELECT 1 FROM spar_owner_proof WHERE login_digest = %s"
    return bool(fetch(cr, query, proof.login_digest))


def keep_proof(
    cr: StoreCursor,
    keyring: OpenKeyring,
    proof: ProofRow,
    event_id: int,
    event: EventRow,
) -> None:
    """Store a proof with its event, which is already written."""
    context = proof_context(proof.uuid, event.subject_uuid)
    row: Row = (
        proof.uuid,
        event.subject.row_id if event.subject else None,
        event_id,
        event.happened_at,
        proof.login_digest,
        proof.parts,
        keyring.seal(PURPOSE, proof.text, context),
    )
    copy_rows(cr, "spar_owner_proof", _COLUMNS, [row])


def note_used(cr: StoreCursor, proof: ProofRow, now: datetime) -> None:
    """Note that a login was used, although nothing had to be changed."""
    row: Row = (proof.uuid, None, None, now, proof.login_digest, None, None)
    copy_rows(cr, "spar_owner_proof", _COLUMNS, [row])


# === READING === #


def fetch_range(cr: StoreCursor, after: int, until: int) -> list[StoredProof]:
    """Return the proofs in a range of rows."""
    query = _STORED.format(condition="p.id > %s AND p.id <= %s")
    return [StoredProof(*row) for row in fetch(cr, query, after, until)]


def fetch_of_events(cr: StoreCursor, event_ids: Iterable[int]) -> list[StoredProof]:
    """Return the proofs of events."""
    query = _STORED.format(condition="p.event_id = ANY(%s::bigint[])")
    return [StoredProof(*row) for row in fetch(cr, query, build_array(event_ids))]


def open_proof(keyring: OpenKeyring, stored: StoredProof) -> OpenedProof:
    """Return a proof that was sealed; raises SealBroken for anything else."""
    if stored.sealed is None:
        raise SealBroken("the proof is gone")
    context = proof_context(stored.uuid, stored.subject_uuid)
    text = keyring.unseal(PURPOSE, bytes(stored.sealed), context)
    try:
        return OpenedProof(stored, read_kept(text))
    except ProofUnreadable as error:
        raise SealBroken("the proof cannot be read") from error
