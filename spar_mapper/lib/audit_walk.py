"""How the integrity check proceeds: part by part, piece by piece.

A piece is a range of ids of one table, small enough for its own transaction; the first
part consists of the chunks of the checkpoints. The position between two pieces can be
stored, and the check continues from there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

#: The part whose pieces are chunks of events, not ids of a table.
CHUNKS = "spar_checkpoint"


class Part(NamedTuple):
    """The size in rows of a piece of a table, and the method that checks it."""

    size: int
    method: str = ""


#: In the order of the check; all but the first are tables.
PARTS = {
    CHUNKS: Part(20),
    "spar_subject": Part(250, "_check_subjects"),
    "spar_subject_id": Part(50_000, "_check_ids"),
    "spar_mapping": Part(50_000, "_check_mappings"),
    "spar_office_person": Part(5_000, "_check_offices"),
    "spar_owner_proof": Part(1_000, "_check_proofs"),
    "spar_event": Part(50_000, "_check_events"),
    "spar_form_case": Part(1_000, "_check_cases"),
}
_ORDER = list(PARTS)


@dataclass(frozen=True)
class AuditPosition:
    """The position of the check: the part, and the id ``after`` which it continues."""

    part: str = CHUNKS
    after: int = 0

    @property
    def size(self) -> int:
        return PARTS[self.part].size

    @property
    def is_end(self) -> bool:
        return not self.part

    def get_next(self, after: int | None) -> AuditPosition:
        """Return the position after ``after``; None means that the part is finished.

        >>> AuditPosition().get_next(20)
        AuditPosition(part='spar_checkpoint', after=20)
        >>> AuditPosition("spar_event", 70_000).get_next(None)
        AuditPosition(part='spar_form_case', after=0)
        >>> AuditPosition("spar_form_case", 4).get_next(None).is_end
        True
        """
        if after is not None:
            return AuditPosition(self.part, after)
        following = _ORDER.index(self.part) + 1
        return AuditPosition(_ORDER[following] if following < len(_ORDER) else "")

    def to_json(self) -> dict[str, Any]:
        """Return the position as it is stored.

        >>> AuditPosition.from_json(AuditPosition("spar_event", 7).to_json())
        AuditPosition(part='spar_event', after=7)
        """
        return {"part": self.part, "after": self.after}

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> AuditPosition:
        return cls(document["part"], document["after"])
