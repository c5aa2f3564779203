import os
import secrets

from odoo import api, models
from odoo.exceptions import AccessError

from ..lib.demo_clients import CLIENTS, DemoClient
from ..lib.oidc.discovery import get_address
from ..lib.oidc.presets import PRESETS
from ..lib.oidc.settings import ClientAuthentication
from .auth_oauth_provider import FLOW
from .auth_oauth_provider_login import CALLBACK_PATH, LOGIN_PAGE_PATH

DEMO_VARIABLE = "SPAR_DEMO"
#: Used until the provider runs and its address is known.
NOWHERE = "http://localhost/"


class SparSelfServiceDemo(models.AbstractModel):
    """The records for the demo's ID provider: one for each kind of client.

    It refuses to work unless the demo's variable is set in the environment.
    """

    _name = "spar.self.service.demo"
    _description = "Demo of the beneficiaries' login"

    @api.model
    def _check_demo(self) -> None:
        if os.environ.get(DEMO_VARIABLE) != "1":
            raise AccessError(self.env._("This is for demos only."))

    @api.model
    def _make_clients(self, known: dict[str, dict] | None = None) -> list[dict]:
        """Make records with keys and secrets; return what the provider needs of each.

        :param known: what was returned before, by client ID: these stay as they are
        """
        self._check_demo()
        known = known or {}
        return [
            known[client.client_id]
            if client.client_id in known and self._get_provider(client)
            else self._make_client(client)
            for client in CLIENTS
        ]

    @api.model
    def _make_client(self, client: DemoClient) -> dict:
        provider = self._set_provider(client)
        self._set_button(provider, client.button)
        metadata = {"client_id": client.client_id, **client.metadata}
        by_key = ClientAuthentication.PRIVATE_KEY_JWT.value
        if provider.client_authentication == by_key:
            metadata["jwks"] = provider._get_key_set()
        else:
            metadata["client_secret"] = secrets.token_urlsafe(32)
            provider._set_client_secret(metadata["client_secret"])
        return {
            "name": client.name,
            "login_path": f"/spar/login/{provider.id}",
            "redirect_path": f"{CALLBACK_PATH}{provider.id}",
            "logout_path": LOGIN_PAGE_PATH,
            "metadata": metadata,
        }

    @api.model
    def _get_provider(self, client: DemoClient):
        domain = [("flow", "=", FLOW), ("client_id", "=", client.client_id)]
        return self.env["auth.oauth.provider"].search(domain, limit=1)

    @api.model
    def _set_provider(self, client: DemoClient):
        """Create or update the record of a client as in this version's demo."""
        values = self._get_values(client)
        provider = self._get_provider(client)
        if provider:
            provider.write(values)
            return provider
        nowhere = {"auth_endpoint": NOWHERE, "validation_endpoint": NOWHERE}
        return self.env["auth.oauth.provider"].create(
            {"flow": FLOW, "client_id": client.client_id, **nowhere, **values}
        )

    @api.model
    def _set_button(self, provider, texts: dict[str, str]) -> None:
        """Set the button's label, in the languages of ``texts`` that are installed."""
        spoken = dict(self.env["res.lang"].get_installed())
        labels = {code: text for code, text in texts.items() if code in spoken}
        provider.update_field_translations("body", labels)

    @api.model
    def _get_values(self, client: DemoClient) -> dict:
        return {
            "preset": client.preset,
            "name": client.name,
            "body": client.button["en_US"],
            "id_type_id": self.env.ref("spar_mapper_connector.id_type_national_id").id,
            **PRESETS[client.preset].values,
            **client.values,
        }

    @api.model
    def _set_addresses(self, url: str, issuer: str) -> None:
        """Set this site's URL and the issuer of the provider, which must be running."""
        self._check_demo()
        parameters = self.env["ir.config_parameter"]
        parameters.set_param("web.base.url", url)
        parameters.set_param("web.base.url.freeze", "True")
        for provider in map(self._get_provider, CLIENTS):
            provider.discovery_uri = get_address(issuer)
            provider.action_discover()
            provider._let_assert()
            provider.enabled = True
