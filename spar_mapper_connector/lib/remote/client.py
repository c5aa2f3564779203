"""Calls to another mapper: in chunks, and with care about what has no answer.

A change without an answer may have been made. It is not simply sent again: the other
mapper is asked what became of the message, where its dialect can say so, else what is
in force now. Only where that shows that nothing was done is the same message sent
again, once. Another address than the one that was sent says nothing about who chose it:
the result is then unknown (:data:`~..contract.UNKNOWN_EFFECT`), for people to decide.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol
from uuid import uuid4

from ...exceptions import (
    RemoteAnswerUnusable,
    RemoteMapperDown,
    RemoteMapperError,
    RemoteMapperRefuses,
)
from ..contract import (
    UNKNOWN_EFFECT,
    ChangeState,
    ChangeStatus,
    Operation,
    Outcome,
    ResolveRequest,
    Result,
    TransactionReference,
    TransactionStatus,
)
from ..g2p_connect.acks import read_ack
from ..g2p_connect.exceptions import MalformedMessage, RejectedMessage
from ..g2p_connect.headers import STATUS
from ..g2p_connect.held import get_items, read_end
from ..g2p_connect.items import WireRequest
from ..g2p_connect.parties import Parties
from ..g2p_connect.readings import RECEIVED
from ..g2p_connect.transactions import build_status_request, read_status_answer
from ..g2p_connect.wire_json import JsonObject
from .dialects import Dialect
from .messages import (
    Asked,
    Message,
    SameAddress,
    build_refusal,
    build_transaction,
    is_same_text,
    read_reference,
)

#: The pauses between two questions whether there is an answer.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 1.0

#: How many time-outs a whole call may last, whatever it has to ask and to send again.
PATIENCE = 3


class Post(Protocol):
    """Sends a message."""

    def __call__(
        self,
        path: str,
        document: JsonObject,
        timeout: float,
        attempts: int,
        is_proved: bool = True,
    ) -> JsonObject:
        """Return the answer, which is proved; raises RemoteMapperError."""


class Inbox(Protocol):
    """Where answers arrive by callback."""

    def expect(self, operation: str, transaction_id: str, asked: Asked) -> None:
        """Let the answer arrive to a message that is about to be sent."""

    def fetch(self, transaction_id: str) -> JsonObject | None:
        """Return the answer, which is proved; None while there is none."""


@dataclass(kw_only=True)
class TimedCall:
    """A call that ends after some time-outs, however many messages it takes."""

    timeout: float = 10.0
    clock: Callable[[], float] = time.monotonic
    _ends_at: float = 0.0

    def _begin(self) -> None:
        self._ends_at = self.clock() + PATIENCE * self.timeout

    def _get_timeout(self) -> float:
        """Return the seconds for the next request; raises RemoteMapperDown."""
        left = self._ends_at - self.clock()
        if left <= 0:
            raise RemoteMapperDown("too_slow")
        return min(self.timeout, left)


@dataclass
class RemoteMapper(TimedCall):
    """Another mapper, for one call of a channel."""

    dialect: Dialect
    parties: Parties
    send: Post = field(repr=False)
    chunk_size: int = 100
    wants_details: bool = True
    is_same: SameAddress = field(default=is_same_text, repr=False)
    #: Whether it only acknowledges messages, and answers them later.
    is_asynchronous: bool = False
    inbox: Inbox | None = field(default=None, repr=False)
    sleep: Callable[[float], None] = time.sleep

    def call(
        self, operation: Operation, requests: Sequence[WireRequest]
    ) -> list[Result]:
        """Return the result of each request, in the same order.

        Raises RemoteMapperError where nothing at all was done. After a failure the
        other chunks are not sent: their requests are to be tried again.
        """
        self._begin()
        results: list[Result] = []
        for start in range(0, len(requests), self.chunk_size):
            chunk = requests[start : start + self.chunk_size]
            try:
                results += self._call_chunk(operation, chunk)
            except RemoteMapperError:
                if not results:
                    raise
                left = requests[start:]
                return results + [build_failure(request, "") for request in left]
        return results

    def get_status(self, requested: TransactionReference) -> TransactionStatus | None:
        """Return the status of an earlier transaction, None if it is not known there.

        Raises RemoteMapperError.
        """
        self._begin()
        return self._get_status(requested)

    def get_changes(self, references: Sequence[str]) -> list[ChangeStatus]:
        """Return what became of changes that waited, in the same order.

        Raises RemoteMapperError.
        """
        self._begin()
        ends: dict[tuple[Operation, str], dict[str, str]] = {}
        for operation, transaction_id, _reference_id in filter(
            None, map(read_reference, references)
        ):
            place = operation, transaction_id
            if place not in ends:
                ends[place] = self._get_ends(operation, transaction_id)
        return [ChangeStatus(each, _get_change(each, ends)) for each in references]

    def _get_ends(self, operation: Operation, transaction_id: str) -> dict[str, str]:
        """Return the end of each change of a transaction by its reference ID."""
        answer = self.inbox.fetch(transaction_id) if self.inbox else None
        if answer is not None:
            items = get_items(answer, operation.value)
        elif self.inbox and not self.dialect.status_path:
            return {}
        else:
            status = self._get_status(build_transaction(operation, transaction_id))
            items = list(status.items) if status else []
        return {str(item.get("reference_id")): read_end(item) for item in items}

    # === ONE MESSAGE === #

    def _call_chunk(
        self, operation: Operation, requests: Sequence[WireRequest]
    ) -> list[Result]:
        message = self._make(operation, requests)
        if operation is Operation.RESOLVE:
            found = self._post(message, attempts=2)
            return [
                self._compare_pair(request, result)
                if result
                else build_failure(request, "no_answer")
                for request, result in zip(requests, found, strict=True)
            ]
        try:
            answered = self._post(message)
        except RemoteMapperError as error:
            if not error.was_sent:
                raise
            return self._settle(message)
        return self._settle_missing(message, answered)

    def _make(self, operation: Operation, requests: Sequence[WireRequest]) -> Message:
        return Message.make(operation, requests, self.wants_details, self.is_same)

    def _post(self, message: Message, attempts: int = 1) -> list[Result | None]:
        profile = self.dialect.profile
        if self.is_asynchronous:
            return self._post_and_wait(message)
        path = self.dialect.sync_path.format(operation=message.operation.value)
        document = message.build_document(self.parties, profile)
        answer = self.send(path, document, self._get_timeout(), attempts)
        return message.read_answer(answer, self.parties, profile)

    def _compare_pair(self, request: WireRequest, result: Result) -> Result:
        """Return the result of a question whether an ID has an address.

        A mapper that does not compare them answers for the ID alone.
        """
        is_pair = request.id_value is not None and request.fa is not None
        is_found = result.outcome is Outcome.FOUND
        if self.dialect.compares or not (is_pair and is_found):
            return result
        if not result.fa:
            problem = "not_comparable"
            return Result(Outcome.FORBIDDEN, request.id_value, problem=problem)
        if self.is_same(result.fa, request.fa or ""):
            return result
        return Result(Outcome.FA_MISMATCH, request.id_value)

    # === ANSWERS THAT COME LATER === #

    def _post_and_wait(self, message: Message) -> list[Result | None]:
        """Send a message that is only acknowledged; wait for its answer.

        Changes that have none in time are held, and can be asked about later.
        """
        operation = message.operation.value
        if self.inbox:
            self.inbox.expect(operation, message.transaction_id, message.asked)
        path = self.dialect.async_path.format(operation=operation)
        document = message.build_document(self.parties, self.dialect.profile)
        # An acknowledgement has no place for a signature: only the answer counts.
        ack = self.send(path, document, self._get_timeout(), 1, is_proved=False)
        try:
            code = read_ack(ack)
        except MalformedMessage:
            raise RemoteAnswerUnusable("not_an_answer", was_sent=True) from None
        if code:
            raise build_refusal(RejectedMessage(code, "it was not acknowledged"))
        return self._wait(message) or message.hold()

    def _wait(self, message: Message) -> list[Result | None] | None:
        """Return the answer to an acknowledged message, None if there is none yet."""
        pause, ends_at = _FIRST_PAUSE, min(self.clock() + self.timeout, self._ends_at)
        while True:
            found = self._fetch(message)
            if found is not None or self.clock() + pause >= ends_at:
                return found
            self.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _fetch(self, message: Message) -> list[Result | None] | None:
        profile = self.dialect.profile
        answer = self.inbox.fetch(message.transaction_id) if self.inbox else None
        if answer is not None:
            return message.read_answer(answer, self.parties, profile)
        try:
            status = self._get_status(message.transaction)
        except RemoteMapperError:
            return None
        if status is None or any(i.get("status") == RECEIVED for i in status.items):
            return None
        return message.read_items(status.items, profile)

    # === WHAT HAS NO ANSWER === #

    def _settle(self, message: Message) -> list[Result]:
        """Find out what became of a message that has no answer."""
        if not self.dialect.status_path:
            return self._settle_by_resolving(message)
        try:
            return self._settle_by_status(message)
        except RemoteMapperError:
            # The status may not be there for us; what is in force may be.
            return self._settle_by_resolving(message)

    def _settle_by_status(self, message: Message) -> list[Result]:
        """Return the stored results; a message that never arrived is sent again.

        It has the same message ID, so that it is not processed twice even if it arrives
        now. Raises RemoteMapperError where the status is not known.
        """
        status = self._get_status(message.transaction)
        if status is None:
            return self._send_again(message)
        found = message.read_items(status.items, self.dialect.profile)
        return self._settle_missing(message, found)

    def _send_again(self, message: Message) -> list[Result]:
        try:
            answered = self._post(message)
        except RemoteMapperError:
            return [build_failure(each, UNKNOWN_EFFECT) for each in message.requests]
        return self._settle_missing(message, answered)

    def _settle_missing(
        self, message: Message, results: list[Result | None]
    ) -> list[Result]:
        """Return ``results`` with those of requests that the answer left out."""
        missing = [
            request
            for request, result in zip(message.requests, results, strict=True)
            if result is None
        ]
        if not missing:
            return [result for result in results if result]
        asked = iter(self._compare(message.operation, missing))
        return [result or next(asked) for result in results]

    def _settle_by_resolving(self, message: Message) -> list[Result]:
        """Ask what is in force; send again what was certainly not done."""
        compared = self._compare(message.operation, message.requests)
        undone = [
            request
            for request, result in zip(message.requests, compared, strict=True)
            if result.outcome is Outcome.RETRY and not result.is_uncertain
        ]
        if not undone:
            return compared
        again = message
        if len(undone) < len(message.requests):
            again = self._make(message.operation, undone)
        try:
            sent = self._post(again)
        except RemoteMapperError as error:
            problem = UNKNOWN_EFFECT if error.was_sent else ""
            sent = [build_failure(request, problem) for request in undone]
        left = iter(zip(undone, sent, strict=True))
        return [
            _read_again(*next(left))
            if result.outcome is Outcome.RETRY and not result.is_uncertain
            else result
            for result in compared
        ]

    def _compare(
        self, operation: Operation, requests: Sequence[WireRequest]
    ) -> list[Result]:
        """Return what the address in force says about each request.

        RETRY without a problem is for what was certainly not done.
        """
        names_both = self.dialect.compares and not self.wants_details
        asked = self._make(
            Operation.RESOLVE,
            [
                ResolveRequest(request.id_value, request.fa if names_both else None)
                for request in requests
            ],
        )
        try:
            found = self._post(asked, attempts=2)
        except RemoteMapperError:
            return [build_failure(request, UNKNOWN_EFFECT) for request in requests]
        return [
            self._judge(operation, request, result)
            for request, result in zip(requests, found, strict=True)
        ]

    def _judge(
        self, operation: Operation, request: WireRequest, found: Result | None
    ) -> Result:
        if found is not None and found.outcome is Outcome.NOT_LINKED:
            return _build(request, _WITHOUT_ADDRESS[operation])
        if found is not None and self._has_address(found, request):
            return _build(request, _WITH_ADDRESS[operation])
        return build_failure(request, UNKNOWN_EFFECT)

    def _has_address(self, found: Result, request: WireRequest) -> bool:
        if found.outcome is not Outcome.FOUND or not request.fa:
            return False
        if found.same_fa is not None and not self.wants_details:
            return found.same_fa
        return bool(found.fa) and self.is_same(found.fa or "", request.fa)

    # === STATUS === #

    def _get_status(self, requested: TransactionReference) -> TransactionStatus | None:
        header = self.parties.build_header(str(uuid4()), STATUS, 1)
        query = build_status_request(header, str(uuid4()), str(uuid4()), requested)
        if not self.dialect.status_path:
            raise RemoteMapperRefuses("no_status")
        answer = self.send(self.dialect.status_path, query, self._get_timeout(), 2)
        try:
            return read_status_answer(answer, requested.operation, self.dialect.profile)
        except MalformedMessage:
            raise RemoteAnswerUnusable("not_an_answer") from None
        except RejectedMessage as error:
            raise build_refusal(error) from None


#: Operation -> what follows for it if the ID has no address, or has the one of the
#: request. RETRY: it was not done.
_WITHOUT_ADDRESS = {
    Operation.LINK: Outcome.RETRY,
    Operation.UPDATE: Outcome.NOT_LINKED,
    Operation.UNLINK: Outcome.UNLINKED,
}
_WITH_ADDRESS = {
    Operation.LINK: Outcome.LINKED,
    Operation.UPDATE: Outcome.UPDATED,
    Operation.UNLINK: Outcome.RETRY,
}


def _get_change(
    reference: str, ends: dict[tuple[Operation, str], dict[str, str]]
) -> ChangeState:
    parts = read_reference(reference)
    if parts is None:
        return ChangeState.UNKNOWN
    operation, transaction_id, reference_id = parts
    end = ends[operation, transaction_id].get(reference_id, "unknown")
    return ChangeState(end or "waiting")


def _build(request: WireRequest, outcome: Outcome) -> Result:
    return Result(outcome, request.id_value, request.fa)


def build_failure(request: WireRequest, problem: str) -> Result:
    """Return the result of a request that has no answer."""
    return Result(Outcome.RETRY, request.id_value, request.fa, problem=problem)


#: Answers to a message that was sent again, which the first one may have caused.
_CAUSED_BY_ITSELF = (Outcome.ALREADY_LINKED, Outcome.NOT_LINKED, Outcome.FA_MISMATCH)


def _read_again(request: WireRequest, result: Result | None) -> Result:
    if result is None or result.outcome in _CAUSED_BY_ITSELF:
        return build_failure(request, UNKNOWN_EFFECT)
    return result
