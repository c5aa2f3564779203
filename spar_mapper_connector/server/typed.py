"""What an expression sees of a request: its address, and nothing that somebody typed.

Odoo gives templates the request. It renders a mail, which an editor may change, in the
very request in which somebody types a password or an ID, or sends a cookie by which
they are logged in.
"""

import sys
from collections.abc import Callable
from types import FrameType

from odoo.http import Request

from ..lib.expressions import is_evaluated

#: The proxy of the request that templates have, whose frames are passed over.
_PROXY = "werkzeug.local"
#: What a request says about its address and its browser.
_OPEN = frozenset(
    (
        "accept_languages",
        "args",
        "base_url",
        "full_path",
        "host",
        "host_url",
        "is_secure",
        "method",
        "path",
        "query_string",
        "remote_addr",
        "root_path",
        "root_url",
        "scheme",
        "url",
        "url_root",
        "user_agent",
    )
)
#: What an expression finds empty.
_EMPTY = frozenset(("cookies", "files", "form", "headers", "values"))


class AddressOnly:
    """The request of a browser, as an expression sees it."""

    __slots__ = ("_spar_request",)

    def __init__(self, httprequest):
        self._spar_request = httprequest

    def __getattr__(self, name):
        if name in _EMPTY:
            return {}
        if name not in _OPEN:
            raise AttributeError(f"an expression reads no {name} of a request")
        return getattr(self._spar_request, name)


def hide_typed() -> None:
    """Show expressions nothing of a request but its address.

    The parameters are those of the address then, and the cookies none.
    """
    Request.httprequest = _make("httprequest", AddressOnly)
    Request.params = _make("params", lambda httprequest: dict(httprequest.args))
    read = Request.cookies.func

    def read_cookies(request):
        if _is_read_by_expression():
            return {}
        own = vars(request)
        if "cookies" not in own:
            own["cookies"] = read(request)
        return own["cookies"]

    Request.cookies = property(read_cookies)


def _make(name: str, show: Callable) -> property:
    """Return an attribute of a request that is another one for expressions.

    :param show: returns what an expression sees, given Odoo's ``httprequest``
    """

    def read(request):
        own = vars(request)
        if name not in own:
            raise AttributeError(name)
        if _is_read_by_expression():
            return show(own["httprequest"])
        return own[name]

    def write(request, value):
        vars(request)[name] = value

    return property(read, write)


def _is_read_by_expression() -> bool:
    """Return whether an expression reads an attribute."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None and frame.f_globals.get("__name__") == _PROXY:
        frame = frame.f_back
    return frame is not None and is_evaluated(frame)
