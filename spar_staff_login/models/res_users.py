from odoo import api, models
from odoo.exceptions import AccessDenied
from odoo.http import request

from ..lib import sessions, settings


class ResUsers(models.Model):
    """A user with a role in SPAR proves who they are by two factors."""

    _inherit = "res.users"

    def _needs_second_factor(self) -> bool:
        return settings.needs_second_factor() and self._has_spar_role()

    def _has_second_factor(self) -> bool:
        """Return whether there is an authenticator app or a passkey.

        A code by mail does not count.
        """
        user_sudo = self.sudo()
        return bool(user_sudo.totp_enabled or user_sudo.auth_passkey_key_ids)

    def _lacks_second_factor(self) -> bool:
        self.ensure_one()
        return self._needs_second_factor() and not self._has_second_factor()

    def _mfa_type(self):
        """Ask a user with a role for no code by mail: it is no second factor here."""
        found = super()._mfa_type()
        return None if found == "totp_mail" and self._has_spar_role() else found

    def _get_totp_mail_code(self):
        """Raise AccessDenied for a user with a role: any template could show it."""
        if self._has_spar_role():
            raise AccessDenied()
        return super()._get_totp_mail_code()

    def authenticate(self, credential, user_agent_env):
        """Refuse a password alone for a user with a passkey and no app.

        Core asks for a second factor only if there is an app.
        """
        auth_info = super().authenticate(credential, user_agent_env)
        user = self.env["res.users"].browse(auth_info["uid"])
        if (
            auth_info.get("mfa") != "skip"
            and user._needs_second_factor()
            and user._has_second_factor()
            and not user.sudo().totp_enabled
        ):
            raise AccessDenied(self.env._("Log in with your passkey."))
        if request:
            sessions.begin(request.session)
        return auth_info

    @api.model
    def _explain_second_factor(self) -> str:
        return self.env._(
            "Log in to Odoo and set up an authenticator app or a passkey first."
        )
