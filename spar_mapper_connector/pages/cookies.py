"""The session's cookie, as people's pages need it."""

from odoo.http import request


def secure_cookie(response) -> None:
    """Add Secure and SameSite to Odoo's session cookie, which lacks both."""
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
