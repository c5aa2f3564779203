import time
from dataclasses import dataclass, replace

from odoo import api, models

from odoo.addons.spar_mapper_connector.exceptions import (
    InvalidIdentifier,
    MapperError,
    NoSuchEvent,
    OwnerProofRefused,
    ProposalRefused,
    ServiceUnavailable,
)
from odoo.addons.spar_mapper_connector.lib.confirmation import ConfirmationState
from odoo.addons.spar_mapper_connector.lib.confirmed_change import (
    Binding,
    build_change,
    build_visit,
    get_binding,
)
from odoo.addons.spar_mapper_connector.lib.contract import (
    Authority,
    CallContext,
    ObjectionRequest,
    Outcome,
    ResolveRequest,
    Result,
    UnlockRequest,
)
from odoo.addons.spar_mapper_connector.lib.keyring import bind
from odoo.addons.spar_mapper_connector.lib.oidc.authorization import (
    AttemptSecrets,
    LoginAttempt,
)
from odoo.addons.spar_mapper_connector.lib.oidc.exceptions import (
    AnotherPerson,
    IdTokenRefused,
    LoginRefused,
    NoUsableId,
    ProviderNotReady,
    WrongProvider,
)
from odoo.addons.spar_mapper_connector.lib.oidc.verified import VerifiedLogin
from odoo.addons.spar_mapper_connector.lib.owner_proof import (
    OwnerProof,
    build_nonce,
    make_salt,
)

from .spar_confirmation import PARTICIPANT, PAYMENTS_STOPPED, ProposedChange
from .spar_confirmation_attempt import PendingConfirmation
from .spar_confirmation_client import PAGES_PATH

#: The purpose under which people are named in the history: by provider and subject.
PERSON = "confirmation person"
#: The channel of a change that an officer filled in beside the person.
AGENT = "agent"


@dataclass(frozen=True)
class VerifiedConfirmation:
    """A login for a proposal that the provider has answered and we have verified."""

    pending: PendingConfirmation
    verified: VerifiedLogin


