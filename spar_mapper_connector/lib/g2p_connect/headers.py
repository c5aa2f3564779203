"""Headers: both directions side by side.

``from_wire`` reads what another party sent and raises; ``to_wire`` returns what is
sent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar
from uuid import uuid4

from ..passing import MAX_PASSED, is_mark
from .exceptions import MalformedMessage, RejectedMessage
from .profiles import STRICT, Profile
from .timestamps import MAX_LENGTH as MAX_TIMESTAMP
from .timestamps import format_timestamp, now, parse_timestamp
from .wire_json import JsonObject

VERSION = "1.0.0"
OPERATIONS = ("link", "update", "unlink", "resolve")

#: The action of a query about an earlier transaction; its answer has ON_STATUS.
STATUS, ON_STATUS = "txn-status", "txn-on-status"

#: Every action of the mapper API, requests and answers.
ACTIONS = frozenset(
    {*OPERATIONS, *(f"on-{name}" for name in OPERATIONS), STATUS, ON_STATUS}
)

MAX_IDENTIFIER = 255
MAX_MESSAGE = 999

#: The member of ``header.meta`` with the servers through which a message has passed.
PASSED = "spar_passed"

T = TypeVar("T")


def read_text(
    container: JsonObject,
    path: str,
    maximum: int,
    *,
    required: bool = True,
    empty: bool = False,
) -> str:
    """Return the text at ``path``, whose last part is the member.

    It is "" when absent and optional. Raises MalformedMessage naming ``path`` when it
    is missing, empty, not a text, longer than ``maximum`` or contains invisible
    characters.
    """
    value = container.get(path.rpartition(".")[2])
    if value is None and not required:
        return ""
    if value is None:
        raise MalformedMessage("is missing", path)
    if not isinstance(value, str):
        raise MalformedMessage("must be a string", path)
    if not value and not empty and required:
        raise MalformedMessage("must not be empty", path)
    if len(value) > maximum:
        raise MalformedMessage(f"must have at most {maximum} characters", path)
    if not value.isprintable():
        raise MalformedMessage("must not contain control characters", path)
    return value


def read_typed(
    container: JsonObject,
    path: str,
    kind: type[T],
    label: str,
    default: T | None = None,
) -> T:
    value = container.get(path.rpartition(".")[2], default)
    if value is None:
        raise MalformedMessage("is missing", path)
    # `isinstance` alone takes a bool for an int.
    if not isinstance(value, kind) or type(value) is not kind:
        raise MalformedMessage(f"must be {label}", path)
    return value


@dataclass(frozen=True)
class RequestHeader:
    """``MsgHeader_V1.0.0``: the sender, the operation and the number of items."""

    message_id: str
    message_ts: str
    action: str
    sender_id: str
    total_count: int
    version: str = VERSION
    sender_uri: str = ""
    receiver_id: str = ""
    is_msg_encrypted: bool = False
    #: the marks of the servers that passed the message on: see ``lib/passing.py``
    passed: tuple[str, ...] = ()

    @classmethod
    def from_wire(cls, document: object, profile: Profile = STRICT) -> RequestHeader:
        """Return the header of the message ``document``; raises MalformedMessage."""
        if not isinstance(document, dict):
            raise MalformedMessage("the message must be an object")
        wire = read_typed(document, "header", dict, "an object")
        if profile.nulls_are_absent:
            wire = {name: value for name, value in wire.items() if value is not None}
        return cls(
            message_id=read_text(wire, "header.message_id", MAX_IDENTIFIER),
            message_ts=read_text(wire, "header.message_ts", MAX_TIMESTAMP, empty=True),
            action=read_text(wire, "header.action", MAX_IDENTIFIER, empty=True),
            sender_id=read_text(
                wire, "header.sender_id", MAX_IDENTIFIER, empty=not profile.names_sender
            ),
            total_count=read_typed(wire, "header.total_count", int, "a whole number"),
            version=_read_version(wire),
            sender_uri=_read_optional(wire, "header.sender_uri", 2048),
            receiver_id=_read_optional(wire, "header.receiver_id", MAX_IDENTIFIER),
            is_msg_encrypted=read_typed(
                wire, "header.is_msg_encrypted", bool, "true or false", default=False
            ),
            passed=_read_passed(wire.get("meta")),
        )

    def to_wire(self) -> JsonObject:
        """Return the header as it is sent."""
        return _omit_empty(
            {
                "version": self.version,
                "message_id": self.message_id,
                "message_ts": self.message_ts,
                "action": self.action,
                "sender_id": self.sender_id,
                "sender_uri": self.sender_uri,
                "receiver_id": self.receiver_id,
                "total_count": self.total_count,
                "is_msg_encrypted": self.is_msg_encrypted,
                "meta": {PASSED: list(self.passed)} if self.passed else None,
            }
        )

    def check(self, operation: str, profile: Profile) -> None:
        """Raise RejectedMessage unless this header is valid for ``operation``."""
        if profile.checks_version and self.version != VERSION:
            raise RejectedMessage(
                "rjct.version.invalid", f"must be {VERSION}", "header.version"
            )
        if profile.timestamps_need_zone and not parse_timestamp(self.message_ts):
            raise RejectedMessage(
                "rjct.message_ts.invalid",
                "must be an RFC 3339 date-time with a time zone",
                "header.message_ts",
            )
        if self.action != operation:
            known = "not_supported" if self.action in ACTIONS else "invalid"
            raise RejectedMessage(
                f"rjct.action.{known}", f"must be {operation} here", "header.action"
            )

    def check_freshness(self, profile: Profile) -> None:
        """Raise RejectedMessage if ``message_ts`` is too old or too far ahead.

        For new messages only: a repeat of a known one keeps its original time.
        """
        moment = parse_timestamp(self.message_ts)
        if moment is None:
            return
        age = (now() - moment).total_seconds()
        if profile.max_age_seconds and age > profile.max_age_seconds:
            raise _not_fresh("is too old for a new message")
        if profile.max_ahead_seconds and -age > profile.max_ahead_seconds:
            raise _not_fresh("lies in the future")


def _not_fresh(text: str) -> RejectedMessage:
    return RejectedMessage("rjct.message_ts.invalid", text, "header.message_ts")


def get_answer_action(action: str, profile: Profile) -> str:
    """Return the action of the answer to ``action``.

    >>> get_answer_action("link", STRICT), get_answer_action(STATUS, STRICT)
    ('on-link', 'txn-on-status')
    """
    if action == STATUS or profile.answers_on_action:
        return get_callback_action(action)
    return action


def get_callback_action(action: str) -> str:
    """Return the action that names the path of the callback to ``action``.

    The paths are those of the specification whatever the profile: an answer of OpenG2P
    1.x has ``link`` in its header and goes to ``/on-link``.

    >>> get_callback_action("link"), get_callback_action(STATUS)
    ('on-link', 'txn-on-status')
    """
    return ON_STATUS if action == STATUS else f"on-{action}"


def _read_optional(wire: JsonObject, path: str, maximum: int) -> str:
    if path.rpartition(".")[2] not in wire:
        return ""
    return read_text(wire, path, maximum, empty=True)


def _read_passed(meta: object) -> tuple[str, ...]:
    """Return the servers through which a message has passed.

    What else ``header.meta`` contains is the sender's own. Raises MalformedMessage for
    more servers than a message may pass.

    >>> mark = "0123456789abcdef0123456789abcdef"
    >>> _read_passed({"spar_passed": [mark], "other": 1}) == (mark,)
    True
    >>> _read_passed("a note"), _read_passed({"spar_passed": []})
    ((), ())
    >>> _read_passed({"spar_passed": [mark] * 9})
    Traceback (most recent call last):
    ...
    odoo.addons.spar_mapper_connector.lib.g2p_connect.exceptions.MalformedMessage: \
