from odoo import api, models
from odoo.exceptions import AccessDenied
from odoo.http import request

CREDENTIAL = "spar_oidc"


class ResUsers(models.Model):
    """Users for beneficiaries, who have no password but authenticate at a provider."""

    _inherit = "res.users"

    def _check_credentials(self, credential, env):
        """Accept a ticket only if it is the very object that this request created."""
        if credential.get("type") != CREDENTIAL:
            if self.env.user._get_beneficiaries():
                raise AccessDenied()
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

    def write(self, vals):
        """Raise AccessDenied where any user would give a beneficiary a password."""
        has_password = vals.get("password") or vals.get("new_password")
        if has_password and self._get_beneficiaries():
            raise AccessDenied()
        return super().write(vals)

    def _action_reset_password(self, signup_type="reset"):
        """Send no reset link to beneficiaries; the answer is the same for everyone."""
        others = self - self._get_beneficiaries()
        if others or not self:
            return super(ResUsers, others)._action_reset_password(signup_type)
        return None

    def _get_beneficiaries(self):
        """Return the users who log in through an ID provider, and in no other way."""
        identities_sudo = self.env["spar.identity"].sudo()
        known_sudo = identities_sudo.search([("user_id", "in", self.ids)])
        return self.filtered(lambda user: user in known_sudo.user_id)

    @api.model
    def auth_oauth(self, provider, params):
        """Refuse core's implicit flow, which checks no audience and no nonce.

        It is not for our providers.
        """
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
