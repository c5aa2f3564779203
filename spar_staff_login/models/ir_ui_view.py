from odoo import models
from odoo.http import request

from ..pages import PAGES, draw


class IrUiView(models.Model):
    _inherit = "ir.ui.view"

    def _render_template(self, template, values=None):
        """Draw the pages around staff's login from files: a website's frame, and views
        that a designer edited, can hold a script."""
        if request and template in PAGES and self._is_drawn_from_files(template):
            name = PAGES[template]
            words = self._get_staff_login_words()
            return draw(name, {**(values or {}), **words, "request": request})
        return super()._render_template(template, values)

    def _is_drawn_from_files(self, template) -> bool:
        is_ours = template.startswith("spar_staff_login.")
        return is_ours or self.env["ir.http"]._is_on_staff_host()

    def _get_staff_login_words(self) -> dict:
        """Return the words of the pages, in the user's language."""
        _ = self.env._
        return {
            "w_login": _("Log in"),
            "w_name": _("Login"),
            "w_password": _("Password"),
            "w_passkey": _("Log in with a passkey"),
            "w_forgotten": _("Set a new password"),
            "w_code_title": _("Your second factor"),
            "w_code": _("Six digits from your authenticator app"),
            "w_remember": _("Do not ask again on this device today"),
            "w_cancel": _("Log out"),
            "w_reset_title": _("Set a new password"),
            "w_new_password": _("New password"),
            "w_repeat": _("New password, again"),
            "w_send": _("Send me a link"),
            "w_save": _("Save"),
            "w_back": _("Back to the login"),
            "w_identity_title": _("Confirm who you are"),
            "w_identity": _(
                "Nothing was done here for a while. Open SPAR, and say again who you "
                "are; then do this once more."
            ),
            "w_open": _("Open SPAR"),
            "w_setup_title": _("Set up your second factor"),
            "w_setup": _(
                "Whoever works with SPAR logs in with a password and something else. "
                "Choose one of the two; it takes a minute."
            ),
            "w_app": _("An authenticator app"),
            "w_app_help": _(
                "Scan this picture with an authenticator app on your phone, or type "
                "the key into it; then enter the six digits that it shows."
            ),
            "w_key": _("Key"),
            "w_use_app": _("Use this app"),
            "w_passkey_title": _("A passkey"),
            "w_passkey_help": _(
                "Your device's own lock (fingerprint, face or PIN), or a security key."
            ),
            "w_make_passkey": _("Set up a passkey"),
            "w_no_passkey": _("This browser or device made no passkey."),
        }
