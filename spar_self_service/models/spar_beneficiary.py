import time

from odoo import api, models
from odoo.http import request

from odoo.addons.spar_mapper_connector.lib.keyring import bind

from ..exceptions import NotLoggedIn, ProviderNotReady, StepUpNeeded, TicketNeeded
from ..lib.beneficiary import AgentTicket, Beneficiary, Contacts
from ..lib.browser import LOGIN, begin_attempt

OFFICER = "spar_fa_directory.group_officer"


class SparBeneficiary(models.AbstractModel):
    """The person behind the request: what pages may know and ask of the login.

    The underscores keep all of it off Odoo's remote calls.
    """

    _name = "spar.beneficiary"
    _description = "Beneficiary who is logged in"

    @api.model
    def _get_current(self) -> Beneficiary:
        """The verified identity of the person who is logged in.

        Raises NotLoggedIn when the user of this environment is not a beneficiary, or
        the session of the request did not come from their ID provider.
        """
        return self._get_identity()._get_beneficiary()

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
        """The address to send the browser to, to authenticate for one draft.

        ``draft_digest`` is any text that is the same for the same draft only; with the
        person's ID it is kept as a keyed digest. Afterwards the browser comes to
        ``return_to`` (a path here), which calls ``_take_step_up``. Raises NotLoggedIn,
        LoginRefused.
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
        """Use up the proof that this person authenticated for this draft just now.

        Raises NotLoggedIn, or StepUpNeeded: begin it (again).
        """
        text = _bind_to_id(self._get_identity(), draft_digest)
        if not self.env["spar.login.proof"]._take("step_up", self.env.uid, text):
            raise StepUpNeeded()

    # === AGENT MODE: A PERSON AUTHENTICATES ON AN OFFICER'S DEVICE === #

    @api.model
    def _begin_agent_authentication(
        self, officer, draft_digest: str, return_to: str, provider
    ) -> str:
        """The address to send the officer's browser to, for the person beside them.

        Always a fresh login there. It yields no session here: one ticket, of this
        officer for this draft, for five minutes. Raises NotLoggedIn or LoginRefused.
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
        )

    @api.model
    def _take_agent_ticket(self, officer, draft_digest: str) -> AgentTicket:
        """Use up the ticket of this officer for this draft; raises TicketNeeded."""
        self._check_officer(officer)
        proofs = self.env["spar.login.proof"]
        taken = proofs._take("agent", officer.id, draft_digest)
        if not taken:
            raise TicketNeeded()
        nonce, told = taken
        contacts = Contacts(**told.pop("contacts"))
        return AgentTicket(Beneficiary(contacts=contacts, **told), officer.id, nonce)

    @api.model
    def _has_agent_ticket(self, officer, draft_digest: str) -> bool:
        """Whether there is a ticket of this officer for this draft; it stays."""
        self._check_officer(officer)
        return self.env["spar.login.proof"]._has("agent", officer.id, draft_digest)

    @api.model
    def _check_officer(self, officer) -> None:
        """Raise NotLoggedIn unless it is the officer who is logged in."""
        if officer.id != self.env.uid or not officer.has_group(OFFICER):
            raise NotLoggedIn()


def _bind_to_id(identity, draft_digest: str) -> str:
    """A draft of this ID: a provider may come to tell another one of the person."""
    return bind(identity._get_beneficiary().id_value, draft_digest).hex()
