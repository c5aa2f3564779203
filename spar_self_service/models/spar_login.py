import secrets
import time
from dataclasses import asdict, dataclass

from odoo import api, models

from odoo.addons.spar_mapper_connector.lib.oidc.authorization import (
    AttemptSecrets,
    LoginAttempt,
    get_local_path,
)
from odoo.addons.spar_mapper_connector.lib.oidc.exceptions import (
    AnotherPerson,
    LoginRefused,
    ProviderNotReady,
    WrongProvider,
)
from odoo.addons.spar_mapper_connector.lib.oidc.verified import VerifiedLogin

from ..exceptions import NotLoggedIn, SelfServiceError
from .auth_oauth_provider import LOGIN_PAGE_PATH
from .spar_login_attempt import PendingLogin

#: Purposes of a login that is valid for one change of an address.
FOR_A_CHANGE = ("step_up", "agent")
#: Purposes that staff begin, on the host of their screens.
BY_STAFF = ("agent", "test")


@dataclass(frozen=True, eq=False)
class LoginTicket:
    """A person's right to a session, for the request in which they authenticated.

    It exists only in that request's memory, and is compared by object identity.
    """

    user_id: int
    login: str
    provider_id: int


@dataclass(frozen=True)
class VerifiedResponse:
    """A login that the provider has answered and we have verified."""

    pending: PendingLogin
    verified: VerifiedLogin


@dataclass(frozen=True)
class LoginResult:
    """The result of a login: where to go, and a session where it is for one."""

    return_to: str
    ticket: LoginTicket | None = None
    tried: VerifiedLogin | None = None


class SparLogin(models.AbstractModel):
    """A login of a beneficiary, from the button to the result."""

    _name = "spar.login"
    _description = "Login of beneficiaries"

    # === BEGINNING === #

    @api.model
    def _begin(
        self,
        provider,
        purpose: str,
        browser: str,
        return_to: str = LOGIN_PAGE_PATH,
        draft_digest: str = "",
        is_visited: bool = False,
    ) -> str:
        """Return where to send the browser with this secret; raises LoginRefused.

        State, nonce and PKCE verifier are generated for this attempt alone.

        :param is_visited: whether the person has just logged in at the mapper's page:
            the provider need not ask again
        """
        provider_sudo = provider.sudo()
        attempt = LoginAttempt(
            AttemptSecrets.make(),
            provider_sudo._get_redirect_uri(for_staff=purpose in BY_STAFF),
            int(time.time()),
            fresh=not is_visited
            and (purpose in FOR_A_CHANGE or provider_sudo._needs_fresh_login()),
        )
        pending = PendingLogin(
            provider_id=provider.id,
            purpose=purpose,
            return_to=get_local_path(return_to, LOGIN_PAGE_PATH),
            attempt=attempt,
            user_id=None if purpose == "login" else self.env.uid,
            draft_mac=self._get_draft_mac(purpose, draft_digest),
        )
        address = provider_sudo._get_authorization_address(attempt)
        self.env["spar.login.attempt"]._add(pending, browser)
        return address

    @api.model
    def _get_draft_mac(self, purpose: str, draft_digest: str) -> bytes:
        if purpose not in FOR_A_CHANGE:
            return b""
        proofs = self.env["spar.login.proof"]
        return proofs._get_mac(purpose, self.env.uid, draft_digest)

    # === THE ANSWER === #

    @api.model
    def _verify(
        self, provider_id: int, parameters: dict, browser: str
    ) -> VerifiedResponse:
        """Take the attempt that the response belongs to, and verify the login.

        The attempt is used up whatever happens, and the code exchanged once; nothing
        else is written. Raises LoginRefused, with ``return_to`` where the attempt was
        found.
        """
        attempts = self.env["spar.login.attempt"]
        pending = attempts._take(parameters.get("state") or "", browser)
        try:
            if pending.provider_id != provider_id:
                raise WrongProvider("address")
            provider_sudo = self._get_provider(pending)
            verified = provider_sudo._verify_login(parameters, pending.attempt)
        except LoginRefused as error:
            error.return_to = pending.return_to
            raise
        return VerifiedResponse(pending, verified)

    @api.model
    def _get_provider(self, pending: PendingLogin):
        provider_sudo = self.env["auth.oauth.provider"].sudo()
        provider_sudo = provider_sudo.browse(pending.provider_id).exists()
        if not provider_sudo:
            raise ProviderNotReady("gone")
        if pending.purpose != "test":
            provider_sudo._check_usable()
        return provider_sudo

    @api.model
    def _complete(self, answered: VerifiedResponse) -> LoginResult:
        """Do what the login was begun for; raises LoginRefused and writes nothing then.

        May be run again for the same response, as Odoo does after a conflict.
        """
        pending = answered.pending
        completions = {
            "login": self._complete_login,
            "step_up": self._complete_step_up,
            "agent": self._complete_agent,
            "test": self._complete_test,
        }
        try:
            with self.env.cr.savepoint():
                return completions[pending.purpose](pending, answered.verified)
        except LoginRefused as error:
            error.return_to = pending.return_to
            raise

    @api.model
    def _complete_login(
        self, pending: PendingLogin, verified: VerifiedLogin
    ) -> LoginResult:
        provider_sudo = self._get_provider(pending)
        identity_sudo = self.env["spar.identity"]._recognise(
            provider_sudo, verified, with_user=True
        )
        user = identity_sudo.user_id
        return LoginResult(
            pending.return_to, LoginTicket(user.id, user.login, provider_sudo.id)
        )

    @api.model
    def _complete_step_up(
        self, pending: PendingLogin, verified: VerifiedLogin
    ) -> LoginResult:
        """Add a proof if the person who is logged in began this and authenticated."""
        self._check_same_user(pending)
        identities_sudo = self.env["spar.identity"].sudo()
        if identities_sudo._find(verified).user_id.id != self.env.uid:
            raise AnotherPerson("subject")
        before = self.env["spar.beneficiary"]._get_current()
        provider_sudo = self._get_provider(pending)
        if provider_sudo._build_id_value(verified) != before.id_value:
            raise AnotherPerson("id")
        self._add_proof(pending, {})
        return LoginResult(pending.return_to)

    @api.model
    def _complete_agent(
        self, pending: PendingLogin, verified: VerifiedLogin
    ) -> LoginResult:
        """Add a ticket for the officer; the person gets no session here."""
        self._check_same_user(pending)
        self.env["spar.beneficiary"]._check_officer(self.env.user)
        identity_sudo = self.env["spar.identity"]._recognise(
            self._get_provider(pending), verified, with_user=False
        )
        self._add_proof(pending, asdict(identity_sudo._get_beneficiary()))
        return LoginResult(pending.return_to)

    @api.model
    def _complete_test(
        self, pending: PendingLogin, verified: VerifiedLogin
    ) -> LoginResult:
        """Show an administrator the result; nothing is written."""
        self._check_same_user(pending)
        return LoginResult(pending.return_to, tried=verified)

    @api.model
    def _check_same_user(self, pending: PendingLogin) -> None:
        if not pending.user_id or pending.user_id != self.env.uid:
            raise NotLoggedIn()

    @api.model
    def _add_proof(self, pending: PendingLogin, data: dict) -> None:
        self.env["spar.login.proof"]._add(
            pending.purpose,
            self.env.uid,
            pending.draft_mac,
            secrets.token_urlsafe(16),
            data,
        )

    # === TEXTS === #

    @api.model
    def _explain(self, error: LoginRefused | SelfServiceError) -> str:
        """Return what happened and what to do, in the person's own plain language."""
        return self.env["spar.login.texts"]._explain(error.code)
