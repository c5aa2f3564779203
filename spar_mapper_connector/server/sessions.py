"""No expression changes who a session is of.

Odoo gives expressions the request, and with it the session: ``request.session.update``
would make anybody's session somebody else's.
"""

from odoo.http import Session, request

from ..expressions import refuse_expressions

#: What says who is logged in, since when, and what they have proved; what addons of
#: SPAR keep begins with the last.
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
    """Have the session of a request refuse what an expression would write there."""
    set_item = Session.__setitem__

    def set_guarded(self, item, value):
        is_identity = str(item).startswith(_IDENTITY) and self.get(item) != value
        if is_identity and request and getattr(request, "session", None) is self:
            refuse_expressions()
        set_item(self, item, value)

    Session.__setitem__ = set_guarded
