import time

from odoo import api, models
from odoo.http import request, root

from ..lib import browser

OUR_PATH, API_PATH = "/spar", "/spar/v1"
FOR_EVER = "public, max-age=31536000, immutable"
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class IrHttp(models.AbstractModel):
    """Sessions of beneficiaries: short, and in this browser only."""

    _inherit = "ir.http"

    @classmethod
    def _authenticate_explicit(cls, auth):
        """A login that lasted long enough is over before anything else is looked at."""
        session, now = request.session, time.time()
        if session.uid and browser.is_over(session, now):
            session.logout(keep_db=True)
            request.env = api.Environment(request.env.cr, None, session.context)
            # At once: where the request ends in an error nothing is saved.
            root.session_store.rotate(session, request.env)
        browser.note_seen(session, now)
        return super()._authenticate_explicit(auth)

    @classmethod
    def _post_dispatch(cls, response):
        result = super()._post_dispatch(response)
        _guard(response)
        return result

    @classmethod
    def _handle_error(cls, exception):
        response = super()._handle_error(exception)
        if hasattr(response, "headers"):
            _guard(response)
        return response


def is_our_page(path: str) -> bool:
    """Whether a path is of the beneficiaries' pages.

    >>> is_our_page("/spar"), is_our_page("/spar/change"), is_our_page("/sparrow")
    (True, True, False)
    >>> is_our_page("/spar/v1/mapper/link")
    False
    """
    ours = path == OUR_PATH or path.startswith(f"{OUR_PATH}/")
    return ours and not (path == API_PATH or path.startswith(f"{API_PATH}/"))


def _guard(response) -> None:
    """Nobody keeps or frames a beneficiary's page, or hears where they came from."""
    _guard_cookie(response)
    if is_our_page(request.httprequest.path) or request.session.get(browser.LOGIN):
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        # What is the same for everybody says so itself: the pages' style and logo.
        if response.headers.get("Cache-Control") != FOR_EVER:
            response.headers["Cache-Control"] = HEADERS["Cache-Control"]


def _guard_cookie(response) -> None:
    """Odoo's session cookie says neither Secure nor SameSite by itself."""
    added = "; SameSite=Lax"
    if request.httprequest.scheme == "https":
        added += "; Secure"
    cookies = response.headers.getlist("Set-Cookie")
    response.headers.setlist(
        "Set-Cookie",
        [
            cookie + added
            if cookie.startswith("session_id=") and "SameSite" not in cookie
            else cookie
            for cookie in cookies
        ],
    )
