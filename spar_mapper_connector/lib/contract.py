"""The requests that any mapper accepts, and its results.

This module knows neither a wire format nor a database: channels (REST, staff, portal,
files) build requests, and a mapper returns results in the same order, one for each
request. The words of a protocol for an :class:`Outcome` are in that protocol's codec.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum, IntEnum
from typing import ClassVar

from .owner_proof import OwnerProof


class Operation(str, Enum):
    """The operations on the address in force for an ID."""

    LINK = "link"
    UPDATE = "update"
    UNLINK = "unlink"
    SUSPEND = "suspend"
    RESUME = "resume"
    RESOLVE = "resolve"
    LOCK = "lock"
    UNLOCK = "unlock"


class Outcome(str, Enum):
    """The result of one request; independent of any protocol."""

    LINKED = "linked"
    UPDATED = "updated"
    UNLINKED = "unlinked"
    FOUND = "found"
    ALREADY_LINKED = "already_linked"
    NOT_LINKED = "not_linked"
    FA_MISMATCH = "fa_mismatch"
    INVALID_ID = "invalid_id"
    INVALID_FA = "invalid_fa"
    SUSPENDED = "suspended"
    RESUMED = "resumed"
    #: The person's own lock of changes is in force now, or no longer.
    LOCK_SET = "lock_set"
    LOCK_LIFTED = "lock_lifted"
    HELD = "held"
    LOCKED = "locked"
    CONFLICT = "conflict"
    FORBIDDEN = "forbidden"
    RETRY = "retry"


#: Outcomes after which the request has had its effect (or already had it).
DONE = frozenset(
    {
        Outcome.LINKED,
        Outcome.UPDATED,
        Outcome.UNLINKED,
        Outcome.SUSPENDED,
        Outcome.RESUMED,
        Outcome.LOCK_SET,
        Outcome.LOCK_LIFTED,
        Outcome.FOUND,
    }
)


class Authority(IntEnum):
    """The authority behind an address; a lower one never overwrites a higher one."""

    INSTITUTION = 10
    PROGRAMME = 20
    STAFF = 30
    OWNER = 40


class Capability(str, Enum):
    """What a backend can do; pages offer nothing else."""

    LINK = "link"
    UPDATE = "update"
    UNLINK = "unlink"
    RESOLVE = "resolve"
    RESOLVE_BY_FA = "resolve_by_fa"
    SUSPEND = "suspend"
    TRANSACTION_STATUS = "transaction_status"
    OBJECTION = "objection"
    #: Results carry a version, and a request may name the one that its sender saw.
    VERSIONS = "versions"
    HISTORY = "history"
    #: The changes of an ID that wait for their time or for a second person.
    WAITING_CHANGES = "waiting_changes"
    #: What became of a change that waited, by the reference in its result.
    CHANGE_STATUS = "change_status"
    #: Whether people would be paid now, in batches.
    STANDING = "standing"
    #: Addresses are checked by the directory of providers in this database.
    DIRECTORY = "directory"
    #: Owners confirm their changes on a page of the mapper itself.
    CONFIRMATION = "confirmation"
    #: Owners can lock changes of their address, and prove that they lift that lock.
    CHANGE_LOCK = "change_lock"
    #: What is read is that of a person who has logged in, and comes masked; a call
    #: needs their ``login``.
    OWN_ADDRESS = "own_address"
    #: That login needs a ``visit``, which the person allows on a page of the mapper.
    VISIT = "visit"


@dataclass(frozen=True)
class OwnerLogin:
    """The signed words of an ID provider: this person has logged in at a portal.

    ``userinfo`` is signed, too, or "" where the ID is in the ID token. ``visit`` is the
    reference of the visit that the person allowed on the mapper's own page, where the
    mapper asks for one.
    """

    issuer: str
    id_token: str = field(repr=False)
    userinfo: str = field(default="", repr=False)
    visit: str = field(default="", repr=False)


class MaskedFa(str):
    """An address that came masked: it is shown so, and never sent anywhere."""


@dataclass(frozen=True)
class CallContext:
    """The caller, its channel and its authority.

    ``actor`` and ``on_behalf_of`` are opaque references (``participant:payer.example``,
    ``user:7``), never names, IDs or accounts: the history keeps them in clear.
    ``provider_ids`` are the only providers of the directory to which the caller may
    link, ``id_type_ids`` the types of the IDs that it may receive; None is any. With
    ``checks_addresses`` an address that the directory does not find valid is refused;
    without, any text may be stored. With ``checks_cards`` an ID that receives an
    address must have the format that its type prescribes for the card; without
    (participants, which also send tokens) it applies only if the type requires it.
    ``owner_proof`` proves that the owner confirmed the one request of the call.
    ``login`` is that of the person whose address is read: a mapper may read for a
    portal only with it.
    ``review_reason`` says, as a code, why a second person decides about the changes of
    this call, even if the rules would let them count at once.
    ``passed`` are the marks of the servers through which the request came here; a
    mapper that sends it on adds the one of this server (``lib/passing.py``).
    """

    actor: str
    channel: str
    authority: Authority
    authenticated_by: str = ""
    on_behalf_of: str = ""
    reason: str = ""
    message_reference: str = ""
    provider_ids: frozenset[int] | None = None
    id_type_ids: frozenset[int] | None = None
    checks_addresses: bool = False
    checks_cards: bool = True
    owner_proof: OwnerProof | None = field(default=None, repr=False)
    login: OwnerLogin | None = field(default=None, repr=False)
    passed: tuple[str, ...] = ()
    review_reason: str = ""


@dataclass(frozen=True)
class Details:
    """Optional data that travels with an address; sealed together with it.

    ``additional_info`` is the protocol's free list, kept as received.
    """

    name: str = ""
    phone_number: str = ""
    additional_info: tuple[object, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.name or self.phone_number or self.additional_info)


NO_DETAILS = Details()


@dataclass(frozen=True)
class LinkRequest:
    """Give an ID its first address.

    ``asserted_at`` is the time at which, according to the sender, this was true (aware
    datetime), or None when the sender makes no claim; an older claim never replaces a
    newer one.
    """

    id_value: str
    fa: str
    details: Details = NO_DETAILS
    purpose: str = ""
    asserted_at: datetime | None = None
    expected_version: int | None = None


@dataclass(frozen=True)
class UpdateRequest(LinkRequest):
    """Change the address of an ID that has one."""


@dataclass(frozen=True)
class UnlinkRequest:
    """End the address of an ID; with ``fa``, only if it is that one."""

    id_value: str
    fa: str | None = None
    purpose: str = ""
    asserted_at: datetime | None = None
    expected_version: int | None = None


@dataclass(frozen=True)
class SuspendRequest:
    """Keep the address, but suspend payments to it; no address or claim is passed."""

    fa: ClassVar[None] = None
    asserted_at: ClassVar[None] = None

    id_value: str
    purpose: str = ""
    expected_version: int | None = None


@dataclass(frozen=True)
class ResumeRequest(SuspendRequest):
    """Resume payments to the suspended address."""


@dataclass(frozen=True)
class LockRequest:
    """Let nobody but the owner change where this person is paid, for any purpose.

    ``purpose`` only names the place whose history shows it.
    """

    fa: ClassVar[None] = None
    asserted_at: ClassVar[None] = None
    expected_version: ClassVar[None] = None

    id_value: str
    purpose: str = ""


@dataclass(frozen=True)
class UnlockRequest(LockRequest):
    """Lift the owner's lock: others may change the address again."""


