import json
import time

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.fields import Domain

from ...exceptions import InvalidIdentifier, KeyMissing
from ...lib import outgoing
from ...lib.id_rules import CardCheck
from ...lib.jose.exceptions import DecryptionFailed
from ...lib.jose.key_sets import CACHE
from ...lib.jose.keys import ENCRYPTION_ALGORITHM
from ...lib.oidc import discovery, presets
from ...lib.oidc.authorization import LoginAttempt, read_response
from ...lib.oidc.exceptions import (
    LoginRefused,
    NoUsableId,
    ProviderNotReady,
    UserinfoRefused,
)
from ...lib.oidc.relying_party import Ports, RelyingParty, discover
from ...lib.oidc.settings import ClientAuthentication, ProviderSettings, UserinfoFormat
from ...lib.oidc.signed import read_signed
from ...lib.oidc.verified import VerifiedLogin

#: Fields that are required before anyone can log in.
REQUIRED_FIELDS = (
    "client_id",
    "issuer",
    "auth_endpoint",
    "token_endpoint",
    "validation_endpoint",
    "jwks_uri",
    "algorithms",
    "id_type_id",
    "id_claim",
)
ADMINISTRATOR = "spar_fa_directory.group_administrator"


class SparOidcClient(models.AbstractModel):
    """Our client at an OpenID provider at which people authenticate.

    A model that inherits it also has the fields ``name``, ``enabled``, ``client_id``,
    ``auth_endpoint``, ``validation_endpoint`` (userinfo) and ``scope``. It changes by
    two people: a provider asserts who people are. Our keys and our secret for it are
    sealed, and in no readable field.
    """

    _name = "spar.oidc.client"
    _description = "Client at an OpenID provider"
    _inherit = ["spar.sealed.storage", "spar.second.person", "spar.sealed.setting"]

    _guarded_fields = (
        "enabled",
        "client_id",
        "issuer",
        "discovery_uri",
        "auth_endpoint",
        "token_endpoint",
        "validation_endpoint",
        "jwks_uri",
        "par_endpoint",
        "use_par",
        "algorithms",
        "end_session_endpoint",
        "tells_issuer",
        "client_authentication",
        "assertion_audience",
        "assertion_algorithm",
        "client_secret",
        "userinfo_format",
        "scope",
        "claims",
        "acr_values",
        "accepted_acrs",
        "always_fresh",
        "fresh_prompt",
        "id_type_id",
        "id_claim",
    )
    _guarded_at_creation = ("enabled",)
    _guarded_secrets = ("client_secret",)
    _sealed_columns = ("client_secret_sealed",)
    _seal_purpose = "client secret"
    _seal_context_columns = ("id",)
    #: The use of our keys begins with this: each client has its own keys.
    _key_use = ""

    preset = fields.Selection(
        selection=lambda self: self._selection_preset(),
        default="other",
        help="Fills in the usual values for this kind of provider.",
    )
    issuer = fields.Char(
        help="The provider's issuer URL, for example https://id.example.org, or the "
        "URL of its openid-configuration. The other URLs are read from there.",
    )
    discovery_uri = fields.Char(
        string="Discovery URL",
        help="Where the provider publishes its metadata (openid-configuration).",
    )
    token_endpoint = fields.Char(string="Token URL")
    jwks_uri = fields.Char(string="JWKS URL")
    end_session_endpoint = fields.Char(string="Log-out URL")
    par_endpoint = fields.Char(string="Pushed authorization URL")
    use_par = fields.Boolean(
        string="Push authorization requests",
        help="The request is sent to the provider beforehand; the browser carries only "
        "a reference to it (RFC 9126).",
    )
    tells_issuer = fields.Boolean(
        string="Sends its issuer",
        help="Responses without the provider's issuer are refused (RFC 9207).",
    )
    client_authentication = fields.Selection(
        string="Client authentication",
        selection=lambda self: self._selection_client_authentication(),
        default=ClientAuthentication.PRIVATE_KEY_JWT.value,
        help="How this server authenticates to the provider.",
    )
    assertion_audience = fields.Selection(
        [("endpoint", "The endpoint that is called"), ("issuer", "The issuer")],
        string="Audience of our assertions",
        default="endpoint",
        help="The audience of our signed assertions. Keycloak recommends the issuer.",
    )
    algorithms = fields.Char(
        string="Signature algorithms",
        help="The accepted algorithms, separated by spaces: PS256 ES256 EdDSA RS256.",
    )
    userinfo_format = fields.Selection(
        [
            (UserinfoFormat.JSON.value, "Plain (JSON)"),
            (UserinfoFormat.SIGNED.value, "Signed (JWS)"),
            (UserinfoFormat.ENCRYPTED.value, "Signed and encrypted (JWE)"),
        ],
        string="Userinfo format",
        default=UserinfoFormat.JSON.value,
        help="The only format in which the provider's userinfo is accepted.",
    )
    claims = fields.Char(
        string="Claims request",
        help="JSON, for providers that return only the claims that are requested "
        "(eSignet).",
    )
    acr_values = fields.Char(
        string="Requested authentication contexts (ACR)",
        help="Sent to the provider, separated by spaces, in order of preference.",
    )
    accepted_acrs = fields.Char(
        string="Accepted authentication contexts (ACR)",
        help="A login with any other one is refused. Leave empty to accept all.",
    )
    always_fresh = fields.Boolean(
        string="Always require a fresh login",
        default=True,
        help="The provider authenticates the person at every login, even if somebody "
        "has already authenticated in this browser: people share phones, and officers' "
        "devices. A change of an address always requires a fresh login.",
    )
    fresh_prompt = fields.Char(
        string="Prompt for a fresh login",
        help="Sent with max_age=0 to require a fresh login: 'login' for Keycloak, "
        "empty for eSignet.",
    )
    id_type_id = fields.Many2one(
        "spar.id.type",
        string="ID type",
        ondelete="restrict",
        help="The type of the IDs that this provider asserts. Its strategy writes "
        "them.",
    )
    id_claim = fields.Char(
        string="Claim with the ID",
        default="sub",
        help="For example individual_id, or sub for the provider's own token for a "
        "person.",
    )
    id_type_issuers = fields.Text(
        string="Trusted issuers",
        related="id_type_id.issuers",
        help="The issuers whose logins are accepted for IDs of this type. They are set "
        "on the ID type. No login is possible unless this provider's issuer is listed.",
    )
    client_secret = fields.Char(
        string="Client secret",
        compute="_compute_client_secret",
        inverse="_inverse_client_secret",
        groups=ADMINISTRATOR,
        copy=False,
        help="Stored encrypted, and never shown again.",
    )
    has_client_secret = fields.Boolean(
        string="Secret is set", compute="_compute_client_secret"
    )
    assertion_algorithm = fields.Selection(
        [("PS256", "PS256"), ("ES256", "ES256"), ("RS256", "RS256")],
        string="Algorithm of our assertions",
        default="PS256",
        help="Our key signs with this algorithm. Register the key with the provider's "
        "operator.",
    )
    public_keys = fields.Text(
        string="Our public keys (JWKS)",
        compute="_compute_public_keys",
        help="For the provider's operator: these keys, or the URL where they are "
        "published.",
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

    @api.model_create_multi
    def create(self, vals_list):
        clients = super().create(vals_list)
        clients._make_missing_keys()
        return clients

    def write(self, vals):
        result = super().write(vals)
        self._make_missing_keys()
        return result

    def _is_ours(self) -> bool:
        """Return whether this client is used as this model says."""
        return True

    # === USABLE CLIENTS === #

    @api.model
    def _search_usable(self, domain=Domain.TRUE):
        """Return the clients that are enabled and as two people approved them."""
        usable_sudo = self.sudo().search(Domain("enabled", "=", True) & Domain(domain))
        return usable_sudo and usable_sudo._filter_true()

    def _check_usable(self) -> None:
        """Raise ProviderNotReady unless people may log in here."""
        if not self._search_usable([("id", "in", self.ids)]):
            raise ProviderNotReady("disabled")

    # === CHECKS === #

    def _get_required_fields(self) -> tuple[str, ...]:
        return REQUIRED_FIELDS

    @api.constrains("enabled", *REQUIRED_FIELDS)
    def _check_required_fields(self):
        for client in self.filtered(lambda c: c._is_ours() and c.enabled):
            missing = [n for n in client._get_required_fields() if not client[n]]
            if missing:
                raise ValidationError(
                    self.env._(
                        "%(name)s cannot be enabled yet. Fill in: %(fields)s.",
                        name=client.name,
                        fields=client._get_labels(missing),
                    )
                )

    @api.constrains("algorithms")
    def _check_algorithms(self):
        for provider in self.filtered("algorithms"):
            unknown = set(provider.algorithms.split()) - set(discovery.ALGORITHMS)
            if unknown:
                raise ValidationError(
                    self.env._(
                        "Signature algorithms: %(names)s cannot be used. Choose from "
                        "%(allowed)s.",
                        names=" ".join(sorted(unknown)),
                        allowed=" ".join(discovery.ALGORITHMS),
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
                        "Claims request: this is not a JSON object, such as "
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
        if not self.issuer or not self._is_ours():
            return None
        try:
            self.update(self._discover(discovery.get_address(self.issuer)))
        except LoginRefused as error:
            title = self.env._("The provider's metadata cannot be read")
            return {"warning": {"title": title, "message": self._explain(error)}}
        return None

    def action_discover(self):
        """Read the provider's metadata again. Raises ValidationError on failure."""
        self.ensure_one()
        typed = self.discovery_uri or self.issuer or ""
        try:
            self.write(self._discover(discovery.get_address(typed)))
        except LoginRefused as error:
            raise ValidationError(self._explain(error)) from error

    def _discover(self, address: str) -> dict:
        """Return the values in the metadata, keeping earlier choices where possible.

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

    def _choose_authentication(self, found: discovery.ProviderMetadata) -> str:
        """Return the chosen method if it is offered, else the first that is."""
        offered = [method.value for method in found.client_authentications]
        chosen = self.client_authentication
        return chosen if chosen in offered or not offered else offered[0]

    def _choose_algorithms(self, found: discovery.ProviderMetadata) -> str:
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
            "%(issuer)s: %(cause)s (%(detail)s). Check the URL, and that this server "
            "can reach it.",
            issuer=self.issuer or "",
            cause=error.code.replace("_", " "),
            detail=error.reason or "-",
        )

    def _register_issuers(self):
        """Let these providers assert IDs of their ID types; this is for set-ups."""
        for client in self.sudo().filtered(lambda c: c.issuer and c.id_type_id):
            issuers = client.id_type_id._get_issuers()
            if client.issuer not in issuers:
                client.id_type_id.issuers = "\n".join([*issuers, client.issuer])

    # === A SECOND ADMINISTRATOR === #

    def _is_guarded(self, name, value):
        """Guard every change while people log in here.

        Enabling the provider is guarded too, but disabling it is not.
        """
        if not self._is_ours():
            return False
        return bool(value) if name == "enabled" else self.enabled

    def _stops(self, name, value):
        return name == "enabled" and not value

    def _begins(self, values):
        return bool(values.get("enabled"))

    # === OUR KEYS === #

    def _get_key_use(self) -> str:
        """Return the use of our keys for this provider: each one has its own keys."""
        return f"{self._key_use}.{self.id}"

    def _get_needed_algorithms(self) -> list[str]:
        """Return the algorithms for which we need keys."""
        if not self._is_ours():
            return []
        needed = []
        if self.client_authentication == ClientAuthentication.PRIVATE_KEY_JWT.value:
            needed.append(self.assertion_algorithm)
        if self.userinfo_format == UserinfoFormat.ENCRYPTED.value:
            needed.append(ENCRYPTION_ALGORITHM)
        return needed

    def _make_missing_keys(self) -> None:
        for provider in self:
            for algorithm in provider._get_needed_algorithms():
                self.env["spar.signing.key"]._generate(
                    provider._get_key_use(), algorithm
                )

    def _get_key_set(self) -> dict:
        """Return our public keys as the provider may fetch them (JWKS)."""
        self.ensure_one()
        return self.env["spar.signing.key"]._get_key_set(self._get_key_use())

    @api.depends("client_authentication", "assertion_algorithm", "userinfo_format")
    def _compute_public_keys(self):
        for provider in self:
            keys = provider._get_key_set()["keys"] if provider.ids else []
            text = json.dumps({"keys": keys}, indent=2) if keys else False
            provider.public_keys = text

    def _sign_assertion(self, claims: dict) -> str:
        """Return a client assertion; raises ProviderNotReady where there is no key."""
        try:
            return self.env["spar.signing.key"]._sign_token(
                self._get_key_use(), claims, algorithm=self.assertion_algorithm
            )
        except KeyMissing as error:
            raise ProviderNotReady("key") from error

    def _decrypt(self, text: str) -> str:
        """Return what was encrypted for us; raises UserinfoRefused."""
        keys = self.env["spar.signing.key"]
        try:
            return keys._decrypt(self._get_key_use(), text).decode("ascii")
        except (DecryptionFailed, UnicodeDecodeError) as error:
            raise UserinfoRefused("encryption") from error

    # === THE SHARED SECRET === #

    def _compute_client_secret(self):
        sealed_ids = self._get_sealed_ids()
        for provider in self:
            provider.client_secret = False
            provider.has_client_secret = provider._origin.id in sealed_ids

    def _inverse_client_secret(self):
        for provider in self.filtered("client_secret"):
            provider._set_client_secret(provider.client_secret)

    def _set_client_secret(self, secret: str) -> None:
        """Seal and store the secret that the provider's operator issued to us."""
        self.check_access("write")
        self._write_sealed(secret)
        self.invalidate_recordset(["client_secret", "has_client_secret"])

    def _get_client_secret(self) -> str:
        """Return the secret in clear, for a request to the provider; "" for none.

        Raises KeyringUnavailable, KeyringMismatch or SealBroken.
        """
        return self._read_sealed() or ""

    # === THE LOGIN === #

    def _get_authorization_address(self, attempt: LoginAttempt) -> str:
        """Return where the browser goes to authenticate; raises LoginRefused."""
        locales = (self.env.lang or "en").replace("_", "-").partition("@")[0]
        party = self._get_relying_party()
        return party.build_address(attempt, locales, int(time.time()))

    def _verify_login(self, parameters: dict, attempt: LoginAttempt) -> VerifiedLogin:
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
        value = verified.get_id_claim(self.id_claim or "")
        id_type = self.id_type_id
        try:
            written, _found = id_type._read_claim(value, CardCheck.PEOPLE)
            # One spelling, whatever the provider's current one is.
            written = id_type._write_id(id_type._get_clean_value(written))
        except InvalidIdentifier as error:
            raise NoUsableId(error.code) from error
        if not id_type.sudo()._may_be_asserted_by(self.issuer):
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
        if not self._is_ours() or not (self.issuer and self.algorithms):
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
