"""The requests of one message to another mapper, and what of its answer is theirs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import uuid4

from ...exceptions import RemoteAnswerUnusable, RemoteMapperRefuses
from ..contract import (
    DONE,
    PROCESSING,
    Operation,
    Outcome,
    Reference,
    Result,
    TransactionReference,
)
from ..g2p_connect import openg2p_2
from ..g2p_connect.answers import read_result
from ..g2p_connect.envelope import AnswerMessage, build_request
from ..g2p_connect.exceptions import MalformedMessage, RejectedMessage
from ..g2p_connect.headers import ResponseHeader, get_callback_action
from ..g2p_connect.items import WireRequest, write_item
from ..g2p_connect.parties import Parties
from ..g2p_connect.profiles import Profile
from ..g2p_connect.readings import REJECTED
from ..g2p_connect.timestamps import now
from ..g2p_connect.wire_json import JsonObject
from ..matching import may_answer

#: The ID of each request by its reference ID.
Asked = dict[str, str]

#: Whether two texts are one address.
SameAddress = Callable[[str, str], bool]


def is_same_text(one: str, other: str) -> bool:
    return one == other


@dataclass(frozen=True)
class Message:
    """Requests that are sent together; a repeat is the same message, with its IDs."""

    operation: Operation
    requests: tuple[WireRequest, ...]
    message_id: str
    transaction_id: str
    references: tuple[str, ...]
    made_at: datetime
    wants_details: bool = True
    is_same: SameAddress = field(default=is_same_text, repr=False, compare=False)

    @classmethod
    def make(
        cls,
        operation: Operation,
        requests: Sequence[WireRequest],
        wants_details: bool = True,
        is_same: SameAddress = is_same_text,
    ) -> Message:
        """Return a new message with random IDs, which say nothing about its content."""
        return cls(
            operation,
            tuple(requests),
            str(uuid4()),
            str(uuid4()),
            tuple(str(uuid4()) for _request in requests),
            now(),
            wants_details,
            is_same,
        )

    def build_document(self, parties: Parties, profile: Profile) -> JsonObject:
        """Return the document to send now; only the header's time is new."""
        items = [
            write_item(request, reference, self.made_at, self.wants_details)
            for request, reference in zip(self.requests, self.references, strict=True)
        ]
        header = parties.build_header(
            self.message_id, self.operation.value, len(self.requests)
        )
        document = build_request(header, self.transaction_id, items)
        if profile.speaks_openg2p_2:
            return openg2p_2.write_request(document, self.operation.value)
        return document

    def read_answer(
        self, document: JsonObject, parties: Parties, profile: Profile
    ) -> list[Result | None]:
        """Return the result of each request; None where the answer has none for it.

        Raises RemoteMapperRefuses where the message was rejected as a whole, and
        RemoteAnswerUnusable for what is not the answer to this message.
        """
        try:
            if profile.speaks_openg2p_2:
                document = openg2p_2.read_answer(document, self.operation.value)
            answer = AnswerMessage.from_wire(document, self.operation.value, profile)
        except MalformedMessage:
            raise RemoteAnswerUnusable("not_an_answer", was_sent=True) from None
        except RejectedMessage as error:
            raise build_refusal(error) from None
        if not self._is_ours(answer, parties, profile):
            raise RemoteAnswerUnusable("not_ours", was_sent=True)
        return self.read_items(get_certain_items(answer), profile)

    def _is_ours(
        self, answer: AnswerMessage, parties: Parties, profile: Profile
    ) -> bool:
        """Return whether the answer names this message and both sides.

        Without this, an older answer that is properly signed would do, too.
        """
        if answer.transaction_id != self.transaction_id:
            return False
        if profile.speaks_openg2p_2:
            return answer.header.message_id == self.message_id
        return is_addressed(answer.header, self.operation.value, parties, profile)

    @property
    def asked(self) -> Asked:
        """Return what an answer that arrives later is compared with."""
        pairs = zip(self.references, self.requests, strict=True)
        return {reference: request.id_value or "" for reference, request in pairs}

    @property
    def transaction(self) -> TransactionReference:
        """Return the name by which the status of this message is asked about."""
        return build_transaction(self.operation, self.transaction_id)

    def _name_change(self, reference_id: str) -> str:
        """Return the name of a change that waits: see ``read_reference``."""
        return f"{self.operation.value}:{self.transaction_id}:{reference_id}"

    def hold(self) -> list[Result | None]:
        """Return the results of a message that was accepted and has no answer yet."""
        if self.operation is Operation.RESOLVE:
            return [None for _request in self.requests]
        return [
            Result(
                Outcome.HELD,
                request.id_value,
                request.fa,
                problem=PROCESSING,
                reference=self._name_change(reference),
            )
            for request, reference in zip(self.requests, self.references, strict=True)
        ]

    def read_items(
        self, items: Sequence[JsonObject], profile: Profile
    ) -> list[Result | None]:
        """Return the result that ``items`` of an answer give each request.

        An item belongs to the request whose reference ID it names; without a reference
        ID, to the only request with its ID. One that names another ID than its request,
        or a reference ID that another item names too, proves nothing.
        """
        by_reference = _group(items, "reference_id")
        nameless = [item for item in items if not item.get("reference_id")]
        by_id = _group(nameless, "id")
        ids = Counter(request.id_value for request in self.requests)
        results: list[Result | None] = []
        for request, reference in zip(self.requests, self.references, strict=True):
            found = by_reference.get(reference, [])
            if not found and ids[request.id_value] == 1:
                found = by_id.get(request.id_value or "", [])
            results.append(self._read_item(request, reference, found, profile))
        return results

    def _read_item(
        self,
        request: WireRequest,
        reference: str,
        found: list[JsonObject],
        profile: Profile,
    ) -> Result | None:
        if len(found) != 1:
            return None
        if not may_answer(found[0].get("id"), request.id_value):
            return None
        result = read_result(self.operation, request, found[0], profile.answers)
        if self._is_contradicted(request, result, found[0], profile):
            return None
        if self.operation is Operation.RESOLVE and not self.wants_details:
            result.fa = None  # it may repeat the address of the request
        if result.outcome is Outcome.HELD and self.operation is not Operation.RESOLVE:
            result.reference = self._name_change(reference)
        return result

    def _is_contradicted(
        self, request: WireRequest, result: Result, item: JsonObject, profile: Profile
    ) -> bool:
        """Return whether an item claims a success that it does not show.

        A change names another address than the one that was sent; a person is found
        whose address is missing, although it was requested.
        """
        if self.operation is Operation.RESOLVE:
            is_expected = self.wants_details and request.fa is None
            is_found = result.outcome is Outcome.FOUND and not result.problem
            return is_expected and is_found and not result.fa
        named = item.get("fa")
        if result.outcome not in DONE or not named or not request.fa:
            return False
        if not isinstance(named, str):
            # An object of parts is the address of one dialect, and of no other.
            return not profile.speaks_openg2p_2
        return not self.is_same(named, request.fa)


