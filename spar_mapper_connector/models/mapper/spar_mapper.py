from collections.abc import Callable
from datetime import datetime

from odoo import models

from ...exceptions import NotPermitted, NotSupported
from ...lib.confirmation import ChangeProposal, Confirmation, ConfirmationPage
from ...lib.contract import (
    CallContext,
    Capability,
    ChangeLock,
    ChangeStatus,
    LinkRequest,
    LockRequest,
    NoticeInfo,
    ObjectionAnswer,
    ObjectionRequest,
    PaymentState,
    Period,
    ResolveRequest,
    Result,
    ResumeRequest,
    Standing,
    SuspendRequest,
    TransactionReference,
    TransactionStatus,
    UnlinkRequest,
    UnlockRequest,
    UpdateRequest,
    WaitingChange,
    get_payment_state,
    in_force_at,
)
from ...lib.matching import match_results

#: The service users of channels: they act for people whom they have authenticated.
CHANNEL = "spar_mapper_connector.group_channel"


class SparMapper(models.AbstractModel):
    """The contract of any mapper: a batch in, results in the same order out.

    An implementation inherits this model and declares in ``_capabilities`` what it can
    do; the operations that it leaves out raise NotSupported. The leading underscores
    keep them all off Odoo's remote calls: a channel calls them, for a caller that it
    has authenticated.

    A bad request never fails a batch: it gets its own result. Exceptions are only for
    causes that concern the whole call, see ``exceptions.py``.

    Channels call a mapper that is bound to its backend: a recordset of this model whose
    id is that of the backend, from ``spar.mapper.backend._get_mapper``.
    """

    _name = "spar.mapper"
    _description = "Mapper"

    #: Whether it is called over the network, by the URL and proofs of its backend.
    _is_remote = False
    #: Whether a backend may use this implementation.
    _is_offered = True

    #: Whether changes are part of the caller's database transaction, and take effect
    #: with its commit. Any other mapper may be slow and cannot be rolled back: a
    #: channel calls it while its own transaction is not open.
    _shares_transaction = False

    def _capabilities(self) -> frozenset[Capability]:
        """Return what this mapper can do."""
        return frozenset()

    def _get_backend(self):
        """Return the backend to which this mapper is bound; raises ValueError."""
        self.ensure_one()
        return self.env["spar.mapper.backend"].browse(self.id)

    def _check_channel(self, *groups: str) -> None:
        """Refuse a user who is neither a channel's service user nor in ``groups``.

        Raises NotPermitted. A channel knows its callers' rights and checks them itself.
        """
        if self.env.su or any(self.env.user.has_group(g) for g in (CHANNEL, *groups)):
            return
        raise NotPermitted(self.env.user.id)

    def _check_connection(self) -> None:
        """Raise MapperError if this mapper cannot be called now."""
        self.env["spar.keyring"]._open()

    def _link_fa(self, call: CallContext, requests: list[LinkRequest]) -> list[Result]:
        """Give IDs their first address: LINKED, ALREADY_LINKED, HELD, ..."""
        raise NotSupported(Capability.LINK)

    def _update_fa(
        self, call: CallContext, requests: list[UpdateRequest]
    ) -> list[Result]:
        """Change the address in force: UPDATED, NOT_LINKED, CONFLICT, HELD, ..."""
        raise NotSupported(Capability.UPDATE)

    def _unlink_fa(
        self, call: CallContext, requests: list[UnlinkRequest]
    ) -> list[Result]:
        """End the address in force: UNLINKED, NOT_LINKED, FA_MISMATCH, HELD, ..."""
        raise NotSupported(Capability.UNLINK)

    # === THE OWNER'S LOCK === #

    def _get_change_lock(self, call: CallContext, id_value: str) -> ChangeLock:
        """Return who may change where the owner of an ID is paid."""
        raise NotSupported(Capability.CHANGE_LOCK)

    def _lock_changes(
        self, call: CallContext, requests: list[LockRequest]
    ) -> list[Result]:
        """Lock changes in the owner's name: LOCK_SET, NOT_LINKED, LOCKED.

        A login is enough. LOCKED is the answer while an objection is open.
        """
        raise NotSupported(Capability.CHANGE_LOCK)

    def _unlock_changes(
        self, call: CallContext, requests: list[UnlockRequest]
    ) -> list[Result]:
        """Lift the owner's lock: LOCK_LIFTED, FORBIDDEN without the owner's proof.

        Staff cannot lift it alone: HELD.
        """
        raise NotSupported(Capability.CHANGE_LOCK)

    def _change_fa(
        self,
        call: CallContext,
        request: LinkRequest | UpdateRequest | UnlinkRequest | UnlockRequest,
    ) -> Result:
        """Make one change, by the method for its kind of request."""
        (result,) = _CHANGES[type(request)](self, call, [request])
        return result

    def _resolve_fa(
        self, call: CallContext, requests: list[ResolveRequest]
    ) -> list[Result]:
        """Find addresses by ID or IDs by address; change nothing."""
        raise NotSupported(Capability.RESOLVE)

    def _look_up(self, call: CallContext, request: ResolveRequest) -> Result:
        """Resolve one ID for a person, the user of this environment, who is shown it.

        A mapper that keeps a record of who looked for whom notes it there. Raises
        OtherOffice for people whom that user may not see.
        """
        (result,) = self._resolve_fa(call, [request])
        return result

    def _suspend_fa(
        self, call: CallContext, requests: list[SuspendRequest]
    ) -> list[Result]:
        """Keep addresses, but suspend payments to them."""
        raise NotSupported(Capability.SUSPEND)

    def _resume_fa(
        self, call: CallContext, requests: list[ResumeRequest]
    ) -> list[Result]:
        """Resume payments to suspended addresses."""
        raise NotSupported(Capability.SUSPEND)

    def _transaction_status(
        self, call: CallContext, reference: TransactionReference
    ) -> TransactionStatus | None:
        """Return the status of an earlier transaction of ``call.actor``.

        None if it had no such transaction: those of others and missing ones look alike.
        """
        raise NotSupported(Capability.TRANSACTION_STATUS)

    def _history(self, call: CallContext, id_value: str) -> list[Period]:
        """Return every period of every address of an ID, newest first."""
        raise NotSupported(Capability.HISTORY)

    def _address_at(
        self, call: CallContext, id_value: str, moment: datetime, purpose: str = ""
    ) -> Period | None:
        """Return the period that was in force at ``moment`` (naive UTC), or None."""
        return in_force_at(self._history(call, id_value), moment, purpose)

    def _waiting_changes(self, call: CallContext, id_value: str) -> list[WaitingChange]:
        """Return an ID's changes that wait for their time or for a second person."""
        raise NotSupported(Capability.HISTORY)

    def _change_status(
        self, call: CallContext, references: list[str]
    ) -> list[ChangeStatus]:
        """Return what became of changes that waited, in the same order.

        :param references: the ``reference`` of their results, which only those who
            requested the change have
        """
        raise NotSupported(Capability.CHANGE_STATUS)

    def _standing(
        self, call: CallContext, ids: list[str], purpose: str = ""
    ) -> list[Standing]:
        """Return, in the same order, whether the owners of ``ids`` would be paid now.

        A mapper that can only resolve says what follows from that: everything else is
        unknown, also the state of an ID for which there is no certain result.
        """
        requests = [ResolveRequest(id_value, purpose=purpose) for id_value in ids]
        matched = match_results(ids, self._resolve_fa(call, requests))
        return [
            _build_standing(id_value, purpose, result)
            for id_value, result in zip(ids, matched, strict=True)
        ]

    # === CONFIRMATION === #

    def _propose(self, call: CallContext, proposal: ChangeProposal) -> ConfirmationPage:
        """Return the mapper's own page on which its owner confirms a change.

        Nothing changes before that person has authenticated there. Raises
        ProposalRefused for what the page would never accept.
        """
        raise NotSupported(Capability.CONFIRMATION)

    def _get_confirmation(self, call: CallContext, reference: str) -> Confirmation:
        """Return what became of a proposal of ``call.actor``.

        Those of others and missing ones look alike: UNKNOWN.
        """
        raise NotSupported(Capability.CONFIRMATION)

    def _end_visit(self, call: CallContext, reference: str) -> None:
        """End a visit that the person allowed; nothing else is read by it."""
        raise NotSupported(Capability.VISIT)

    # === OBJECTION === #

    def _object_to(
        self, call: CallContext, request: ObjectionRequest
    ) -> ObjectionAnswer:
        """Let the owner dispute an event: undo what can be undone, lock the rest.

        A repeated objection to an event gets the same answer. Raises NoSuchEvent.
        """
        raise NotSupported(Capability.OBJECTION)

    def _read_notice(self, token: str) -> NoticeInfo:
        """Return the content of a notice's link, unchanged; raises NoSuchNotice."""
        raise NotSupported(Capability.OBJECTION)

    def _object_to_notice(self, call: CallContext, token: str) -> ObjectionAnswer:
        """Dispute the event of the notice whose link was used.

        Repeated use of a link gets the same answer. Raises NoSuchNotice.
        """
        raise NotSupported(Capability.OBJECTION)


#: The type of a request -> the method of a mapper that carries out such requests.
_CHANGES: dict[type, Callable] = {
    LinkRequest: lambda mapper, call, requests: mapper._link_fa(call, requests),
    UpdateRequest: lambda mapper, call, requests: mapper._update_fa(call, requests),
    UnlinkRequest: lambda mapper, call, requests: mapper._unlink_fa(call, requests),
    UnlockRequest: lambda mapper, call, requests: mapper._unlock_changes(
        call, requests
    ),
}


def _build_standing(id_value: str, purpose: str, result: Result | None) -> Standing:
    if result is None:
        return Standing(id_value, purpose, PaymentState.UNKNOWN)
    state = get_payment_state(result)
    return Standing(id_value, purpose, state, provider=result.provider)
