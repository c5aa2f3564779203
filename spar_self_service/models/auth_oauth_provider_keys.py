import json

from odoo import api, fields, models
from odoo.tools import SQL

from odoo.addons.spar_mapper_connector.exceptions import KeyMissing
from odoo.addons.spar_mapper_connector.lib.jose.exceptions import DecryptionFailed
from odoo.addons.spar_mapper_connector.lib.jose.keys import ENCRYPTION_ALGORITHM
from odoo.addons.spar_mapper_connector.lib.keyring import OpenKeyring, bind

from ..exceptions import ProviderNotReady, UserinfoRefused
from ..lib.oidc.settings import ClientAuthentication, UserinfoFormat
from .auth_oauth_provider import FLOW

PURPOSE = "client secret"
ADMINISTRATOR = "spar_fa_directory.group_administrator"


class AuthOauthProvider(models.Model):
    """Our keys and our secret for the provider: sealed, and in no readable field."""

    _name = "auth.oauth.provider"
    _inherit = ["auth.oauth.provider", "spar.sealed.storage"]
    _sealed_columns = ("client_secret_sealed",)

    client_secret = fields.Char(
        compute="_compute_client_secret",
        inverse="_inverse_client_secret",
        groups=ADMINISTRATOR,
        copy=False,
        help="Written once and never shown again.",
    )
    has_client_secret = fields.Boolean(compute="_compute_client_secret")
    assertion_algorithm = fields.Selection(
        [("PS256", "PS256"), ("ES256", "ES256"), ("RS256", "RS256")],
        string="Algorithm of our assertions",
        default="PS256",
        help="What our key signs with. Register the key with the provider's operator.",
    )
    public_keys = fields.Text(
        string="Our public keys (JWKS)",
        compute="_compute_public_keys",
        help="For the provider's operator: these keys, or the address where they are.",
    )

    @api.model_create_multi
    def create(self, vals_list):
        providers = super().create(vals_list)
        providers._make_missing_keys()
        return providers

    def write(self, vals):
        result = super().write(vals)
        self._make_missing_keys()
        return result

    # === OUR KEYS === #

    def _get_key_use(self) -> str:
        """Return the use of our keys for this provider: each one has its own keys."""
        return f"oidc.{self.id}"

    def _get_needed_algorithms(self) -> list[str]:
        """Return the algorithms for which we need keys."""
        if self.flow != FLOW:
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
        known = set()
        if self.ids:
            query = """SELECT id FROM auth_oauth_provider
                        WHERE id = ANY(%s) AND client_secret_sealed IS NOT NULL"""
            known = {i for (i,) in self.env.execute_query(SQL(query, list(self.ids)))}
        for provider in self:
            provider.client_secret = False
            provider.has_client_secret = provider._origin.id in known

    def _inverse_client_secret(self):
        for provider in self.filtered("client_secret"):
            provider._set_client_secret(provider.client_secret)

    def _set_client_secret(self, secret: str) -> None:
        """Seal and store the secret that the provider's operator issued to us."""
        self.check_access("write")
        keyring = self.env["spar.keyring"]._open(for_write=True)
        sealed = keyring.seal(PURPOSE, secret, _get_context(self.id))
        query = "UPDATE auth_oauth_provider SET client_secret_sealed = %s WHERE id = %s"
        self.env.cr.execute(query, (sealed, self.id))
        self.invalidate_recordset(["client_secret", "has_client_secret"])

    def _get_client_secret(self) -> str:
        """Return the secret in clear, for a request to the provider; "" for none."""
        query = "SELECT client_secret_sealed FROM auth_oauth_provider WHERE id = %s"
        ((sealed,),) = self.env.execute_query(SQL(query, self.id))
        if sealed is None:
            return ""
        keyring = self.env["spar.keyring"]._open()
        return keyring.unseal(PURPOSE, bytes(sealed), _get_context(self.id))

    def _get_seal_contexts(
        self, keyring: OpenKeyring, row_ids: list[int]
    ) -> dict[int, tuple[str, bytes]]:
        return {row_id: (PURPOSE, _get_context(row_id)) for row_id in row_ids}


def _get_context(provider_id: int) -> bytes:
    return bind("auth.oauth.provider", provider_id)
