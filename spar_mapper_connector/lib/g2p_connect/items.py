"""Items of a message: from the wire to requests for a mapper, and back.

A bad member rejects its own item and no other; the text names the member, never the
value.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from ..contract import (
    NO_DETAILS,
    Details,
    LinkRequest,
    Operation,
    ResolveRequest,
    UnlinkRequest,
    UpdateRequest,
)
from . import codes
from .codes import BY_BOTH, BY_FA, BY_ID, Answer, rejected
from .profiles import Profile
from .timestamps import MAX_LENGTH as MAX_TIMESTAMP
from .timestamps import format_timestamp, parse_timestamp
from .wire_json import JsonObject

#: Maximum characters of all additional_info of an item, as JSON.
MAX_ATTRIBUTES = 10_000

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
_LOCALE = re.compile("[a-z]{2,3}")
_VALUES = (str, int, float, bool, dict)

#: Requests that a message can contain.
WireRequest = LinkRequest | UpdateRequest | UnlinkRequest | ResolveRequest


@dataclass(frozen=True)
class Member:
    """A text member of an item, and the item's reason code if it is wrong."""

    name: str
    code: str
    maximum: int
    required: bool = False
    may_be_empty: bool = False

    def refuse(self, text: str) -> Answer:
        return rejected(self.code, text, member=self.name, maximum=self.maximum)

    def extract(
        self, wire: JsonObject, profile: Profile
    ) -> tuple[str | None, Answer | None]:
        """Return ``(text, None)``, or ``(None, problem)``; None for an absent text."""
        value = wire.get(self.name)
        if self._is_absent(value, self.name in wire, profile):
            return None, self.refuse(codes.MISSING) if self.required else None
        if not isinstance(value, str):
            return None, self.refuse(codes.NO_TEXT)
        if not value:
            return None, self.refuse(codes.EMPTY)
        if len(value) > self.maximum:
            return None, self.refuse(codes.TOO_LONG)
        if _CONTROL.search(value):
            return None, self.refuse(codes.CONTROL)
        return value, None

    def _is_absent(self, value: object, present: bool, profile: Profile) -> bool:
        if profile.nulls_are_absent and value in (None, ""):
            return True
        return not present or (value == "" and self.may_be_empty)


_REFERENCE = Member("reference_id", "rjct.reference_id.invalid", 255, required=True)
_ID = Member("id", "rjct.id.invalid", 255, required=True)
_FA = Member("fa", "rjct.fa.invalid", 1000, required=True)
_SOME_ID = Member("id", "rjct.id.invalid", 255)
_SOME_FA = Member("fa", "rjct.fa.invalid", 1000)
_NAME = Member("name", "rjct.name.invalid", 999, may_be_empty=True)
_NEW_NAME = Member("name", "rjct.beneficiary_name.invalid", 999, may_be_empty=True)
_PHONE = Member("phone_number", "rjct.mobile_number.invalid", 255, may_be_empty=True)


@dataclass(slots=True)
class Item:
    """One item of a message: its request, or its problem.

    ``request`` is None if there is a ``problem``. ``id_value`` and ``fa`` are what the
    sender wrote, as far as it could be read.
    """

    operation: Operation
    reference_id: str = ""
    id_value: str | None = None
    fa: str | None = None
    locale: str = "eng"
    wants_details: bool = False
    request: WireRequest | None = None
    problem: Answer | None = None

    @property
    def lookup(self) -> str:
        """Return which members a resolve contains."""
        if self.fa is None:
            return BY_ID
        return BY_FA if self.id_value is None else BY_BOTH

    def refuse(self, problem: Answer) -> None:
        """Make the item end with ``problem``; the first one stays."""
        self.problem = self.problem or problem
        self.request = None


def read_items(
    operation: Operation, wires: list[object], profile: Profile
) -> list[Item]:
    """Return the items of a message in their order, each with its request."""
    members, build = _SHAPES[operation]
    known = [(member.name, member.maximum, member) for member in members]
    items = [_read_item(operation, known, build, wire, profile) for wire in wires]
    if profile.references_are_unique:
        _refuse_repeated(items)
    return items


