from dataclasses import replace

from odoo import api, models
from odoo.exceptions import AccessError

from odoo.addons.spar_mapper_connector.exceptions import MapperError
from odoo.addons.spar_mapper_connector.lib.confirmation import (
    Confirmation,
    ConfirmationPage,
    ConfirmationState,
)
from odoo.addons.spar_mapper_connector.lib.contract import (
    Authority,
    CallContext,
    Capability,
)

from ..exceptions import DraftOutdated, StepUpNeeded, TicketNeeded
from ..lib.beneficiary import AgentTicket, Beneficiary

OFFICER = "spar_fa_directory.group_officer"


class SparHelpedChange(models.AbstractModel):
    """A change that an officer fills in for a person who is present.

    The person authenticates and confirms it. The officer learns nothing about the
    person from it, and can do nothing without them: the ID comes with the ticket of the
    person's own login, which is valid for this draft only.
    """

    _name = "spar.helped.change"
    _description = "Change with the help of an officer"

    @api.model
    def _check_officer(self):
        """Return the officer who is logged in; raises AccessError for anyone else."""
        if not self.env.user.has_group(OFFICER):
            raise AccessError(
                self.env._("You may not do this: ask an administrator for the right.")
            )
        return self.env.user

    @api.model
    def _get_registry_url(self) -> str:
        """Return where the officer came from: the target of SPAR's backend menu."""
        menus = self.env["ir.ui.menu"].load_web_menus(False)
        app = menus.get(self.env.ref("spar_fa_directory.menu_root").id, {})
        if app.get("actionModel") != "ir.actions.act_window":
            return "/odoo"
        return f"/odoo/{app['actionPath'] or 'action-%d' % app['actionID']}"

    @api.model
    def _has_registry(self) -> bool:
        """Return whether officers can change the registry here, not elsewhere."""
        try:
            mapper = self.env["spar.mapper.backend"]._get_mapper()
        except MapperError:
            return False
        return not mapper._is_remote

    @api.model
    def _open_draft(self):
        """Open a draft of this officer, for the person who will confirm it."""
        officer = self._check_officer()
        drafts_sudo = self.env["spar.draft"].sudo()
        return drafts_sudo._open_draft("set", 0, officer_id=officer.id)

    @api.model
    def _find_draft(self, uuid: str):
        """Return this officer's draft; raises NoSuchDraft."""
        officer = self._check_officer()
        return self.env["spar.draft"].sudo()._find_draft(uuid, officer_id=officer.id)

    @api.model
    def _begin_proof(
        self,
        draft_sudo,
        version: int,
        return_to: str,
        provider_id: int = 0,
        is_visited: bool = False,
    ) -> str:
        """Return where the person authenticates on this device.

        By default it is the first provider that is offered. Raises DraftOutdated.

        :param is_visited: whether they have just logged in at the mapper's own page
        """
        officer = self._check_officer()
        self._check_complete(draft_sudo, version)
        return self.env["spar.beneficiary"]._begin_agent_authentication(
            officer,
            draft_sudo._get_digest_text(),
            return_to,
            self._choose_provider(provider_id),
            is_visited,
        )

    @api.model
    def _check_complete(self, draft_sudo, version: int) -> None:
        """Raise DraftOutdated unless the draft is complete, and as it was shown."""
        draft_sudo._lock_version(version)
        if not draft_sudo._build_address():
            raise DraftOutdated()

    @api.model
    def _choose_provider(self, provider_id: int):
        """Return an offered provider, by default the first one."""
        offered_sudo = self.env["auth.oauth.provider"]._get_offered()
        chosen_sudo = offered_sudo.filtered(lambda each: each.id == provider_id)
        return chosen_sudo or offered_sudo[:1]

    @api.model
    def _find_visited_provider(self, draft_sudo, version: int, provider_id: int):
        """Return the provider of a person who has to allow a visit first, or none.

        Raises DraftOutdated.
        """
        self._check_officer()
        self._check_complete(draft_sudo, version)
        provider_sudo = self._choose_provider(provider_id)
        is_needed = provider_sudo and self.env["spar.my.visit"]._is_needed(
            provider_sudo
        )
        return provider_sudo if is_needed else provider_sudo.browse()

    @api.model
    def _is_proved(self, draft_sudo) -> bool:
        """Return whether the person has authenticated for the draft as it stands."""
        try:
            self._read_ticket(draft_sudo)
        except TicketNeeded:
            return False
        return True

    @api.model
    def _read_ticket(self, draft_sudo) -> AgentTicket:
        """Return the ticket for the draft as it stands; raises TicketNeeded."""
        return self.env["spar.beneficiary"]._read_agent_ticket(
            self._check_officer(), draft_sudo._get_digest_text()
        )

    # === ON THE MAPPER'S OWN PAGE === #

    @api.model
    def _is_confirmed_elsewhere(self, draft_sudo) -> bool:
        """Return whether the person confirms on the mapper's own page.

        Raises TicketNeeded, and MapperError.
        """
        person = self._read_ticket(draft_sudo).beneficiary
        return self.env["spar.my.confirmation"]._is_needed(person)

    @api.model
    def _propose(self, draft_sudo) -> ConfirmationPage | None:
        """Return the mapper's page on which the person confirms the draft.

        Returns None where the draft is closed, because its account is in force. The
        ticket names the person and confirms nothing: it is not used up. Raises
        TicketNeeded, and MapperError.
        """
        officer, ticket = self._check_officer(), self._read_ticket(draft_sudo)
        call = self._build_call(officer, ticket.beneficiary)
        confirmations = self.env["spar.my.confirmation"]
        return confirmations._propose_for(
            draft_sudo, ticket.beneficiary, call, call.actor
        )

    @api.model
    def _take_result(self, draft_sudo, reference: str) -> None:
        """Store what became of a draft's proposal in the draft.

        The person has left by then, and only their mapper knows the reference: every
        mapper of the offered providers is asked. Raises StepUpNeeded for a reference
        that is not of this draft, and MapperError.
        """
        call = self._build_officers_call(self._check_officer())
        confirmations = self.env["spar.my.confirmation"]
        for mapper in self._get_mappers():
            found = mapper._get_confirmation(call, reference)
            if found.state is not ConfirmationState.UNKNOWN:
                confirmations._check_reference(draft_sudo, found)
                if found.state is ConfirmationState.DECIDED:
                    self._close(draft_sudo, found)
                return
        raise StepUpNeeded()

    @api.model
    def _get_mappers(self) -> list:
        """Return the mappers of the offered providers that have a page of their own."""
        backends = self.env["spar.mapper.backend"]
        types_sudo = self.env["auth.oauth.provider"]._get_offered().id_type_id
        mappers = [backends._get_mapper(each).sudo() for each in types_sudo]
        return [
            mapper
            for mapper in dict.fromkeys(mappers)
            if Capability.CONFIRMATION in mapper._capabilities()
        ]

    @api.model
    def _close(self, draft_sudo, found: Confirmation) -> None:
        if draft_sudo.state == "open":
            draft_sudo._lock_version(draft_sudo.version)
            draft_sudo._close(found.outcome.value, found.problem)

    # === ON THESE PAGES === #

    @api.model
    def _carry_out(self, draft_sudo, version: int) -> None:
        """Carry out the confirmed change, once; the history names both people.

        Raises TicketNeeded where the draft was edited since the person's login,
        DraftOutdated where the person confirms on the mapper's own page, and
        MapperError when the mapper cannot work: the ticket is then unused.
        """
        if draft_sudo.state == "done":
            return
        officer = self._check_officer()
        draft_sudo._lock_version(version)
        with self.env.cr.savepoint():
            ticket = self.env["spar.beneficiary"]._take_agent_ticket(
                officer, draft_sudo._get_digest_text()
            )
            self.env["spar.my.confirmation"]._check_own(ticket.beneficiary)
            call = self._build_call(officer, ticket.beneficiary, ticket.nonce)
            mine = self.env["spar.my.address"]
            mine._finish(draft_sudo, ticket.beneficiary, call)

    @api.model
    def _build_call(self, officer, person: Beneficiary, nonce: str = "") -> CallContext:
        return replace(
            self._build_officers_call(officer),
            on_behalf_of=f"person:{person.key}",
            message_reference=nonce,
            login=person.login,
        )

    @api.model
    def _build_officers_call(self, officer) -> CallContext:
        return CallContext(
            actor=f"user:{officer.id}",
            channel="agent",
            authority=Authority.OWNER,
            authenticated_by="login",
        )
