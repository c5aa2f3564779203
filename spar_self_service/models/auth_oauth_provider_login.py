import time
from urllib.parse import urlsplit

from odoo import api, fields, models
from odoo.fields import Domain

from odoo.addons.spar_mapper_connector.exceptions import InvalidIdentifier
from odoo.addons.spar_mapper_connector.lib import outgoing
from odoo.addons.spar_mapper_connector.lib.id_rules import CardCheck
from odoo.addons.spar_mapper_connector.lib.jose.key_sets import CACHE
from odoo.addons.spar_staff_login.lib.settings import get_staff_host

from ..exceptions import NoUsableId, ProviderNotReady
from ..lib.oidc.authorization import Attempt, add_query, read_response
from ..lib.oidc.relying_party import Ports, RelyingParty
from ..lib.oidc.settings import ClientAuthentication, ProviderSettings, UserinfoFormat
from ..lib.oidc.signed import read_signed
from ..lib.oidc.verified import VerifiedLogin
from .auth_oauth_provider import FLOW

CALLBACK_PATH = "/spar/oidc/callback/"
LOGIN_PAGE_PATH = "/spar"


class AuthOauthProvider(models.Model):
    """The login of a person at the provider."""

    _name = "auth.oauth.provider"
    _inherit = ["auth.oauth.provider"]

    redirect_uri = fields.Char(
        compute="_compute_addresses",
        help="Where the provider sends people back to.",
    )
    staff_redirect_uri = fields.Char(
        compute="_compute_addresses",
        help="Where it sends people back to whom an officer helps, on the host of "
        "staff's screens. Register this one as well.",
    )
    key_set_uri = fields.Char(
        compute="_compute_addresses",
        help="Where the provider may fetch our public keys (Keycloak can).",
    )

    def _compute_addresses(self):
        for provider in self:
            known = bool(provider.ids)
            base = known and provider._get_base_url()
            provider.redirect_uri = known and provider._get_redirect_uri()
            staff_uri = known and provider._get_redirect_uri(for_staff=True)
            is_other = staff_uri != provider.redirect_uri
            provider.staff_redirect_uri = is_other and staff_uri
            provider.key_set_uri = known and f"{base}/spar/oidc/{provider.id}/jwks.json"

    @api.model
    def _search_usable(self, domain=Domain.TRUE):
        """Return the providers of this flow that are enabled and approved."""
        usable_sudo = self.sudo().search(
            Domain("flow", "=", FLOW) & Domain("enabled", "=", True) & Domain(domain)
        )
        return usable_sudo and usable_sudo._filter_true()

    @api.model
    def _get_offered(self):
        """Return the providers that are offered to beneficiaries, in order."""
        return self._search_usable([("is_offered", "=", True)])

    def _check_usable(self) -> None:
        """Raise ProviderNotReady unless beneficiaries may log in here."""
        if not self._search_usable([("id", "in", self.ids)]):
            raise ProviderNotReady("disabled")

    # === ADDRESSES === #

    def _get_base_url(self) -> str:
        """Return this site's address from its configuration, never from a request."""
        return self.env["website"].get_current_website().get_base_url().rstrip("/")

    def _get_staff_base_url(self) -> str:
        """Return the address of staff's screens, on their own host if they have one."""
        host, base = get_staff_host(self.env.cr.dbname), self._get_base_url()
        return f"{urlsplit(base).scheme}://{host}" if host else base

    def _get_redirect_uri(self, for_staff: bool = False) -> str:
        """Return where the provider sends people back; registered with its operator."""
        base = self._get_staff_base_url() if for_staff else self._get_base_url()
        return f"{base}{CALLBACK_PATH}{self.id}"

    def _get_logout_address(self) -> str:
        """Return where a person logs out of the provider; "" where it offers none.

        The request does not identify the person, because no token is kept: the provider
        has to ask.
        """
        if not self.end_session_endpoint:
            return ""
        parameters = {
            "client_id": self.client_id,
            "post_logout_redirect_uri": self._get_base_url() + LOGIN_PAGE_PATH,
        }
        return add_query(self.end_session_endpoint, parameters)

    # === THE LOGIN === #

    def _get_authorization_address(self, attempt: Attempt) -> str:
        """Return where the browser goes to authenticate; raises LoginRefused."""
        locales = (self.env.lang or "en").replace("_", "-").partition("@")[0]
        party = self._get_relying_party()
        return party.build_address(attempt, locales, int(time.time()))

    def _verify_login(self, parameters: dict, attempt: Attempt) -> VerifiedLogin:
        """Return the verified login of the response in ``parameters``.

        Raises LoginRefused. Writes nothing.
        """
        party = self._get_relying_party()
        response = read_response(party.settings, parameters)
        return party.complete(response, attempt, int(time.time()))

    def _build_id_value(self, verified: VerifiedLogin) -> str:
        """Return the person's ID in its transmitted form; raises NoUsableId.

        A value that could change the meaning of what surrounds it is refused, and so is
        one that does not have the form of the type's IDs on the card.
        """
        value = verified.get_id_claim(self.id_claim or "").strip()
        if not value or ":" in value or "@" in value:
            raise NoUsableId("claim")
        types = self.env["spar.id.type"]
        try:
            written = self.id_type_id._write_id(value)
            identifier = types._identify(written, CardCheck.PEOPLE)
            # One spelling, whatever the provider's current one is.
            written = self.id_type_id._write_id(types._get_clean_value(written))
        except InvalidIdentifier as error:
            raise NoUsableId(error.code) from error
        if identifier.type_id != self.id_type_id.id:
            raise NoUsableId("type")
        if not self.id_type_id.sudo()._may_be_asserted_by(self.issuer):
            raise NoUsableId("issuer")
        return written

    def _get_relying_party(self) -> RelyingParty:
        ports = Ports(
            send=self._get_sender(),
            sign=self._sign_assertion,
            verify=lambda settings, token: read_signed(settings, token, CACHE),
            decrypt=self._decrypt,
        )
        return RelyingParty(self._get_settings(), ports)

    @api.model
    def _get_sender(self):
        """Return the only function that sends HTTP, which tests replace."""
        return outgoing.send

    def _get_settings(self) -> ProviderSettings:
        """Return what is agreed with the provider; raises ProviderNotReady."""
        self.ensure_one()
        if self.flow != FLOW or not (self.issuer and self.algorithms):
            raise ProviderNotReady("incomplete")
        if not self.sudo()._filter_true():
            raise ProviderNotReady("altered")
        return ProviderSettings(
            issuer=self.issuer,
            client_id=self.client_id or "",
            authorization_endpoint=self.auth_endpoint,
            token_endpoint=self.token_endpoint or "",
            userinfo_endpoint=self.validation_endpoint,
            jwks_uri=self.jwks_uri or "",
            algorithms=tuple(self.algorithms.split()),
            client_authentication=ClientAuthentication(self.client_authentication),
            client_secret=self._get_client_secret(),
            assertion_audience=self.assertion_audience,
            userinfo_format=UserinfoFormat(self.userinfo_format),
            **self._get_request_settings(),
        )

    def _get_request_settings(self) -> dict:
        return {
            "scope": self.scope or "openid",
            "claims": self.claims or "",
            "acr_values": self.acr_values or "",
            "accepted_acrs": frozenset((self.accepted_acrs or "").split()),
            "fresh_prompt": self.fresh_prompt or "",
            "par_endpoint": self.use_par and self.par_endpoint or "",
            "sends_issuer": self.tells_issuer,
        }