# === WHOSE ANSWER IT IS === #


def is_addressed(
    header: ResponseHeader, operation: str, parties: Parties, profile: Profile
) -> bool:
    """Return whether the header answers a message of ``operation`` between the parties.

    The action is that of the request or of its answer, as the dialects differ.
    """
    if header.action not in (operation, get_callback_action(operation)):
        return False
    if not profile.checks_parties:
        return True
    return header.receiver_id in ("", parties.sender_id) and (
        not parties.receiver_id or header.sender_id in ("", parties.receiver_id)
    )


def names_asked(items: Sequence[JsonObject], asked: Asked) -> bool:
    """Return whether no item names another ID than the request that it answers.

    >>> names_asked([{"reference_id": "r", "id": "1"}, {"id": "2"}], {"r": "1"})
    True
    >>> names_asked([{"reference_id": "r", "id": "2"}], {"r": "1"})
    False
    """
    return all(
        may_answer(item.get("id"), asked.get(str(item.get("reference_id"))) or None)
        for item in items
    )


def get_certain_items(answer: AnswerMessage) -> list[JsonObject]:
    """Return the items of an answer; of a rejection only those that are rejected.

    A message is rejected as a whole only if every item is: a success in it is none.
    """
    if answer.header.status != REJECTED:
        return answer.items
    return [item for item in answer.items if item.get("status") == REJECTED]


# === CHANGES THAT WAIT === #


def build_transaction(
    operation: Operation, transaction_id: str
) -> TransactionReference:
    """Return the name of a transaction for a query about its status."""
    return TransactionReference(operation, Reference.TRANSACTION, (transaction_id,))


def read_reference(text: str) -> tuple[Operation, str, str] | None:
    """Return ``(operation, transaction, reference ID)`` of a change that waits.

    None for a text that does not name one.

    >>> read_reference("link:t:r")
    (<Operation.LINK: 'link'>, 't', 'r')
    >>> read_reference("7"), read_reference("grant:t:r")
    (None, None)
    """
    parts = text.split(":")
    try:
        operation, transaction_id, reference_id = parts
        return Operation(operation), transaction_id, reference_id
    except ValueError:
        return None


def _group(items: Sequence[JsonObject], name: str) -> dict[str, list[JsonObject]]:
    groups: dict[str, list[JsonObject]] = {}
    for item in items:
        value = item.get(name)
        if isinstance(value, str) and value:
            groups.setdefault(value, []).append(item)
    return groups


#: Rejections of a message that do not say that it had no effect.
_UNCERTAIN = ("rjct.message_id.duplicate", "rjct.errors.too_many")


def build_refusal(
    error: RejectedMessage,
) -> RemoteMapperRefuses | RemoteAnswerUnusable:
    """Return the error for a message that was rejected as a whole."""
    code = error.code if len(error.code) < 64 and error.code.isprintable() else "rjct"
    if code in _UNCERTAIN:
        return RemoteAnswerUnusable(code, was_sent=True)
    return RemoteMapperRefuses(code)
