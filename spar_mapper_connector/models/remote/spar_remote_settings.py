from urllib.parse import urlsplit

from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ...exceptions import KeyMissing, OutgoingRefused
from ...lib.access_tokens import ASSERTION, NONE, SECRET, STATIC, RemoteCredentials
from ...lib.g2p_connect.parties import Parties
from ...lib.g2p_connect.signing import IN_HTTP_HEADER, IN_MESSAGE, KEY_USE
from ...lib.jose.exceptions import KeyRefused
from ...lib.jose.key_sets import CACHE
from ...lib.jose.keys import ALGORITHMS, PublicKey, read_public_key
from ...lib.network_targets import NetworkTarget
from ...lib.remote import dialects
from ...lib.remote.dialects import Dialect
from ...lib.remote.exchange import HttpExchange, RemoteTarget

#: Fields that decide where requests go and whose answers are believed: each takes two
#: people to change while the backend is in use.
REMOTE_FIELDS = (
    "url",
    "dialect",
    "sender_id",
    "receiver_id",
    "authentication",
    "token_url",
    "client_id",
    "scope",
    "assertion_audience",
    "secret",
    "signature_place",
    "signature_algorithm",
    "answer_place",
    "answer_key",
    "answer_keys_url",
    "asks_details",
    "is_asynchronous",
    "timeout",
    "chunk_size",
)

_PLACES = [
    (IN_MESSAGE, "In the message (jws_envelope)"),
    (IN_HTTP_HEADER, "In the HTTP header (jws_header)"),
]
MAX_TIMEOUT, MAX_CHUNK = 60, 5000


