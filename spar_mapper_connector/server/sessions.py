"""The protection of a session's identity against expressions.

Odoo gives expressions the request, and with it the session: ``request.session.update``
could turn any session into another user's.
"""

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
