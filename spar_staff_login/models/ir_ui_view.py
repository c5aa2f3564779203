from urllib.parse import urlsplit

from odoo import models
from odoo.http import request

from ..pages.rendering import CHECK_IDENTITY, PAGES, note_page, render_page


class IrUiView(models.Model):
    """The pages on which people type a password or a code, rendered from files.

    A website's frame, its own code, and views that a designer edited, can contain a
    script that reads what is typed. So no view takes part in these pages, on any host.
    """

    _inherit = "ir.ui.view"

    def _register_hook(self):
        """Render these pages before the methods of all addons.

        A website has a method that shows another page in place of one that a designer
        has hidden.
        """
        result = super()._register_hook()
        _render_first(self.env.registry[self._name])
        return result

    def _render_login_page(self, name: str, values: dict):
        note_page(request._get_current_object())
        shown = {
            **values,
            **self._get_staff_login_words(),
            **self._describe_second_step(values.get("user")),
            "links": self._get_login_links(values),
            "request": request,
        }
        return render_page(name, shown)

    def _describe_second_step(self, user) -> dict[str, bool]:
        """Return what the page for a code needs: staff give one at each login."""
        user_sudo = user.sudo() if user else self.env["res.users"]
        return {
            "may_remember": bool(user_sudo) and not user_sudo._has_spar_role(),
            "is_by_mail": bool(user_sudo) and user_sudo._mfa_type() == "totp_mail",
        }

    def _is_login_page(self, template) -> bool:
        """Return whether a page is rendered from a file, in the present request."""
        if not request or template not in PAGES:
            return False
        if PAGES[template] != CHECK_IDENTITY:
            return True
        # Visitors of a website get Odoo's own page, unless they have a role.
        is_staff = self.env["ir.http"]._is_on_staff_host()
        return is_staff or self.env.user._has_spar_role()

    def _get_login_links(self, values: dict) -> list[tuple[str, str]]:
        """Return address and text of each other way to log in, from the login page."""
        if self.env["ir.http"]._is_on_staff_host():
            return []
        links = [
            (provider.get("auth_link") or "", provider.get("body") or "")
            for provider in values.get("providers") or ()
        ]
        links = [
            link for link in links if urlsplit(link[0]).scheme in ("http", "https")
        ]
        if values.get("signup_enabled"):
            links.append(("/web/signup", self.env._("Create an account")))
        return links

    def _get_staff_login_words(self) -> dict:
        """Return the texts of the pages, in the user's language."""
        language = self.env["res.lang"]._get_data(code=self.env.lang or "en_US")
        return {
            "w_lang": (language.code or "en").replace("_", "-").partition("@")[0],
            "w_direction": language.direction or "ltr",
            "w_login": self.env._("Log in"),
            "w_name": self.env._("Login"),
            "w_password": self.env._("Password"),
            "w_passkey": self.env._("Log in with a passkey"),
            "w_forgotten": self.env._("Set a new password"),
            "w_code_title": self.env._("Your second factor"),
            "w_code": self.env._("Six digits from your authenticator app"),
            "w_mail_code": self.env._("Six digits from the mail that was sent to you"),
            "w_mail_again": self.env._("Send another mail"),
            "w_remember": self.env._("Do not ask again on this device"),
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


def _render_first(model: type) -> None:
    """Put our rendering before the methods of all addons."""

    def _render_template(self, template, values=None):
        if self._is_login_page(template):
            return self._render_login_page(PAGES[template], values or {})
        return super(model, self)._render_template(template, values)

    model._render_template = _render_template