class SparRemoteSettings(models.AbstractModel):
    """Where another mapper is, how we prove who we are, and how it does."""

    _name = "spar.remote.settings"
    _description = "Settings of a remote mapper"

    is_remote = fields.Boolean(string="Is remote", compute="_compute_is_remote")
    url = fields.Char(
        string="URL",
        help="The address below which the mapper's paths are: "
        "https://spar.example.org/spar/v1 for another SPAR, "
        "https://host/api/mapper for OpenG2P.",
    )
    dialect = fields.Selection(
        selection=lambda self: dialects.selection(),
        default=dialects.G2P_CONNECT.code,
        help="The protocol that the mapper speaks.",
    )
    sender_id = fields.Char(
        string="Our sender ID", help="Our name in the messages, as the mapper knows it."
    )
    receiver_id = fields.Char(
        string="Its receiver ID",
        help="The mapper's name in the messages. Answers of another name are refused.",
    )
    authentication = fields.Selection(
        [
            (NONE, "None"),
            (STATIC, "Fixed bearer token"),
            (SECRET, "Token, obtained with a client secret"),
            (ASSERTION, "Token, obtained with a signed assertion"),
        ],
        required=True,
        default=SECRET,
    )
    token_url = fields.Char(
        string="Token endpoint",
        help="The OAuth 2.0 token endpoint of the mapper; for another SPAR its URL "
        "with /oauth2/client/token.",
    )
    client_id = fields.Char(
        string="Client ID", help="Our client ID at the token endpoint."
    )
    scope = fields.Char(help="Requested with the token, if set.")
    assertion_audience = fields.Char(
        string="Audience of the assertion",
        help="By default the token endpoint. Some providers require their issuer.",
    )
    secret = fields.Char(
        compute="_compute_secret",
        inverse="_inverse_secret",
        compute_sudo=False,
        groups="spar_fa_directory.group_administrator",
        help="The bearer token or the client secret. It is stored sealed and never "
        "shown again.",
    )
    has_secret = fields.Boolean(string="Secret is set", compute="_compute_secret_state")
    signature_place = fields.Selection(
        _PLACES,
        string="Our signature",
        default=IN_MESSAGE,
        help="Where our messages are signed; empty if they are not signed.",
    )
    signature_algorithm = fields.Selection(
        [(name, name) for name in ALGORITHMS],
        string="Signature algorithm",
        required=True,
        default="ES256",
    )
    our_public_key = fields.Text(
        string="Our public key (JWK)",
        compute="_compute_our_public_key",
        groups="spar_fa_directory.group_administrator",
        help="Register it at the mapper. It verifies our signatures and assertions.",
    )
    answer_place = fields.Selection(
        _PLACES,
        string="Its signature",
        default=IN_MESSAGE,
        help="Where its answers must be signed. Answers without a valid signature are "
        "refused; empty if no signature was agreed.",
    )
    answer_key = fields.Text(
        string="Its public key",
        help="PEM, X.509 certificate or JWK. It is used before the key set's keys.",
    )
    answer_keys_url = fields.Char(
        string="Its key set (JWKS URL)",
        help="For another SPAR its URL with /.well-known/jwks.json. Use it where the "
        "mapper replaces its keys.",
    )
    asks_details = fields.Boolean(
        string="Ask for addresses",
        default=True,
        help="Without, it only says whether an ID has an address. The mapper must "
        "permit it.",
    )
    is_asynchronous = fields.Boolean(
        string="Answers later",
        help="For a mapper that only acknowledges messages: its answers come by "
        "callback, or are asked for by the status of the transaction.",
    )
    callback_url = fields.Char(
        string="Callback URL",
        compute="_compute_callback_url",
        help="Register it at the mapper: its answers are posted below it, and must be "
        "signed.",
    )
    timeout = fields.Integer(
        string="Time-out (seconds)",
        required=True,
        default=10,
        help="For each request. A change without an answer is asked about afterwards: "
        "a call can last up to three times as long.",
    )
    chunk_size = fields.Integer(
        string="Items in a message",
        required=True,
        default=100,
        help="Longer batches are sent in several messages.",
    )

    @api.depends("implementation")
    def _compute_is_remote(self) -> None:
        for backend in self:
            name = backend.implementation
            backend.is_remote = bool(name) and self.env[name]._is_remote

    def _compute_callback_url(self) -> None:
        for backend in self:
            path = f"/spar/callback/{backend.id}" if backend.id else ""
            backend.callback_url = path and f"{backend.get_base_url()}{path}"

    # === CHECKS === #

    @api.constrains("dialect", "is_asynchronous")
    def _check_asynchronous(self) -> None:
        for backend in self.filtered("is_asynchronous"):
            if not backend._get_dialect().async_path:
                raise ValidationError(
                    self.env._("Answers later: this dialect has no such messages.")
                )

    @api.constrains("url", "token_url", "answer_keys_url")
    def _check_urls(self) -> None:
        for backend in self:
            for name in ("url", "token_url", "answer_keys_url"):
                if backend[name]:
                    backend._check_url(name)

    def _check_url(self, name: str) -> None:
        """Raise ValidationError unless a URL is whole; reaching it is tested later."""
        label = self._fields[name]._description_string(self.env)
        try:
            NetworkTarget.parse(self[name])
        except OutgoingRefused as error:
            raise ValidationError(
                self.env._("%(field)s: %(cause)s.", field=label, cause=error)
            ) from None
        parts = urlsplit(self[name])
        if parts.query or parts.fragment:
            raise ValidationError(
                self.env._(
                    "%(field)s: remove the query or fragment (from ? or # on).",
                    field=label,
                )
            )

    @api.constrains("timeout", "chunk_size")
    def _check_limits(self) -> None:
        for backend in self:
            if not 1 <= backend.timeout <= MAX_TIMEOUT:
                raise ValidationError(
                    self.env._(
                        "Time-out: enter 1 to %(maximum)s seconds.", maximum=MAX_TIMEOUT
                    )
                )
            if not 1 <= backend.chunk_size <= MAX_CHUNK:
                raise ValidationError(
                    self.env._(
                        "Items in a message: enter 1 to %(maximum)s.", maximum=MAX_CHUNK
                    )
                )

    @api.constrains("answer_key")
    def _check_answer_key(self) -> None:
        for backend in self.filtered("answer_key"):
            try:
                read_public_key(backend.answer_key)
            except KeyRefused as error:
                raise ValidationError(
                    self.env._("Its public key: %(cause)s.", cause=error)
                ) from None

    # === THE SECRET AND THE KEYS === #

    def _compute_secret(self) -> None:
        """Leave the field empty: a stored secret is never shown."""
        self.secret = False

    def _inverse_secret(self) -> None:
        for backend in self.filtered("secret"):
            self.env["spar.backend.secret"]._store(backend.id, backend.secret)

    def _compute_secret_state(self) -> None:
        owners = self.env["spar.backend.secret"]._find_owners(self.ids)
        for backend in self:
            backend.has_secret = backend.id in owners

    @api.depends("signature_algorithm", "signature_place", "authentication")
    def _compute_our_public_key(self) -> None:
        """Show the public half of the key that signs; it is made on first use."""
        keys = self.env["spar.signing.key"]
        for backend in self:
            key_sudo = keys._search_key(KEY_USE, backend.signature_algorithm, "current")
            backend.our_public_key = key_sudo.public_jwk or False

    def action_make_key(self) -> None:
        """Make the key that signs our messages, so that it can be registered."""
        self.ensure_one()
        self.check_access("write")
        self.env["spar.signing.key"]._generate(KEY_USE, self.signature_algorithm)
        self.invalidate_recordset(["our_public_key"])

    # === USE === #

    def _get_dialect(self) -> Dialect:
        return dialects.get_dialect(self.dialect or dialects.G2P_CONNECT.code)

    def _get_parties(self) -> Parties:
        return Parties(
            self.sender_id or "",
            self.receiver_id or "",
            self.callback_url if self._receives_callbacks() else "",
        )

    def _receives_callbacks(self) -> bool:
        """Return whether answers may arrive by callback: they have to be signed."""
        return bool(self.is_asynchronous and self.answer_place)

    @api.model
    def _find_by_callback(self, backend_id: int):
        """Return the backend whose answers are posted to its callback URL, or none.

        Raises SettingsAltered.
        """
        backend_sudo = self.sudo().search([("id", "=", backend_id)])
        if not backend_sudo.is_remote or not backend_sudo._receives_callbacks():
            return self.browse()
        return backend_sudo._bind()._get_backend().sudo()

    def _open_exchange(self) -> HttpExchange:
        """Return what sends requests to this mapper, and proves its answers.

        It is the one way to another mapper: every implementation that calls this
        backend's URL uses it. Raises CalledFromExpression, KeyringUnavailable,
        KeyringMismatch or SealBroken.
        """
        self.ensure_one()
        # Expressions are refused even where nothing is signed.
        self.env["spar.keyring"]._open()
        return HttpExchange(
            RemoteTarget(
                url=self.url or "",
                credentials=self._get_credentials(),
                timeout=float(self.timeout),
                signature_place=self.signature_place or "",
                answer_place=self.answer_place or "",
            ),
            sign=self._sign_message,
            find_key=self._find_answer_key,
            sign_claims=self._sign_claims,
        )

    def _get_credentials(self) -> RemoteCredentials:
        if self.authentication == NONE:
            return RemoteCredentials()
        needs_secret = self.authentication != ASSERTION
        return RemoteCredentials(
            kind=self.authentication,
            secret=(
                self.env["spar.backend.secret"]._get(self.id) if needs_secret else ""
            ),
            token_url=self.token_url or "",
            client_id=self.client_id or "",
            scope=self.scope or "",
            audience=self.assertion_audience or "",
        )

    def _sign_message(self, payload: bytes) -> str:
        keys, algorithm = self.env["spar.signing.key"], self.signature_algorithm
        try:
            return keys._sign(KEY_USE, payload, algorithm)
        except KeyMissing:
            keys._generate(KEY_USE, algorithm)
            return keys._sign(KEY_USE, payload, algorithm)

    def _sign_claims(self, claims: dict[str, object]) -> str:
        keys, algorithm = self.env["spar.signing.key"], self.signature_algorithm
        return keys._sign_token(KEY_USE, claims, algorithm=algorithm)

    def _find_answer_key(self, kid: str, algorithm: str) -> PublicKey | None:
        """Return the mapper's key: the one entered here, else one of its key set.

        Raises KeySetUnavailable.
        """
        if self.answer_key:
            key = read_public_key(self.answer_key)
            names = ("", key.kid, key.thumbprint)
            if algorithm in key.algorithms and (
                kid in names or not self.answer_keys_url
            ):
                return key
        if self.answer_keys_url:
            return CACHE.find(self.answer_keys_url, kid, algorithm)
        return None