@dataclass(frozen=True)
class VisitRequest:
    """Let the portal that asks show a person their own address, for a while.

    It names nobody: who it is, is who logs in on the mapper's own page.
    """

    id_value: ClassVar[str] = ""
    purpose: ClassVar[str] = ""


class ChangeLock(str, Enum):
    """Who may change where a person is paid, beside the owner."""

    NONE = "none"  # whoever may otherwise
    STAFF = "staff"
    OWNER = "owner"  # nobody; staff propose, for a second person to decide
    OBJECTION = "objection"  # nobody at all, not even the owner: a case is open


@dataclass(frozen=True)
class ResolveRequest:
    """Query by ID, by address, or whether both belong together."""

    id_value: str | None = None
    fa: str | None = None
    purpose: str = ""


#: Requests that change the address in force for an ID, or who may change it. All have
#: the ID and the purpose, and the address that they concern, if any.
ChangeRequest = (
    LinkRequest
    | UpdateRequest
    | UnlinkRequest
    | SuspendRequest
    | ResumeRequest
    | LockRequest
    | UnlockRequest
)

#: Requests that a mapper accepts.
Request = ChangeRequest | ResolveRequest


class Remedy(str, Enum):
    """The immediate effect of an objection; it also locks changes and opens a case."""

    CANCELLED = "cancelled"  # the pending change is cancelled
    RESTORED = "restored"  # the previous address is in force again
    STOPPED = "stopped"  # payments are stopped: no undisputed address is left
    NOTED = "noted"  # nothing to undo: staff examine it
    FROZEN = "frozen"  # nothing was undone: the objecting person has not logged in


