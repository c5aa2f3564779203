from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain

from odoo.addons.spar_mapper_connector.lib.oidc import subjects
from odoo.addons.spar_mapper_connector.lib.oidc.authorization import add_query
from odoo.addons.spar_mapper_connector.lib.oidc.discovery import get_address
from odoo.addons.spar_mapper_connector.lib.oidc.exceptions import (
    LoginRefused,
    NoUsableId,
)
from odoo.addons.spar_mapper_connector.lib.oidc.relying_party import discover
from odoo.addons.spar_mapper_connector.lib.oidc.verified import VerifiedLogin

FLOW = "spar_oidc"
CALLBACK_PATH = "/spar/oidc/callback/"
LOGIN_PAGE_PATH = "/spar"


class AuthOauthProvider(models.Model):
    """A provider at which beneficiaries log in: code flow, OpenID Connect.

    Core's own providers are unchanged; ``flow`` distinguishes them. A provider asserts
    who people are, so changes to its settings take a second administrator.
    """

    _name = "auth.oauth.provider"
    _inherit = ["auth.oauth.provider", "spar.oidc.client"]

    _seal_prefix = ("auth.oauth.provider",)
    _sealed_fields = ("flow",)
    _sealed_rows = "t.flow = 'spar_oidc'"
    _key_use = "oidc"

    flow = fields.Selection(
        [("token", "Odoo (implicit)"), (FLOW, "OpenID Connect for beneficiaries")],
        required=True,
        default="token",
        help="Beneficiaries log in with OpenID Connect's authorization code flow. "
        "Odoo's own flow is for staff.",
    )
    is_offered = fields.Boolean(
        string="Offered to beneficiaries",
        default=True,
        help="Shown on the login page. A provider that is not shown can still be used "
        "through its own link.",
    )
    redirect_uri = fields.Char(
        string="Redirect URL",
        compute="_compute_addresses",
        help="Where the provider sends people after they have authenticated.",
    )
    staff_redirect_uri = fields.Char(
        string="Redirect URL for staff",
        compute="_compute_addresses",
        help="Where the provider sends people whom an officer helps: on the host of "
        "the staff screens. Register it as well.",
    )
    key_set_uri = fields.Char(
        string="Our JWKS URL",
        compute="_compute_addresses",
        help="Where the provider can fetch our public keys (Keycloak does).",
    )

    @api.model
    def _list_subject_warnings(self) -> list[str]:
        """Return the providers at which a person may have another ID elsewhere.

        That is so where the ID is the subject and subjects are pairwise: each client
        is a sector by itself unless its operator registered both with one.
        """
        domain = [("id_claim", "=", "sub")]
        return [
            self.env._(
                "%(provider)s may give each client another subject for one person "
                "(pairwise), and the ID is the subject: have its operator register "
                "this client and those of the registry with one "
                "sector_identifier_uri, and compare one person's subject at both.",
                provider=provider_sudo.name,
            )
            for provider_sudo in self._search_usable(domain)
            if not provider_sudo._has_public_subjects()
        ]

    def _has_public_subjects(self) -> bool:
        """Return whether the metadata says that a person has one subject everywhere."""
        address = self.discovery_uri or get_address(self.issuer or "")
        try:
            found = discover(self._get_sender(), address)
        except LoginRefused:
            return False
        return subjects.choose_kind(found.subject_types) == subjects.PUBLIC

    def write(self, vals):
        if any(p.flow != vals["flow"] for p in self if "flow" in vals):
            raise ValidationError(
                self.env._(
                    "The flow of a provider cannot be changed. Create another "
                    "provider, and disable this one."
                )
            )
        return super().write(vals)

    def _is_ours(self):
        return self.flow == FLOW

    # === USABLE PROVIDERS === #

    @api.model
    def _search_usable(self, domain=Domain.TRUE):
        """Return the providers of this flow that are enabled and approved."""
        return super()._search_usable(Domain("flow", "=", FLOW) & Domain(domain))

    @api.model
    def _get_offered(self):
        """Return the providers that are offered to beneficiaries, in order."""
        return self._search_usable([("is_offered", "=", True)])

    # === ADDRESSES === #

    def _compute_addresses(self):
        for provider in self:
            is_saved = bool(provider.ids)
            base = is_saved and provider._get_base_url()
            provider.redirect_uri = is_saved and provider._get_redirect_uri()
            staff_uri = is_saved and provider._get_redirect_uri(for_staff=True)
            is_other = staff_uri != provider.redirect_uri
            provider.staff_redirect_uri = is_other and staff_uri
            provider.key_set_uri = (
                is_saved and f"{base}/spar/oidc/{provider.id}/jwks.json"
            )

    def _get_base_url(self) -> str:
        """Return this site's address from its configuration, never from a request."""
        return self.env["spar.page.frame"]._get_base_url()

    def _get_staff_base_url(self) -> str:
        """Return the address of staff's screens, on their own host if they have one."""
        return self.env["spar.page.frame"]._get_staff_base_url()

    def _needs_fresh_login(self) -> bool:
        """Return whether people show who they are at each login.

        A mapper that reads only with the owner's login takes no other one: somebody may
        still have a session at the provider that they began for another site.
        """
        identities = self.env["spar.identity"]
        return self.always_fresh or identities._is_read_by_login(self.id_type_id)

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

    # === TEST LOGIN === #

    def action_test_login(self):
        """Log in at the provider as a beneficiary would, but without a session."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_url",
            "url": f"/spar/oidc/test/{self.id}",
            "target": "new",
        }

    def _describe_trial(self, verified: VerifiedLogin) -> list[tuple[str, str]]:
        """Return the result of a test login: names of claims, never their values."""
        yes, no = self.env._("yes"), self.env._("no")
        contacts = verified.contacts
        return [
            (self.env._("Issuer"), verified.issuer),
            (self.env._("Authentication context (ACR)"), verified.acr or "-"),
            (
                self.env._("Authentication time sent"),
                verified.auth_time and yes or no,
            ),
            (self.env._("Claims"), ", ".join(sorted(verified.claims))),
            (self.env._("Name"), verified.name and yes or no),
            (self.env._("Verified e-mail address"), contacts.email and yes or no),
            (self.env._("Verified phone number"), contacts.phone_number and yes or no),
            (self.env._("Usable ID"), self._describe_id(verified)),
        ]

    def _describe_id(self, verified: VerifiedLogin) -> str:
        try:
            self._build_id_value(verified)
        except NoUsableId as error:
            return self.env._("no (%(reason)s)", reason=error.reason)
        return self.env._("yes: %(id_type)s", id_type=self.id_type_id.name)
