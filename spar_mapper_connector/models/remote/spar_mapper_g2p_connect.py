from dataclasses import dataclass, replace
from uuid import uuid4

from odoo import api, models

from ...exceptions import (
    NotSupported,
    RemoteAnswerUnusable,
    RemoteMapperError,
    RemoteMapperRefuses,
)
from ...lib.contract import (
    Authority,
    CallContext,
    Capability,
    ChangeStatus,
    Operation,
    Outcome,
    Request,
    ResolveRequest,
    Result,
    TransactionReference,
    TransactionStatus,
)
from ...lib.g2p_connect.wire_json import JsonObject
from ...lib.passing import add_mark
from ...lib.remote.client import Inbox, RemoteMapper
from ...lib.remote.clocks import is_clock_wrong
from ...lib.remote.exchange import HttpExchange
from ...lib.remote.messages import Asked

OFFICER = "spar_fa_directory.group_officer"
#: The context of the test of a connection: nobody's ID is asked about.
_TEST = CallContext("system", "test", Authority.INSTITUTION)


class SparMapperG2pConnect(models.AbstractModel):
    """A mapper elsewhere that speaks G2P Connect, or a version of OpenG2P.

    It is bound to a backend, which says where it is and what is agreed. A call sends
    messages while the caller's transaction is open, for at most three time-outs of the
    backend; what was done there stays done if that transaction is rolled back.
    """

    _name = "spar.mapper.g2p_connect"
    _description = "Another mapper, by G2P Connect"
    _inherit = ["spar.mapper"]
    _is_remote = True

    def _capabilities(self):
        backend_sudo = self._get_backend().sudo()
        able = backend_sudo._get_dialect().capabilities
        if backend_sudo._receives_callbacks():
            able |= {Capability.CHANGE_STATUS}
        return able

    # === OPERATIONS === #

    def _link_fa(self, call, requests):
        return self._call(call, Operation.LINK, requests)

    def _update_fa(self, call, requests):
        return self._call(call, Operation.UPDATE, requests)

    def _unlink_fa(self, call, requests):
        return self._call(call, Operation.UNLINK, requests)

    def _resolve_fa(self, call, requests):
        return self._call(call, Operation.RESOLVE, requests)

    def _transaction_status(
        self, call: CallContext, reference: TransactionReference
    ) -> TransactionStatus | None:
        """Implement the contract: our own transactions, whoever requested them."""
        self._check_channel(OFFICER)
        self._check_capability(Capability.TRANSACTION_STATUS)
        return self._open_client(call).get_status(reference)

    def _change_status(
        self, call: CallContext, references: list[str]
    ) -> list[ChangeStatus]:
        """Implement the contract by the status of the changes' transactions."""
        self._check_channel(OFFICER)
        self._check_capability(Capability.CHANGE_STATUS)
        return self._open_client(call).get_changes(references)

    def _check_capability(self, capability: Capability) -> None:
        """Raise NotSupported for what the other side cannot do, or not for us."""
        if capability not in self._capabilities():
            raise NotSupported(capability)

    # === TEST OF THE CONNECTION === #

    def _check_connection(self) -> None:
        """Call the other side as every call does; raises RemoteMapperError."""
        exchange = self._open_exchange()
        try:
            self._try_exchange(exchange)
        except RemoteMapperError as error:
            if is_clock_wrong(error.reason, exchange.answered_at):
                raise RemoteMapperRefuses("clock") from None
            raise

    def _try_exchange(self, exchange: HttpExchange) -> None:
        """Resolve an ID that nobody has: that takes every proof and the right to it.

        Raises RemoteMapperError.
        """
        request = ResolveRequest(f"connection-test-{uuid4()}")
        client = self._open_client(_TEST, exchange)
        (result,) = client.call(Operation.RESOLVE, [request])
        if result.outcome is Outcome.FORBIDDEN:
            is_back = result.problem == "returned"
            raise RemoteMapperRefuses("returned" if is_back else "not_disclosed")
        if result.outcome is Outcome.RETRY:
            raise RemoteAnswerUnusable(result.problem or "retry")

    # === CALLS === #

    def _call(
        self, call: CallContext, operation: Operation, requests: list
    ) -> list[Result]:
        """Send the requests that can be expressed; refuse the others.

        Raises RemoteMapperError where nothing was done.
        """
        self._check_channel(OFFICER)
        unwritable = self._find_unwritable(operation, requests)
        refused = [
            _UNWRITABLE
            if request.fa in unwritable
            else self._find_refusal(operation, request)
            for request in requests
        ]
        sent = [
            request
            for request, problem in zip(requests, refused, strict=True)
            if not problem
        ]
        answered = iter(self._open_client(call).call(operation, sent) if sent else ())
        return [
            _refuse(request, problem) if problem else next(answered)
            for request, problem in zip(requests, refused, strict=True)
        ]

    def _find_refusal(self, operation: Operation, request: Request) -> str:
        """Return why a request cannot be expressed in the dialect, "" if it can.

        A change for a purpose, or based on a version, would be made without it.
        """
        if operation is Operation.RESOLVE:
            if request.id_value is not None:
                return ""
            can = Capability.RESOLVE_BY_FA in self._capabilities()
            return "" if can else "not_by_fa"
        if request.purpose:
            return "no_purposes"
        return "no_versions" if request.expected_version is not None else ""

    def _open_exchange(self) -> HttpExchange:
        return self._get_backend().sudo()._open_exchange()

    def _open_client(
        self, call: CallContext, exchange: HttpExchange | None = None
    ) -> RemoteMapper:
        """Return the client of this mapper, for one call."""
        backend_sudo = self._get_backend().sudo()
        exchange = exchange or self._open_exchange()
        passed = add_mark(call.passed, backend_sudo._get_own_mark())

        def send(
            path: str,
            document: JsonObject,
            timeout: float,
            attempts: int,
            is_proved: bool = True,
        ) -> JsonObject:
            self._write_addresses(document)
            answer = exchange.post(path, document, timeout, attempts, is_proved)
            self._read_addresses(answer)
            return answer

        return RemoteMapper(
            dialect=backend_sudo._get_dialect(),
            parties=replace(backend_sudo._get_parties(), passed=passed),
            send=send,
            chunk_size=backend_sudo.chunk_size,
            timeout=float(backend_sudo.timeout),
            wants_details=backend_sudo.asks_details,
            is_same=self.env["spar.fa.strategy"]._is_same_address,
            is_asynchronous=backend_sudo.is_asynchronous,
            inbox=self._get_inbox(backend_sudo),
        )

    @api.model
    def _get_inbox(self, backend_sudo) -> Inbox | None:
        if not backend_sudo._receives_callbacks():
            return None
        return _Inbox(self.env["spar.remote.answer"], backend_sudo.id)

    # === ADDRESSES AS OBJECTS (OpenG2P 2.x) === #

    @api.model
    def _write_addresses(self, document: JsonObject) -> None:
        """Replace the addresses of changes by objects, where the dialect has those."""
        payload = document.get("request_body", {}).get("request_payload", {})
        for name in ("link_request", "update_request"):
            self.env["spar.openg2p.addresses"]._write_objects(payload.get(name, []))

    @api.model
    def _read_addresses(self, answer: JsonObject) -> None:
        """Replace the addresses of an answer by their texts."""
        body = answer.get("response_body")
        payload = body.get("response_payload") if isinstance(body, dict) else None
        items = payload.get("resolve_response") if isinstance(payload, dict) else None
        if isinstance(items, list):
            self.env["spar.openg2p.addresses"]._write_texts(items)

    def _find_unwritable(self, operation: Operation, requests: list) -> set[str]:
        """Return the addresses to be stored that the dialect has no words for."""
        backend_sudo = self._get_backend().sudo()
        has_objects = backend_sudo._get_dialect().profile.speaks_openg2p_2
        if not has_objects or operation not in (Operation.LINK, Operation.UPDATE):
            return set()
        texts = [request.fa for request in requests if request.fa]
        written = self.env["spar.openg2p.addresses"]._read_objects(texts)
        return {text for text, parts in zip(texts, written, strict=True) if not parts}


@dataclass
class _Inbox:
    """The answers of one backend that arrive by callback."""

    answers: models.BaseModel
    backend_id: int

    def expect(self, operation: str, transaction_id: str, asked: Asked) -> None:
        self.answers._expect(self.backend_id, operation, transaction_id, asked)

    def fetch(self, transaction_id: str) -> JsonObject | None:
        return self.answers._fetch(self.backend_id, transaction_id)


#: The problem of an address that cannot be written as an object of parts.
_UNWRITABLE = "unread"


def _refuse(request: Request, problem: str) -> Result:
    outcome = Outcome.INVALID_FA if problem == _UNWRITABLE else Outcome.FORBIDDEN
    return Result(outcome, request.id_value, request.fa, problem=problem)
