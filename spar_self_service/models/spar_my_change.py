from odoo import api, models

from odoo.addons.spar_mapper_connector.exceptions import (
    MapperError,
    ServiceUnavailable,
)
from odoo.addons.spar_mapper_connector.lib.contract import (
    CallContext,
    Details,
    LinkRequest,
    Outcome,
    Result,
    UnlinkRequest,
    UpdateRequest,
)

from ..exceptions import DraftOutdated, OutcomeUnknown, StepUpNeeded
from ..lib.beneficiary import Beneficiary
from .spar_page_texts_outcome import PAYMENTS_STOPPED

#: Outcomes after which the person may try again with the same draft.
_TRY_AGAIN = (Outcome.RETRY,)
#: Outcomes after which an address is stored.
_SAVED = (Outcome.LINKED, Outcome.UPDATED)


class SparMyAddress(models.AbstractModel):
    """The execution of a draft: once, on a fresh proof, and with its actual result."""

    _inherit = "spar.my.address"

    @api.model
    def _open_draft(self, operation: str):
        """Open a draft for the person who is logged in, on what they see now.

        Raises DraftOutdated where the operation is no longer possible: an older window
        still offers it.
        """
        shown, person = self._get_overview(), self._get_me()
        can_begin = {"set": shown.can_change, "remove": shown.can_remove}
        if not can_begin[operation]:
            raise DraftOutdated()
        drafts_sudo = self.env["spar.draft"].sudo()
        return drafts_sudo._open_draft(operation, shown.version, owner_key=person.key)

    @api.model
    def _find_draft(self, uuid: str):
        """Return the person's own draft; raises NotLoggedIn and NoSuchDraft."""
        person = self._get_me()
        return self.env["spar.draft"].sudo()._find_draft(uuid, owner_key=person.key)

    @api.model
    def _begin_proof(self, draft_sudo, version: int, return_to: str) -> str:
        """Return where to send the browser for a fresh login; raises DraftOutdated."""
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
        person = self._get_me()
        with self.env.cr.savepoint():
            digest = draft_sudo._get_digest_text()
            self.env["spar.beneficiary"]._take_step_up(digest)
            self._finish(draft_sudo, person, self._build_call(person))

    @api.model
    def _finish(self, draft_sudo, person: Beneficiary, call: CallContext) -> None:
        result = self._send(draft_sudo, person, call)
        if result.outcome in _TRY_AGAIN:
            return
        # The problem of one part is more precise than that there is one.
        problem = (result.problem_values or {}).get("check") or result.problem
        if result.outcome in _SAVED and self._is_stopped(person, call):
            problem = PAYMENTS_STOPPED
        draft_sudo._close(result.outcome.value, problem)

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
            return self._ask(mapper, draft_sudo, person, call, fa)
        except ServiceUnavailable:
            raise
        except MapperError as error:
            done = self._check_outcome_after_failure(mapper, call, person, fa)
            if done is None:
                raise error
            return done

    @api.model
    def _check_outcome_after_failure(
        self, mapper, call: CallContext, person: Beneficiary, fa: str
    ) -> Result | None:
        """Return what a failed call has done nevertheless; None for nothing."""
        try:
            now = self._resolve(mapper, call, person)
        except MapperError as error:
            raise OutcomeUnknown() from error
        return self._find_done(now, fa)

    @api.model
    def _find_done(self, now: Result, fa: str) -> Result | None:
        """Return the result if ``fa`` is already in force; else None.

        For a removal (empty ``fa``) that means that no address is.
        """
        if not fa and now.outcome is Outcome.NOT_LINKED:
            return Result(Outcome.UNLINKED)
        if fa and now.fa and self.env["spar.fa.strategy"]._is_same_address(now.fa, fa):
            return Result(Outcome.UPDATED)
        return None

    @api.model
    def _ask(self, mapper, draft_sudo, person: Beneficiary, call, fa: str) -> Result:
        now = self._resolve(mapper, call, person)
        done = self._find_done(now, fa)
        if done is not None:
            # Done by an earlier request, which Odoo runs again or which was cut off.
            return done
        base = draft_sudo.base_version or None
        if draft_sudo.operation == "remove":
            request = UnlinkRequest(person.id_value, expected_version=base)
            return mapper._unlink_fa(call, [request])[0]
        details = Details(person.name, person.contacts.phone_number)
        if now.outcome is Outcome.NOT_LINKED:
            return mapper._link_fa(call, [LinkRequest(person.id_value, fa, details)])[0]
        if base is None and draft_sudo.owner_key:
            return Result(Outcome.CONFLICT, problem="version")
        request = UpdateRequest(person.id_value, fa, details, expected_version=base)
        return mapper._update_fa(call, [request])[0]