def _refuse_repeated(items: list[Item]) -> None:
    seen: set[str] = set()
    for item in items:
        if item.reference_id in seen:
            item.problem = None
            item.refuse(rejected("rjct.reference_id.duplicate", codes.REPEATED))
        elif item.reference_id:
            seen.add(item.reference_id)


def _read_item(
    operation: Operation,
    members: list[tuple[str, int, Member]],
    build: Callable[..., None],
    wire: object,
    profile: Profile,
) -> Item:
    item = Item(operation)
    if wire.__class__ is not dict:
        item.refuse(rejected(_REFERENCE.code, codes.NO_OBJECT))
        return item
    values = []
    for name, maximum, member in members:
        text = wire.get(name)
        # The fast path for nearly every member, without a call.
        if not (
            text.__class__ is str and 0 < len(text) <= maximum and text.isprintable()
        ):
            text, problem = member.extract(wire, profile)
            if problem:
                item.refuse(problem)
        values.append(text)
    item.reference_id, item.id_value, item.fa = values[0] or "", values[1], values[2]
    moment = _read_timestamp(item, wire, profile)
    _read_locale(item, wire)
    build(item, wire, profile, moment, *values[3:])
    return item


def _read_timestamp(item: Item, wire: JsonObject, profile: Profile) -> datetime | None:
    """Return the time stated by the sender; None if it cannot be determined."""
    text = wire.get("timestamp")
    if text.__class__ is not str:
        item.refuse(rejected("rjct.timestamp.invalid", codes.NO_TIMESTAMP))
        return None
    moment = parse_timestamp(text) if len(text) <= MAX_TIMESTAMP else None
    if moment is None and profile.timestamps_need_zone:
        item.refuse(rejected("rjct.timestamp.invalid", codes.NO_TIMESTAMP))
    return moment


def _read_locale(item: Item, wire: JsonObject) -> None:
    locale = wire.get("locale")
    if locale and isinstance(locale, str) and _LOCALE.fullmatch(locale):
        item.locale = locale


def _build_link(
    kind: type[LinkRequest],
    item: Item,
    wire: JsonObject,
    profile: Profile,
    moment: datetime | None,
    name: str | None,
    phone_number: str | None,
) -> None:
    details = _read_details(item, wire, profile, name, phone_number)
    id_value, fa = item.id_value, item.fa
    if not item.problem and id_value is not None and fa is not None:
        item.request = kind(id_value, fa, details, asserted_at=moment)


def _build_unlink(
    item: Item, wire: JsonObject, profile: Profile, moment: datetime | None
) -> None:
    id_value = item.id_value
    if not item.problem and id_value is not None:
        item.request = UnlinkRequest(id_value, item.fa, asserted_at=moment)


def _build_resolve(
    item: Item, wire: JsonObject, profile: Profile, moment: datetime | None
) -> None:
    scope = wire.get("scope", "yes_no")
    if scope is None and profile.nulls_are_absent:
        scope = "yes_no"
    if scope not in ("yes_no", "details") and profile.resolve_is_strict:
        item.refuse(rejected("rjct.resolve_type.not_supported", codes.NO_SCOPE))
    if item.id_value is None and item.fa is None:
        item.refuse(rejected(_ID.code, codes.NO_ID_OR_FA))
    item.wants_details = scope == "details"
    fa = item.fa
    if item.id_value is not None and not profile.resolve_is_strict:
        # The address beside an ID is ignored; it is echoed if none is returned.
        fa = None
        if item.wants_details:
            item.fa = None
    if not item.problem:
        item.request = ResolveRequest(item.id_value, fa)


