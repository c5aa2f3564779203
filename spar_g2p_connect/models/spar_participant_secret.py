import hashlib
import secrets
import time
from dataclasses import replace
from datetime import datetime, timezone

from odoo import api, fields, models
from odoo.tools import SQL

from odoo.addons.spar_fa_directory.lib.row_cache import RowCache

from ..exceptions import InvalidClient, InvalidToken
from ..lib import tokens
from ..lib.caller import Caller
from ..lib.token_request import TokenRequest

#: Our tokens that this process has verified, by their digests.
_VERIFIED = RowCache()

#: The participant with this client ID at an issuer.
_OF_ISSUER = """p.issuer_client_id = %s AND p.token_issuer_id = (
    SELECT id FROM spar_token_issuer WHERE issuer = %s AND active)"""


class SparParticipant(models.Model):
    """Authentication by a secret, and then by the token issued for it.

    Only a digest of a secret is stored, computed with a key that is not in the
    database, and in a column that the ORM does not know: no form, export or remote call
    can read it.
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
        """Return a new client secret of 256 bits, in clear only this once.

        Where it replaces an active participant's secret, it works as soon as a second
        person has approved it. Raises KeyringUnavailable or KeyringMismatch.
        """
        self.ensure_one()
        secret = secrets.token_urlsafe(32)
        keyring = self.env["spar.keyring"]._open()
        digest = keyring.secret_digest(self.client_id, secret)
        self.write({"client_secret_digest": digest.hex()})
        return secret

    def _compute_client_secret_digest(self) -> None:
        """Leave the field empty: not even a digest is shown."""
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
        """Return the answer to a token request (RFC 6749 5.1); raises TokenRefused."""
        keyring = self.env["spar.keyring"]._open()
        participant = self._get_client(keyring, request)
        scope = tokens.grant_scope(request.scope, participant._get_operations())
        claims = tokens.Claims(participant.client_id, scope)
        now = datetime.now(timezone.utc)
        return {
            "access_token": tokens.issue(
                keyring.token_mac, self._get_audience(), claims, now
            ),
            "token_type": "bearer",
            # A text in the published contract, a number in RFC 6749.
            "expires_in": str(int(tokens.LIFETIME.total_seconds())),
            "scope": scope or tokens.build_scope(participant._get_operations()),
        }

    @api.model
    def _get_client(self, keyring, request: TokenRequest):
        """Return the active participant with these credentials; raises InvalidClient.

        An unknown client takes as long as a wrong secret.
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
        # A dummy digest stands in for a missing one, so that timing reveals no client
        # ID.
        matches = keyring.is_secret(
            request.client_id, request.client_secret, bytes(kept) if kept else bytes(32)
        )
        participant = self.browse(participant_id)
        if not (kept and matches and participant._may_call()):
            raise InvalidClient()
        if not participant.sudo()._filter_true():
            raise InvalidClient()
        return participant

    @api.model
    def _get_caller(self, token: str) -> Caller:
        """Return the caller with ``token``, and what it may do now.

        Raises ExpiredToken, InvalidToken, KeyringUnavailable or KeyringMismatch.
        """
        named = tokens.read_names(token)
        if named.is_ours:
            known = self._know("p.client_id = %s", named.client_id)
            claims = self._read_token(token)
        else:
            known = self._know(_OF_ISSUER, named.client_id, named.issuer)
            claims = self.env["spar.token.issuer"]._read_token(token)
        if not known.may_call:
            raise InvalidToken()
        rights = known.caller.rights
        narrowed = claims.narrow(rights.operations)
        return replace(known.caller, rights=replace(rights, operations=narrowed))

    @api.model
    def _read_token(self, token: str) -> tokens.Claims:
        """Return the claims of a token of ours, verified once per process and key.

        Raises ExpiredToken, InvalidToken, KeyringUnavailable or KeyringMismatch.
        """
        keyring, audience = self.env["spar.keyring"]._open(), self._get_audience()
        digest = hashlib.sha256(token.encode()).digest()
        version = (keyring.roles.token_key, audience)
        claims = _VERIFIED.get(digest, version)
        if claims is None:
            claims = tokens.read(keyring.token_mac, audience, token)
            _VERIFIED.put(digest, version, claims)
        claims.check_time(time.time())
        return claims

    @api.model
    def _get_audience(self) -> str:
        """Return the audience of our tokens: this database and none of its copies."""
        return self.env["spar.row.versions"]._get("audience")
