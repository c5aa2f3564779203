import contextlib

from odoo import api, models
from odoo.exceptions import AccessDenied
from odoo.http import request
from odoo.tools import SQL

#: The dummy password that is verified if there is no account.
_DUMMY = "spar-nobody"


class ResUsersLogins(models.Model):
    """Limits on login attempts, and on what they reveal."""

    _inherit = "res.users"  # pylint: disable=consider-merging-classes-inherited

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
        """Return the name under which attempts for a login or user ID are counted."""
        if isinstance(user, int):
            return self.sudo().browse(user).exists().login or str(user)
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
        users_sudo = users_sudo or self.sudo().search(self._get_email_domain(login))
        if len(users_sudo) == 1:
            users_sudo.action_reset_password()
