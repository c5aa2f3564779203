import hmac
import secrets
from datetime import datetime, timezone

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ..exceptions import InvalidClient, InvalidToken
from ..lib import tokens
from ..lib.caller import Caller
from ..lib.token_request import TokenRequest
from .spar_participant import CALLER_FIELDS


class SparParticipant(models.Model):
    """Knowing a participant by its secret, and then by the token given for it.

    Of a secret only a digest is kept, under a key that is not in the database, in a
    column that the ORM does not know: no form, export or remote call can read it.
    """

    _inherit = "spar.participant"

    client_secret_digest = fields.Char(
        string="Client secret",
        compute="_compute_client_secret_digest",
        inverse="_inverse_client_secret_digest",
        groups="spar_fa_directory.group_administrator",
    )

    token_issuer_id = fields.Many2one(
        "spar.token.issuer",
        string="Issuer of its tokens",
        ondelete="restrict",
        help="Empty: this registry, for the client ID and secret.",
    )
    issuer_client_id = fields.Char(
        string="Client ID there", help="What that issuer calls it (azp, client_id)."
    )

    _issuer_client_uniq = models.UniqueIndex(
        "(token_issuer_id, issuer_client_id) WHERE token_issuer_id IS NOT NULL",
        "Another participant has this client ID at that issuer.",
    )

    def init(self) -> None:
        self.env.cr.execute(
            "ALTER TABLE spar_participant ADD COLUMN IF NOT EXISTS secret_digest bytea"
        )
        return super().init()

    def _set_new_client_secret(self) -> str:
        """A new client secret of 256 bits, in clear this once.

        In place of an active participant's old one it works as soon as a second person
        has approved it. Raises KeyringUnavailable or KeyringMismatch.
        """
        self.ensure_one()
        secret = secrets.token_urlsafe(32)
        digest = self.env["spar.keyring"]._open().secret_digest(secret)
        self.write({"client_secret_digest": digest.hex()})
        return secret

    def _compute_client_secret_digest(self) -> None:
        """Nothing: not even a digest is shown."""
        self.client_secret_digest = False

    def _inverse_client_secret_digest(self) -> None:
        for participant in self.filtered("client_secret_digest"):
            self.env.cr.execute(
                SQL(
                    "UPDATE spar_participant SET secret_digest = %s WHERE id = %s",
                    bytes.fromhex(participant.client_secret_digest),
                    participant.id,
                )
            )

    # === TOKENS === #

    @api.model
    def _grant_token(self, request: TokenRequest) -> dict:
        """The answer to a token request (RFC 6749 5.1); raises TokenRefused."""
        keyring = self.env["spar.keyring"]._open()
        participant = self._get_client(keyring, request)
        scope = tokens.grant_scope(request.scope, participant._get_operations())
        claims = tokens.Claims(participant.client_id, scope)
        now = datetime.now(timezone.utc)
        return {
            "access_token": tokens.issue(
                keyring.token_key, self._get_audience(), claims, now
            ),
            "token_type": "bearer",
            # A text in the published contract, a number in RFC 6749.
            "expires_in": str(int(tokens.LIFETIME.total_seconds())),
            "scope": scope or tokens.build_scope(participant._get_operations()),
        }

    @api.model
    def _get_client(self, keyring, request: TokenRequest):
        """The active participant with these credentials; raises InvalidClient.

        Who is unknown takes as long as who has the wrong secret.
        """
        if request.assertion:
            return self._get_asserted(request.client_id, request.assertion)
        rows = self.env.execute_query(
            SQL(
                "SELECT id, secret_digest FROM spar_participant WHERE client_id = %s",
                request.client_id,
            )
        )
        participant_id, kept = rows[0] if rows else (False, None)
        given = keyring.secret_digest(request.client_secret)
        matches = hmac.compare_digest(given, bytes(kept) if kept else bytes(32))
        participant = self.browse(participant_id)
        if not (kept and matches and participant._may_call()):
            raise InvalidClient()
        return participant

    @api.model
    def _get_caller(self, token: str) -> Caller:
        """Who calls with ``token``, and what it may do now.

        Raises ExpiredToken, InvalidToken, KeyringUnavailable or KeyringMismatch.
        """
        if tokens.is_ours(token):
            keyring = self.env["spar.keyring"]._open()
            claims = tokens.read(keyring.token_key, self._get_audience(), token)
            domain = Domain("client_id", "=", claims.client_id)
        else:
            issuer_id, claims = self.env["spar.token.issuer"]._read_token(token)
            domain = Domain("token_issuer_id", "=", issuer_id)
            domain &= Domain("issuer_client_id", "=", claims.client_id)
        participant = self.search_fetch(domain, CALLER_FIELDS, limit=1)
        if not participant._may_call():
            raise InvalidToken()
        operations = claims.narrow(participant._get_operations())
        return participant._build_caller(operations)

    @api.model
    def _get_audience(self) -> str:
        """What our tokens are for: this database and none of its copies."""
        parameters_sudo = self.env["ir.config_parameter"].sudo()
        return parameters_sudo.get_param("database.uuid")