header.meta.spar_passed: must be an array of at most 8 marks
    """
    marks = meta.get(PASSED, ()) if isinstance(meta, dict) else ()
    is_list = isinstance(marks, list | tuple) and len(marks) <= MAX_PASSED
    if not is_list or not all(map(is_mark, marks)):
        raise MalformedMessage(
            f"must be an array of at most {MAX_PASSED} marks", f"header.meta.{PASSED}"
        )
    return tuple(marks)


def _read_version(wire: JsonObject) -> str:
    if "version" not in wire:
        return VERSION
    return read_text(wire, "header.version", MAX_IDENTIFIER, empty=True)


def _omit_empty(wire: JsonObject) -> JsonObject:
    """Return ``wire`` without empty members: fields are never null (A35)."""
    return {name: value for name, value in wire.items() if value not in (None, "")}


@dataclass(frozen=True)
class ResponseHeader:
    """``MsgCallbackHeader_V1.0.0``: the result of a request."""

    message_id: str
    message_ts: str
    action: str
    status: str
    status_reason_code: str = ""
    status_reason_message: str = ""
    sender_id: str = ""
    receiver_id: str = ""
    total_count: int | None = None
    completed_count: int | None = None
    version: str = VERSION

    @classmethod
    def answering(
        cls,
        request: RequestHeader,
        operation: str,
        profile: Profile,
        *,
        status: str,
        status_reason_code: str = "",
        status_reason_message: str = "",
        total_count: int | None = None,
        completed_count: int | None = None,
    ) -> ResponseHeader:
        """Return the header of an answer to ``request``, with the parties swapped."""
        return cls(
            message_id=str(uuid4()),
            message_ts=format_timestamp(now()),
            action=get_answer_action(operation, profile),
            sender_id=request.receiver_id,
            receiver_id=request.sender_id,
            status=status,
            status_reason_code=status_reason_code,
            status_reason_message=status_reason_message,
            total_count=total_count,
            completed_count=completed_count,
        )

    @classmethod
    def from_wire(cls, document: object, profile: Profile = STRICT) -> ResponseHeader:
        """Return the header of the answer ``document``; raises MalformedMessage."""
        if not isinstance(document, dict):
            raise MalformedMessage("the message must be an object")
        wire = read_typed(document, "header", dict, "an object")
        if profile.nulls_are_absent:
            wire = {name: value for name, value in wire.items() if value is not None}

        def read(name: str, required: bool = False) -> str:
            return read_text(wire, f"header.{name}", MAX_MESSAGE, required=required)

        return cls(
            message_id=read("message_id", required=True),
            message_ts=read("message_ts", required=True),
            action=read("action", required=True),
            status=read("status", required=True),
            status_reason_code=read("status_reason_code"),
            status_reason_message=read("status_reason_message"),
            sender_id=read("sender_id"),
            receiver_id=read("receiver_id"),
            total_count=wire.get("total_count"),
            completed_count=wire.get("completed_count"),
            version=_read_version(wire),
        )

    def to_wire(self) -> JsonObject:
        """Return the header as it is sent."""
        return _omit_empty(
            {
                "version": self.version,
                "message_id": self.message_id,
                "message_ts": self.message_ts,
                "action": self.action,
                "status": self.status,
                "status_reason_code": self.status_reason_code,
                "status_reason_message": self.status_reason_message[:MAX_MESSAGE],
                "total_count": self.total_count,
                "completed_count": self.completed_count,
                "sender_id": self.sender_id,
                "receiver_id": self.receiver_id,
                "is_msg_encrypted": False,
            }
        )
