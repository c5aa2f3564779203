"""The protection of a session's identity against expressions.

Odoo gives expressions the request, and with it the session: ``request.session.update``
could turn any session into another user's.
"""

from odoo.exceptions import AccessDenied
from odoo.http import Session, request

from ..expressions import refuse_expressions

#: Keys that hold who is logged in, since when, and what they have proved; keys of
#: SPAR's addons begin with the last.
_IDENTITY = (
    "create_time",
    "db",
    "deletion_time",
    "identity-check-",
    "login",
    "pre_login",
    "pre_uid",
    "session_token",
    "uid",
    "webauthn_challenge",
    "spar_",
)


def guard_sessions() -> None:
    """Make a request's session refuse an expression's writes to its identity."""
    set_item = Session.__setitem__

    def set_guarded(self, item, value):
        is_identity = str(item).startswith(_IDENTITY) and self.get(item) != value
        if is_identity and request and getattr(request, "session", None) is self:
            refuse_expressions()
        set_item(self, item, value)

    Session.__setitem__ = set_guarded


def refuse_service_accounts() -> None:
    """Let no session become that of a service account, whoever authenticated it.

    Every way to log in ends there, whichever addon it belongs to.
    """
    finalize = Session.finalize

    def finalize_for_people(self, env):
        user = env["res.users"].browse(self.get("pre_uid"))
        # A database without SPAR is served by the same process.
        is_service_account = getattr(user, "_is_service_account", None)
        if is_service_account and is_service_account():
            self.pop("pre_login", None)
            self.pop("pre_uid", None)
            raise AccessDenied()
        finalize(self, env)

    Session.finalize = finalize_for_people


def hide_cookie(served) -> None:
    """Forget the cookie by which a request's session was found: it is a login.

    Odoo sends the cookie anew where it is not the session's.
    """
    httprequest = served.httprequest
    wrapped = httprequest._HTTPRequest__wrapped
    for environ in (wrapped.environ, httprequest.environ):
        parts = environ.get("HTTP_COOKIE", "").split(";")
        kept = [part for part in parts if part.split("=")[0].strip() != "session_id"]
        environ["HTTP_COOKIE"] = ";".join(kept)
    for holder in (wrapped, served):
        vars(holder).pop("cookies", None)
    httprequest._session_id__ = None
