import os

from odoo import api, models
from odoo.exceptions import AccessError

from odoo.addons.spar_mapper.models.spar_mapper_demo import DEMO_VARIABLE
from odoo.addons.spar_mapper_connector.lib.oidc.discovery import get_address
from odoo.addons.spar_mapper_connector.lib.oidc.presets import PRESETS

from .spar_confirmation_client import RETURN_PATH

CLIENT_ID = "spar-store"
#: The provider's own record of the client.
_METADATA = {
    "token_endpoint_auth_method": "private_key_jwt",
    "token_endpoint_auth_signing_alg": "PS256",
    "subject_type": "pairwise",
    "id_token_signed_response_alg": "PS256",
    "userinfo_signed_response_alg": "PS256",
    "require_auth_time": True,
}


class SparConfirmationDemo(models.AbstractModel):
    """The store's client at the demo's ID provider.

    It refuses to work unless the demo's variable is set in the environment.
    """

    _name = "spar.confirmation.demo"
    _description = "Demo of confirmations"

    @api.model
    def _check_demo(self) -> None:
        if os.environ.get(DEMO_VARIABLE) != "1":
            raise AccessError(self.env._("This is for demos only."))

    @api.model
    def _make_clients(self) -> list[dict]:
        """Make the client and its key, if missing; return what the provider needs."""
        self._check_demo()
        client = self._get_client() or self.env["spar.confirmation.client"].create(
            {
                "client_id": CLIENT_ID,
                "name": "National ID",
                "preset": "esignet",
                **PRESETS["esignet"].values,
                "algorithms": "PS256",
                "userinfo_format": "jws",
                "id_type_id": self.env.ref(
                    "spar_mapper_connector.id_type_national_id"
                ).id,
            }
        )
        metadata = {"client_id": CLIENT_ID, **_METADATA, "jwks": client._get_key_set()}
        return [
            {
                "name": client.name,
                "redirect_path": f"{RETURN_PATH}{client.id}",
                "logout_path": "/spar",
                "metadata": metadata,
            }
        ]

    @api.model
    def _get_client(self):
        clients = self.env["spar.confirmation.client"]
        return clients.search([("client_id", "=", CLIENT_ID)], limit=1)

    @api.model
    def _set_addresses(self, issuer: str) -> None:
        """Set the issuer of the provider, which must be running."""
        self._check_demo()
        client = self._get_client()
        client.discovery_uri = get_address(issuer)
        client.action_discover()
        client._register_issuers()
        client.enabled = True
