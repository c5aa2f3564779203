from odoo import api, models

from odoo.addons.spar_mapper_connector.lib.confirmation import (
    ChangeProposal,
    ConfirmationPage,
    ConfirmationState,
)
from odoo.addons.spar_mapper_connector.lib.contract import (
    Capability,
    ObjectionAnswer,
    ObjectionRequest,
    Outcome,
)

from ..exceptions import DraftOutdated, StepUpNeeded

#: Where mappers lead back to: one address, which a mapper elsewhere can list.
RETURN_PATH = "/spar/confirmed"


class SparMyConfirmation(models.AbstractModel):
    """A change that its owner reviews and confirms on the mapper's own page.

    Mappers that can do so have the capability; with others a draft is reviewed and
    confirmed on these pages.
    """

    _name = "spar.my.confirmation"
    _description = "Confirmation of one's own change"

    @api.model
    def _is_needed(self) -> bool:
        """Return whether the mapper confirms the changes of this person itself."""
        mine = self.env["spar.my.address"]
        mapper = mine._get_mapper(mine._get_person())
        return Capability.CONFIRMATION in mapper._capabilities()

    @api.model
    def _propose(self, draft_sudo) -> ConfirmationPage | None:
        """Return the mapper's page for a complete draft; None where it is closed.

        It is closed where its account is in force already, and where there is one that
        the person did not see. Raises MapperError.
        """
        draft_sudo._lock_version(draft_sudo.version)
        mine = self.env["spar.my.address"]
        person = mine._get_person()
        mapper, call = mine._get_mapper(person), mine._build_call(person)
        fa, now = draft_sudo._build_address(), mine._resolve(mapper, call, person)
        done = mine._find_effect(now, fa)
        if done is not None:
            mine._close(draft_sudo, person, call, done.outcome)
            return None
        request = mine._build_request(mapper, draft_sudo, person, now, fa)
        if request is None:
            mine._close(draft_sudo, person, call, Outcome.CONFLICT, "version")
            return None
        return self._send(mapper, person, request, draft_sudo.uuid)

    @api.model
    def _propose_objection(self, period: str, seq: int) -> ConfirmationPage:
        """Return the mapper's page on which the person says: "this was not me"."""
        mine = self.env["spar.my.address"]
        person = mine._get_person()
        request = ObjectionRequest(person.id_value, period, seq)
        name = _name_objection(period, seq)
        return self._send(mine._get_mapper(person), person, request, name)

    @api.model
    def _send(self, mapper, person, request, name: str) -> ConfirmationPage:
        call = self.env["spar.my.address"]._build_call(person)
        return_url = self.env["spar.page.frame"]._get_base_url() + RETURN_PATH
        language = self.env.lang or ""
        proposal = ChangeProposal(request, name, return_url, language, person.issuer)
        return mapper._propose(call, proposal)

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
        if found.draft_id != draft_sudo.uuid:
            raise StepUpNeeded()
        if found.state is ConfirmationState.DECIDED and draft_sudo.state == "open":
            draft_sudo._lock_version(draft_sudo.version)
            mine._close(draft_sudo, person, call, found.outcome, found.problem)

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
    def _check_own(self) -> None:
        """Raise DraftOutdated where these pages may not confirm by themselves."""
        if self._is_needed():
            raise DraftOutdated()


def _name_objection(period: str, seq: int) -> str:
    return f"objection {period} {seq}"