@dataclass(frozen=True)
class ObjectionRequest:
    """The owner disputes one event of one period: "this was not me"."""

    id_value: str
    period: str
    seq: int


@dataclass(frozen=True)
class ObjectionAnswer:
    """The result of an objection; ``reference`` names its case to staff.

    ``is_closed`` means that staff have decided: an event can be disputed once.
    """

    remedy: Remedy
    reference: str
    is_closed: bool = False

    @property
    def needs_login(self) -> bool:
        """Return whether the person has to log in and repeat it, to have it undone."""
        return self.remedy is Remedy.FROZEN and not self.is_closed


@dataclass(frozen=True)
class WaitingChange:
    """A change that is not in force yet; ``period`` and ``seq`` name its event.

    It takes effect at ``effective_at`` (naive UTC), or when a second person approves
    it.
    """

    operation: Operation
    fa: str
    purpose: str
    period: str
    seq: int
    proposed_at: datetime
    effective_at: datetime | None
    channel: str
    actor: str


@dataclass(frozen=True)
class NoticeInfo:
    """The data that the link of a notice shows to its holder: no ID, no address.

    ``answer`` is set once somebody has objected to the event.
    """

    kind: str
    happened_at: datetime
    expires_at: datetime
    answer: ObjectionAnswer | None = None


#: Problems of RETRY: whether the request had its effect is not known, so it must not
#: simply be sent again; and the mapper answered by a code that is not agreed.
UNKNOWN_EFFECT, UNKNOWN_CODE = "unknown_effect", "unknown_code"
#: Problem of HELD: nobody has to approve the change, and the mapper makes it later.
PROCESSING = "processing"


@dataclass(frozen=True)
class ProviderInfo:
    """The provider of an address: shown to callers who may see details."""

    name: str
    code: str
    branch_code: str = ""


@dataclass(slots=True)
class Result:
    """The result of one request.

    ``fa`` and ``id_value`` hold the stored values (FOUND) or those of the change; a
    channel shows only the part that its caller may see. ``same_fa`` is whether the
    address in the request is the one in force, where both are known. ``is_origin``
    is whether the caller itself stored the address. ``problem`` is a short stable
    word for the reason within an outcome, ``problem_values`` names its subject (a part
    of an address, for example), never a value that was entered; ``version`` is the
    version now in force, None where the mapper has no versions. ``reference`` names the
    change that waits (HELD); ``_change_status`` returns what became of it.
    """

    outcome: Outcome
    id_value: str | None = None
    fa: str | None = None
    same_fa: bool | None = None
    is_origin: bool = False
    version: int | None = None
    problem: str = ""
    problem_values: dict[str, str] | None = None
    provider: ProviderInfo | None = None
    details: Details = NO_DETAILS
    reference: str = ""

    @property
    def precise_problem(self) -> str:
        """Return the problem of the part of an address, where there is one."""
        return (self.problem_values or {}).get("check") or self.problem

    @property
    def is_uncertain(self) -> bool:
        """Return whether it is not known if the request had its effect."""
        return self.outcome is Outcome.RETRY and self.problem == UNKNOWN_EFFECT


# === STANDING === #


