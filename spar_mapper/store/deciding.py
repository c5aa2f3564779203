"""Pending changes: approved, dropped, or due; each alone, under its lock."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import NamedTuple

from odoo.addons.spar_mapper_connector.lib.contract import (
    Authority,
    CallContext,
    ChangeRequest,
    LinkRequest,
    Result,
    ResumeRequest,
    SuspendRequest,
    UnlinkRequest,
    UnlockRequest,
    UpdateRequest,
)

from ..exceptions import (
    ChangeFrozen,
    NoSuchChange,
    NotForApproval,
    RowBroken,
    SamePerson,
)
from ..lib.actors import get_doers
from ..lib.assessment import Assess
from ..lib.case import Case
from ..lib.ledger import Ledger
from ..lib.records import ChangeRow, Holding
from ..lib.waiting import OBJECTION_LOCK, apply_change, drop_change, is_frozen
from .auditing import check_person
from .changing import DirectoryReading
from .database import fetch
from .work import Work

#: Returns the directory's reading of a request's address, for its proposer's call.
ReadAddress = Callable[[CallContext, ChangeRequest], DirectoryReading | None]

_PROPOSER = """
    SELECT m.subject_id, m.purpose, c.proposer, c.channel, c.authority,
           c.authenticated_by, c.on_behalf_of, c.reason, c.message_reference
      FROM spar_change c JOIN spar_mapping m ON m.id = c.mapping_id WHERE c.id = %s
"""
_DUE = """
    SELECT c.id
      FROM spar_change c
      JOIN spar_mapping m ON m.id = c.mapping_id
      JOIN spar_subject s ON s.id = m.subject_id
     WHERE c.state = 'waiting' AND s.change_lock <> %s
       AND CASE WHEN c.needs_approval THEN c.expires_at ELSE c.effective_at END <= %s
     ORDER BY c.id
"""


class LoadedChange(NamedTuple):
    """A pending change, locked, with everything needed to process it."""

    ledger: Ledger
    holding: Holding
    change: ChangeRow
    proposer: CallContext


class Decider:
    """Decides pending changes."""

    def __init__(self, work: Work, assess: Assess, read_address: ReadAddress):
        self.work = work
        self.assess = assess
        self.read_address = read_address

    def approve(self, change_id: int) -> Result:
        """Approve a change as a second person: it is applied, or is stale.

        Raises NoSuchChange, ChangeFrozen, NotForApproval if it waits only for its time,
        and SamePerson if the approver proposed it.
        """
        loaded = self._load_free(change_id)
        if not loaded.change.needs_approval:
            raise NotForApproval(change_id)
        proposer = loaded.proposer
        if self.work.call.actor in get_doers(proposer.actor, proposer.on_behalf_of):
            raise SamePerson(change_id)
        loaded.ledger.note(loaded.holding, loaded.change.head, "change_approved")
        return self._apply(loaded)

    def drop(self, change_id: int, end: str) -> None:
        """End a change without applying it: ``cancelled``, ``refused`` or ``expired``.

        Raises NoSuchChange and ChangeFrozen.
        """
        loaded = self._load_free(change_id)
        drop_change(loaded.ledger, loaded.holding, loaded.change, end)
        self.work.save(loaded.ledger)

    def search_due(self) -> list[int]:
        """Return the changes whose holding or approval time is over.

        They are not due while an objection of the person is open.
        """
        rows = fetch(self.work.cr, _DUE, OBJECTION_LOCK, self.work.get_now())
        return [change_id for (change_id,) in rows]

    def decide_due(self, change_id: int) -> None:
        """Expire a change that was not approved; apply any other.

        A change that was meanwhile decided is skipped, and so is one that does not
        open: loading it reports a problem for an alarm.
        """
        with suppress(NoSuchChange, ChangeFrozen):
            loaded = self._load_free(change_id)
            if loaded.change.needs_approval:
                drop_change(loaded.ledger, loaded.holding, loaded.change, "expired")
                self.work.save(loaded.ledger)
            else:
                self._apply(loaded)

    def _load_free(self, change_id: int) -> LoadedChange:
        """Lock the person of a change; return the change.

        Raises NoSuchChange, and ChangeFrozen while an objection is open.
        """
        loaded = self._load(change_id)
        if is_frozen(loaded.holding):
            raise ChangeFrozen(change_id)
        return loaded

    def _load(self, change_id: int) -> LoadedChange:
        """Lock the person of a change; raises NoSuchChange if it is not pending."""
        rows = fetch(self.work.cr, _PROPOSER, change_id)
        if not rows:
            raise NoSuchChange(change_id)
        subject_id, purpose, actor, channel, authority, *rest = rows[0]
        holding = self.work.load().load_subject(subject_id)
        change = holding.subject.changes.get(purpose) if holding else None
        if holding is None or change is None or change.row_id != change_id:
            raise NoSuchChange(change_id)
        proposer = CallContext(actor, channel, Authority(authority), *rest)
        return LoadedChange(self.work.begin(), holding, change, proposer)

    def _apply(self, loaded: LoadedChange) -> Result:
        """Apply the change with its proposer's authority.

        The decision itself remains the decider's. Raises NoSuchChange if the person's
        history is not what it was.
        """
        try:
            check_person(self.work, loaded.holding.subject.row_id)
        except RowBroken as error:
            raise NoSuchChange(loaded.change.row_id) from error
        ledger, holding, change, proposer = loaded
        request = _build_request(holding, change)
        decider, ledger.call = ledger.call, proposer
        requested = self.read_address(proposer, request)
        address, key = (requested.address, requested.key) if requested else (None, "")
        case = Case(request, holding, ledger, proposer, self.assess, address, key)
        result = apply_change(case, change)
        ledger.call = decider
        self.work.save(ledger)
        return result


def _build_request(holding: Holding, change: ChangeRow) -> ChangeRequest:
    """Return the request that was pending."""
    place = (holding.canonical, change.head.purpose)
    return _BUILDERS[change.operation](*place, change)


def _build_address_request(
    kind: type[LinkRequest], id_value: str, purpose: str, change: ChangeRow
) -> LinkRequest:
    return kind(
        id_value,
        change.fa,
        change.details,
        purpose=purpose,
        asserted_at=change.asserted_at,
    )


def _build_unlink(id_value: str, purpose: str, change: ChangeRow) -> UnlinkRequest:
    return UnlinkRequest(id_value, change.fa or None, purpose=purpose)


def _build_suspend(id_value: str, purpose: str, _change: ChangeRow) -> SuspendRequest:
    return SuspendRequest(id_value, purpose=purpose)


def _build_resume(id_value: str, purpose: str, _change: ChangeRow) -> ResumeRequest:
    return ResumeRequest(id_value, purpose=purpose)


def _build_unlock(id_value: str, purpose: str, _change: ChangeRow) -> UnlockRequest:
    return UnlockRequest(id_value, purpose)


_BUILDERS: dict[str, Callable[[str, str, ChangeRow], ChangeRequest]] = {
    "link": partial(_build_address_request, LinkRequest),
    "update": partial(_build_address_request, UpdateRequest),
    "unlink": _build_unlink,
    "suspend": _build_suspend,
    "resume": _build_resume,
    "unlock": _build_unlock,
}
