from urllib.parse import urlsplit

from odoo import api, fields, models
from odoo.exceptions import ValidationError

from odoo.addons.spar_mapper_connector.exceptions import OutgoingRefused, TargetUnknown
from odoo.addons.spar_mapper_connector.lib.access_tokens import RemoteCredentials
from odoo.addons.spar_mapper_connector.lib.outgoing import check_url

#: The fields of this file; each takes two people to change.
CALLBACK_FIELDS = (
    "callback_url",
    "callback_auth",
    "callback_token_url",
    "callback_client_id",
    "callback_scope",
    "callback_secret",
)


class SparCallbackTarget(models.AbstractModel):
    """The callback URL of a participant, and how we authenticate there."""

    _name = "spar.callback.target"
    _description = "Target of callbacks"

    callback_url = fields.Char(
        string="Callback URL",
        help="The answers to asynchronous messages are posted below it, for example to "
        "https://payments.example.org/spar/on-link.",
    )
    callback_auth = fields.Selection(
        [
            ("none", "None"),
            ("static", "Fixed bearer token"),
            ("oauth2", "Token from the participant's token endpoint"),
        ],
        string="Callback authentication",
        required=True,
        default="none",
    )
    callback_token_url = fields.Char(
        string="Callback token endpoint",
        help="The participant's OAuth 2.0 token endpoint, where we get a token.",
    )
    callback_client_id = fields.Char(
        string="Callback client ID", help="Our client ID at that token endpoint."
    )
    callback_scope = fields.Char(string="Callback scope")
    callback_secret = fields.Char(
        string="Callback secret",
        compute="_compute_callback_secret",
        inverse="_inverse_callback_secret",
        compute_sudo=False,
        groups="spar_fa_directory.group_administrator",
        help="The bearer token, or our client secret at the participant's token "
        "endpoint. It is stored sealed and never shown again.",
    )
    has_callback_secret = fields.Boolean(
        string="Callback secret is set", compute="_compute_has_callback_secret"
    )

    @api.constrains("callback_url", "callback_token_url")
    def _check_callback_urls(self) -> None:
        """Ensure that both use https and a public or explicitly allowed address."""
        for participant in self:
            for name in ("callback_url", "callback_token_url"):
                if participant[name]:
                    participant._check_callback_url(name)

    def _check_callback_url(self, name: str) -> None:
        url, label = self[name], self._fields[name].string
        if urlsplit(url).query or urlsplit(url).fragment:
            raise ValidationError(
                self.env._(
                    "%(field)s: remove the query or fragment (from ? or # on).",
                    field=label,
                )
            )
        try:
            check_url(url)
        except OutgoingRefused:
            raise ValidationError(
                self.env._(
                    "%(field)s: it must begin with https:// and lead to a public "
                    "address.",
                    field=label,
                )
            ) from None
        except TargetUnknown:
            raise ValidationError(
                self.env._("%(field)s: the host cannot be found.", field=label)
            ) from None

    @api.constrains("callback_auth", "callback_token_url", "callback_client_id")
    def _check_callback_auth(self) -> None:
        for participant in self:
            is_complete = (
                participant.callback_token_url and participant.callback_client_id
            )
            if participant.callback_auth == "oauth2" and not is_complete:
                raise ValidationError(
                    self.env._(
                        "Enter the participant's token endpoint and the client ID it "
                        "gave us."
                    )
                )

    # === THE SECRET === #

    def _compute_callback_secret(self) -> None:
        """Leave the field empty: a stored secret is never shown."""
        self.callback_secret = False

    def _inverse_callback_secret(self) -> None:
        for participant in self.filtered("callback_secret"):
            self.env["spar.callback.secret"]._store(
                participant.id, participant.callback_secret
            )

    def _compute_has_callback_secret(self) -> None:
        owners = self.env["spar.callback.secret"]._find_owners(self.ids)
        for participant in self:
            participant.has_callback_secret = participant.id in owners

    def _get_callback_credentials(self) -> RemoteCredentials:
        """Return how to authenticate at the callback URL."""
        self.ensure_one()
        if self.callback_auth == "none":
            return RemoteCredentials()
        return RemoteCredentials(
            kind=self.callback_auth,
            secret=self.env["spar.callback.secret"]._get(self.id),
            token_url=self.callback_token_url or "",
            client_id=self.callback_client_id or "",
            scope=self.callback_scope or "",
        )
