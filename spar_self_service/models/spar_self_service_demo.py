import os
import secrets

from odoo import api, models
from odoo.exceptions import AccessError

from odoo.addons.spar_mapper_connector.lib.oidc.discovery import get_address
from odoo.addons.spar_mapper_connector.lib.oidc.presets import PRESETS
from odoo.addons.spar_mapper_connector.lib.oidc.settings import ClientAuthentication

from ..lib.demo_clients import CLIENTS, DemoClient
from .auth_oauth_provider import CALLBACK_PATH, FLOW, LOGIN_PAGE_PATH

DEMO_VARIABLE = "SPAR_DEMO"
#: Used until the provider runs and its address is known.
PLACEHOLDER_URL = "http://localhost/"
#: Odoo's codes of the languages in which the pages are available.
LANGUAGES = ("en_US", "fr_FR", "es_ES", "ar_001", "hi_IN", "tl_PH")
ADDONS = ("spar_fa_directory", "spar_mapper_connector", "spar_self_service")
#: The class that marks an empty page of Odoo's website.
_EMPTY = "oe_empty"
_FRONT_PAGE = """<t name="Home" t-name="website.homepage">
    <t t-call="website.layout" pageName.f="homepage" no_footer.f="1">
        <div id="wrap" class="oe_structure">
            <section class="container py-5">
                <h1>Where your payments go</h1>
                <p>Do you receive payments? See and choose the account they go to.</p>
                <a class="btn btn-primary" href="/spar">My financial address</a>
                <p class="mt-5">
                    This is a demonstration: its people, banks and accounts are
                    invented.
                </p>
                <a class="btn btn-secondary" href="/web/login">Sign in as staff</a>
            </section>
        </div>
    </t>
</t>"""


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
        nowhere = {
            "auth_endpoint": PLACEHOLDER_URL,
            "validation_endpoint": PLACEHOLDER_URL,
        }
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
            provider._register_issuers()
            provider.enabled = True

    # === WEBSITE === #

    @api.model
    def _add_languages(self) -> None:
        """Switch the languages on, and load our addons' translations.

        Translations of Odoo's own addons are not loaded: they are for staff, and many.
        """
        self._check_demo()
        languages = self.env["res.lang"]
        for code in LANGUAGES:
            languages |= self.env["res.lang"]._activate_lang(code)
        self.env.ref("website.default_website").language_ids |= languages
        addons = self.env["ir.module.module"].search([("name", "in", ADDONS)])
        addons._update_translations(list(LANGUAGES))

    @api.model
    def _set_front_page(self) -> None:
        """Replace Odoo's placeholder on the front page by links for each audience.

        A front page that a user has edited is kept. It is a page of Odoo's website, so
        its menus for editors work there.
        """
        self._check_demo()
        website = self.env.ref("website.default_website")
        views = self.env["website"].with_context(website_id=website.id)
        view = views.viewref("website.homepage")
        if _EMPTY in view.arch_db:
            view.arch_db = _FRONT_PAGE
