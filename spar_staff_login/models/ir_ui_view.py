from odoo import models
from odoo.http import request

from ..pages import PAGES, render_page


class IrUiView(models.Model):
    _inherit = "ir.ui.view"

    def _render_template(self, template, values=None):
        """Render the pages around the staff login from files.

        A website's frame, and views that a designer edited, can contain a script.
        """
        if request and template in PAGES and self.env["ir.http"]._is_on_staff_host():
            name = PAGES[template]
            words = self._get_staff_login_words()
            return render_page(name, {**(values or {}), **words, "request": request})
        return super()._render_template(template, values)

    def _get_staff_login_words(self) -> dict:
        """Return the texts of the pages, in the user's language."""
        return {
            "w_login": self.env._("Log in"),
            "w_name": self.env._("Login"),
            "w_password": self.env._("Password"),
            "w_passkey": self.env._("Log in with a passkey"),
            "w_forgotten": self.env._("Set a new password"),
            "w_code_title": self.env._("Your second factor"),
            "w_code": self.env._("Six digits from your authenticator app"),
            "w_cancel": self.env._("Log out"),
            "w_reset_title": self.env._("Set a new password"),
            "w_new_password": self.env._("New password"),
            "w_repeat": self.env._("New password, again"),
            "w_send": self.env._("Send me a link"),
            "w_save": self.env._("Save"),
            "w_back": self.env._("Back to the login"),
            "w_identity_title": self.env._("Confirm who you are"),
            "w_identity": self.env._(
                "You have been inactive for a while. Open SPAR, confirm who you are, "
                "and then try this again."
            ),
            "w_open": self.env._("Open SPAR"),
            **self._get_setup_words(),
        }

    def _get_setup_words(self) -> dict:
        return {
            "w_setup_title": self.env._("Set up your second factor"),
            "w_setup": self.env._(
                "Everyone who works with SPAR logs in with a password and a second "
                "factor. Choose one of the two below. It takes a minute."
            ),
            "w_app": self.env._("An authenticator app"),
            "w_app_help": self.env._(
                "Scan this picture with an authenticator app on your phone, or type "
                "the key into it; then enter the six digits that it shows."
            ),
            "w_key": self.env._("Key"),
            "w_use_app": self.env._("Use this app"),
            "w_passkey_title": self.env._("A passkey"),
            "w_passkey_help": self.env._(
                "Your device's own lock (fingerprint, face or PIN), or a security key."
            ),
            "w_make_passkey": self.env._("Set up a passkey"),
            "w_no_passkey": self.env._(
                "This browser or device did not create a passkey."
            ),
        }
