"""The pages served on each host.

Staff's screens and website pages never share an origin: a script in a website page
could act as the officer who opens it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: Key of a staff route that the website renders.
STAFF = "spar_staff"
#: Key of a route that both hosts serve.
SHARED = "spar_shared"

#: The staff login: Odoo makes website pages of some of these.
LOGIN_PATHS = (
    "/auth-timeout",
    "/web/login",
    "/web/reset_password",
    "/web/second-factor",
    "/web/session",
)
#: Paths that serve staff without a login by Odoo's own means, or lead to one.
STAFF_PATHS = (
    *LOGIN_PATHS,
    "/auth/passkey",
    "/json",
    "/jsonrpc",
    "/odoo",
    "/scoped_app",
    "/web/become",
    "/web/database",
    "/xmlrpc",
)
#: The first page of the web client.
CLIENT_PATHS = ("/odoo", "/scoped_app")
#: The page that offers to install an app of Odoo's: it loads the bundles of websites.
INSTALL_PATH = "/scoped_app"
#: The route of bundles as a website has changed them.
_WEBSITES_BUNDLES = "/web/assets/<int:website_id>/<unique>/<string:filename>"
#: Routes of websites on which users of Odoo change their password or second factor.
WEBSITES_SECRETS = frozenset({"/my/security"})
#: Pages with reports, which a website serves too; anybody may have written a template.
REPORT_PATHS = ("/report",)
#: Uploaded files: one can be a page with a script.
UPLOADED_PATHS = ("/web/content", "/web/image", "/web/binary")
#: Other paths that staff's screens call.
_SCREEN_PATHS = (
    "/auth_oauth",
    "/auth_totp",
    "/base_import",
    "/bus",
    "/discuss",
    "/doc",
    "/html_editor",
    "/mail",
    "/websocket",
)
#: The ports that browsers leave out.
_USUAL_PORTS = {"http": 80, "https": 443}
#: The pages and the API of SPAR.
_OUR_PATH = "/spar"
#: The first parts of paths that a website's redirect neither moves nor adds to.
PROTECTED = frozenset(
    path.split("/")[1]
    for path in (
        _OUR_PATH,
        *STAFF_PATHS,
        *REPORT_PATHS,
        *UPLOADED_PATHS,
        *_SCREEN_PATHS,
    )
)


def is_below(path: str, places: tuple[str, ...]) -> bool:
    """Return whether a path is one of the places, or below one.

    >>> is_below("/odoo/action-1", ("/odoo",)), is_below("/odoors", ("/odoo",))
    (True, False)
    """
    return any(path == place or path.startswith(f"{place}/") for place in places)


def is_protected(path: str) -> bool:
    """Return whether a path belongs to SPAR, to the login or to Odoo's screens.

    >>> [is_protected(path) for path in ("/spar/help", " web/login", "/sparkling")]
    [True, True, False]
    """
    return path.strip().lstrip("/").lower().partition("/")[0] in PROTECTED


def is_moved(routing: Mapping[str, Any], path: str) -> bool:
    """Return whether a redirect moved another route to one of the protected paths.

    >>> is_moved({"routes": ["/website/info"]}, "/web/login/help")
    True
    >>> is_moved({"routes": ["/web/login"]}, "/web/login")
    False
    >>> is_moved({"routes": ["/website/info"]}, "/about-us")
    False
    """
    return is_protected(path) and not any(map(is_protected, routing.get("routes", ())))


def is_web_client(path: str) -> bool:
    """Return whether a path is the web client itself.

    >>> [is_web_client(path) for path in ("/web", "/odoo/spar", "/web/assets/x.js")]
    [True, True, False]
    """
    return path == "/web" or is_below(path, CLIENT_PATHS)


def is_same_host(host: str, wanted: str) -> bool:
    """Return whether the request's host is the wanted one; a port counts if it is set.

    >>> is_same_host("Staff.example.org:443", "staff.example.org")
    True
    >>> is_same_host("staff.example.org:80", "staff.example.org:8069")
    False
    """
    host = host.lower()
    if host == wanted:
        return True
    name, _colon, port = host.rpartition(":")
    return port.isdecimal() and name == wanted


def is_for_staff(routing: Mapping[str, Any], path: str) -> bool:
    """Return whether a route is served on the host of the staff screens.

    >>> is_for_staff({"website": True}, "/shop"), is_for_staff({}, "/web/dataset")
    (False, True)
    >>> is_for_staff({"website": True}, "/web/login")
    True
    >>> is_for_staff({"website": True}, "/report/pdf/spar_mapper.receipt/7")
    True
    >>> is_for_staff({"routes": [_WEBSITES_BUNDLES]}, "/web/assets/1/2/x.js")
    False
    """
    if routing.get("website"):
        marked = routing.get(STAFF) or routing.get(SHARED)
        return bool(marked) or is_below(path, (*LOGIN_PATHS, *REPORT_PATHS))
    return _WEBSITES_BUNDLES not in routing.get("routes", ())


def is_only_for_staff(routing: Mapping[str, Any], path: str) -> bool:
    """Return whether a route is served on no other host.

    >>> is_only_for_staff({"auth": "user"}, "/web/dataset/call_kw")
    True
    >>> is_only_for_staff({"auth": "public"}, "/web/assets/1/x.js")
    False
    >>> is_only_for_staff({"auth": "user", "website": True}, "/my/home")
    False
    """
    if routing.get(SHARED):
        return False
    if routing.get(STAFF) or is_web_client(path) or is_below(path, STAFF_PATHS):
        return True
    return not routing.get("website") and routing.get("auth") in ("user", "bearer")


def is_from_elsewhere(origin: str | None, host: str) -> bool:
    """Return whether a page of another host sent a request.

    >>> is_from_elsewhere("https://www.example.org", "staff.example.org")
    True
    >>> is_from_elsewhere("https://staff.example.org", "staff.example.org")
    False
    >>> is_from_elsewhere("https://staff.example.org", "staff.example.org:443")
    False
    >>> is_from_elsewhere("null", "staff.example.org")
    True
    >>> is_from_elsewhere(None, "staff.example.org")
    False
    """
    if origin is None:
        return False
    scheme, _colon, sender = origin.lower().partition("://")
    usual = f":{_USUAL_PORTS.get(scheme)}"
    return sender.removesuffix(usual) != host.lower().removesuffix(usual)
