from odoo import api, models
from odoo.exceptions import AccessError

from odoo.addons.spar_mapper_connector.lib.contract import Authority, CallContext

from ..exceptions import DraftOutdated
from ..lib.beneficiary import AgentTicket

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
        self, draft_sudo, version: int, return_to: str, provider_id: int = 0
    ) -> str:
        """Return where the person authenticates on this device.

        By default it is the first provider that is offered. Raises DraftOutdated.
        """
        officer = self._check_officer()
        draft_sudo._lock_version(version)
        if not draft_sudo._build_address():
            raise DraftOutdated()
        offered_sudo = self.env["auth.oauth.provider"]._get_offered()
        chosen_sudo = offered_sudo.filtered(lambda each: each.id == provider_id)
        return self.env["spar.beneficiary"]._begin_agent_authentication(
            officer,
            draft_sudo._get_digest_text(),
            return_to,
            chosen_sudo or offered_sudo[:1],
        )

    @api.model
    def _is_proved(self, draft_sudo) -> bool:
        """Return whether the person has authenticated for the draft as it stands."""
        return self.env["spar.beneficiary"]._has_agent_ticket(
            self._check_officer(), draft_sudo._get_digest_text()
        )

    @api.model
    def _carry_out(self, draft_sudo, version: int) -> None:
        """Carry out the confirmed change, once; the history names both people.

        Raises TicketNeeded where the draft was edited since the person's login, and
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
            call = self._build_call(officer, ticket)
            mine = self.env["spar.my.address"]
            mine._finish(draft_sudo, ticket.beneficiary, call)

    @api.model
    def _build_call(self, officer, ticket: AgentTicket) -> CallContext:
        return CallContext(
            actor=f"user:{officer.id}",
            on_behalf_of=f"person:{ticket.beneficiary.key}",
            channel="agent",
            authority=Authority.OWNER,
            authenticated_by="login",
            message_reference=ticket.nonce,
            login=ticket.beneficiary.login,
        )
