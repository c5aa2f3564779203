import json

from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..exceptions import LoginRefused
from ..lib.oidc import discovery, presets
from ..lib.oidc.relying_party import discover
from ..lib.oidc.settings import ClientAuthentication, UserinfoFormat

FLOW = "spar_oidc"

#: Fields that are required before anyone can log in.
_NEEDED = (
    "client_id issuer auth_endpoint token_endpoint validation_endpoint jwks_uri "
    "algorithms id_type_id id_claim"
).split()


class AuthOauthProvider(models.Model):
    """A provider at which beneficiaries log in: code flow, OpenID Connect.

    Core's own providers are unchanged; ``flow`` distinguishes them.
    """

    _inherit = "auth.oauth.provider"

    flow = fields.Selection(
        [("token", "Odoo (implicit)"), (FLOW, "OpenID Connect for beneficiaries")],
        required=True,
        default="token",
        help="Beneficiaries log in by OpenID Connect's code flow; Odoo's own flow is "
        "for staff.",
    )
    preset = fields.Selection(
        selection=lambda self: self._selection_preset(),
        default="other",
        help="Fills in what is usual for this kind of provider.",
    )
    issuer = fields.Char(
        help="The provider's address, for example https://id.example.org or the "
        "address of its openid-configuration. The rest is read from there.",
    )
    discovery_uri = fields.Char(
        string="Description",
        help="Where the provider describes itself (openid-configuration).",
    )
    token_endpoint = fields.Char(string="Token URL")
    jwks_uri = fields.Char(string="Key set URL")
    end_session_endpoint = fields.Char(string="Log-out URL")
    par_endpoint = fields.Char(string="Pushed authorization URL")
    use_par = fields.Boolean(
        string="Push authorization requests",
        help="The request is sent to the provider beforehand; the browser carries only "
        "a reference to it (RFC 9126).",
    )
    tells_issuer = fields.Boolean(
        string="Names itself in its answers",
        help="Answers of the provider without its name are refused (RFC 9207).",
    )
    client_authentication = fields.Selection(
        string="Client authentication",
        selection=lambda self: self._selection_client_authentication(),
        default=ClientAuthentication.PRIVATE_KEY_JWT.value,
        help="How we show the provider who we are.",
    )
    assertion_audience = fields.Selection(
        [("endpoint", "The address that is called"), ("issuer", "The issuer")],
        string="Audience of our assertions",
        default="endpoint",
        help="For whom our signed assertions are. Keycloak recommends the issuer.",
    )
    algorithms = fields.Char(
        string="Signature algorithms",
        help="What is accepted, with spaces between: PS256 ES256 EdDSA RS256.",
    )
    userinfo_format = fields.Selection(
        [
            (UserinfoFormat.JSON.value, "Plain (JSON)"),
            (UserinfoFormat.SIGNED.value, "Signed (JWS)"),
            (UserinfoFormat.ENCRYPTED.value, "Signed and encrypted (JWE)"),
        ],
        default=UserinfoFormat.JSON.value,
        help="The one form in which the provider tells who somebody is.",
    )
    claims = fields.Char(
        string="Claims request",
        help="JSON, for providers that tell only what is asked for (eSignet).",
    )
    acr_values = fields.Char(
        string="Wanted ways to authenticate",
        help="Sent to the provider, with spaces between, the best one first.",
    )
    accepted_acrs = fields.Char(
        string="Accepted ways to authenticate",
        help="A login by another way is refused. Empty: any way will do.",
    )
    always_fresh = fields.Boolean(
        string="Ask anew at every login",
        default=True,
        help="Nobody is let in because somebody authenticated in this browser before: "
        "people share phones, and officers' devices. A change of an address asks anew "
        "in any case.",
    )
    fresh_prompt = fields.Char(
        string="Prompt for a fresh login",
        help="Sent for a fresh login besides max_age=0: 'login' for Keycloak, nothing "
        "for eSignet.",
    )
    id_type_id = fields.Many2one(
        "spar.id.type",
        string="ID type",
        ondelete="restrict",
        help="What the ID is that this provider asserts; its strategy writes it.",
    )
    id_claim = fields.Char(
        string="Claim with the ID",
        default="sub",
        help="For example individual_id; sub for the provider's own token of a person.",
    )
    id_type_issuers = fields.Text(
        string="May be asserted by",
        related="id_type_id.issuers",
        help="The issuers whose logins are taken for IDs of this type, as the ID type "
        "says. Without this provider's issuer among them nobody gets in here.",
    )
    is_offered = fields.Boolean(
        string="Offered to beneficiaries",
        default=True,
        help="Shown at the entrance of the pages. Otherwise it is for whoever has its "
        "address.",
    )

    @api.model
    def _selection_preset(self):
        return presets.selection()

    @api.model
    def _selection_client_authentication(self):
        return [
            (ClientAuthentication.PRIVATE_KEY_JWT.value, "Signed assertion (our key)"),
            (ClientAuthentication.SECRET_BASIC.value, "Secret, in the header"),
            (ClientAuthentication.SECRET_POST.value, "Secret, in the form"),
        ]

    # === CHECKS === #

    @api.constrains("flow", "enabled", *_NEEDED)
    def _check_needed(self):
        for provider in self.filtered(lambda p: p.flow == FLOW and p.enabled):
            missing = [name for name in _NEEDED if not provider[name]]
            if missing:
                raise ValidationError(
                    self.env._(
                        "%(name)s cannot be switched on yet. Fill in: %(fields)s.",
                        name=provider.name,
                        fields=provider._get_labels(missing),
                    )
                )

    @api.constrains("algorithms")
    def _check_algorithms(self):
        for provider in self.filtered("algorithms"):
            unknown = set(provider.algorithms.split()) - set(discovery.ALGORITHMS)
            if unknown:
                raise ValidationError(
                    self.env._(
                        "Signature algorithms: %(names)s cannot be used. Take some of "
                        "%(known)s.",
                        names=" ".join(sorted(unknown)),
                        known=" ".join(discovery.ALGORITHMS),
                    )
                )

    @api.constrains("claims")
    def _check_claims(self):
        for provider in self.filtered("claims"):
            try:
                usable = isinstance(json.loads(provider.claims), dict)
            except ValueError:
                usable = False
            if not usable:
                raise ValidationError(
                    self.env._(
                        "Claims request: this is no JSON object, such as "
                        '{"userinfo": {"individual_id": {"essential": true}}}.'
                    )
                )

    def _get_labels(self, names: list[str]) -> str:
        labels = self.fields_get(names, ["string"])
        return ", ".join(labels[name]["string"] for name in names)

    # === FILLING IN === #

    @api.onchange("preset")
    def _onchange_preset(self):
        self.update(presets.PRESETS[self.preset or "other"].values)

    @api.onchange("issuer")
    def _onchange_issuer(self):
        if not self.issuer or self.flow != FLOW:
            return None
        try:
            self.update(self._discover(discovery.get_address(self.issuer)))
        except LoginRefused as error:
            title = self.env._("The provider's description cannot be read")
            return {"warning": {"title": title, "message": self._explain(error)}}
        return None

    def action_discover(self):
        """Read the provider's description again; raises ValidationError on failure."""
        self.ensure_one()
        typed = self.discovery_uri or self.issuer or ""
        try:
            self.write(self._discover(discovery.get_address(typed)))
        except LoginRefused as error:
            raise ValidationError(self._explain(error)) from error

    def _discover(self, address: str) -> dict:
        """Return the values in the description, keeping earlier choices where possible.

        Raises ProviderUnavailable or WrongProvider.
        """
        found = discover(self._get_sender(), address)
        pushes = bool(found.par_endpoint) and (self.use_par or found.requires_par)
        return {
            "discovery_uri": address,
            "issuer": found.issuer,
            "auth_endpoint": found.authorization_endpoint,
            "token_endpoint": found.token_endpoint,
            "validation_endpoint": found.userinfo_endpoint,
            "jwks_uri": found.jwks_uri,
            "end_session_endpoint": found.end_session_endpoint,
            "par_endpoint": found.par_endpoint,
            "use_par": pushes,
            "tells_issuer": found.sends_issuer,
            "algorithms": self._choose_algorithms(found),
            "client_authentication": self._choose_authentication(found),
        }

    def _choose_authentication(self, found: discovery.Discovered) -> str:
        """Return the chosen method if it is offered, else the first that is."""
        offered = [method.value for method in found.client_authentications]
        chosen = self.client_authentication
        return chosen if chosen in offered or not offered else offered[0]

    def _choose_algorithms(self, found: discovery.Discovered) -> str:
        """Return the chosen algorithms that are offered, else all strong ones.

        If no strong one is offered, that is RS256.
        """
        chosen = set((self.algorithms or "").split()) & set(found.algorithms)
        strong = [name for name in found.algorithms if name != "RS256"]
        return " ".join(
            name
            for name in found.algorithms
            if name in (chosen or strong or found.algorithms)
        )

    def _explain(self, error: LoginRefused) -> str:
        """Return the explanation for an administrator of a provider that fails."""
        return self.env._(
            "%(issuer)s: %(cause)s (%(detail)s). Check the address, and that this "
            "server may reach it.",
            issuer=self.issuer or "",
            cause=error.code.replace("_", " "),
            detail=error.reason or "-",
        )