class SparConfirmationLogin(models.AbstractModel):
    """The step-up: from the button to the change.

    The nonce of the login is a salted digest of the change that the page shows, so the
    provider signs that this person confirmed it.
    """

    _name = "spar.confirmation.login"
    _description = "Login that confirms a change"

    # === BEGINNING === #

    @api.model
    def _begin(self, confirmation, client_id: int, browser: str) -> str:
        """Return where to send the browser; raises LoginRefused.

        The login has to happen after this moment: the page was shown before it.
        """
        content = confirmation._get_content()
        client = confirmation._get_clients(content.proposal).filtered(
            lambda each: each.id == client_id
        )
        if not client:
            raise ProviderNotReady("disabled")
        receiver = self.env["spar.owner.proof"]._get_receiver_id()
        binding = Binding(receiver, confirmation.reference, make_salt())
        fresh = AttemptSecrets.make()
        nonce = build_nonce(self._build_confirmed(confirmation, content, binding))
        attempt = LoginAttempt(
            AttemptSecrets(fresh.state, nonce, fresh.verifier),
            client._get_redirect_uri(),
            int(time.time()),
            fresh=True,
        )
        address = client._get_authorization_address(attempt)
        pending = PendingConfirmation(confirmation.id, client.id, attempt, binding)
        self.env["spar.confirmation.attempt"]._add(pending, browser)
        return address

    @api.model
    def _build_confirmed(self, confirmation, content: ProposedChange, binding: Binding):
        """Return what a login with this binding confirms."""
        if content.is_visit:
            return build_visit(confirmation.caller, binding)
        return build_change(content.proposal.request, binding)

    # === THE ANSWER === #

    @api.model
    def _verify(
        self, client_id: int, parameters: dict, browser: str
    ) -> VerifiedConfirmation:
        """Use up the login that the response belongs to, and verify it.

        Raises LoginRefused, with ``return_to`` where the page is known.
        """
        attempts = self.env["spar.confirmation.attempt"]
        state = parameters.get("state") or ""
        try:
            pending = attempts._take(state, browser)
            if pending.client_id != client_id:
                raise WrongProvider("address")
            client_sudo = self._get_client(pending)
            verified = client_sudo._verify_login(parameters, pending.attempt)
        except LoginRefused as error:
            confirmation = attempts._find_confirmation(state, browser)
            error.return_to = self._get_page_path(confirmation)
            raise
        return VerifiedConfirmation(pending, verified)

    @api.model
    def _get_client(self, pending: PendingConfirmation):
        clients_sudo = self.env["spar.confirmation.client"].sudo()
        client_sudo = clients_sudo.browse(pending.client_id).exists()
        if not client_sudo:
            raise ProviderNotReady("gone")
        client_sudo._check_usable()
        return client_sudo

    @api.model
    def _get_page_path(self, confirmation) -> str:
        if not confirmation.exists():
            return ""
        return f"{PAGES_PATH}/{confirmation._get_content().token}"

    # === THE CHANGE === #

    @api.model
    def _complete(self, answered: VerifiedConfirmation):
        """Make the change that this login confirmed; return the proposal.

        May be run again for the same response, as Odoo does after a conflict. A
        proposal that is no longer open stays as it is. Raises LoginRefused or
        MapperError, and writes nothing then.
        """
        confirmations_sudo = self.env["spar.confirmation"].sudo()
        confirmation_sudo = confirmations_sudo.browse(answered.pending.confirmation_id)
        confirmation_sudo._lock()
        if confirmation_sudo._get_state() is not ConfirmationState.OPEN:
            return confirmation_sudo
        content = confirmation_sudo._get_content()
        try:
            if content.is_visit:
                self._allow_visit(confirmation_sudo, content, answered)
                return confirmation_sudo
            self._check_person(content, answered)
        except LoginRefused as error:
            error.return_to = self._get_page_path(confirmation_sudo)
            raise
        with self.env.cr.savepoint():
            call = self._build_call(confirmation_sudo, content, answered)
            mapper = self._get_mapper()
            if isinstance(content.proposal.request, ObjectionRequest):
                self._object(confirmation_sudo, mapper, call, content.proposal.request)
            else:
                self._change(confirmation_sudo, mapper, call, content.proposal.request)
        return confirmation_sudo

    @api.model
    def _change(self, confirmation, mapper, call: CallContext, request) -> None:
        before = ""
        if not isinstance(request, UnlockRequest):
            before = self._read_address(mapper, call, request.id_value)
        result = mapper._change_fa(call, request)
        if result.outcome is Outcome.RETRY:
            raise ServiceUnavailable("the change cannot be decided now")
        is_saved = result.outcome in (Outcome.LINKED, Outcome.UPDATED)
        if is_saved and self._is_stopped(mapper, call, request.id_value):
            result = replace(result, problem=PAYMENTS_STOPPED)
        confirmation._close(result, before)

    @api.model
    def _is_stopped(self, mapper, call: CallContext, id_value: str) -> bool:
        """Return whether nothing is paid now to the account in force."""
        try:
            (found,) = mapper._resolve_fa(call, [ResolveRequest(id_value)])
        except MapperError:
            return False
        return found.outcome is Outcome.SUSPENDED

    @api.model
    def _object(self, confirmation, mapper, call: CallContext, request) -> None:
        try:
            answer = mapper._object_to(call, request)
            disputed = self._find_disputed(mapper, call, request)
            confirmation._close_objection(answer, disputed)
        except (NoSuchEvent, OwnerProofRefused) as error:
            confirmation._close(Result(Outcome.FORBIDDEN, problem=error.code), "")

    @api.model
    def _find_disputed(self, mapper, call: CallContext, request) -> str:
        """Return the address of the event that is disputed, "" if it does not open."""
        periods = mapper._history(call, request.id_value)
        found = [each.fa for each in periods if each.uuid == request.period]
        return found[0] if found else ""

    @api.model
    def _allow_visit(
        self, confirmation, content: ProposedChange, answered: VerifiedConfirmation
    ) -> None:
        """Let the portal show the person who has logged in their own address.

        It is no event, and its proof is not kept: nothing is changed. Raises
        LoginRefused.
        """
        id_value = self._get_client(answered.pending)._build_id_value(answered.verified)
        proof = self._build_proof(answered)
        visit = self._build_confirmed(confirmation, content, get_binding(proof))
        try:
            if not confirmation._is_type_allowed(id_value, content.id_type_ids):
                raise NoUsableId("type")
            self.env["spar.owner.proof"].sudo()._check_login(proof, visit, id_value)
        except ProposalRefused as error:
            raise NoUsableId("type") from error
        except OwnerProofRefused as error:
            raise IdTokenRefused(error.code) from error
        confirmation._close_visit(id_value)

    @api.model
    def _check_person(
        self, content: ProposedChange, answered: VerifiedConfirmation
    ) -> None:
        """Raise AnotherPerson unless the ID of the login is that of the proposal."""
        client_sudo = self._get_client(answered.pending)
        own = client_sudo._build_id_value(answered.verified)
        if not self._is_same_id(own, content.proposal.request.id_value):
            raise AnotherPerson("id")

    @api.model
    def _is_same_id(self, first: str, second: str) -> bool:
        types = self.env["spar.id.type"]
        try:
            return types._identify(first) == types._identify(second)
        except InvalidIdentifier:
            return False

    @api.model
    def _build_call(
        self, confirmation, content: ProposedChange, answered: VerifiedConfirmation
    ) -> CallContext:
        is_remote = confirmation.caller.startswith(PARTICIPANT)
        return CallContext(
            **self._name_actors(confirmation.caller, content, answered.verified),
            authority=Authority.OWNER,
            authenticated_by="login",
            provider_ids=content.provider_ids,
            id_type_ids=content.id_type_ids,
            checks_addresses=is_remote,
            owner_proof=self._build_proof(answered),
        )

    @api.model
    def _name_actors(
        self, caller: str, content: ProposedChange, verified: VerifiedLogin
    ) -> dict[str, str]:
        """Return who acted, for the history; by an officer's help, both people.

        An officer of a portal elsewhere is named behind the portal, by its word.
        """
        is_remote = caller.startswith(PARTICIPANT)
        person = self._name_person(verified)
        officer = content.proposal.officer
        if officer:
            return {
                "actor": caller,
                "on_behalf_of": content.person or person,
                "channel": AGENT,
                "reason": officer if is_remote else "",
            }
        if is_remote:
            return {"actor": person, "channel": "portal", "reason": caller}
        return {"actor": caller, "channel": "portal"}

    @api.model
    def _name_person(self, verified: VerifiedLogin) -> str:
        """Return an opaque reference to the person, the same at each login."""
        keyring = self.env["spar.keyring"]._open()
        mac = keyring.mac(PERSON, bind(verified.issuer, verified.subject))
        return f"person:{bytes(mac)[:16].hex()}"

    @api.model
    def _build_proof(self, answered: VerifiedConfirmation) -> OwnerProof:
        binding, verified = answered.pending.binding, answered.verified
        return OwnerProof(
            issuer=verified.issuer,
            id_token=verified.id_token,
            userinfo=verified.userinfo,
            draft_id=binding.draft_id,
            salt=binding.salt,
            receiver=binding.receiver,
            shown_at=answered.pending.attempt.began_at,
        )

    @api.model
    def _get_mapper(self):
        """Return the store of this database, as its service."""
        return self.env["spar.mapper.local"].sudo()

    @api.model
    def _read_address(self, mapper, call: CallContext, id_value: str) -> str:
        """Return the address in force for an ID, "" where there is none to show."""
        try:
            (found,) = mapper._resolve_fa(call, [ResolveRequest(id_value)])
        except MapperError:
            return ""
        return found.fa or ""

    # === THE ADDRESS UNTIL NOW === #

    @api.model
    def _get_own_address(self, confirmation) -> str:
        """Return the address in force, if the browser's session is its owner's.

        Before the login the page shows what the proposal holds, and nothing that the
        store knows: a page that anybody can propose would otherwise show anybody's
        account. A person who is logged in on pages of this database sees their own.
        """
        content = confirmation._get_content()
        own = self.env["spar.page.visitor"]._get_own_id()
        id_value = content.proposal.request.id_value
        if not own or not self._is_same_id(own, id_value):
            return ""
        call = CallContext(confirmation.caller, "portal", Authority.OWNER, "login")
        return self._read_address(self._get_mapper(), call, id_value)
