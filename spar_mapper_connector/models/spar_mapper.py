from datetime import datetime

from odoo import models

from ..exceptions import NotSupported
from ..lib.contract import (
    CallContext,
    Capability,
    LinkRequest,
    NoticeInfo,
    ObjectionAnswer,
    ObjectionRequest,
    Period,
    ResolveRequest,
    Result,
    ResumeRequest,
    SuspendRequest,
    TransactionReference,
    TransactionStatus,
    UnlinkRequest,
    UpdateRequest,
    WaitingChange,
    in_force_at,
)


class SparMapper(models.AbstractModel):
    """What any mapper can be asked: batch in, results in the same order out.

    An implementation inherits this model and says in ``_capabilities`` what it can do;
    whatever it leaves out raises NotSupported. The leading underscores keep all of it
    off Odoo's remote calls: a channel calls it, for a caller whom the channel knows.

    One bad request never fails a batch: it gets its own result. Raised are only causes
    that concern the whole call, see ``exceptions.py``.
    """

    _name = "spar.mapper"
    _description = "Mapper"

    def _capabilities(self) -> frozenset[Capability]:
        """What this mapper can do."""
        return frozenset()

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

    def _resolve_fa(
        self, call: CallContext, requests: list[ResolveRequest]
    ) -> list[Result]:
        """Find addresses by ID or IDs by address; changes nothing."""
        raise NotSupported(Capability.RESOLVE)

    def _suspend_fa(
        self, call: CallContext, requests: list[SuspendRequest]
    ) -> list[Result]:
        """Keep addresses, but let nothing be paid to them."""
        raise NotSupported(Capability.SUSPEND)

    def _resume_fa(
        self, call: CallContext, requests: list[ResumeRequest]
    ) -> list[Result]:
        """Let suspended addresses be paid to again."""
        raise NotSupported(Capability.SUSPEND)

    def _transaction_status(
        self, call: CallContext, reference: TransactionReference
    ) -> TransactionStatus | None:
        """What became of an earlier transaction of ``call.actor``.

        None where it had no such one: others' are not told from what never was.
        """
        raise NotSupported(Capability.TRANSACTION_STATUS)

    def _history(self, call: CallContext, id_value: str) -> list[Period]:
        """Every period of every address of an ID, newest first."""
        raise NotSupported(Capability.HISTORY)

    def _address_at(
        self, call: CallContext, id_value: str, moment: datetime, purpose: str = ""
    ) -> Period | None:
        """The period that was in force at ``moment`` (naive UTC), or None."""
        return in_force_at(self._history(call, id_value), moment, purpose)

    def _waiting_changes(self, call: CallContext, id_value: str) -> list[WaitingChange]:
        """The changes of an ID that wait for their time or for a second person."""
        raise NotSupported(Capability.HISTORY)

    # === OBJECTION === #

    def _object_to(
        self, call: CallContext, request: ObjectionRequest
    ) -> ObjectionAnswer:
        """The owner disputes an event: what can be undone is undone, the rest locked.

        The same event again gives the same answer. Raises NoSuchEvent.
        """
        raise NotSupported(Capability.OBJECTION)

    def _read_notice(self, token: str) -> NoticeInfo:
        """What a notice's one-time link shows; changes nothing. Raises NoSuchNotice."""
        raise NotSupported(Capability.OBJECTION)

    def _object_to_notice(self, call: CallContext, token: str) -> ObjectionAnswer:
        """Dispute the event of which the holder of the link was told.

        The same link again gives the same answer. Raises NoSuchNotice.
        """
        raise NotSupported(Capability.OBJECTION)
