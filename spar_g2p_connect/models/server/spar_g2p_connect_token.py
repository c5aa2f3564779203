import hashlib
import time
from datetime import datetime, timezone

from odoo import api, models
from odoo.tools import SQL

from odoo.addons.spar_fa_directory.lib.row_cache import RowCache
from odoo.addons.spar_mapper_connector.lib.jose.keys import PublicKey

from ...const import BASE_PATH
from ...exceptions import InvalidClient, InvalidToken, SignatureInvalid
from ...lib import tokens
from ...lib.assertions import verify_assertion
from ...lib.caller import Caller
from ...lib.token_request import TokenRequest

#: Our tokens that this process has verified, by their digests.
_VERIFIED = RowCache()

#: The participant with this client ID at an issuer.
ISSUER_CLIENT = """p.issuer_client_id = %s AND p.token_issuer_id = (
    SELECT id FROM spar_token_issuer WHERE issuer = %s AND active)"""


class SparG2pConnectToken(models.AbstractModel):
    """Access tokens: granted to a client, and later accepted as proof of the caller.

    A client proves itself by its secret or by a signed assertion. Tokens of external
    issuers are accepted as well; see ``spar.token.issuer``.
    """

    _name = "spar.g2p.connect.token"
    _description = "Access tokens of participants"

    # === GRANTING === #

    @api.model
    def _grant(self, request: TokenRequest) -> dict:
        """Return the answer to a token request (RFC 6749 5.1).

        Raises TokenRequestRefused.
        """
        keyring = self.env["spar.keyring"]._open()
        participant = self._get_client(keyring, request)
        granted = participant._get_operations(), participant._get_extension()
        scope = tokens.grant_scope(request.scope, *granted)
        claims = tokens.Claims(participant.client_id, scope)
        now = datetime.now(timezone.utc)
        return {
            "access_token": tokens.issue(
                keyring.token_mac, self._get_audience(), claims, now
            ),
            "token_type": "bearer",
            # A text in the published contract, a number in RFC 6749.
            "expires_in": str(int(tokens.LIFETIME.total_seconds())),
            "scope": scope or tokens.build_scope(*granted),
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
        participant_id, stored = rows[0] if rows else (False, None)
        # A dummy digest stands in for a missing one, so that timing reveals no client
        # ID.
        digest = bytes(stored) if stored else bytes(32)
        matches = keyring.is_secret(request.client_id, request.client_secret, digest)
        participant = self.env["spar.participant"].browse(participant_id)
        if not (stored and matches and participant._may_call()):
            raise InvalidClient()
        if not participant.sudo()._filter_true():
            raise InvalidClient()
        return participant

    @api.model
    def _get_asserted(self, client_id: str, text: str):
        """Return the active participant that signed the assertion.

        Raises InvalidClient.
        """
        client = self.env["spar.participant.cache"]._find("p.client_id = %s", client_id)
        if not client.may_call:
            raise InvalidClient()
        authentication = self.env["spar.g2p.connect.authentication"]

        def find_key(kid: str, algorithm: str) -> PublicKey | None:
            try:
                return authentication._find_key(client, kid, algorithm)
            except SignatureInvalid:
                return None

        audiences = self._get_assertion_audiences()
        assertion = verify_assertion(text, client_id, audiences, find_key)
        self.env["spar.participant.assertion"]._use(client.participant_id, assertion)
        return self.env["spar.participant"].browse(client.participant_id)

    @api.model
    def _get_assertion_audiences(self) -> list[str]:
        """Return the audiences of assertions: our receiver ID, API and token endpoint.

        They come from the configuration, never from the request: otherwise an assertion
        that was made for another server could be used here.
        """
        audiences = [
            self.env["spar.participant"]._get_receiver_id(),
            self._get_api_url(),
            self._get_token_endpoint(),
        ]
        return list(filter(None, audiences))

    @api.model
    def _get_api_url(self) -> str:
        """Return the URL of our API as configured."""
        parameters_sudo = self.env["ir.config_parameter"].sudo()
        base = (parameters_sudo.get_param("web.base.url") or "").rstrip("/")
        return f"{base}{BASE_PATH}"

    @api.model
    def _get_token_endpoint(self) -> str:
        return f"{self._get_api_url()}/oauth2/client/token"

    # === ACCEPTING === #

    @api.model
    def _get_caller(self, token: str) -> Caller:
        """Return the caller with ``token``, and what it may do now.

        Raises ExpiredToken, InvalidToken, KeyringUnavailable or KeyringMismatch.
        """
        participants = self.env["spar.participant.cache"]
        named = tokens.read_names(token)
        if named.is_ours:
            holder = participants._find("p.client_id = %s", named.client_id)
            claims = self._read(token)
        else:
            holder = participants._find(ISSUER_CLIENT, named.client_id, named.issuer)
            claims = self.env["spar.token.issuer"]._read_token(token)
        if not holder.may_call:
            raise InvalidToken()
        rights = holder.caller.rights
        return holder.caller.limit(
            claims.narrow(rights.operations), claims.narrow_extension(rights.extension)
        )

    @api.model
    def _read(self, token: str) -> tokens.Claims:
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
