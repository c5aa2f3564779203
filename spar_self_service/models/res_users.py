from odoo import api, models
from odoo.exceptions import AccessDenied
from odoo.http import request

CREDENTIAL = "spar_oidc"


class ResUsers(models.Model):
    """Beneficiaries have no password: they bring what their provider just said."""

    _inherit = "res.users"

    def _check_credentials(self, credential, env):
        """A ticket is good when it is the very one that this request has made."""
        if credential.get("type") != CREDENTIAL:
            return super()._check_credentials(credential, env)
        ticket = credential.get("ticket")
        made = getattr(request, "spar_login_ticket", None) if request else None
        if ticket is None or ticket is not made or ticket.user_id != self.env.uid:
            raise AccessDenied()
        user = self.env.user
        if not user.active or user._is_internal():
            raise AccessDenied()
        # The provider's ways to authenticate were checked: no second factor of ours.
        return {"uid": user.id, "auth_method": CREDENTIAL, "mfa": "skip"}

    @api.model
    def auth_oauth(self, provider, params):
        """Core's implicit flow checks no audience and no nonce: it is not for our
        providers."""
        self._check_implicit_flow(provider)
        return super().auth_oauth(provider, params)

    @api.model
    def _auth_oauth_validate(self, provider, access_token):
        self._check_implicit_flow(provider)
        return super()._auth_oauth_validate(provider, access_token)

    @api.model
    def _check_implicit_flow(self, provider) -> None:
        """Raise AccessDenied unless ``provider`` names one of Odoo's own flow."""
        if not isinstance(provider, int):
            raise AccessDenied()
        providers_sudo = self.env["auth.oauth.provider"].sudo()
        if providers_sudo.browse(provider).exists().flow != "token":
            raise AccessDenied()