#: Operation -> its members, and the function that builds its request: from the item,
#: its JSON, the profile, its time, and the texts of the members after the first three.
_SHAPES: dict[Operation, tuple[tuple[Member, ...], Callable[..., None]]] = {
    Operation.LINK: (
        (_REFERENCE, _ID, _FA, _NAME, _PHONE),
        partial(_build_link, LinkRequest),
    ),
    Operation.UPDATE: (
        (_REFERENCE, _ID, _FA, _NEW_NAME, _PHONE),
        partial(_build_link, UpdateRequest),
    ),
    Operation.UNLINK: ((_REFERENCE, _ID, _SOME_FA), _build_unlink),
    Operation.RESOLVE: ((_REFERENCE, _SOME_ID, _SOME_FA), _build_resolve),
}


# === WRITING === #

#: The language in which we read the texts of others.
_LOCALE_SENT = "eng"


def write_item(
    request: WireRequest, reference_id: str, moment: datetime, wants_details: bool
) -> JsonObject:
    """Return ``request`` as it is sent at ``moment``; empty members are left out.

    >>> from .profiles import STRICT
    >>> from .timestamps import now
    >>> moment = now()
    >>> item = write_item(ResolveRequest("token:1@id"), "r", moment, True)
    >>> item["id"], item["scope"], "fa" in item
    ('token:1@id', 'details', False)
    >>> (read,) = read_items(Operation.RESOLVE, [item], STRICT)
    >>> read.request == ResolveRequest("token:1@id")
    True
    """
    claimed = getattr(request, "asserted_at", None)
    wire: JsonObject = {
        "reference_id": reference_id,
        "timestamp": format_timestamp(claimed or moment),
        "id": request.id_value,
        "fa": request.fa,
    }
    if isinstance(request, ResolveRequest):
        wire["scope"] = "details" if wants_details else "yes_no"
    if isinstance(request, LinkRequest):
        wire |= _write_details(request.details)
    wire["locale"] = _LOCALE_SENT
    return {name: value for name, value in wire.items() if value not in (None, "", [])}


def _write_details(details: Details) -> JsonObject:
    return {
        "name": details.name,
        "phone_number": details.phone_number,
        "additional_info": list(details.additional_info),
    }


#: Reason codes of items beyond those of their members and outcomes.
OTHER_CODES = frozenset(
    {
        "rjct.timestamp.invalid",
        "rjct.reference_id.duplicate",
        "rjct.resolve_type.not_supported",
        "rjct.other.error",
    }
)


def get_members(operation: Operation) -> tuple[Member, ...]:
    """Return the text members of an item of ``operation``."""
    return _SHAPES[operation][0]


def _read_details(
    item: Item,
    wire: JsonObject,
    profile: Profile,
    name: str | None,
    phone_number: str | None,
) -> Details:
    attributes = wire.get("additional_info", ())
    if attributes is None and profile.nulls_are_absent:
        attributes = ()
    if attributes in ((), []):
        has_some = name or phone_number
        return Details(name or "", phone_number or "") if has_some else NO_DETAILS
    if not profile.attributes_are_pairs and not isinstance(attributes, list | tuple):
        attributes = [attributes]
    problem = _get_attributes_problem(attributes, profile)
    if problem:
        item.refuse(rejected("rjct.other.error", problem, maximum=MAX_ATTRIBUTES))
        return NO_DETAILS
    return Details(name or "", phone_number or "", tuple(attributes))


def _get_attributes_problem(attributes: object, profile: Profile) -> str:
    if not isinstance(attributes, list | tuple):
        return codes.NO_LIST
    if profile.attributes_are_pairs and not all(map(is_pair, attributes)):
        return codes.NO_PAIRS
    if attributes and len(json.dumps(attributes)) > MAX_ATTRIBUTES:
        return codes.TOO_MUCH
    return ""


def is_pair(attribute: object) -> bool:
    """Return whether ``attribute`` has the form of the specification: name and value.

    >>> is_pair({"name": "crvs", "value": 12}), is_pair({"strategy_id": 3})
    (True, False)
    """
    return (
        isinstance(attribute, dict)
        and isinstance(attribute.get("name"), str)
        and isinstance(attribute.get("value"), _VALUES)
    )