class PaymentState(str, Enum):
    """Whether a payer that may see details would get an address for an ID now."""

    PAYABLE = "payable"
    NOT_LINKED = "not_linked"
    STOPPED = "stopped"
    PROVIDER_CLOSED = "provider_closed"
    #: The ID belongs to several people, in different spellings.
    CONTESTED = "contested"
    #: What is stored cannot be verified, so it is not disclosed.
    LOCKED = "locked"
    INVALID_ID = "invalid_id"
    #: The mapper did not say. It never means that somebody can be paid.
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether the owner of an ID would be paid now, and what may change that.

    What a mapper cannot tell is UNKNOWN or None, never an assumption.

    :param id_value: the ID as it was requested
    :param purpose: the purpose as it was requested
    :param is_disputed: whether an objection of the person is open
    :param has_waiting_change: whether a change of the address waits
    :param shared_with: the number of other people with the same address, at most
        :data:`MAX_SHARED`
    :param provider: the provider of the address in force
    """

    id_value: str
    purpose: str
    state: PaymentState
    is_disputed: bool | None = None
    has_waiting_change: bool | None = None
    shared_with: int | None = None
    provider: ProviderInfo | None = None


#: More people than this who share an address are not counted.
MAX_SHARED = 100

_PAYMENT_STATES = {
    Outcome.FOUND: PaymentState.PAYABLE,
    Outcome.NOT_LINKED: PaymentState.NOT_LINKED,
    Outcome.SUSPENDED: PaymentState.STOPPED,
    Outcome.INVALID_ID: PaymentState.INVALID_ID,
    Outcome.HELD: PaymentState.CONTESTED,
    Outcome.LOCKED: PaymentState.LOCKED,
}
_CLOSED = ("provider_closed", "branch_closed")


def get_payment_state(result: Result) -> PaymentState:
    """Return what the result of resolving an ID says about being paid.

    >>> get_payment_state(Result(Outcome.FOUND, fa="account:1")).value
    'payable'
    >>> get_payment_state(Result(Outcome.FOUND)).value
    'unknown'
    >>> get_payment_state(Result(Outcome.SUSPENDED, problem="branch_closed")).value
    'provider_closed'
    >>> get_payment_state(Result(Outcome.RETRY)).value
    'unknown'
    """
    if result.problem in _CLOSED:
        return PaymentState.PROVIDER_CLOSED
    if result.outcome is Outcome.FOUND and not result.fa:
        return PaymentState.UNKNOWN
    return _PAYMENT_STATES.get(result.outcome, PaymentState.UNKNOWN)


# === CHANGES THAT WAIT === #


class ChangeState(str, Enum):
    """What became of a change that waited."""

    WAITING = "waiting"
    APPLIED = "applied"
    CANCELLED = "cancelled"
    REFUSED = "refused"
    STALE = "stale"  # another change came first
    EXPIRED = "expired"
    UNKNOWN = "unknown"  # there is no such change


@dataclass(frozen=True)
class ChangeStatus:
    """The state of the change that a result's ``reference`` names."""

    reference: str
    state: ChangeState


# === HISTORY === #


@dataclass(frozen=True)
class Period:
    """One address over one stretch of time; ``valid_to`` is None while it lasts.

    ``suspensions`` are the times within it when payments to it were suspended; the end
    of a suspension that lasts is None.
    """

    uuid: str
    fa: str
    state: str
    purpose: str
    version: int
    valid_from: datetime
    valid_to: datetime | None
    channel: str
    actor: str
    events: tuple[HistoryEvent, ...] = field(default=())
    suspensions: tuple[tuple[datetime, datetime | None], ...] = ()


@dataclass(frozen=True)
class HistoryEvent:
    """One event in the life of a period.

    ``is_disputable`` is whether the owner can object to it, ``objection`` what an
    objection led to, if there was one.
    """

    seq: int
    kind: str
    happened_at: datetime
    actor: str
    on_behalf_of: str
    channel: str
    reason: str
    message_reference: str
    is_disputable: bool = False
    objection: ObjectionAnswer | None = None


def in_force_at(
    periods: list[Period], moment: datetime, purpose: str = ""
) -> Period | None:
    """Return the period in force at ``moment`` (naive UTC, as stored), or None.

    Its ``state`` is the one at that moment: active or suspended.

    >>> from datetime import datetime as dt
    >>> begin, end = dt(2026, 3, 1), dt(2026, 4, 1)
    >>> march = Period("u", "fa", "ended", "", 1, begin, end, "", "")
    >>> in_force_at([march], dt(2026, 3, 31)).fa
    'fa'
    >>> in_force_at([march], dt(2026, 4, 1)) is None
    True
    >>> paused = replace(march, suspensions=((dt(2026, 3, 5), dt(2026, 3, 9)),))
    >>> [in_force_at([paused], dt(2026, 3, day)).state for day in (4, 5, 9)]
    ['active', 'suspended', 'active']
    """
    for period in periods:
        if period.purpose == purpose and _lasts(
            period.valid_from, period.valid_to, moment
        ):
            paused = any(_lasts(*pause, moment) for pause in period.suspensions)
            return replace(period, state="suspended" if paused else "active")
    return None


def _lasts(begin: datetime, end: datetime | None, moment: datetime) -> bool:
    return begin <= moment and (end is None or moment < end)


# === TRANSACTIONS === #


class Reference(str, Enum):
    """The kind of name by which an earlier transaction is identified."""

    TRANSACTION = "transaction_id"
    REFERENCES = "reference_id_list"
    CORRELATION = "correlation_id"


@dataclass(frozen=True)
class TransactionReference:
    """An earlier transaction: its operation, and how it is named."""

    operation: Operation
    reference: Reference
    values: tuple[str, ...]


@dataclass(frozen=True)
class TransactionStatus:
    """The status of an earlier transaction.

    ``items`` are the answers to its items as they were given, in the words of the
    request's protocol; with ``is_done`` unset, as they are now.
    """

    operation: Operation
    transaction_id: str
    correlation_id: str
    is_done: bool
    items: tuple[dict[str, object], ...] = ()
