import contextlib
import secrets
from smtplib import SMTPException

from odoo import api, models
from odoo.exceptions import AccessDenied, UserError
from odoo.http import request
from odoo.tools import SQL

from odoo.addons.base.models.ir_mail_server import MailDeliveryException
from odoo.addons.spar_mapper_connector.closed_fields import SecretChar
from odoo.addons.spar_mapper_connector.exceptions import SealBroken
from odoo.addons.spar_mapper_connector.expressions import refuse_expressions
from odoo.addons.spar_mapper_connector.models.spar_sealed_storage import add_columns

from ..lib import sessions, settings

#: The prefix in core's column of a sealed secret; a name of the secret follows.
_SEALED = "sealed:"
#: The dummy password that is verified if there is no account.
_DUMMY = "spar-nobody"


class ResUsers(models.Model):
    """A user with a role in SPAR proves who they are by two factors.

    The secrets of authenticator apps are sealed. Core stores them in clear: with a copy
    of the database, anyone can compute the digits. A new secret has a new name, which
    is part of the session's token, as the secret was.

    Attempts to log in are limited, and so is what they reveal.
    """

    _name = "res.users"
    _inherit = ["res.users", "spar.sealed.storage"]
    _sealed_columns = ("totp_sealed",)
    _seal_purpose = "authenticator"
    _seal_context_columns = ("id", "totp_secret")

    # === SECOND FACTOR === #

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

    # === ATTEMPTS TO LOG IN === #

    @contextlib.contextmanager
    def _assert_can_auth(self, user=None):
        """Refuse an attempt during a pause.

        It replaces core's single counter for each address, with which five mistakes of
        one user lock out a whole office.

        :param user: a login, or a user's ID
        """
        if not request:
            yield
            return
        failures = self.env["spar.login.failure"]
        login = self._get_counted_login(user)
        address = request.httprequest.remote_addr or ""
        if (left := failures._begin_attempt(login, address)) > 0:
            raise AccessDenied(self._explain_pause(left))
        yield  # an exception raised here stays counted
        failures._note_success(login, address)

    @api.model
    def _get_counted_login(self, user) -> str:
        """Return the name under which attempts for a login or user ID are counted.

        For an account from before with the login of a member of staff it is another
        one: it delays nobody but itself.
        """
        users_sudo = self.sudo()
        if isinstance(user, int):
            account_sudo = users_sudo.browse(user).exists()
        else:
            domain = self._get_login_domain(user or "")
            order = self._get_login_order()
            account_sudo = users_sudo.search(domain, order=order, limit=1)
        staff = self._search_staff()
        if account_sudo - staff and self._find_taken_logins(account_sudo.ids, staff):
            return f"user #{account_sudo.id}"
        if isinstance(user, int):
            return account_sudo.login or str(user)
        return str(user or "")

    @api.model
    def _explain_pause(self, left: float) -> str:
        minutes = int(left // 60) + 1
        return self.env._(
            "Too many failed attempts. Try again in %(n)s min.", n=minutes
        )

    def _login(self, credential, user_agent_env):
        """Refuse failed logins with the same answer, after the same work."""
        if credential["type"] == "webauthn":
            return self._login_by_passkey(credential, user_agent_env)
        try:
            return super()._login(credential, user_agent_env)
        except AccessDenied:
            if credential["type"] == "password" and self._was_quick(
                credential.get("login"), user_agent_env
            ):
                self._dummy_work(credential.get("password") or "")
            raise

    def _login_by_passkey(self, credential, user_agent_env):
        """Raise AccessDenied with one text for unknown and for wrong passkeys."""
        try:
            address = request.httprequest.remote_addr if request else ""
            with self._assert_can_auth(user=f"passkey {address}"):
                return super()._login(credential, user_agent_env)
        except (AccessDenied, ValueError, KeyError) as error:
            raise AccessDenied(self.env._("This passkey was not accepted.")) from error

    @api.model
    def _was_quick(self, login, user_agent_env) -> bool:
        """Return whether no password was verified against the stored one of a login."""
        if not login:
            return False
        user_sudo = self.sudo().search(
            self._get_login_domain(login), order=self._get_login_order(), limit=1
        )
        if not user_sudo:
            return True
        is_interactive = (user_agent_env or {}).get("interactive", True)
        query = SQL("SELECT password FROM res_users WHERE id = %s", user_sudo.id)
        ((stored,),) = self.env.execute_query(query)
        has_slow_password = bool(stored) and stored.startswith("$")
        return not has_slow_password or not (
            is_interactive or not user_sudo._rpc_api_keys_only()
        )

    @api.model
    def _dummy_work(self, password: str) -> None:
        """Do the work of verifying a password, without effect."""
        context = self._crypt_context()
        registry = self.env.registry
        stored = getattr(registry, "_spar_dummy_password", None)
        # Hashed only once: hashing would double the work of an attempt.
        if stored is None:
            stored = registry._spar_dummy_password = context.hash(_DUMMY)
        context.verify_and_update(password, stored)

    @api.model
    def reset_password(self, login):
        """Record the request for a link.

        Core's answer, and its time, would reveal whether there is such an account.
        """
        self.env["spar.password.request"]._ask(login)

    @api.model
    def _send_password_link(self, login: str) -> None:
        """Send a link to the user with this login, or else this unique address."""
        users_sudo = self.sudo().search(self._get_login_domain(login), limit=1)
        if not users_sudo:
            users_sudo = self.sudo().search(self._get_email_domain(login))
            # Whoever signs up with this address does not keep staff from their link.
            users_sudo = (users_sudo & self._search_staff()) or users_sudo
        if len(users_sudo) == 1:
            users_sudo.action_reset_password()

    # === SECRETS OF AUTHENTICATOR APPS === #

    totp_secret = SecretChar()

    def init(self):
        result = super().init()
        # Core's own `init` does not call its parent.
        add_columns(self.env.cr, self._table, self._sealed_columns)
        return result

    def _build_seal_context(self, user_id: int, name: str | None) -> bytes:
        return super()._build_seal_context(user_id, name or "")

    @api.depends("totp_secret")
    def _compute_totp_enabled(self):
        """Compute whether there is a secret: that is public, unlike the secret."""
        query = SQL(
            "SELECT id FROM res_users WHERE id = ANY(%s) AND totp_secret IS NOT NULL",
            self._origin.ids,
        )
        enabled = {user_id for (user_id,) in self.env.execute_query(query)}
        for user in self:
            user.totp_enabled = user._origin.id in enabled

    def _compute_totp_secret(self):
        query = SQL(
            """SELECT id, totp_secret, totp_sealed FROM res_users WHERE id = ANY(%s)""",
            self._origin.ids,
        )
        kept = {row[0]: row[1:] for row in self.env.execute_query(query)}
        for user in self:
            name, sealed = kept.get(user._origin.id, (None, None))
            user.totp_secret = user._origin._open_totp_secret(name, sealed)

    def _open_totp_secret(self, name: str | None, sealed) -> str | None:
        """Return the secret; one that was stored before there were keys is in clear."""
        if not (name or "").startswith(_SEALED):
            return name
        return self._unseal_value(sealed or b"", self.id, name)

    def _inverse_token(self):
        result = super()._inverse_token()
        self._seal_totp_secrets()
        return result

    def _seal_totp_secrets(self) -> None:
        """Seal those secrets of these users that are in clear."""
        if not self.env["spar.settings.seal"].sudo()._is_needed():
            return
        query = SQL(
            """SELECT id, totp_secret FROM res_users
                WHERE id = ANY(%s) AND totp_secret IS NOT NULL
                  AND NOT starts_with(totp_secret, %s)""",
            self.ids,
            _SEALED,
        )
        rows = self.env.execute_query(query)
        for user_id, secret in rows:
            name = _SEALED + secrets.token_hex(8)
            self.env.cr.execute(
                SQL(
                    "UPDATE res_users SET totp_secret = %s, totp_sealed = %s "
                    "WHERE id = %s",
                    name,
                    self._seal_value(secret, user_id, name),
                    user_id,
                )
            )
        if rows:
            self.invalidate_recordset(["totp_secret"])

    @api.model
    def _list_totp_secrets(self) -> list[str]:
        """Return the secrets of all accounts, but those that cannot be opened."""
        users_sudo = self.sudo().with_context(active_test=False)
        found = []
        for user in users_sudo.search([("totp_enabled", "=", True)]):
            # An altered account is named by its seal.
            with contextlib.suppress(SealBroken):
                found.append(user.totp_secret)
        return found

    @api.model
    def _seal_each(self):
        """Seal secrets from before there were keys, together with the accounts."""
        everybody = self.sudo().with_context(active_test=False)
        everybody.search([("totp_enabled", "=", True)])._seal_totp_secrets()
        return super()._seal_each()

    def action_totp_enable_wizard(self):
        """Open our own page: core's dialog stores a new secret in a table, in clear."""
        self.ensure_one()
        if self == self.env.user and self._has_spar_role() and not self.totp_enabled:
            return {
                "type": "ir.actions.act_url",
                "url": "/web/second-factor",
                "target": "self",
            }
        return super().action_totp_enable_wizard()

    # === LINKS FOR A PASSWORD === #

    def _action_reset_password(self, signup_type="reset"):
        """Send staff a link that no template has seen and no table stores.

        A mail template could send it to someone else, and a queued mail can be read in
        the database.
        """
        if self.env.context.get("install_mode") or self.env.context.get("import_file"):
            return None
        staff = self.filtered(lambda user: user.partner_id._has_signed_links())
        others = self - staff
        result = None
        if others or not self:
            result = super(ResUsers, others)._action_reset_password(signup_type)
        for user in staff:
            user._send_signed_link(signup_type)
        return result or staff._build_sent_notification()

    def _send_signed_link(self, signup_type: str) -> None:
        """Send one link at once.

        Raises UserError, MailDeliveryException or CalledFromExpression.
        """
        refuse_expressions()
        if not self.active:
            raise UserError(
                self.env._("You cannot perform this action on an archived user.")
            )
        if not self.email:
            raise UserError(
                self.env._(
                    "%(name)s has no e-mail address: enter one first.", name=self.name
                )
            )
        partner_sudo = self.sudo().partner_id
        partner_sudo.signup_prepare(signup_type=signup_type)
        words = self.with_context(lang=self.lang or self.env.lang)
        body = words._get_link_text(signup_type, partner_sudo._get_signup_url())
        server_sudo = self.env["ir.mail_server"].sudo()
        email = server_sudo._build_email__(
            self.company_id.email_formatted or self.email_formatted,
            [self.email],
            words.env._("Set your password"),
            body,
        )
        try:
            server_sudo.send_email(email)
        except (OSError, SMTPException) as error:
            # Odoo expects this one: it creates the account all the same.
            raise MailDeliveryException(
                self.env._("Unable to connect to SMTP Server"), error
            ) from error

    def _get_link_text(self, signup_type: str, url: str) -> str:
        why = self.env._(
            "You, or somebody else, requested a new password for the account "
            "%(login)s.",
            login=self.login,
        )
        if signup_type == "signup":
            why = self.env._(
                "An account was created for you: %(login)s.", login=self.login
            )
        return self.env._(
            "Hello %(name)s,\n\n%(why)s\n\nSet your password here:\n%(url)s\n\n"
            "If you did not expect this message, ignore it: nothing has changed.",
            name=self.name,
            why=why,
            url=url,
        )

    def _build_sent_notification(self) -> dict:
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "success",
                "message": self.env._("A link to set a password was sent."),
            },
        }
