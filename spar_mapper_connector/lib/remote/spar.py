"""Calls to another SPAR, beyond G2P Connect: in chunks, and safe to send again.

Another SPAR stores each message that changes something, with its answer: the same
message gets the stored answer, and is never processed twice. So a change without an
answer is sent again as it was, once; if it has no answer then either, its effect is
unknown (:data:`~..contract.UNKNOWN_EFFECT`), for people to decide.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...exceptions import (
    NoSuchEvent,
    NoSuchNotice,
    NotSupported,
    OwnerLoginExpired,
    OwnerLoginRefused,
    ProposalRefused,
    RemoteAnswerUnusable,
    RemoteMapperDown,
    RemoteMapperError,
    SealBroken,
    VisitNeeded,
)
from ..contract import (
    DONE,
    UNKNOWN_EFFECT,
    CallContext,
    ChangeRequest,
    ChangeStatus,
    Outcome,
    PaymentState,
    ResolveRequest,
    Result,
    Standing,
)
from ..g2p_connect.exceptions import MalformedMessage, RejectedMessage
from ..g2p_connect.parties import Parties
from ..g2p_connect.timestamps import format_timestamp, now
from ..g2p_connect.wire_json import JsonObject
from ..spar_wire.calls import build_remote_call
from ..spar_wire.messages import AnswerItem, build_message, read_answer
from ..spar_wire.operations import OPERATIONS, WireOperation
from ..spar_wire.records import (
    Abilities,
    AbilitiesRequest,
    ChangeReference,
    StandingRequest,
)
from .client import Post, TimedCall
from .messages import build_refusal

PATH = "/extension/{name}"

_ERRORS = {
    error.code: error
    for error in (
        NoSuchEvent,
        NoSuchNotice,
        SealBroken,
        NotSupported,
        ProposalRefused,
        OwnerLoginRefused,
        OwnerLoginExpired,
        VisitNeeded,
    )
}


@dataclass
class RemoteSpar(TimedCall):
    """Another SPAR, for one call of a channel."""

    parties: Parties
    call: CallContext
    send: Post = field(repr=False)
    chunk_size: int = 100

    # === BATCHES === #

    def request(
        self, name: str, requests: Sequence[ChangeRequest | ResolveRequest]
    ) -> list[Result]:
        """Return the result of each request, in the same order.

        Raises RemoteMapperError where nothing at all was done. After a failure the
        other chunks are not sent: their requests are to be tried again.
        """
        is_change = OPERATIONS[name].is_change

        def fail(request: Any, was_sent: bool) -> Result:
            problem = UNKNOWN_EFFECT if is_change and was_sent else ""
            return Result(Outcome.RETRY, request.id_value, request.fa, problem=problem)

        found: list[Result] = self._ask_in_chunks(name, requests, fail)
        return [
            _name_request(request, result)
            if _is_answer(name, request, result)
            else fail(request, True)
            for request, result in zip(requests, found, strict=True)
        ]

    def get_standings(self, ids: Sequence[str], purpose: str) -> list[Standing]:
        """Return the standing of each ID, UNKNOWN where there is no certain answer.

        Raises RemoteMapperError where there is none at all.
        """

        def fail(request: Any, _was_sent: bool) -> Standing:
            return Standing(request.id_value, request.purpose, PaymentState.UNKNOWN)

        requests = [StandingRequest(each, purpose) for each in ids]
        found: list[Standing] = self._ask_in_chunks("standing", requests, fail)
        return [
            standing
            if standing.id_value in ("", request.id_value)
            else fail(request, False)
            for request, standing in zip(requests, found, strict=True)
        ]

    def get_change_states(self, references: Sequence[str]) -> list[ChangeStatus]:
        """Return what became of changes; raises RemoteMapperError."""

        def fail(_request: Any, _was_sent: bool) -> ChangeStatus:
            raise RemoteAnswerUnusable("no_answer")

        requests = [ChangeReference(each) for each in references]
        return self._ask_in_chunks("change-status", requests, fail)

    def _ask_in_chunks(
        self, name: str, requests: Sequence[Any], fail: Callable[[Any, bool], Any]
    ) -> list[Any]:
        """Return the answer to each request; ``fail`` builds those that are missing."""
        self._begin()
        found: list[Any] = []
        for start in range(0, len(requests), self.chunk_size):
            chunk = requests[start : start + self.chunk_size]
            try:
                answers = self._ask(OPERATIONS[name], chunk)
            except RemoteMapperError as error:
                if error.was_sent and OPERATIONS[name].is_change:
                    found += [fail(each, True) for each in chunk]
                elif found:
                    found += [fail(each, False) for each in chunk]
                else:
                    raise
                left = requests[start + self.chunk_size :]
                return found + [fail(each, False) for each in left]
            found += [
                answer.answer if answer and not answer.error else fail(request, True)
                for request, answer in zip(chunk, answers, strict=True)
            ]
        return found

    # === SINGLE ITEMS === #

    def get_abilities(self) -> Abilities:
        """Return what we may ask; raises RemoteMapperError."""
        found: Abilities = self.ask_one("capabilities", AbilitiesRequest())
        return found

    def ask_one(self, name: str, request: Any) -> Any:
        """Return the answer to one request.

        Raises RemoteMapperError, or what the other side's mapper has raised.
        """
        self._begin()
        (item,) = self._ask(OPERATIONS[name], [request])
        if item is None:
            raise RemoteAnswerUnusable("no_answer", was_sent=True)
        if item.error in _ERRORS:
            raise _ERRORS[item.error]("says the other SPAR")
        if item.error:
            raise RemoteAnswerUnusable("unknown_error", was_sent=True)
        return item.answer

    # === ONE MESSAGE === #

    def _ask(
        self, operation: WireOperation, requests: Sequence[Any]
    ) -> list[AnswerItem | None]:
        """Send one message; a change without an answer is sent again as it was."""
        call = build_remote_call(self.call)
        document = build_message(operation, self.parties, call, requests)
        if not operation.is_change:
            return self._post(operation, document, attempts=2)
        try:
            return self._post(operation, document)
        except RemoteMapperError as error:
            if not error.was_sent:
                raise
        # Whatever happens now: the first one may have had its effect.
        try:
            return self._post(operation, document)
        except RemoteMapperError as error:
            raise RemoteMapperDown(error.reason, was_sent=True) from None

    def _post(
        self, operation: WireOperation, document: JsonObject, attempts: int = 1
    ) -> list[AnswerItem | None]:
        header = {**document["header"], "message_ts": format_timestamp(now())}
        path = PATH.format(name=operation.name)
        sent = {**document, "header": header}
        answer = self.send(path, sent, self._get_timeout(), attempts)
        try:
            return read_answer(answer, operation, sent)
        except MalformedMessage:
            raise RemoteAnswerUnusable("not_an_answer", was_sent=True) from None
        except RejectedMessage as error:
            raise build_refusal(error) from None


#: Operation -> the outcome of one that was done.
_DONE_BY = {
    "link": Outcome.LINKED,
    "update": Outcome.UPDATED,
    "unlink": Outcome.UNLINKED,
    "suspend": Outcome.SUSPENDED,
    "resume": Outcome.RESUMED,
    "lock": Outcome.LOCK_SET,
    "unlock": Outcome.LOCK_LIFTED,
    "resolve": Outcome.FOUND,
}


def _is_answer(name: str, request: Any, result: Result) -> bool:
    """Return whether a result is about the request, and possible for the operation."""
    if result.outcome is Outcome.RETRY:
        return OPERATIONS[name].is_change or not result.is_uncertain
    if request.id_value is not None and result.id_value not in (None, request.id_value):
        return False
    if name == "resolve" and result.outcome is Outcome.SUSPENDED:
        return True
    return result.outcome not in DONE or result.outcome is _DONE_BY.get(name)


def _name_request(request: Any, result: Result) -> Result:
    """Return ``result`` with the ID that it is about, where it names none."""
    if result.id_value is None:
        result.id_value = request.id_value
    return result
