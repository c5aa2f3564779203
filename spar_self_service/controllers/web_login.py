from odoo import http
from odoo.http import request

from odoo.addons.auth_oauth.controllers.main import OAuthLogin

from ..models.auth_oauth_provider import FLOW


class BeneficiaryLogin(OAuthLogin):
    """Odoo's login page for staff, which links to the beneficiaries' login page."""

    def list_providers(self):
        """Leave out our providers: core would use its implicit flow for them."""
        providers = super().list_providers()
        return [provider for provider in providers if provider["flow"] != FLOW]

    @http.route()
    def web_login(self, *args, **kw):
        response = super().web_login(*args, **kw)
        if response.is_qweb:
            providers = request.env["auth.oauth.provider"]._get_offered()
            response.qcontext["spar_is_offered"] = bool(providers)
        return response
