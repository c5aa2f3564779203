"""How values travel: each kind writes a value as JSON and reads it again.

Reading raises MalformedMessage, which names the member and never the value.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import MISSING, dataclass, field, fields, replace
from datetime import datetime, timezone
from enum import Enum
from typing import Any, Generic, TypeVar

from ..g2p_connect.exceptions import MalformedMessage
from ..g2p_connect.timestamps import MAX_LENGTH, parse_timestamp

#: JSON schema: the type of a member depends on its name.
Schema = dict[str, Any]

T = TypeVar("T")
W = TypeVar("W", bound=Enum)

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
_ABSENT = object()
#: Members whose name on the wire is not that of the attribute.
_WIRE_NAMES = {"id_value": "id"}


@dataclass(frozen=True)
class Kind(Generic[T]):
    """``write`` returns the JSON of a value; ``read`` takes JSON and its path.

    ``schema`` describes what travels, as JSON schema.
    """

    write: Callable[[T], object]
    read: Callable[[object, str], T]
    schema: Schema = field(default_factory=dict, compare=False, repr=False)
    #: whether a member of this kind may be None, and is left out then
    may_be_none: bool = False


# === SINGLE VALUES === #


def text(maximum: int = 0, *, is_free: bool = False) -> Kind[str]:
    """Return the kind of texts of at most ``maximum`` characters; 0 for any number.

    Control characters are refused, except in a free text, which people wrote.

    >>> text(3).read("abc", "id")
    'abc'
    >>> text(3).read("abcd", "id")
    Traceback (most recent call last):
    ...
    odoo.addons.spar_mapper_connector.lib.g2p_connect.exceptions.MalformedMessage: \
