from dataclasses import replace

from odoo import api, models

from ...exceptions import NotPermitted, NotSupported
from ...lib.contract import (
    CallContext,
    Capability,
    Operation,
    Outcome,
    Request,
    Result,
    TransactionReference,
    TransactionStatus,
)
from ...lib.g2p_connect.wire_json import JsonObject
from ...lib.passing import add_mark
from ...lib.remote.client import RemoteMapper

CHANNEL = "spar_mapper_connector.group_channel"
OFFICER = "spar_fa_directory.group_officer"


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
        return backend_sudo._get_dialect().capabilities

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
        self._check_channel()
        if Capability.TRANSACTION_STATUS not in self._capabilities():
            raise NotSupported(Capability.TRANSACTION_STATUS)
        return self._open_client(call).get_status(reference)

    # === CALLS === #

    def _call(
        self, call: CallContext, operation: Operation, requests: list
    ) -> list[Result]:
        """Send the requests that can be expressed; refuse the others.

        Raises RemoteMapperError where nothing was done.
        """
        self._check_channel()
        refused = [self._find_refusal(operation, request) for request in requests]
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
            by_fa = request.id_value is None
            can = Capability.RESOLVE_BY_FA in self._capabilities()
            return "not_by_fa" if by_fa and not can else ""
        if request.purpose:
            return "no_purposes"
        return "no_versions" if request.expected_version is not None else ""

    def _open_client(self, call: CallContext) -> RemoteMapper:
        """Return the client of this mapper, for one call.

        Its messages say through which servers the request has passed.
        """
        backend_sudo = self._get_backend().sudo()
        passed = add_mark(call.passed, backend_sudo._get_own_mark())
        exchange = backend_sudo._open_exchange()

        def send(
            path: str, document: JsonObject, timeout: float, attempts: int
        ) -> JsonObject:
            return exchange.post(path, document, timeout=timeout, attempts=attempts)

        return RemoteMapper(
            dialect=backend_sudo._get_dialect(),
            parties=replace(backend_sudo._get_parties(), passed=passed),
            send=send,
            chunk_size=backend_sudo.chunk_size,
            timeout=float(backend_sudo.timeout),
            wants_details=backend_sudo.asks_details,
            is_same=self.env["spar.fa.strategy"]._is_same_address,
        )

    @api.model
    def _check_channel(self) -> None:
        """Refuse a user who is neither a channel nor an officer: raise NotPermitted."""
        user = self.env.user
        if not (self.env.su or user.has_group(CHANNEL) or user.has_group(OFFICER)):
            raise NotPermitted(user.id)


def _refuse(request: Request, problem: str) -> Result:
    return Result(Outcome.FORBIDDEN, request.id_value, request.fa, problem=problem)
