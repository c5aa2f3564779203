from odoo import api, models

from odoo.addons.spar_mapper_connector.lib.confirmation import (
    ChangeProposal,
    Confirmation,
    ConfirmationPage,
    ConfirmationState,
)
from odoo.addons.spar_mapper_connector.lib.contract import (
    CallContext,
    Capability,
    ObjectionAnswer,
    ObjectionRequest,
    Outcome,
    UnlockRequest,
)

from ..exceptions import DraftOutdated, StepUpNeeded
from ..lib.beneficiary import Beneficiary

#: Where mappers lead back to: one address, which a mapper elsewhere can list.
RETURN_PATH = "/spar/confirmed"
#: The name of a proposal to lift the lock.
_UNLOCK = "unlock"


class SparMyConfirmation(models.AbstractModel):
    """A change that its owner reviews and confirms on the mapper's own page.

    Mappers that can do so have the capability; with others a draft is reviewed and
    confirmed on these pages.
    """

    _name = "spar.my.confirmation"
    _description = "Confirmation of one's own change"

    @api.model
    def _is_needed(self, person: Beneficiary | None = None) -> bool:
        """Return whether the mapper confirms the changes of a person itself.

        :param person: by default the one who is logged in
        """
        mine = self.env["spar.my.address"]
        mapper = mine._get_mapper(person or mine._get_person())
        return Capability.CONFIRMATION in mapper._capabilities()

    @api.model
    def _propose(self, draft_sudo) -> ConfirmationPage | None:
        """Return the mapper's page for a complete draft; None where it is closed.

        It is closed where its account is in force already, and where there is one that
        the person did not see. Raises MapperError.
        """
        mine = self.env["spar.my.address"]
        person = mine._get_person()
        return self._propose_for(draft_sudo, person, mine._build_call(person))

    @api.model
    def _propose_for(
        self, draft_sudo, person: Beneficiary, call: CallContext, officer: str = ""
    ) -> ConfirmationPage | None:
        """Return the mapper's page for the draft of a person; see ``_propose``.

        :param officer: the reference of the officer who filled it in, or ""
        """
        draft_sudo._lock_version(draft_sudo.version)
        mine = self.env["spar.my.address"]
        mapper = mine._get_mapper(person)
        fa, now = draft_sudo._build_address(), mine._resolve(mapper, call, person)
        done = mine._find_effect(now, fa)
        if done is not None:
            mine._close(draft_sudo, person, call, done.outcome)
            return None
        request = mine._build_request(mapper, draft_sudo, person, now, fa)
        if request is None:
            mine._close(draft_sudo, person, call, Outcome.CONFLICT, "version")
            return None
        proposal = self._build_proposal(person, request, draft_sudo.uuid, officer)
        return mapper._propose(call, proposal)

    @api.model
    def _propose_objection(self, period: str, seq: int) -> ConfirmationPage:
        """Return the mapper's page on which the person says: "this was not me"."""
        mine = self.env["spar.my.address"]
        person = mine._get_person()
        request = ObjectionRequest(person.id_value, period, seq)
        proposal = self._build_proposal(person, request, _name_objection(period, seq))
        mapper, call = mine._get_mapper(person), mine._build_call(person)
        return mapper._propose(call, proposal)

    @api.model
    def _propose_unlock(self) -> ConfirmationPage:
        """Return the mapper's page on which the person lifts their lock."""
        mine = self.env["spar.my.address"]
        person = mine._get_person()
        proposal = self._build_proposal(person, UnlockRequest(person.id_value), _UNLOCK)
        mapper, call = mine._get_mapper(person), mine._build_call(person)
        return mapper._propose(call, proposal)

    @api.model
    def _is_unlocked(self, reference: str) -> bool:
        """Return whether the lock was lifted by this confirmation, on that page."""
        mine = self.env["spar.my.address"]
        person = mine._get_person()
        mapper, call = mine._get_mapper(person), mine._build_call(person)
        found = mapper._get_confirmation(call, reference)
        return found.draft_id == _UNLOCK and found.outcome is Outcome.LOCK_LIFTED

    @api.model
    def _build_proposal(
        self, person: Beneficiary, request, name: str, officer: str = ""
    ) -> ChangeProposal:
        frames = self.env["spar.page.frame"]
        base = frames._get_staff_base_url() if officer else frames._get_base_url()
        return ChangeProposal(
            request,
            name,
            return_url=base + RETURN_PATH,
            language=self.env.lang or "",
            issuer=person.issuer,
            officer=officer,
        )

    @api.model
    def _take_result(self, draft_sudo, reference: str) -> None:
        """Store what became of a draft's proposal in the draft.

        A reference comes from the browser: the mapper answers it for this person only,
        and it has to be of this draft. Raises StepUpNeeded, and MapperError.
        """
        mine = self.env["spar.my.address"]
        person = mine._get_person()
        mapper, call = mine._get_mapper(person), mine._build_call(person)
        found = mapper._get_confirmation(call, reference)
        self._check_reference(draft_sudo, found)
        if found.state is ConfirmationState.DECIDED and draft_sudo.state == "open":
            draft_sudo._lock_version(draft_sudo.version)
            mine._close(draft_sudo, person, call, found.outcome, found.problem)

    @api.model
    def _check_reference(self, draft_sudo, found: Confirmation) -> None:
        """Raise StepUpNeeded unless the proposal was made from this draft."""
        if found.draft_id != draft_sudo.uuid:
            raise StepUpNeeded()

    @api.model
    def _find_answer(
        self, period: str, seq: int, reference: str
    ) -> ObjectionAnswer | None:
        """Return the answer to this objection, if it was confirmed on that page."""
        mine = self.env["spar.my.address"]
        person = mine._get_person()
        mapper, call = mine._get_mapper(person), mine._build_call(person)
        found = mapper._get_confirmation(call, reference)
        is_this = found.draft_id == _name_objection(period, seq)
        return found.answer if is_this else None

    @api.model
    def _check_own(self, person: Beneficiary | None = None) -> None:
        """Raise DraftOutdated where these pages may not confirm by themselves.

        :param person: by default the one who is logged in
        """
        if self._is_needed(person):
            raise DraftOutdated()


def _name_objection(period: str, seq: int) -> str:
    return f"objection {period} {seq}"