id: must have at most 3 characters
    """

    def read(value: object, path: str) -> str:
        if not isinstance(value, str):
            raise MalformedMessage("must be a string", path)
        if maximum and len(value) > maximum:
            raise MalformedMessage(f"must have at most {maximum} characters", path)
        if not is_free and _CONTROL.search(value):
            raise MalformedMessage("must not contain control characters", path)
        return value

    limit = {"maxLength": maximum} if maximum else {}
    return Kind(str, read, {"type": "string", **limit})


def _read_flag(value: object, path: str) -> bool:
    if not isinstance(value, bool):
        raise MalformedMessage("must be true or false", path)
    return value


def _read_number(value: object, path: str) -> int:
    # ``isinstance`` alone takes a bool for an int.
    if not isinstance(value, int) or isinstance(value, bool):
        raise MalformedMessage("must be a whole number", path)
    return value


def _write_moment(moment: datetime) -> str:
    return moment.astimezone(timezone.utc).isoformat(timespec="microseconds")


def _read_moment(value: object, path: str) -> datetime:
    is_short = isinstance(value, str) and len(value) <= MAX_LENGTH
    moment = parse_timestamp(str(value)) if is_short else None
    if moment is None:
        text = "must be an RFC 3339 date-time with a time zone"
        raise MalformedMessage(text, path)
    return moment


def _write_stored(moment: datetime) -> str:
    return _write_moment(moment.replace(tzinfo=timezone.utc))


def _read_stored(value: object, path: str) -> datetime:
    return _read_moment(value, path).replace(tzinfo=None)


_TIME: Schema = {"type": "string", "format": "date-time"}

FLAG: Kind[bool] = Kind(bool, _read_flag, {"type": "boolean"})
NUMBER: Kind[int] = Kind(int, _read_number, {"type": "integer"})
#: A moment with its zone.
MOMENT: Kind[datetime] = Kind(_write_moment, _read_moment, _TIME)
#: A moment as the store has it, in naive UTC; on the wire it has its zone.
STORED: Kind[datetime] = Kind(_write_stored, _read_stored, _TIME)


def word(words: type[W], unknown: W | None = None) -> Kind[W]:
    """Return the kind of an enumeration's members, which travel by their values.

    :param unknown: what a word that is not known here is read as; by default it is
        refused

    >>> from ..contract import Outcome
    >>> word(Outcome, Outcome.RETRY).read("from_the_future", "outcome").name
    'RETRY'
    """

    def read(value: object, path: str) -> W:
        for each in words:
            if each.value == value:
                return each
        if unknown is None or not isinstance(value, str):
            known = ", ".join(sorted(str(each.value) for each in words))
            raise MalformedMessage(f"must be one of {known}", path)
        return unknown

    return Kind(lambda value: value.value, read, _describe(words))


def _describe(words: type[W]) -> Schema:
    return {"type": "string", "enum": sorted(str(each.value) for each in words)}


def words(known: type[W]) -> Kind[frozenset[W]]:
    """Return the kind of sets of an enumeration's members.

    Words that are not known here are left out.
    """
    by_value = {each.value: each for each in known}

    def read(value: object, path: str) -> frozenset[W]:
        found = _read_list(value, path)
        return frozenset(
            by_value[each]
            for each in found
            if isinstance(each, str) and each in by_value
        )

    schema = {"type": "array", "items": _describe(known)}
    return Kind(lambda values: sorted(each.value for each in values), read, schema)


def name(names: type[W]) -> Kind[W]:
    """Return the kind of an enumeration's members, which travel by their names.

    >>> from ..contract import Authority
    >>> name(Authority).write(Authority.PROGRAMME)
    'programme'
    """

    def read(value: object, path: str) -> W:
        for each in names:
            if each.name.lower() == value:
                return each
        known = ", ".join(each.name.lower() for each in names)
        raise MalformedMessage(f"must be one of {known}", path)

    schema = {"type": "string", "enum": [each.name.lower() for each in names]}
    return Kind(lambda value: value.name.lower(), read, schema)


# === COMPOSED VALUES === #


def maybe(kind: Kind[T]) -> Kind[Any]:
    """Return ``kind`` for members that may be None."""
    return replace(kind, may_be_none=True)


def list_of(kind: Kind[T]) -> Kind[tuple[T, ...]]:
    """Return the kind of lists, each of whose entries is of ``kind``."""

    def read(value: object, path: str) -> tuple[T, ...]:
        entries = enumerate(_read_list(value, path))
        return tuple(kind.read(each, f"{path}[{place}]") for place, each in entries)

    schema = {"type": "array", "items": kind.schema}
    return Kind(lambda values: [kind.write(each) for each in values], read, schema)


def _read_list(value: object, path: str) -> list[object]:
    if not isinstance(value, list):
        raise MalformedMessage("must be a list", path)
    return value


def free_list(maximum: int) -> Kind[tuple[object, ...]]:
    """Return the kind of lists of any JSON, of at most ``maximum`` characters."""

    def read(value: object, path: str) -> tuple[object, ...]:
        found = tuple(_read_list(value, path))
        if len(json.dumps(found)) > maximum:
            raise MalformedMessage(f"must have at most {maximum} characters", path)
        return found

    return Kind(list, read, {"type": "array", "items": {}})


def map_of(kind: Kind[T]) -> Kind[dict[str, T]]:
    """Return the kind of objects whose members, of any name, are of ``kind``."""

    def read(value: object, path: str) -> dict[str, T]:
        found = _read_object(value, path)
        return {key: kind.read(each, path) for key, each in found.items()}

    def write(values: dict[str, T]) -> object:
        return {key: kind.write(each) for key, each in values.items()}

    return Kind(write, read, {"type": "object", "additionalProperties": kind.schema})


def _read_object(value: object, path: str) -> dict[str, object]:
    if not isinstance(value, dict):
        raise MalformedMessage("must be an object", path)
    return value


def record(build: Callable[..., T], **members: Kind[Any]) -> Kind[T]:
    """Return the kind of a dataclass, of which ``members`` travel.

    A member that is None or has its default value is left out, and one that is left out
    has its default. Members that are not known here are ignored.

    >>> from ..contract import UnlinkRequest
    >>> kind = record(UnlinkRequest, id_value=text(), fa=text(), purpose=text())
    >>> kind.write(UnlinkRequest("token:1@id", purpose="cash"))
    {'id': 'token:1@id', 'purpose': 'cash'}
    >>> kind.read({"fa": "account:1@bank"}, "requests[0]")
    Traceback (most recent call last):
    ...
    odoo.addons.spar_mapper_connector.lib.g2p_connect.exceptions.MalformedMessage: \
requests[0].id: is missing
    """
    defaults = _get_defaults(build)
    wire_names = {name: _WIRE_NAMES.get(name, name) for name in members}

    def write(value: T) -> object:
        found = {name: getattr(value, name) for name in members}
        return {
            wire_names[name]: members[name].write(each)
            for name, each in found.items()
            if each is not None and each != defaults[name]
        }

    def read(value: object, path: str) -> T:
        wire = _read_object(value, path)
        values: dict[str, object] = {}
        for name, kind in members.items():
            member = f"{path}.{wire_names[name]}"
            if wire_names[name] in wire:
                values[name] = kind.read(wire[wire_names[name]], member)
            elif defaults[name] is _ABSENT and not kind.may_be_none:
                raise MalformedMessage("is missing", member)
            elif defaults[name] is _ABSENT:
                values[name] = None
        return build(**values)

    required = [
        wire_names[name]
        for name, kind in members.items()
        if defaults[name] is _ABSENT and not kind.may_be_none
    ]
    properties = {wire_names[name]: kind.schema for name, kind in members.items()}
    schema: Schema = {"type": "object", "properties": properties}
    if required:
        schema["required"] = sorted(required)
    return Kind(write, read, schema)


def _get_defaults(build: Callable[..., T]) -> dict[str, object]:
    """Return the default of each field of a dataclass, ``_ABSENT`` for none."""
    defaults: dict[str, object] = {}
    for each in fields(build):  # type: ignore[arg-type]
        default: object = each.default
        if each.default_factory is not MISSING:
            default = each.default_factory()
        defaults[each.name] = _ABSENT if default is MISSING else default
    return defaults
