from odoo import api, models

from ..exceptions import NotLoggedIn, StepUpNeeded, TicketNeeded
from ..lib.beneficiary import AgentTicket, Beneficiary


class SparBeneficiary(models.AbstractModel):
    """The person behind the request: what pages may know and ask of the login.

    The underscores keep all of it off Odoo's remote calls.
    """

    _name = "spar.beneficiary"
    _description = "Beneficiary who is logged in"

    @api.model
    def _get_current(self) -> Beneficiary:
        """The verified identity of the person who is logged in.

        Raises NotLoggedIn when the user of this environment is not a beneficiary.
        """
        raise NotLoggedIn()

    # === STEP-UP: A CHANGE NEEDS A FRESH LOGIN OF THE SAME PERSON === #

    @api.model
    def _begin_step_up(self, draft_digest: str, return_to: str = "/spar") -> str:
        """The address to send the browser to, to authenticate for one draft.

        ``draft_digest`` is any text that is the same for the same draft only (of ID and
        FA); it is kept as a keyed digest. Afterwards the browser comes to ``return_to``
        (a path here), which calls ``_take_step_up``. Raises NotLoggedIn.
        """
        raise NotLoggedIn()

    @api.model
    def _take_step_up(self, draft_digest: str) -> None:
        """Use up the proof that this person authenticated for this draft just now.

        Raises NotLoggedIn, or StepUpNeeded: begin it (again).
        """
        raise StepUpNeeded()

    # === AGENT MODE: A PERSON AUTHENTICATES ON AN OFFICER'S DEVICE === #

    @api.model
    def _begin_agent_authentication(
        self, officer, draft_digest: str, return_to: str
    ) -> str:
        """The address to send the officer's browser to, for the person beside them.

        Always a fresh login there. It yields no session here: one ticket, of this
        officer for this draft, for five minutes.
        """
        raise NotLoggedIn()

    @api.model
    def _take_agent_ticket(self, officer, draft_digest: str) -> AgentTicket:
        """Use up the ticket of this officer for this draft; raises TicketNeeded."""
        raise TicketNeeded()
