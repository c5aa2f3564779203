from urllib.parse import urlsplit

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import SQL

from odoo.addons.spar_mapper_connector.exceptions import OutgoingRefused, TargetUnknown
from odoo.addons.spar_mapper_connector.lib.outgoing import check_url

from ..lib.delivery import Credentials


class SparParticipant(models.Model):
    """The callback address of a participant, and how we authenticate there."""

    _inherit = "spar.participant"  # pylint: disable=consider-merging-classes-inherited

    callback_url = fields.Char(
        string="Callback address",
        help="The answers to asynchronous messages are posted below it, for example to "
        "https://payments.example.org/spar/on-link.",
    )
    callback_auth = fields.Selection(
        [
            ("none", "Nothing"),
            ("static", "A fixed bearer token"),
            ("oauth2", "A token of their token endpoint"),
        ],
        string="Authentication there",
        required=True,
        default="none",
    )
    callback_token_url = fields.Char(string="Their token endpoint")
    callback_client_id = fields.Char(string="Our client ID there")
    callback_scope = fields.Char(string="Scope there")
    callback_secret = fields.Char(
        string="Secret there",
        compute="_compute_callback_secret",
        inverse="_inverse_callback_secret",
        compute_sudo=False,
        groups="spar_fa_directory.group_administrator",
        help="The bearer token, or our client secret at their token endpoint. Kept "
        "sealed, and never shown again.",
    )
    has_callback_secret = fields.Boolean(
        string="A secret is kept", compute="_compute_has_callback_secret"
    )

    @api.constrains("callback_url", "callback_token_url")
    def _check_callback_addresses(self) -> None:
        """Ensure that both use https and a public or explicitly allowed address."""
        for participant in self:
            for name in ("callback_url", "callback_token_url"):
                if participant[name]:
                    participant._check_callback_address(name)

    def _check_callback_address(self, name: str) -> None:
        url, label = self[name], self._fields[name].string
        if urlsplit(url).query or urlsplit(url).fragment:
            raise ValidationError(
                self.env._("%(field)s: leave out what follows ? or #.", field=label)
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
                self.env._("%(field)s: this host is not known.", field=label)
            ) from None

    @api.constrains("callback_auth", "callback_token_url", "callback_client_id")
    def _check_callback_auth(self) -> None:
        for participant in self:
            lacks = not (
                participant.callback_token_url and participant.callback_client_id
            )
            if participant.callback_auth == "oauth2" and lacks:
                raise ValidationError(
                    self.env._("Say their token endpoint and our client ID there.")
                )

    # === THE SECRET === #

    def _compute_callback_secret(self) -> None:
        """Leave the field empty: a stored secret is never shown."""
        self.callback_secret = False

    def _inverse_callback_secret(self) -> None:
        for participant in self.filtered("callback_secret"):
            self.env["spar.callback.secret"]._put(
                participant.id, participant.callback_secret
            )

    def _compute_has_callback_secret(self) -> None:
        rows = self.env.execute_query(
            SQL(
                "SELECT participant_id FROM spar_callback_secret"
                " WHERE participant_id = ANY(%s)",
                self.ids,
            )
        )
        having = {participant_id for (participant_id,) in rows}
        for participant in self:
            participant.has_callback_secret = participant.id in having

    def _get_callback_credentials(self) -> Credentials:
        """Return how to authenticate at the callback address."""
        self.ensure_one()
        if self.callback_auth == "none":
            return Credentials()
        return Credentials(
            kind=self.callback_auth,
            secret=self.env["spar.callback.secret"]._get(self.id),
            token_url=self.callback_token_url or "",
            client_id=self.callback_client_id or "",
            scope=self.callback_scope or "",
        )
