"""The requests and results of the contract, as they travel."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from ..confirmation import (
    ChangeProposal,
    Confirmation,
    ConfirmationPage,
    ConfirmationState,
)
from ..contract import (
    UNKNOWN_EFFECT,
    Capability,
    ChangeLock,
    ChangeState,
    ChangeStatus,
    Details,
    HistoryEvent,
    LinkRequest,
    NoticeInfo,
    ObjectionAnswer,
    ObjectionRequest,
    Operation,
    Outcome,
    PaymentState,
    Period,
    ProviderInfo,
    Remedy,
    ResolveRequest,
    Result,
    ResumeRequest,
    Standing,
    SuspendRequest,
    UnlinkRequest,
    UnlockRequest,
    UpdateRequest,
    VisitRequest,
    WaitingChange,
)
from ..g2p_connect.exceptions import MalformedMessage
from ..g2p_connect.items import MAX_ATTRIBUTES
from .calls import REFERENCE
from .kinds import (
    FLAG,
    MOMENT,
    NUMBER,
    STORED,
    Kind,
    free_list,
    list_of,
    map_of,
    maybe,
    record,
    text,
    word,
    words,
)

_ID, _FA, _PURPOSE = text(255), text(1000), text(64)
#: What a server answers was checked there; only its form is checked here.
_TEXT, _FREE = text(), text(is_free=True)

_DETAILS = record(
    Details,
    name=text(999),
    phone_number=text(255),
    additional_info=free_list(MAX_ATTRIBUTES),
)


# === CHANGES === #

#: The members of every change, and those of every change of an address.
_CHANGE: dict[str, Kind[Any]] = {
    "id_value": _ID,
    "purpose": _PURPOSE,
    "expected_version": NUMBER,
}
_OF_ADDRESS: dict[str, Kind[Any]] = {**_CHANGE, "fa": _FA, "asserted_at": MOMENT}

LINK: Kind[LinkRequest] = record(LinkRequest, details=_DETAILS, **_OF_ADDRESS)
UPDATE: Kind[UpdateRequest] = record(UpdateRequest, details=_DETAILS, **_OF_ADDRESS)
UNLINK: Kind[UnlinkRequest] = record(UnlinkRequest, **_OF_ADDRESS)
SUSPEND: Kind[SuspendRequest] = record(SuspendRequest, **_CHANGE)
RESUME: Kind[ResumeRequest] = record(ResumeRequest, **_CHANGE)
RESOLVE: Kind[ResolveRequest] = record(
    ResolveRequest, id_value=_ID, fa=_FA, purpose=_PURPOSE
)

_PROVIDER = record(ProviderInfo, name=_TEXT, code=_TEXT, branch_code=_TEXT)

_RESULT: Kind[Result] = record(
    Result,
    outcome=word(Outcome, Outcome.RETRY),
    id_value=_TEXT,
    fa=_FREE,
    same_fa=FLAG,
    is_origin=FLAG,
    version=NUMBER,
    problem=_TEXT,
    problem_values=map_of(_FREE),
    provider=_PROVIDER,
    details=_DETAILS,
    reference=_TEXT,
)


def _read_result(value: object, path: str) -> Result:
    """Read a result; an outcome that is not known here is no success, and no failure.

    >>> _read_result({"outcome": "from_the_future"}, "result").is_uncertain
    True
    """
    result = _RESULT.read(value, path)
    if isinstance(value, dict) and value.get("outcome") not in _OUTCOMES:
        result.problem, result.problem_values = UNKNOWN_EFFECT, None
    return result


_OUTCOMES = frozenset(each.value for each in Outcome)

RESULT: Kind[Result] = replace(_RESULT, read=_read_result)


# === STANDING, CHANGES THAT WAIT === #


@dataclass(frozen=True)
class StandingRequest:
    """Whether the owner of an ID would be paid now."""

    id_value: str
    purpose: str = ""


@dataclass(frozen=True)
class ChangeReference:
    """The ``reference`` of a result: what became of its change."""

    reference: str


STANDING_REQUEST: Kind[StandingRequest] = record(
    StandingRequest, id_value=_ID, purpose=_PURPOSE
)
STANDING: Kind[Standing] = record(
    Standing,
    id_value=_TEXT,
    purpose=_TEXT,
    state=word(PaymentState, PaymentState.UNKNOWN),
    is_disputed=FLAG,
    has_waiting_change=FLAG,
    shared_with=NUMBER,
    provider=_PROVIDER,
)
CHANGE_REFERENCE: Kind[ChangeReference] = record(ChangeReference, reference=text(64))
CHANGE_STATUS: Kind[ChangeStatus] = record(
    ChangeStatus, reference=_TEXT, state=word(ChangeState, ChangeState.UNKNOWN)
)


# === THE PAST === #


@dataclass(frozen=True)
class IdRequest:
    """The whole history of an ID, or its changes that wait."""

    id_value: str


@dataclass(frozen=True)
class MomentRequest:
    """The address of an ID at one moment (naive UTC)."""

    id_value: str
    moment: datetime
    purpose: str = ""


@dataclass(frozen=True)
class _Pause:
    """A suspension within a period; ``ended_at`` is None while it lasts."""

    began_at: datetime
    ended_at: datetime | None = None


_ANSWER: Kind[ObjectionAnswer] = record(
    ObjectionAnswer, remedy=word(Remedy), reference=_TEXT, is_closed=FLAG
)
_EVENT: Kind[HistoryEvent] = record(
    HistoryEvent,
    seq=NUMBER,
    kind=_TEXT,
    happened_at=STORED,
    actor=_TEXT,
    on_behalf_of=_TEXT,
    channel=_TEXT,
    reason=_FREE,
    message_reference=_TEXT,
    is_disputable=FLAG,
    objection=_ANSWER,
)
_PAUSE = record(_Pause, began_at=STORED, ended_at=STORED)
_PERIOD: Kind[Period] = record(
    Period,
    uuid=_TEXT,
    fa=_FREE,
    state=_TEXT,
    purpose=_TEXT,
    version=NUMBER,
    valid_from=STORED,
    valid_to=maybe(STORED),
    channel=_TEXT,
    actor=_TEXT,
    events=list_of(_EVENT),
    suspensions=list_of(_PAUSE),
)


def _write_period(period: Period) -> object:
    pauses = tuple(_Pause(*each) for each in period.suspensions)
    return _PERIOD.write(replace(period, suspensions=pauses))  # type: ignore[arg-type]


def _read_period(value: object, path: str) -> Period:
    period = _PERIOD.read(value, path)
    pauses: tuple[_Pause, ...] = period.suspensions  # type: ignore[assignment]
    pairs = tuple((each.began_at, each.ended_at) for each in pauses)
    return replace(period, suspensions=pairs)


PERIOD: Kind[Period] = Kind(_write_period, _read_period, _PERIOD.schema)
WAITING_CHANGE: Kind[WaitingChange] = record(
    WaitingChange,
    operation=word(Operation),
    fa=_FREE,
    purpose=_TEXT,
    period=_TEXT,
    seq=NUMBER,
    proposed_at=STORED,
    effective_at=maybe(STORED),
    channel=_TEXT,
    actor=_TEXT,
)


@dataclass(frozen=True)
class History:
    """Every period of every address of an ID, newest first."""

    periods: tuple[Period, ...] = ()


@dataclass(frozen=True)
class AddressAt:
    """The period in force at a moment, None where there was none."""

    period: Period | None = None


@dataclass(frozen=True)
class WaitingChanges:
    """The changes of an ID that wait for their time or for a second person."""

    changes: tuple[WaitingChange, ...] = ()


ID_REQUEST: Kind[IdRequest] = record(IdRequest, id_value=_ID)
MOMENT_REQUEST: Kind[MomentRequest] = record(
    MomentRequest, id_value=_ID, moment=STORED, purpose=_PURPOSE
)
HISTORY: Kind[History] = record(History, periods=list_of(PERIOD))
ADDRESS_AT: Kind[AddressAt] = record(AddressAt, period=PERIOD)
WAITING_CHANGES: Kind[WaitingChanges] = record(
    WaitingChanges, changes=list_of(WAITING_CHANGE)
)


# === OBJECTIONS AND NOTICES === #


@dataclass(frozen=True)
class NoticeToken:
    """The token in the link of a notice."""

    token: str


OBJECTION: Kind[ObjectionRequest] = record(
    ObjectionRequest, id_value=_ID, period=text(64), seq=NUMBER
)
OBJECTION_ANSWER = _ANSWER
NOTICE_TOKEN: Kind[NoticeToken] = record(NoticeToken, token=text(255))
NOTICE: Kind[NoticeInfo] = record(
    NoticeInfo, kind=_TEXT, happened_at=STORED, expires_at=STORED, answer=_ANSWER
)


# === WHAT THE OTHER SIDE CAN DO === #


@dataclass(frozen=True)
class AbilitiesRequest:
    """What the sender may ask of this SPAR."""


@dataclass(frozen=True)
class Abilities:
    """What the sender of a message may ask of this SPAR, and how much at once."""

    capabilities: frozenset[Capability] = frozenset()
    sees_details: bool = False
    max_items: int = 1


ABILITIES_REQUEST: Kind[AbilitiesRequest] = record(AbilitiesRequest)
ABILITIES: Kind[Abilities] = record(
    Abilities, capabilities=words(Capability), sees_details=FLAG, max_items=NUMBER
)


# === PORTALS === #

#: An ID token or a signed userinfo.
_TOKEN = text(16_384)


@dataclass(frozen=True)
class OwnRequest:
    """The address of a person who has logged in at the portal that asks."""

    id_value: str
    issuer: str
    id_token: str = field(repr=False)
    userinfo: str = field(default="", repr=False)
    purpose: str = ""
    visit: str = field(default="", repr=False)


@dataclass(frozen=True)
class OwnAddress:
    """A person's own address, past and waiting ones; every address is masked.

    ``lock`` states who may change it.
    """

    result: Result
    periods: tuple[Period, ...] = ()
    changes: tuple[WaitingChange, ...] = ()
    lock: ChangeLock = ChangeLock.NONE


OWN_REQUEST: Kind[OwnRequest] = record(
    OwnRequest,
    id_value=_ID,
    issuer=text(255),
    id_token=_TOKEN,
    userinfo=_TOKEN,
    purpose=_PURPOSE,
    visit=text(64),
)
OWN_ADDRESS: Kind[OwnAddress] = record(
    OwnAddress,
    result=RESULT,
    periods=list_of(PERIOD),
    changes=list_of(WAITING_CHANGE),
    # A lock that is not known here is nothing that the person can lift.
    lock=word(ChangeLock, ChangeLock.OBJECTION),
)


# === CONFIRMATION === #


@dataclass(frozen=True)
class _Proposal:
    """A proposal with its request under the name of its kind: one of the six."""

    draft_id: str
    return_url: str
    language: str = ""
    issuer: str = ""
    officer: str = ""
    link: LinkRequest | None = None
    update: UpdateRequest | None = None
    unlink: UnlinkRequest | None = None
    object: ObjectionRequest | None = None
    unlock: UnlockRequest | None = None
    visit: VisitRequest | None = None


@dataclass(frozen=True)
class ConfirmationReference:
    """The reference of a proposal: what became of it."""

    reference: str


_PROPOSED: Kind[_Proposal] = record(
    _Proposal,
    draft_id=text(100),
    return_url=text(500),
    language=text(20),
    issuer=text(255),
    officer=REFERENCE,
    link=LINK,
    update=UPDATE,
    unlink=UNLINK,
    object=OBJECTION,
    unlock=record(UnlockRequest, id_value=_ID, purpose=_PURPOSE),
    visit=record(VisitRequest),
)
#: What a proposal says besides its request, in the order of both classes.
_ABOUT = ("draft_id", "return_url", "language", "issuer", "officer")
_NAMES = {
    LinkRequest: "link",
    UpdateRequest: "update",
    UnlinkRequest: "unlink",
    ObjectionRequest: "object",
    UnlockRequest: "unlock",
    VisitRequest: "visit",
}


def _write_proposal(proposal: ChangeProposal) -> object:
    about = [getattr(proposal, name) for name in _ABOUT]
    request: dict[str, Any] = {_NAMES[type(proposal.request)]: proposal.request}
    return _PROPOSED.write(_Proposal(*about, **request))


def _read_proposal(value: object, path: str) -> ChangeProposal:
    wire = _PROPOSED.read(value, path)
    found = [
        request
        for request in (getattr(wire, name) for name in _NAMES.values())
        if request is not None
    ]
    if len(found) != 1:
        names = ", ".join(_NAMES.values())
        raise MalformedMessage(f"must have one of {names}", path)
    return ChangeProposal(found[0], *(getattr(wire, name) for name in _ABOUT))


PROPOSAL: Kind[ChangeProposal] = Kind(_write_proposal, _read_proposal, _PROPOSED.schema)
CONFIRMATION_PAGE: Kind[ConfirmationPage] = record(
    ConfirmationPage, url=_TEXT, reference=_TEXT
)
CONFIRMATION_REFERENCE: Kind[ConfirmationReference] = record(
    ConfirmationReference, reference=text(64)
)
#: A state that is not known here may not be taken for a decision.
CONFIRMATION: Kind[Confirmation] = record(
    Confirmation,
    state=word(ConfirmationState, ConfirmationState.UNKNOWN),
    draft_id=_TEXT,
    outcome=word(Outcome, Outcome.RETRY),
    problem=_TEXT,
    change=_TEXT,
    answer=_ANSWER,
)
