import time

from odoo import api, models
from odoo.http import request

from odoo.addons.spar_mapper_connector.lib.keyring import bind
from odoo.addons.spar_mapper_connector.lib.oidc.exceptions import ProviderNotReady
from odoo.addons.spar_mapper_connector.lib.pages.browser import begin_attempt

from ..exceptions import NotLoggedIn, StepUpNeeded, TicketNeeded
from ..lib.beneficiary import AgentTicket, Beneficiary
from ..lib.browser import LOGIN

OFFICER = "spar_fa_directory.group_officer"


class SparBeneficiary(models.AbstractModel):
    """The person behind the request: what pages may learn from the login.

    The underscores keep all of its methods off Odoo's remote calls.
    """

    _name = "spar.beneficiary"
    _description = "Beneficiary who is logged in"

    @api.model
    def _get_current(self) -> Beneficiary:
        """Return the verified identity of the person who is logged in.

        Raises NotLoggedIn when the user of this environment is not a beneficiary, or
        the session of the request did not come from their ID provider.
        """
        return self._add_visit(self._get_identity()._get_beneficiary())

    @api.model
    def _add_visit(self, person: Beneficiary) -> Beneficiary:
        """Return a person with the visit of this session, which they may have allowed.

        The mapper knows whose visit it is.
        """
        return person.with_visit(self.env["spar.my.visit"]._get_current())

    @api.model
    def _get_identity(self):
        if request and not request.session.get(LOGIN):
            raise NotLoggedIn()
        identities_sudo = self.env["spar.identity"].sudo()
        identity_sudo = identities_sudo.search([("user_id", "=", self.env.uid)])
        if not identity_sudo or self.env.user._is_internal():
            raise NotLoggedIn()
        return identity_sudo

    # === STEP-UP: A CHANGE NEEDS A FRESH LOGIN OF THE SAME PERSON === #

    @api.model
    def _begin_step_up(self, draft_digest: str, return_to: str = "/spar") -> str:
        """Return the address to send the browser to, to authenticate for one draft.

        ``draft_digest`` is any text that is the same only for the same draft; together
        with the person's ID it is stored as a keyed digest. Afterwards the browser
        returns to ``return_to`` (a path here), which calls ``_take_step_up``. Raises
        NotLoggedIn, LoginRefused.
        """
        identity = self._get_identity()
        provider = identity.provider_id
        provider._check_usable()
        return self.env["spar.login"]._begin(
            provider,
            "step_up",
            begin_attempt(request.session, time.time()),
            return_to,
            _bind_to_id(identity, draft_digest),
        )

    @api.model
    def _take_step_up(self, draft_digest: str) -> None:
        """Use up the proof that this person has just authenticated for this draft.

        Raises NotLoggedIn, or StepUpNeeded: the caller then has to begin (again).
        """
        text = _bind_to_id(self._get_identity(), draft_digest)
        if not self.env["spar.login.proof"]._take("step_up", self.env.uid, text):
            raise StepUpNeeded()

    # === AGENT MODE: A PERSON AUTHENTICATES ON AN OFFICER'S DEVICE === #

    @api.model
    def _begin_agent_authentication(
        self,
        officer,
        draft_digest: str,
        return_to: str,
        provider,
        is_visited: bool = False,
    ) -> str:
        """Return the address to which the officer's browser is sent, for the person.

        The person always has to log in anew there, unless they have just done so for a
        visit (``is_visited``). It yields no session here, but one
        ticket, for this officer and this draft, valid for five minutes. Raises
        NotLoggedIn or LoginRefused.
        """
        self._check_officer(officer)
        if not provider:
            raise ProviderNotReady("none")
        provider._check_usable()
        return self.env["spar.login"]._begin(
            provider,
            "agent",
            begin_attempt(request.session, time.time()),
            return_to,
            draft_digest,
            is_visited,
        )

    @api.model
    def _take_agent_ticket(self, officer, draft_digest: str) -> AgentTicket:
        """Use up the ticket of this officer for this draft; raises TicketNeeded."""
        self._check_officer(officer)
        proofs = self.env["spar.login.proof"]
        return self._build_ticket(
            officer, proofs._take("agent", officer.id, draft_digest)
        )

    @api.model
    def _read_agent_ticket(self, officer, draft_digest: str) -> AgentTicket:
        """Return this officer's ticket for this draft, without using it up.

        Raises TicketNeeded.
        """
        self._check_officer(officer)
        proofs = self.env["spar.login.proof"]
        return self._build_ticket(
            officer, proofs._read("agent", officer.id, draft_digest)
        )

    @api.model
    def _build_ticket(self, officer, found: tuple | None) -> AgentTicket:
        if not found:
            raise TicketNeeded()
        nonce, person = found
        beneficiary = self._add_visit(Beneficiary.from_json(person))
        return AgentTicket(beneficiary, officer.id, nonce)

    @api.model
    def _check_officer(self, officer) -> None:
        """Raise NotLoggedIn unless the officer is the user who is logged in."""
        if officer.id != self.env.uid or not officer.has_group(OFFICER):
            raise NotLoggedIn()


def _bind_to_id(identity, draft_digest: str) -> str:
    """Return a text that binds a draft to this ID.

    A provider may later return another ID of the person.
    """
    return bind(identity._get_beneficiary().id_value, draft_digest).hex()
