"""Changes that wait: approved, dropped, or due; each on its own, under its lock."""

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
    UnlinkRequest,
    UpdateRequest,
)

from ..exceptions import NoSuchChange, NotForApproval, RowBroken, SamePerson
from ..lib.assessment import Assess
from ..lib.case import Case
from ..lib.ledger import Ledger
from ..lib.records import ChangeRow, Holding
from ..lib.waiting import apply_change, drop_change
from .auditing import check_person
from .changing import Asked
from .database import fetch
from .work import Work

#: Gives what the directory makes of a request's address, for its proposer's call.
ReadAddress = Callable[[CallContext, ChangeRequest], Asked | None]

_PROPOSER = """
    SELECT m.subject_id, m.purpose, c.proposer, c.channel, c.authority,
           c.authenticated_by, c.on_behalf_of, c.reason, c.message_reference
      FROM spar_change c JOIN spar_mapping m ON m.id = c.mapping_id WHERE c.id = %s
"""
_DUE = """
    SELECT id FROM spar_change
     WHERE state = 'waiting'
       AND CASE WHEN needs_approval THEN expires_at ELSE effective_at END <= %s
     ORDER BY id
"""


class Loaded(NamedTuple):
    """A change that waits, locked, with what is to be done about it."""

    ledger: Ledger
    holding: Holding
    change: ChangeRow
    proposer: CallContext


class Decider:
    """Decides changes that wait."""

    def __init__(self, work: Work, assess: Assess, read_address: ReadAddress):
        self.work = work
        self.assess = assess
        self.read_address = read_address

    def approve(self, change_id: int) -> Result:
        """Let a change happen, as a second person: it is applied, or is stale.

        Raises NoSuchChange, NotForApproval when it waits for its time only, and
        SamePerson when the approver proposed it.
        """
        loaded = self._load(change_id)
        if not loaded.change.needs_approval:
            raise NotForApproval(change_id)
        proposer = loaded.proposer
        if self.work.call.actor in (proposer.actor, proposer.on_behalf_of):
            raise SamePerson(change_id)
        loaded.ledger.note(loaded.holding, loaded.change.head, "change_approved")
        return self._apply(loaded)

    def drop(self, change_id: int, end: str) -> None:
        """End a change without doing it: ``cancelled``, ``refused`` or ``expired``.

        Raises NoSuchChange.
        """
        loaded = self._load(change_id)
        drop_change(loaded.ledger, loaded.holding, loaded.change, end)
        self.work.save(loaded.ledger)

    def search_due(self) -> list[int]:
        """Return the changes that were held long enough, or not approved in time."""
        rows = fetch(self.work.cr, _DUE, self.work.get_now())
        return [change_id for (change_id,) in rows]

    def decide_due(self, change_id: int) -> None:
        """Expire a change that nobody approved, apply any other.

        What was decided meanwhile is passed over, and so is what does not open: loading
        it is a problem for an alarm.
        """
        with suppress(NoSuchChange):
            loaded = self._load(change_id)
            if loaded.change.needs_approval:
                drop_change(loaded.ledger, loaded.holding, loaded.change, "expired")
                self.work.save(loaded.ledger)
            else:
                self._apply(loaded)

    def _load(self, change_id: int) -> Loaded:
        """Lock the person of a change; raises NoSuchChange where it does not wait."""
        rows = fetch(self.work.cr, _PROPOSER, change_id)
        if not rows:
            raise NoSuchChange(change_id)
        subject_id, purpose, actor, channel, authority, *rest = rows[0]
        holding = self.work.load().load_subject(subject_id)
        change = holding.subject.changes.get(purpose) if holding else None
        if holding is None or change is None or change.row_id != change_id:
            raise NoSuchChange(change_id)
        proposer = CallContext(actor, channel, Authority(authority), *rest)
        return Loaded(self.work.begin(), holding, change, proposer)

    def _apply(self, loaded: Loaded) -> Result:
        """Do the change on its proposer's word; the decision stays the decider's.

        Raises NoSuchChange where the person's history is not what it was.
        """
        try:
            check_person(self.work, loaded.holding.subject.row_id)
        except RowBroken as error:
            raise NoSuchChange(loaded.change.row_id) from error
        ledger, holding, change, proposer = loaded
        request = _build_request(holding, change)
        decider, ledger.call = ledger.call, proposer
        asked = self.read_address(proposer, request)
        address, key = (asked.address, asked.key) if asked else (None, "")
        case = Case(request, holding, ledger, proposer, self.assess, address, key)
        result = apply_change(case, change)
        ledger.call = decider
        self.work.save(ledger)
        return result


def _build_request(holding: Holding, change: ChangeRow) -> ChangeRequest:
    """Return the request that waited."""
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


def _build_resume(id_value: str, purpose: str, _change: ChangeRow) -> ResumeRequest:
    return ResumeRequest(id_value, purpose=purpose)


_BUILDERS: dict[str, Callable[[str, str, ChangeRow], ChangeRequest]] = {
    "link": partial(_build_address_request, LinkRequest),
    "update": partial(_build_address_request, UpdateRequest),
    "unlink": _build_unlink,
    "resume": _build_resume,
}
