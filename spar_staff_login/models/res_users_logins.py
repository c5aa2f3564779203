import contextlib

from odoo import api, models
from odoo.exceptions import AccessDenied
from odoo.http import request
from odoo.tools import SQL

#: What a password is held against where there is none.
_DUMMY = "spar-nobody"


class ResUsersLogins(models.Model):
    """Attempts to log in: how many, and what they tell."""

    _inherit = "res.users"  # pylint: disable=consider-merging-classes-inherited

    @contextlib.contextmanager
    def _assert_can_auth(self, user=None):
        """Refuse an attempt during a pause; take the place of core's one counter for
        each address, which five mistakes of one person lock for a whole office.

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
        yield  # what is raised here stays counted
        failures._note_success(login, address)

    @api.model
    def _get_counted_login(self, user) -> str:
        """Return under which name attempts for a login or a user's ID are counted."""
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
        """Refuse whoever is not let in with one answer, after the same work."""
        if credential["type"] == "webauthn":
            return self._login_by_passkey(credential, user_agent_env)
        try:
            return super()._login(credential, user_agent_env)
        except AccessDenied:
            if credential["type"] == "password" and self._was_quick(
                credential.get("login"), user_agent_env
            ):
                self._work_in_vain(credential.get("password") or "")
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
        """Return whether no password was held against what is stored for a login."""
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
    def _work_in_vain(self, password: str) -> None:
        """Do the work of checking a password."""
        context = self._crypt_context()
        registry = self.env.registry
        stored = getattr(registry, "_spar_dummy_password", None)
        if stored is None:
            stored = registry._spar_dummy_password = context.hash(_DUMMY)
        context.verify_and_update(password, stored)

    @api.model
    def reset_password(self, login):
        """Write down that a link is asked for: core's answer and its time tell whether
        there is such an account."""
        self.env["spar.password.request"]._ask(login)

    @api.model
    def _send_password_link(self, login: str) -> None:
        """Send a link to whoever has this login, or else this e-mail address alone."""
        users_sudo = self.sudo().search(self._get_login_domain(login), limit=1)
        users_sudo = users_sudo or self.sudo().search(self._get_email_domain(login))
        if len(users_sudo) == 1:
            users_sudo.action_reset_password()
