"""Verification of stored owners' proofs, long after the logins."""

from __future__ import annotations

from collections.abc import Iterator

from odoo.addons.spar_mapper_connector.exceptions import SealBroken
from odoo.addons.spar_mapper_connector.lib.owner_proof import AddressItem, EventItem
from odoo.addons.spar_mapper_connector.lib.proof_check import (
    EVENT,
    ProofRefused,
    ProvedPerson,
)

from ..lib import audit
from ..lib.key_archive import ArchivedKey, build_find
from ..lib.proof_export import build_export, verify_kept
from ..lib.proofs import (
    OPERATIONS,
    KeptProof,
    commit_to_proof,
    list_altered,
    mac_parts,
)
from ..lib.transitions import PROOFS_ERASED
from .archiving import read_genuine
from .database import fetch
from .proving import OpenedProof, StoredProof, fetch_of_events, fetch_range, open_proof
from .showing import show_periods
from .work import Work

TABLE = "spar_owner_proof"
#: Events after which the period has the address that was confirmed.
_GIVE_ADDRESS = ("linked", "proposed", "updated", "updated_suspended")
_EVENT_COLUMNS = (
    "uuid",
    "seq",
    "kind",
    "actor",
    "on_behalf_of",
    "channel",
    "message_reference",
)
#: The event itself, else the one with which the same change began to wait.
_PROVED_EVENT = """
    SELECT b.id FROM spar_event e
      JOIN spar_event b ON b.subject_id = e.subject_id AND b.format = 3
       AND (b.id = e.id OR (b.commitment_change = e.commitment_change AND b.id < e.id))
     WHERE e.uuid = %s ORDER BY b.id DESC LIMIT 1
"""


class ProofAuditor:
    """Verifies stored proofs with the archived keys."""

    def __init__(self, work: Work):
        self.work = work
        self._archive: list[ArchivedKey] | None = None

    @property
    def archive(self) -> list[ArchivedKey]:
        """Return the archived keys that the registry wrote."""
        if self._archive is None:
            self._archive = read_genuine(self.work.cr, self.work.keyring)
        return self._archive

    # === THE CHECK === #

    def check(self, after: int, until: int) -> list[audit.Finding]:
        """Return what is wrong with the proofs in a range of rows."""
        found: list[audit.Finding] = []
        for stored in fetch_range(self.work.cr, after, until):
            found += self.examine(stored)
        return found

    def check_events(self, after: int, until: int) -> list[audit.Finding]:
        """Return the events of a range whose proof is missing."""
        rows = fetch(
            self.work.cr,
            """SELECT e.id FROM spar_event e
                 LEFT JOIN spar_owner_proof p ON p.event_id = e.id
                WHERE e.id > %s AND e.id <= %s AND e.format = 3 AND p.id IS NULL
                ORDER BY e.id""",
            after,
            until,
        )
        return [("spar_event", row_id, audit.PROOF_MISSING) for (row_id,) in rows]

    def examine(self, stored: StoredProof) -> Iterator[audit.Finding]:
        """Yield what is wrong with one proof."""
        parts = bytes(stored.parts or b"")
        expected = commit_to_proof(self.work.keyring, stored.uuid, parts)
        if expected != bytes(stored.commitment or b""):
            yield TABLE, stored.row_id, audit.PROOF_OTHER
        if stored.sealed is None:
            if not self._is_erased(stored):
                yield TABLE, stored.row_id, audit.PROOF_ERASED
            return
        try:
            opened = open_proof(self.work.keyring, stored)
        except SealBroken:
            yield TABLE, stored.row_id, audit.PROOF_DOES_NOT_OPEN
            return
        for part in self._find_altered(opened, parts):
            yield TABLE, stored.row_id, audit.PROOF_PARTS[part]

    def _find_altered(self, opened: OpenedProof, parts: bytes) -> list[str]:
        """Return the parts of a proof that were altered, or that do not verify."""
        stored, kept = opened.stored, opened.kept
        present = mac_parts(self.work.keyring, stored.uuid, kept)
        found = list_altered(parts, present)
        try:
            self.verify(opened)
        except ProofRefused as error:
            found += [] if found else [error.part]
        if not self._is_of_event(stored, kept):
            found.append(EVENT)
        return list(dict.fromkeys(found))

    def _is_erased(self, stored: StoredProof) -> bool:
        rows = fetch(
            self.work.cr,
            """SELECT 1 FROM spar_event
                WHERE subject_id = %s AND kind = %s AND id > %s LIMIT 1""",
            stored.subject_id,
            PROOFS_ERASED,
            stored.event_id,
        )
        return bool(rows)

    def _is_of_event(self, stored: StoredProof, kept: KeptProof) -> bool:
        """Return whether the event did what the owner confirmed."""
        operation = OPERATIONS.get(stored.kind)
        if operation is not None and operation is not kept.change.operation:
            return False
        item = kept.change.item
        if isinstance(item, EventItem):
            return item.period == self._get_address_uuid(stored)
        if not isinstance(item, AddressItem) or stored.kind not in _GIVE_ADDRESS:
            return True
        period_id = stored.period_id or 0
        shown = show_periods(self.work, [period_id]).get(period_id, "")
        present, confirmed = self.work.build_keys([shown, item.fa])
        return bool(shown) and present == confirmed

    def _get_address_uuid(self, stored: StoredProof) -> str:
        query = "SELECT address_uuid FROM spar_mapping_period WHERE id = %s"
        rows = fetch(self.work.cr, query, stored.period_id)
        return rows[0][0] if rows else ""

    # === ONE PROOF === #

    def verify(self, opened: OpenedProof) -> ProvedPerson:
        """Return who confirmed the change; raises ProofRefused."""
        happened_at = opened.stored.happened_at
        issuer = opened.kept.proof.issuer
        find_keys = build_find(self.archive, issuer, happened_at)
        return verify_kept(opened.kept, find_keys, happened_at)

    def find(self, event_uuid: str) -> StoredProof | None:
        """Return the proof on which an event rests; None if it has none.

        An event that applied a change that had waited rests on the proof of the event
        with which it began to wait.
        """
        rows = fetch(self.work.cr, _PROVED_EVENT, event_uuid)
        found = fetch_of_events(self.work.cr, [row_id for (row_id,) in rows])
        return found[0] if found else None

    def export(self, stored: StoredProof) -> dict[str, object]:
        """Return the document of a proof; raises SealBroken and ProofRefused."""
        opened = open_proof(self.work.keyring, stored)
        person = self.verify(opened)
        used = {(key.kid, key.thumbprint) for key in person.keys}
        issuer = opened.kept.proof.issuer
        keys = [
            key
            for key in self.archive
            if key.issuer == issuer and (key.kid, key.thumbprint) in used
        ]
        return build_export(opened.kept, self._read_event(stored), keys)

    def _read_event(self, stored: StoredProof) -> dict[str, object]:
        """Return the plain columns of a proof's event."""
        columns = ", ".join(_EVENT_COLUMNS)
        query = f"SELECT {columns} FROM spar_event WHERE id = %s"
        (row,) = fetch(self.work.cr, query, stored.event_id)
        plain = dict(zip(_EVENT_COLUMNS, row, strict=True))
        return {**plain, "happened_at": stored.happened_at.isoformat()}
