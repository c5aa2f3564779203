"""The protection of a session's identity against expressions.

Odoo gives expressions the request, and with it the session: ``request.session.update``
could turn any session into another user's.
"""

import sys

from odoo.http import Session, request

from ..expressions import refuse_expressions
from ..lib.expressions import is_evaluated

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
#: Modules that format strings by code in Python.
_FORMATTING = ("string", "markupsafe", "_string")


def guard_sessions() -> None:
    """Make a request's session refuse an expression's writes to its identity."""
    set_item = Session.__setitem__

    def set_guarded(self, item, value):
        is_identity = str(item).startswith(_IDENTITY) and self.get(item) != value
        if is_identity and request and getattr(request, "session", None) is self:
            refuse_expressions()
        set_item(self, item, value)

    Session.__setitem__ = set_guarded
    slot = Session.sid

    def get_sid(self):
        # A format string reads attributes without naming them, by code of Python's own.
        frame = sys._getframe(1)
        while frame.f_globals.get("__name__") in _FORMATTING and frame.f_back:
            frame = frame.f_back
        if is_evaluated(frame):
            refuse_expressions()
        return slot.__get__(self)

    Session.sid = property(get_sid, slot.__set__)


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
