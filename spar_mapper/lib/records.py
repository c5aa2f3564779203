"""The store's rows as plain values, on which a batch works in memory.

Tables are read once and written once per batch; everything in between happens here.
Times are naive UTC, as the database keeps them.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import datetime

from odoo.addons.spar_mapper_connector.lib.contract import NO_DETAILS, Details

from .details import pack_details
from .stopping import Stop

#: States of a head in which its address is in force.
IN_FORCE = ("active", "suspended")

#: Forms of an address: the text from which its digest is made. The first is the text as
#: a participant wrote it; the second is what the address is, however it is written
#: (``spar_fa_directory/lib/fa_form.py``). All later forms are like the second, each by
#: other rules (``spar.address.form``).
TEXT_FORM, KEY_FORM = 1, 2
#: Numbers of the forms of IDs (``spar.id.form``): that of the form used before forms
#: were kept, and that of the form that was current when they began to be kept.
FIRST_ID_FORM, ID_FORM = 1, 2

#: Columns that a head and a period have in common with a StoredAddress.
ADDRESS_COLUMNS = (
    "authority",
    "channel",
    "origin",
    "proof",
    "valid_from",
    "asserted_at",
    "strategy_number",
    "fa_type_id",
    "provider_id",
    "branch_id",
)

#: Identifiers made in advance: asking the kernel for each one costs more than the rest
#: of making it. A forked process makes its own.
_ready: list[str] = []
os.register_at_fork(after_in_child=_ready.clear)
_MADE_AT_ONCE = 256


def new_uuid() -> str:
    """Return a random identifier of 32 hexadecimal characters."""
    while True:
        try:
            return _ready.pop()
        except IndexError:
            made = os.urandom(16 * _MADE_AT_ONCE).hex(" ", 16)
            _ready.extend(made.split(" "))


@dataclass(slots=True)
class StoredAddress:
    """An address as it was accepted: sealed once, and copied while it stays the same.

    ``uuid`` and ``version`` are the context in which it is sealed. ``valid_from`` is
    when it began to count. ``sealed`` is empty until it is written. ``fa`` is written
    in the address's one form, ``typed`` is the text that was sent if it differs,
    ``key`` is the text from which its digest is made. ``identity`` is what it is
    compared by if that is not the key: it is set for an address that is stored in an
    older form.
    """

    uuid: str
    version: int
    fa: str
    authority: int
    channel: str
    origin: str
    proof: str
    valid_from: datetime
    asserted_at: datetime
    strategy_number: int | None = None
    fa_type_id: int | None = None
    provider_id: int | None = None
    branch_id: int | None = None
    details: Details = NO_DETAILS
    key: str = ""
    typed: str = ""
    form: int = KEY_FORM
    sealed: bytes = b""
    identity: str = field(default="", compare=False)
    _packed: tuple[Details, str] = field(default=(NO_DETAILS, ""), compare=False)

    def is_same(self, key: str) -> bool:
        """Return whether ``key`` is of this address, however either was written."""
        return key == (self.identity or self.key)

    @property
    def packed_details(self) -> str:
        """Return the details that accompany the address as one text, made once."""
        if self._packed[0] is not self.details:
            self._packed = (self.details, pack_details(self.details))
        return self._packed[1]


@dataclass(slots=True)
class PeriodRow:
    """One state and address of a place for a time. ``row_id`` is None until inserted.

    For a period that was read, only ``row_id`` and ``seq`` are known.
    """

    seq: int
    row_id: int | None = None
    state: str = ""
    version: int = 0
    address_uuid: str = ""
    address: StoredAddress | None = None
    valid_from: datetime | None = None


@dataclass(slots=True)
class Head:
    """One place of a subject in its present state: what resolve reads.

    ``state`` is "new" until the first event. ``address`` is None if the place has
    ended; ``address_uuid`` still names its last address. ``state_since`` is when
    ``state`` began. ``last_seq`` is the event that last changed the head. ``stop`` is
    who suspended payments, if they were suspended when the head was locked.
    """

    uuid: str
    purpose: str
    state: str = "new"
    version: int = 0
    rank: int = 1
    address: StoredAddress | None = None
    address_uuid: str = ""
    state_since: datetime | None = None
    last_seq: int = 0
    row_id: int | None = None
    period: PeriodRow | None = None
    is_new: bool = False
    #: The text that describes it as it stands, made once per state.
    description: str = field(default="", compare=False)
    stop: Stop | None = field(default=None, compare=False)

    @property
    def current(self) -> StoredAddress:
        """Return the address of the place; raises ValueError if it has none."""
        if self.address is None:
            raise ValueError("the place has no address")
        return self.address


@dataclass(slots=True)
class ChangeRow:
    """A change that waits for its time or for a second person."""

    uuid: str
    operation: str
    head: Head
    base_version: int
    fa: str
    details: Details
    asserted_at: datetime | None
    needs_approval: bool
    effective_at: datetime | None
    why: str
    state: str = "waiting"
    row_id: int | None = None
    #: The key of its address, which does not depend on how it is written.
    key: str = ""
    #: The commitment to it, as the events about it state it.
    commitment: bytes = b""


@dataclass(slots=True)
class Subject:
    """A person who is paid, locked for a batch, with all their places.

    ``marks`` contains for each head ("h" and its id) and ID ("i" and its id) the number
    of the event that last changed it. ``heads`` and ``changes`` are keyed by purpose;
    only pending changes are included. ``is_broken`` states that some part of it is not
    what the store wrote: no operation on it is allowed.
    """

    uuid: str
    row_id: int
    change_lock: str = "none"
    pay_stop: bool = False
    merged_into: int | None = None
    last_seq: int = 0
    last_mac: bytes = b""
    marks: dict[str, int] = field(default_factory=dict)
    is_new: bool = False
    is_broken: bool = False
    heads: dict[str, Head] = field(default_factory=dict)
    changes: dict[str, ChangeRow] = field(default_factory=dict)


@dataclass(slots=True)
class StoredId:
    """One ID of a subject, as its row has it.

    ``typed`` is its previous stored text, if that differs. An ID that was deactivated
    is not ``active`` and has no digest, so it cannot be found.
    """

    row_id: int
    uuid: str
    type_id: int
    form: int
    canonical: str
    typed: str = ""
    active: bool = True
    last_seq: int = 0


@dataclass(slots=True)
class Holding:
    """The store's data about one ID, kept locked during a batch."""

    canonical: str
    identifier_row_id: int
    subject: Subject
    does_not_open: bool = False

    @property
    def is_broken(self) -> bool:
        """Return whether no operation on the ID is allowed."""
        return self.does_not_open or self.subject.is_broken

    def in_force(self, purpose: str) -> Head | None:
        """Return the place for ``purpose`` if its address is in force, or None."""
        head = self.subject.heads.get(purpose)
        return head if head is not None and head.state in IN_FORCE else None


@dataclass(frozen=True, slots=True)
class ProofRow:
    """An owner's proof that was verified, to be stored with the event of its change.

    ``text`` is sealed; ``parts`` are the MACs of its parts, to which the event commits
    by ``commitment``. ``login_digest`` is unique for ever: a login is used once.
    """

    uuid: str
    login_digest: bytes
    parts: bytes
    commitment: bytes
    text: str = field(repr=False)


@dataclass(slots=True)
class EventRow:
    """One thing that happened to a subject; ``seq`` counts from 1 for each subject.

    ``head_uuid`` and ``address_uuid`` are empty if the event concerns the subject
    itself. ``commitment_change`` commits to the change that the event made pending or
    ended, ``commitment_proof`` to the owner's proof that belongs to it.
    """

    uuid: str
    subject_uuid: str
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
    head_uuid: str = ""
    address_uuid: str = ""
    mac: bytes = b""
    commitment_change: bytes | None = None
    commitment_proof: bytes | None = None
    contact: str = ""
    subject: Subject | None = None
    head: Head | None = None
    period: PeriodRow | None = None
