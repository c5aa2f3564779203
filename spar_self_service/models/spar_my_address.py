from dataclasses import replace

from odoo import api, models

from odoo.addons.spar_mapper_connector.exceptions import MapperError, ServiceUnavailable
from odoo.addons.spar_mapper_connector.lib.contract import (
    Authority,
    CallContext,
    Capability,
    ChangeLock,
    Details,
    LinkRequest,
    LockRequest,
    ObjectionAnswer,
    ObjectionRequest,
    Outcome,
    Period,
    ResolveRequest,
    Result,
    UnlinkRequest,
    UpdateRequest,
)

from ..exceptions import DraftOutdated, OutcomeUnknown, StepUpNeeded
from ..lib import overview
from ..lib.beneficiary import Beneficiary
from ..lib.overview import HistoryEntry, Overview, PendingChange
from .spar_page_texts import PAYMENTS_STOPPED

#: Outcomes after which the person may try again with the same draft.
_TRY_AGAIN = (Outcome.RETRY,)
#: Outcomes after which an address is stored.
_SAVED = (Outcome.LINKED, Outcome.UPDATED)


class SparMyAddress(models.AbstractModel):
    """A person's view of their own address, and their actions on it.

    No method takes an ID: it comes from the verified login, so no channel above can
    request another one. The mapper is the backend that the type of ID names.
    """

    _name = "spar.my.address"
    _description = "One's own financial address"

    # === PERSON AND MAPPER === #

    @api.model
    def _get_person(self) -> Beneficiary:
        """Return the person who is logged in; raises NotLoggedIn."""
        return self.env["spar.beneficiary"]._get_current()

    @api.model
    def _get_mapper(self, person: Beneficiary):
        """Return the mapper for this person's type of ID; raises MapperError."""
        types_sudo = self.env["spar.id.type"].sudo()
        types_sudo._get_rules()  # raises where types were changed by SQL alone
        type_sudo = types_sudo.search([("code", "=", person.id_type)])
        return self.env["spar.mapper.backend"]._get_mapper(type_sudo).sudo()

    @api.model
    def _build_call(self, person: Beneficiary) -> CallContext:
        return CallContext(
            actor=f"person:{person.key}",
            channel="portal",
            authority=Authority.OWNER,
            authenticated_by="login",
            login=person.login,
        )

    @api.model
    def _resolve(self, mapper, call: CallContext, person: Beneficiary) -> Result:
        return mapper._resolve_fa(call, [ResolveRequest(person.id_value)])[0]

    @api.model
    def _read_history(self, mapper, call, person: Beneficiary) -> list[Period]:
        if Capability.HISTORY not in mapper._capabilities():
            return []
        return mapper._history(call, person.id_value)

    # === CURRENT STATE === #

    @api.model
    def _get_overview(self) -> Overview:
        """Return the person's own address, masked, and what can be done about it.

        Raises NotLoggedIn, and MapperError when the mapper cannot answer.
        """
        person = self._get_person()
        mapper, call = self._get_mapper(person), self._build_call(person)
        result = self._resolve(mapper, call, person)
        periods = self._read_history(mapper, call, person)
        state = _STATES.get(result.outcome, "locked")
        shown = Overview("closed" if result.problem in _CLOSED else state)
        shown.version = result.version or 0
        shown.case = overview.get_open_case(periods)
        shown.waiting = self._get_waiting(mapper, call, person)
        shown.has_history = bool(periods)
        self._add_address(shown, result, overview.get_current_period(periods))
        self._add_abilities(shown, mapper._capabilities())
        self._add_lock(shown, mapper, call, person)
        return shown

    @api.model
    def _add_lock(self, shown: Overview, mapper, call, person: Beneficiary) -> None:
        """Offer a lock of changes where the person can also lift it."""
        is_possible = mapper._capabilities() >= _FOR_LOCK
        if shown.case or shown.state == "locked" or not is_possible:
            return
        lock = mapper._get_change_lock(call, person.id_value)
        shown.is_locked = lock is ChangeLock.OWNER
        shown.can_lock = lock in _WEAKER and shown.state in _LINKED

    @api.model
    def _add_address(self, shown: Overview, result: Result, period) -> None:
        fa = result.fa or (period and period.fa)
        if fa and shown.state in _LINKED:
            shown.lines = self.env["spar.address.words"]._describe(fa)
        if period:
            day = self.env["spar.page.texts"]._get_day(period.valid_from)
            shown.since = self.env._("Since %(day)s", day=day)
        shown.disputable = overview.get_disputable(period)

    @api.model
    def _add_abilities(self, shown: Overview, capabilities) -> None:
        """Offer only what the backend can do and what is not locked."""
        if Capability.CONFIRMATION in capabilities:
            capabilities = capabilities | _BY_CONFIRMATION
        free = shown.state != "locked" and shown.case is None
        linked = shown.state in _LINKED
        needed = Capability.UPDATE if linked else Capability.LINK
        shown.can_change = free and needed in capabilities
        if shown.can_change:
            shown.unfinished = self._get_unfinished()
        shown.can_remove = free and linked and Capability.UNLINK in capabilities
        if Capability.OBJECTION not in capabilities:
            shown.disputable = None

    @api.model
    def _get_waiting(self, mapper, call, person: Beneficiary) -> list[PendingChange]:
        if Capability.WAITING_CHANGES not in mapper._capabilities():
            return []
        texts = self.env["spar.page.texts"]
        words = self.env["spar.address.words"]
        can_object = Capability.OBJECTION in mapper._capabilities()
        return [
            PendingChange(
                texts._get_waiting_text(change),
                words._describe(change.fa) if change.fa else [],
                change.period,
                change.seq,
                can_object,
            )
            for change in mapper._waiting_changes(call, person.id_value)
        ]

    @api.model
    def _get_unfinished(self) -> str:
        """Return the draft that was begun before connection or session were lost."""
        drafts_sudo = self.env["spar.draft"].sudo()
        return drafts_sudo._find_unfinished(self._get_person().key).uuid or ""

    # === HISTORY === #

    @api.model
    def _get_history(self) -> list[HistoryEntry]:
        """Return everything that happened to the person's own address, newest first."""
        person = self._get_person()
        mapper, call = self._get_mapper(person), self._build_call(person)
        can_object = Capability.OBJECTION in mapper._capabilities()
        return [
            self._build_history_entry(period, event, can_object)
            for period, event in overview.get_shown_events(
                self._read_history(mapper, call, person)
            )
        ]

    @api.model
    def _build_history_entry(
        self, period: Period, event, can_object: bool
    ) -> HistoryEntry:
        texts = self.env["spar.page.texts"]
        objection = event.objection
        return HistoryEntry(
            text=texts._get_event_text(event.kind),
            when=texts._get_moment(event.happened_at),
            who=texts._get_actor_text(event),
            lines=self.env["spar.address.words"]._describe(period.fa),
            period=period.uuid,
            seq=event.seq,
            is_disputable=can_object and overview.can_object_to(event),
            objection=texts._get_case_text(objection) if objection else "",
            advice=texts._get_advice(event.kind),
        )

    # === LOCK === #

    @api.model
    def _lock(self) -> bool:
        """Lock changes for the person who is logged in; return whether they are.

        It is the safe direction, so it takes no fresh login. Raises NotLoggedIn, and
        MapperError.
        """
        person = self._get_person()
        mapper, call = self._get_mapper(person), self._build_call(person)
        if not mapper._capabilities() >= _FOR_LOCK:
            raise DraftOutdated()
        (result,) = mapper._lock_changes(call, [LockRequest(person.id_value)])
        if result.is_uncertain:
            raise OutcomeUnknown()
        return result.outcome is Outcome.LOCK_SET

    # === OBJECTION === #

    @api.model
    def _find_disputed(
        self, period: str, seq: int
    ) -> HistoryEntry | PendingChange | None:
        """Return the person's own event or waiting change, if it can be disputed.

        Returns None where there is no such event.
        """
        person = self._get_person()
        mapper, call = self._get_mapper(person), self._build_call(person)
        entries = [*self._get_waiting(mapper, call, person), *self._get_history()]
        wanted = (period, seq)
        return next(
            (e for e in entries if e.is_disputable and (e.period, e.seq) == wanted),
            None,
        )

    @api.model
    def _begin_objection(self, period: str, seq: int) -> ObjectionAnswer:
        """Freeze what a user of this session disputes.

        The user of a session may not be its person: nothing is undone before a fresh
        login. Raises NotLoggedIn, and MapperError: NoSuchEvent, ...
        """
        return self._send_objection(period, seq, "session")

    @api.model
    def _prove_objection(self, period: str, seq: int, return_to: str) -> str:
        """Return where to send the browser for a fresh login; raises LoginRefused."""
        digest = _get_objection_digest(period, seq)
        return self.env["spar.beneficiary"]._begin_step_up(digest, return_to)

    @api.model
    def _object_to(self, period: str, seq: int) -> ObjectionAnswer:
        """Object to an event as a person who has just logged in for it.

        Raises NotLoggedIn, StepUpNeeded, and MapperError: NoSuchEvent, ...
        """
        with self.env.cr.savepoint():
            digest = _get_objection_digest(period, seq)
            self.env["spar.beneficiary"]._take_step_up(digest)
            return self._send_objection(period, seq, "login")

    @api.model
    def _send_objection(
        self, period: str, seq: int, authenticated_by: str
    ) -> ObjectionAnswer:
        person = self._get_person()
        call = self._build_call(person)
        request = ObjectionRequest(person.id_value, period, seq)
        call = replace(call, authenticated_by=authenticated_by)
        return self._get_mapper(person)._object_to(call, request)

    # === CHANGES === #

    @api.model
    def _open_draft(self, operation: str):
        """Open a draft for the person who is logged in, on what they see now.

        Raises DraftOutdated where the operation is no longer possible: an older window
        still offers it.
        """
        shown, person = self._get_overview(), self._get_person()
        can_begin = {"set": shown.can_change, "remove": shown.can_remove}
        if not can_begin[operation]:
            raise DraftOutdated()
        drafts_sudo = self.env["spar.draft"].sudo()
        return drafts_sudo._open_draft(operation, shown.version, owner_key=person.key)

    @api.model
    def _find_draft(self, uuid: str):
        """Return the person's own draft; raises NotLoggedIn and NoSuchDraft."""
        person = self._get_person()
        return self.env["spar.draft"].sudo()._find_draft(uuid, owner_key=person.key)

    @api.model
    def _begin_proof(self, draft_sudo, version: int, return_to: str) -> str:
        """Return where to send the browser for a fresh login; raises DraftOutdated."""
        self.env["spar.my.confirmation"]._check_own()
        draft_sudo._lock_version(version)
        digest = draft_sudo._get_digest_text()
        if draft_sudo.operation == "set" and not draft_sudo._build_address():
            raise DraftOutdated()
        return self.env["spar.beneficiary"]._begin_step_up(digest, return_to)

    @api.model
    def _carry_out(self, draft_sudo) -> None:
        """Use up the proof and carry out the draft, which stores the result.

        Proof, change and draft stand or fall together. Raises StepUpNeeded, and
        MapperError when the mapper cannot work: then nothing is written.
        """
        if draft_sudo.state == "done":
            return
        draft_sudo._lock_version(draft_sudo.version)
        person = self._get_person()
        with self.env.cr.savepoint():
            digest = draft_sudo._get_digest_text()
            self.env["spar.beneficiary"]._take_step_up(digest)
            self._finish(draft_sudo, person, self._build_call(person))

    @api.model
    def _finish(self, draft_sudo, person: Beneficiary, call: CallContext) -> None:
        result = self._send(draft_sudo, person, call)
        if result.outcome in _TRY_AGAIN:
            return
        self._close(draft_sudo, person, call, result.outcome, result.precise_problem)

    @api.model
    def _close(
        self, draft_sudo, person: Beneficiary, call, outcome: Outcome, problem: str = ""
    ) -> None:
        """Close the draft with the mapper's decision."""
        if outcome in _SAVED and self._is_stopped(person, call):
            problem = PAYMENTS_STOPPED
        draft_sudo._close(outcome.value, problem)

    @api.model
    def _is_stopped(self, person: Beneficiary, call: CallContext) -> bool:
        """Return whether the mapper reports that the address gets no payments."""
        try:
            now = self._resolve(self._get_mapper(person), call, person)
        except MapperError:
            return False
        return now.outcome is Outcome.SUSPENDED

    @api.model
    def _send(self, draft_sudo, person: Beneficiary, call: CallContext) -> Result:
        """Call the mapper; where it fails midway, check what was done.

        Raises MapperError when nothing was done, OutcomeUnknown when that is unknown.
        """
        mapper, fa = self._get_mapper(person), draft_sudo._build_address()
        if draft_sudo.operation == "set" and not fa:
            raise StepUpNeeded()
        try:
            result = self._request_change(mapper, draft_sudo, person, call, fa)
        except ServiceUnavailable:
            raise
        except MapperError as error:
            done = self._check_outcome_after_failure(mapper, call, person, fa)
            if done is None:
                raise error
            return done
        if result.is_uncertain:
            raise OutcomeUnknown()
        return result

    @api.model
    def _check_outcome_after_failure(
        self, mapper, call: CallContext, person: Beneficiary, fa: str
    ) -> Result | None:
        """Return what a failed call has done nevertheless; None for nothing."""
        try:
            now = self._resolve(mapper, call, person)
        except MapperError as error:
            raise OutcomeUnknown() from error
        return self._find_effect(now, fa)

    @api.model
    def _find_effect(self, now: Result, fa: str) -> Result | None:
        """Return the result if ``fa`` is already in force; else None.

        For a removal (empty ``fa``) that means that no address is.
        """
        if not fa and now.outcome is Outcome.NOT_LINKED:
            return Result(Outcome.UNLINKED)
        if fa and now.fa and self.env["spar.fa.strategy"]._is_same_address(now.fa, fa):
            return Result(Outcome.UPDATED)
        return None

    @api.model
    def _request_change(
        self, mapper, draft_sudo, person: Beneficiary, call, fa: str
    ) -> Result:
        now = self._resolve(mapper, call, person)
        done = self._find_effect(now, fa)
        if done is not None:
            # Done by an earlier request, which Odoo runs again or which was cut off.
            return done
        request = self._build_request(mapper, draft_sudo, person, now, fa)
        if request is None:
            return Result(Outcome.CONFLICT, problem="version")
        return mapper._change_fa(call, request)

    @api.model
    def _build_request(
        self, mapper, draft_sudo, person: Beneficiary, now: Result, fa: str
    ) -> LinkRequest | UpdateRequest | UnlinkRequest | None:
        """Return what a draft asks the mapper for, by what is in force ``now``.

        Returns None where the person saw no account and there is one. An officer sees
        none: what they fill in is for the account that is in force now.
        """
        base = draft_sudo.base_version or None
        if draft_sudo.operation == "remove":
            return UnlinkRequest(person.id_value, expected_version=base)
        details = Details(person.name, person.contacts.phone_number)
        if now.outcome is Outcome.NOT_LINKED:
            return LinkRequest(person.id_value, fa, details)
        has_versions = Capability.VERSIONS in mapper._capabilities()
        if base is None and has_versions:
            if draft_sudo.owner_key:
                return None
            base = now.version
        return UpdateRequest(person.id_value, fa, details, expected_version=base)


def _get_objection_digest(period: str, seq: int) -> str:
    """Return what a login for one objection is bound to."""
    return f"objection {period} {seq}"


#: What a mapper does that confirms changes itself. A portal elsewhere may propose them,
#: and has no right to make them.
_BY_CONFIRMATION = frozenset({Capability.LINK, Capability.UPDATE, Capability.UNLINK})
#: What a mapper does whose owners lock changes, and lift that lock by its own page.
_FOR_LOCK = frozenset({Capability.CHANGE_LOCK, Capability.CONFIRMATION})
#: Locks that the owner's lock replaces.
_WEAKER = (ChangeLock.NONE, ChangeLock.STAFF)
#: States in which there is an address.
_LINKED = ("active", "stopped", "closed")
#: Why nothing is paid to an address whose provider or branch has closed.
_CLOSED = ("provider_closed", "branch_closed")
_STATES = {
    Outcome.FOUND: "active",
    Outcome.NOT_LINKED: "none",
    Outcome.SUSPENDED: "stopped",
}
