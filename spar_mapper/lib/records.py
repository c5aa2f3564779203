"""The store's rows as plain values: what a batch works on in memory.

Tables are read once and written once for each batch; everything between happens here.
Times are naive UTC, as the database keeps them.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import datetime

from odoo.addons.spar_mapper_connector.lib.contract import NO_DETAILS, Details

from .details import pack_details

#: States of a mapping in which it is the address in force.
IN_FORCE = ("active", "suspended")
#: States in which it occupies its place (subject, purpose, rank).
OCCUPYING = (*IN_FORCE, "proposed")

#: Columns of a mapping's table that stand under the same name in a MappingRow.
MAPPING_COLUMNS = (
    "uuid purpose state version authority channel origin proof valid_from asserted_at "
    "rank strategy_number fa_type_id provider_id branch_id valid_to last_seq"
).split()


#: Identifiers made in advance: asking the kernel once for each costs more than the rest
#: of making it. A process that is forked makes its own.
_ready: list[str] = []
os.register_at_fork(after_in_child=_ready.clear)
_MADE_AT_ONCE = 256


def new_uuid() -> str:
    """Return a random identifier of 32 hexadecimal characters."""
    while True:
        try:
            return _ready.pop()
        except IndexError:
            made = os.urandom(16 * _MADE_AT_ONCE).hex()
            _ready.extend(made[n : n + 32] for n in range(0, len(made), 32))


@dataclass(slots=True)
class MappingRow:
    """One period of one address. ``row_id`` is None until it is inserted.

    ``canonical`` is the ID under which it is sealed: of a subject with several IDs not
    always the one that was asked for.
    """

    uuid: str
    purpose: str
    state: str
    version: int
    fa: str
    authority: int
    channel: str
    origin: str
    proof: str
    valid_from: datetime
    asserted_at: datetime
    rank: int = 1
    details: Details = NO_DETAILS
    strategy_number: int | None = None
    fa_type_id: int | None = None
    provider_id: int | None = None
    branch_id: int | None = None
    valid_to: datetime | None = None
    last_seq: int = 0
    last_mac: bytes = b""
    row_id: int | None = None
    canonical: str = ""
    _packed: tuple[Details, str] = field(default=(NO_DETAILS, ""), compare=False)

    @property
    def packed_details(self) -> str:
        """What travels with the address as one text: made once for each row."""
        if self._packed[0] is not self.details:
            self._packed = (self.details, pack_details(self.details))
        return self._packed[1]


@dataclass(slots=True)
class ChangeRow:
    """A change that waits for its time, for a second person, or for both."""

    uuid: str
    operation: str
    mapping: MappingRow
    base_version: int
    fa: str
    details: Details
    asserted_at: datetime | None
    needs_approval: bool
    effective_at: datetime | None
    why: str
    state: str = "waiting"
    row_id: int | None = None


@dataclass(slots=True)
class Holding:
    """What the store knows about one ID, and holds locked, during a batch.

    ``mappings`` and ``changes`` are those that occupy a place, by purpose.
    ``is_broken`` tells that something in it does not open: nothing may be done with it.
    """

    canonical: str
    identifier_row_id: int
    subject_id: int
    subject_uuid: str
    change_lock: str = "none"
    pay_stop: bool = False
    is_broken: bool = False
    mappings: dict[str, MappingRow] = field(default_factory=dict)
    changes: dict[str, ChangeRow] = field(default_factory=dict)

    def in_force(self, purpose: str) -> MappingRow | None:
        """The address in force for ``purpose``, or None."""
        row = self.mappings.get(purpose)
        return row if row is not None and row.state in IN_FORCE else None


@dataclass(slots=True)
class EventRow:
    """One thing that happened to a mapping; ``seq`` counts from 1 for each mapping."""

    uuid: str
    mapping: MappingRow
    holding: Holding | None
    seq: int
    kind: str
    actor: str
    on_behalf_of: str
    channel: str
    authenticated_by: str
    message_reference: str
    reason: str
    happened_at: datetime
    commitment_before: bytes
    commitment_after: bytes
    previous_mac: bytes
    mac: bytes = b""
    contact: str = ""
