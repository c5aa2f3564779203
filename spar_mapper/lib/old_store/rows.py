"""The rows of the old store as plain values: one mapping per period of an address.

``canonical``, ``address`` and ``text`` are empty until they are opened.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from ..records import EventRow, StoredAddress
from ..seals import ChangeTerms

#: A digest for each column that is written: ``a``, ``b``.
Digests = dict[str, bytes]


@dataclass(slots=True)
class OldId:
    """One ID of a subject."""

    row_id: int
    uuid: str
    type_id: int
    active: bool
    sealed: bytes
    digests: Digests
    canonical: str = ""


@dataclass(slots=True)
class OldMapping:
    """One address for a time, with the events of its own chain.

    Until the sealed value is opened, ``address`` has everything except that; ``text``
    is the sealed text, address and details, as it stood.
    """

    row_id: int
    identifier_id: int
    purpose: str | None
    rank: int | None
    state: str
    version: int
    valid_to: datetime | None
    last_seq: int
    last_mac: bytes
    sealed: bytes
    digests: Digests
    address: StoredAddress
    text: str = ""
    events: list[tuple[int, EventRow]] = field(default_factory=list)

    @property
    def uuid(self) -> str:
        return self.address.uuid

    @property
    def place(self) -> tuple[str, int]:
        """Return what it is used for: purpose and rank."""
        return self.purpose or "", self.rank or 1

    @property
    def began(self) -> datetime:
        return self.address.valid_from


@dataclass(slots=True)
class OldChange:
    """A change that is or was pending."""

    row_id: int
    mapping_id: int
    uuid: str
    state: str
    sealed: bytes
    terms: ChangeTerms
    text: str = ""


@dataclass(slots=True)
class OldSubject:
    """A person who is paid, with everything that the old store has about them."""

    row_id: int
    uuid: str
    since: datetime
    change_lock: str
    pay_stop: bool
    ids: dict[int, OldId] = field(default_factory=dict)
    mappings: dict[int, OldMapping] = field(default_factory=dict)
    changes: list[OldChange] = field(default_factory=list)
